"""What ultrasound makes of segments: how much passes, and by how much its phase is moved.

A plane wave meets each column of a segment head on; every pixel is a layer (``acoustics.layers``)
whose properties follow from its HU by a convention (``acoustics.registry``). What the layered model
leaves out is said on the page: refraction, shear waves, diffraction between columns, scattering by
what is finer than a pixel. It is the same for all sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...acoustics.convention import FREQUENCY_KHZ, Conditions
from ...acoustics.layers import transmit
from ...acoustics.registry import checked_convention
from ...acoustics.tissues import WATER
from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from ...metrics.profiles import columns_of
from ...plots.charts import write_violins
from ..names import COLORS, LABELS
from .acoustic_quantities import NAME, QUANTITIES, Quantity, acoustic_tables
from .distributions import Comparison, compare, mean_of
from .drawing import WIDTH_IN
from .measure import (
    LEARNED,
    Chart,
    Column,
    Figure,
    Inputs,
    Measure,
    Numbers,
    PerSegment,
    Progress,
    Result,
    Statement,
    SummaryColumn,
    Violins,
    known_number,
)
from .statistics import Estimate

ULTRASOUND = "Does ultrasound pass through them as through real ones?"
LITTLE_KS = 0.1
"""Kolmogorov-Smirnov distance up to which distributions differ by little."""

_CHANCE = 0.05
_AT_ONCE = 256


@dataclass(frozen=True)
class AcousticSettings:
    """How the wave is sent; under ``NAME`` in ``Inputs.settings``.

    Attributes:
        medium: name of a convention.
        frequency_khz: of the wave.
        densest_hu: for conventions that are scaled by it; None is that of the reference set.

    Raises:
        BadInputError: if there is no such convention, or it does not hold at the frequency.
    """

    medium: str = "k-plan"
    frequency_khz: float = FREQUENCY_KHZ
    densest_hu: float | None = None

    def __post_init__(self) -> None:
        known = self.densest_hu if self.densest_hu is not None else 2000.0
        checked_convention(self.medium).check(Conditions(self.frequency_khz, known))


def wave_through(
    segments: SegmentSet, settings: AcousticSettings, densest_hu: float | None = None
) -> dict[str, np.ndarray]:
    """Send a plane wave through every 4th column of segments.

    Args:
        segments: N of them.
        settings: how.
        densest_hu: of the densest bone of all that is compared, where the settings have none.

    Returns:
        float64 (N,) by name of ``QUANTITIES``; NaN for a segment without a column of bone. Columns
        through air do not count.
    """
    found = {one.name: np.full(len(segments), np.nan) for one in QUANTITIES}
    for start in range(0, len(segments), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        for name, values in _through_some(segments[part], settings, densest_hu).items():
            found[name][part] = values
    return found


def _through_some(
    segments: SegmentSet, settings: AcousticSettings, densest_hu: float | None
) -> dict[str, np.ndarray]:
    convention = checked_convention(settings.medium)
    given = settings.densest_hu if settings.densest_hu is not None else densest_hu
    conditions = Conditions(settings.frequency_khz, given)
    columns = columns_of(segments.hu, segments.mask, segments.pixel_spacing_mm)
    around = convention.background or WATER
    # A row for every HU that there is, and one for what is around the bone.
    lowest, highest = int(segments.hu.min(initial=0)), int(segments.hu.max(initial=0))
    properties = convention.properties(np.arange(lowest, highest + 1), conditions)
    properties = properties.with_tissue(around, settings.frequency_khz)
    outside = len(properties.density) - 1
    materials = np.where(columns.bone, columns.hu.astype(int) - lowest, outside)
    passed = transmit(
        materials,
        properties,
        segments.pixel_spacing_mm,
        settings.frequency_khz,
        before=around,
        behind=around,
    )
    count = columns.walls.count.reshape(len(segments), -1)
    none = ~count.any(axis=1)
    numbers = np.maximum(count.sum(axis=1), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.where(count, values, 0).sum(axis=1) / numbers
        return np.where(none, np.nan, total)

    amplitude, delay = (one.reshape(count.shape) for one in (passed.amplitude, passed.delay_rad))
    middle = mean(delay)
    spread = np.sqrt(mean((delay - np.where(none, 0, middle)[:, None]) ** 2))
    return {
        "transmission_percent": 100 * mean(amplitude),
        "phase_delay_rad": middle,
        "phase_spread_rad": spread,
    }


def _settings(inputs: Inputs) -> AcousticSettings:
    given = inputs.settings.get(NAME, AcousticSettings())
    assert isinstance(given, AcousticSettings)
    return given


def _densest_hu(inputs: Inputs) -> float:
    """Give the HU of the densest bone of the reference set, the same scale for all sets."""
    name = inputs.reference or next(iter(inputs.compared))
    hu = inputs.compared[name].hu
    return float(hu.max(initial=0))


def _parts(inputs: Inputs) -> Sequence[str]:
    return tuple(inputs.compared)


def _run(inputs: Inputs, name: str, report_progress: Progress) -> dict[str, np.ndarray]:
    return wave_through(inputs.compared[name], _settings(inputs), _densest_hu(inputs))


def _describe(inputs: Inputs, found: Mapping[str, Mapping[str, np.ndarray]]) -> Result:
    if not found:
        return Result()
    settings = _settings(inputs)
    means = {
        name: {
            one.name: mean_of(values[one.name], inputs.compared[name].subject, inputs.seed)
            for one in QUANTITIES
        }
        for name, values in found.items()
    }
    compared = _compared(inputs, found)
    convention = checked_convention(settings.medium)
    return Result(
        numbers={
            NAME: {
                "medium": settings.medium,
                "source": convention.source,
                "caution": convention.caution,
                "frequency_khz": settings.frequency_khz,
                "densest_hu": settings.densest_hu or _densest_hu(inputs)
                if convention.normalized
                else None,
                "sets": means,
                "compared": compared,
            }
        },
        statements=(_statement(inputs, means, compared),),
        figures=(
            Figure(
                NAME,
                "Violins of pressure that passes, phase delay and its spread for each set",
                "A plane wave through every 4th column of every segment that was compared. White "
                "dot and number: median; dark bar: the middle half. Phase delay: negative, for "
                "bone is faster than water; 6.28 rad are a cycle. Phase spread: how much the "
                "columns of one segment differ.",
                lambda path: _write_violins(found, path),
            ),
        ),
        columns=tuple(
            PerSegment(f"{NAME}_{one.name}", name, inputs.places[name], values[one.name])
            for name, values in found.items()
            for one in QUANTITIES
        ),
    )


def _compared(
    inputs: Inputs, found: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, dict[str, Comparison]]:
    """Give the comparisons of each set with the reference, by set and quantity."""
    compared: dict[str, dict[str, Comparison]] = {}
    for pair, (real, other) in inputs.pairs.items():
        if pair == LEARNED or not {real, other} <= found.keys():
            continue
        subjects = inputs.compared[real].subject, inputs.compared[other].subject
        try:
            compared[pair] = {
                one.name: compare(
                    found[real][one.name], found[other][one.name], subjects, seed=inputs.seed
                )
                for one in QUANTITIES
            }
        except BadInputError:  # too few segments of bone
            continue
    return compared


def _statement(
    inputs: Inputs,
    means: Mapping[str, Mapping[str, Estimate]],
    compared: Mapping[str, Mapping[str, Comparison]],
) -> Statement:
    one = compared.get("synthetic")
    if one is None or inputs.reference is None:
        needed = "A real and a synthetic set of 4 segments or more are needed."
        return Statement(ULTRASOUND, "Not known", (needed,))
    settings = _settings(inputs)
    real, made = means[inputs.reference], means["synthetic"]
    label = LABELS[inputs.reference].lower()

    def both(name: str, digits: int, unit: str) -> str:
        texts = (_text(each[name], digits, unit) for each in (made, real))
        return " against ".join(texts)

    worst = max(QUANTITIES, key=lambda each: one[each.name].ks)
    found = one[worst.name]
    reasons = (
        f"Of a plane wave of {settings.frequency_khz:g} kHz, {both('transmission_percent', 1, '%')}"
        f" of the pressure passes (synthetic against {label} segments, in a layered model with the "
        f"properties of {settings.medium}).",
        f"Its phase delay is {both('phase_delay_rad', 2, 'rad')} (negative is ahead of water), and "
        f"across a segment it spreads by {both('phase_spread_rad', 2, 'rad')}.",
        f"Most different is {worst.words}: Kolmogorov-Smirnov {found.ks:.2f}, where chance alone "
        f"stays below {found.chance_ks:.2f} in 95 % of cases with as many segments"
        f"{_baseline(compared.get('train'), worst)}.",
    )
    return Statement(ULTRASOUND, short_answer(one, compared.get("train")), reasons)


def short_answer(synthetic: Mapping[str, Comparison], real: Mapping[str, Comparison] | None) -> str:
    """Give the answer in a few words.

    Three quantities are looked at: each one's p must be below a third of 0.05 to count.

    Args:
        synthetic: comparisons with the reference set, by quantity.
        real: the same of another real set, if there is one.
    """
    told = [one for one in QUANTITIES if synthetic[one.name].p_value < _CHANCE / len(QUANTITIES)]
    if not told:
        return "As far as these sets can show, yes"
    if real is not None and all(synthetic[one.name].ks <= real[one.name].ks for one in told):
        return "Not quite, but they differ no more than two real sets do"
    worst = max(told, key=lambda one: synthetic[one.name].ks)
    if synthetic[worst.name].ks < LITTLE_KS:
        return f"Nearly: {worst.words} differs by little"
    return f"No: {worst.words} differs"


def _baseline(real: Mapping[str, Comparison] | None, worst: Quantity) -> str:
    if real is None:
        return ""
    return f"; between the two real sets it is {real[worst.name].ks:.2f}"


def _text(one: Estimate, digits: int, unit: str) -> str:
    value, low, high = (f"{number:.{digits}f}" for number in (one.value, one.low, one.high))
    return f"{value} {unit} ({low} to {high})"


def _write_violins(found: Mapping[str, Mapping[str, np.ndarray]], path: Path) -> None:
    write_violins(
        path,
        {LABELS[name]: values for name, values in found.items()},
        {one.name: (f"{one.title} ({one.unit})", f".{one.digits}f") for one in QUANTITIES},
        colors=[COLORS[name] for name in found],
        width=WIDTH_IN,
        svg=True,
    )


def _charts(numbers: Numbers) -> Sequence[Chart]:
    if NAME not in numbers:
        return ()
    return [
        Violins(one.title, f"{one.title} ({one.unit})", f"{NAME}_{one.name}") for one in QUANTITIES
    ]


def _summary(numbers: Numbers) -> Sequence[SummaryColumn]:
    sets = (numbers.get(NAME) or {}).get("sets") or {}
    return [
        SummaryColumn(
            f"{one.title} ({one.unit})",
            {name: known_number(means, one.name, "value") for name, means in sets.items()},
            one.unit,
            one.description,
            one.digits,
        )
        for one in QUANTITIES
        if sets
    ]


MEASURE: Measure[dict[str, np.ndarray]] = Measure(
    name=NAME,
    title="Ultrasound through the wall",
    run=_run,
    describe=_describe,
    parts=_parts,
    weight=0.6,
    columns=tuple(
        Column(
            f"{NAME}_{one.name}",
            title=f"{one.title} ({one.unit})",
            unit=one.unit,
            description=one.description,
        )
        for one in QUANTITIES
    ),
    charts=_charts,
    summary=_summary,
    tables=acoustic_tables,
)
