"""The page's section on ultrasound: what passes each set, and how far that is from real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...plots.html import Cell, Table
from ..measures.acoustic import NAME, QUANTITIES
from ..names import LABELS


def acoustic_table(numbers: Mapping[str, Any]) -> Table | None:
    """Lay out what passes each set, and how far its distribution is from the reference's."""
    found = numbers.get(NAME)
    if not found:
        return None
    rows = []
    reference_first = sorted(found["sets"].items(), key=lambda one: one[0] != numbers["reference"])
    for one in QUANTITIES:
        for name, means in reference_first:
            compared = found["compared"].get(name, {}).get(one.name)
            rows.append(
                [
                    Cell(f"{one.title}, {one.unit}"),
                    Cell(LABELS[name]),
                    _stacked(means[one.name], one.digits),
                    *_apart(compared, one.digits),
                ]
            )
    reference = LABELS[numbers["reference"]].lower() if numbers["reference"] else "no"
    return Table(
        ("What", "Set", "Mean", "Difference", "Wasserstein", "Kolmogorov-Smirnov", "By chance",
         "p", "n"),
        rows,
        f"Against the {reference} set (real). Small numbers: 95 % intervals, by a bootstrap of "
        "subjects where a set has several, else of segments. By chance: below this lie 95 % of "
        "random splits of both sets together, so that a smaller Kolmogorov-Smirnov distance "
        "could not be told. p takes segments for independent; those of one patient are not, so "
        "that it is too small for sets of different patients.",
        numbers_from=2,
    )  # fmt: skip


def _apart(compared: Mapping[str, Any] | None, digits: int) -> list[Cell]:
    if compared is None:
        return [Cell("")] * 6
    return [
        _stacked(compared["difference"], digits, "+"),
        _stacked(compared["wasserstein"], digits),
        Cell(f"{compared['ks']:.2f}"),
        Cell(f"{compared['chance_ks']:.2f}"),
        Cell(f"{compared['p_value']:.2g}"),
        Cell(f"{compared['measured'][1]:,}"),
    ]


def _stacked(one: Mapping[str, float | None], digits: int, sign: str = "") -> Cell:
    """An interval below its number; empty where nothing was measured."""
    if one["value"] is None:
        return Cell("")
    value, low, high = (f"{one[key]:{sign}.{digits}f}" for key in ("value", "low", "high"))
    return Cell(value, note=f"{low} to {high}")
