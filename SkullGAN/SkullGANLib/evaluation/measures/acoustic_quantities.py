"""What ultrasound gives of each segment, a record each, and their table for page and scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..names import LABELS
from .tables import ReportTable, TableColumn, by_key

NAME = "acoustic"
"""Of the judge, its numbers, figure and table."""


@dataclass(frozen=True)
class Quantity:
    """A number that the wave gives for each segment.

    Attributes:
        name: of its column.
        title: in tables and figures.
        unit: there.
        digits: behind the point.
        words: as the subject of a sentence.
        description: what it is.
    """

    name: str
    title: str
    unit: str
    digits: int
    words: str
    description: str


QUANTITIES = (
    Quantity(
        "transmission_percent",
        "Pressure that passes",
        "%",
        1,
        "the pressure that passes",
        "Pressure of a plane wave behind the wall over that before it, mean over columns",
    ),
    Quantity(
        "phase_delay_rad",
        "Phase delay",
        "rad",
        2,
        "the phase delay",
        "Phase by which the wave comes later than through water; negative where it is ahead",
    ),
    Quantity(
        "phase_spread_rad",
        "Phase spread",
        "rad",
        2,
        "the spread of the phase",
        "Standard deviation of the phase delay across a segment's columns",
    ),
)


def acoustic_tables(numbers: Mapping[str, Any]) -> Sequence[ReportTable]:
    """Lay out what passes each set, and how far its distribution is from the reference's."""
    found = numbers.get(NAME)
    if not found:
        return ()
    reference = numbers["reference"]
    sets = sorted(found["sets"], key=lambda name: name != reference)  # the reference first
    places = [(one, name) for one in QUANTITIES for name in sets]
    means = [found["sets"][name][one.name] for one, name in places]
    apart = [found["compared"].get(name, {}).get(one.name, {}) for one, name in places]
    columns = [
        TableColumn("What", [f"{one.title}, {one.unit}" for one, _ in places]),
        TableColumn("Set", [LABELS[name] for _, name in places]),
        TableColumn("Mean", [one if one["value"] is not None else None for one in means]),
        TableColumn("Difference", by_key(apart, "difference"), description="Of the means"),
        TableColumn("Wasserstein", by_key(apart, "wasserstein")),
        TableColumn("Kolmogorov-Smirnov", by_key(apart, "ks")),
        TableColumn("By chance", by_key(apart, "chance_ks"), description="95 % stay below it"),
        TableColumn("p", by_key(apart, "p_value"), digits=3),
        TableColumn("n", [one.get("measured", [None, None])[1] for one in apart], digits=0),
    ]
    label = LABELS[reference].lower() if reference else "no"
    caption = (
        f"Against the {label} set (real). Small numbers: 95 % intervals, by a bootstrap of "
        "subjects where a set has several, else of segments. By chance: below this lie 95 % of "
        "random splits of both sets together, so that a smaller Kolmogorov-Smirnov distance could "
        "not be told. p takes segments for independent; those of one patient are not, so that it "
        "is too small for sets of different patients."
    )
    return (ReportTable(NAME, "Ultrasound through the wall", columns, caption),)
