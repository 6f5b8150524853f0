"""Depth: whether the slices of synthetic stacks agree with their neighbors as those of real ones.

By how far two slices of one stack lie apart: the correlation of their HU where both are wall, the
same of the fine structure (what is left of the HU when all that is coarser than marrow is taken
out), and the overlap of both walls. Slices of different stacks say what no neighborhood gives. Too
little and a stack is a row of strangers; too much and it is one slice many times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.depth import Depth, depth_of
from ...data.segment_set import SegmentSet
from ..names import COLORS, LABELS
from .drawing import GUIDE, writer
from .measure import Figure, Inputs, Measure, Numbers, Progress, Result, Statement
from .statistics import Estimate, interval, mean_estimate, subsample
from .tables import ReportTable, TableColumn

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

NAME = "depth"
QUESTION = "Do neighboring slices agree?"
QUANTITIES = {
    "hu": "Correlation of HU",
    "fine": "Correlation of fine structure",
    "overlap": "Overlap of walls (Dice)",
}
MOST_STACKS = 200
"""Of each set; of more so many are taken."""
_FINE_PIXELS = 2.0  # marrow spaces are 1 to 2 mm; what a Gaussian of 0.9 mm keeps is tables
_FEWEST_PIXELS = 50
_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Agreement:
    """How slices of a set's stacks agree.

    Attributes:
        depth: of the stacks.
        stacks: how many were looked at.
        by_distance: by one of ``QUANTITIES``, the mean over stacks at each distance of 1, 2, ...
            slices; None where no stack holds such a pair.
        unrelated: the same between slices of different stacks.
    """

    depth: Depth
    stacks: int
    by_distance: Mapping[str, tuple[Estimate | None, ...]]
    unrelated: Mapping[str, float]


def agreement(segments: SegmentSet, seed: int = 0) -> Agreement | None:
    """Measure how slices agree; None for a set without depth.

    Args:
        segments: slices of stacks; some may be missing.
        seed: of the choice of stacks, of what is unrelated and of the intervals.
    """
    depth = depth_of(segments)
    if depth is None or not len(segments):
        return None
    numbers, whose = np.asarray(segments.slice_number), _stack_of(segments)
    chosen = subsample(int(whose.max()) + 1, MOST_STACKS, seed)
    rows = np.flatnonzero(np.isin(whose, chosen) & (numbers >= 0))
    numbers, whose = numbers[rows], whose[rows]
    part = segments[rows]
    fine = _fine_structure(part)
    rng = np.random.default_rng(seed)
    found: dict[str, list[Estimate | None]] = {name: [] for name in QUANTITIES}
    for distance in range(1, depth.slices):
        first, second = _pairs(whose, numbers, distance)
        values = _compared(part, fine, first, second)
        for name, one in values.items():
            found[name].append(_mean_over(one, whose[first], rng))
    partner = rng.permutation(len(rows))
    apart = np.flatnonzero(whose != whose[partner])
    unrelated = _compared(part, fine, apart, partner[apart])
    return Agreement(
        depth,
        len(np.unique(whose)),
        {name: tuple(each) for name, each in found.items()},
        {name: _mean(values) for name, values in unrelated.items()},
    )


def _stack_of(segments: SegmentSet) -> np.ndarray:
    """Number the stacks, int (N,): those of one number and CT."""
    names = [f"{ct} {stack}" for ct, stack in zip(segments.ct, segments.stack, strict=True)]  # type: ignore[arg-type]
    return np.unique(names, return_inverse=True)[1]


def _pairs(whose: np.ndarray, numbers: np.ndarray, distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the rows of all pairs of slices of one stack so far apart."""
    place = {key: row for row, key in enumerate(zip(whose.tolist(), numbers.tolist(), strict=True))}
    both = [
        (row, place[stack, number + distance])
        for (stack, number), row in place.items()
        if (stack, number + distance) in place
    ]
    first, second = np.array(both, int).reshape(-1, 2).T
    return first, second


def _fine_structure(segments: SegmentSet) -> np.ndarray:
    """Give HU less a Gaussian mean of the wall around, float32 (N, 128, 128); 0 outside."""
    from scipy import ndimage

    wall = (segments.mask > 0).astype(np.float32)
    reach = (0, _FINE_PIXELS, _FINE_PIXELS)
    share = ndimage.gaussian_filter(wall, reach)
    mean = ndimage.gaussian_filter(np.where(wall > 0, segments.hu, 0).astype(np.float32), reach)
    mean = np.divide(mean, share, out=np.zeros_like(mean), where=share > 1e-3)
    return np.where(wall > 0, segments.hu - mean, 0).astype(np.float32)


def _compared(
    segments: SegmentSet, fine: np.ndarray, first: np.ndarray, second: np.ndarray
) -> dict[str, np.ndarray]:
    """Give each of ``QUANTITIES`` of pairs of rows, float64 (pairs,); NaN where they share no
    wall."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in QUANTITIES}
    for start in range(0, len(first), _AT_ONCE):
        one, two = first[start : start + _AT_ONCE], second[start : start + _AT_ONCE]
        walls = segments.mask[one] > 0, segments.mask[two] > 0
        common = walls[0] & walls[1]
        sizes = walls[0].sum(axis=(1, 2)) + walls[1].sum(axis=(1, 2))
        found["hu"].append(correlation(segments.hu[one], segments.hu[two], common))
        found["fine"].append(correlation(fine[one], fine[two], common))
        found["overlap"].append(2 * common.sum(axis=(1, 2)) / np.maximum(sizes, 1))
    empty = [np.empty(0)]
    return {name: np.concatenate(values or empty) for name, values in found.items()}


def correlation(one: np.ndarray, two: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Give Pearson's correlation of pictures, pair by pair, over some of their pixels.

    Args:
        one, two: (N, rows, columns).
        where: bool (N, rows, columns).

    Returns:
        float64 (N,), NaN where there are less than 50 pixels or one of both is even.

    Example:
        >>> picture = np.arange(100.0).reshape(1, 10, 10)
        >>> correlation(picture, -2 * picture, np.ones((1, 10, 10), bool)).round(6).tolist()
        [-1.0]
    """
    count = where.sum(axis=(1, 2))
    some = np.maximum(count, 1)[:, None, None]
    parts = []
    for picture in (one, two):
        kept = np.where(where, picture, 0).astype(np.float64)
        parts.append(np.where(where, kept - kept.sum(axis=(1, 2), keepdims=True) / some, 0))
    shared = (parts[0] * parts[1]).sum(axis=(1, 2))
    scale = np.sqrt((parts[0] ** 2).sum(axis=(1, 2)) * (parts[1] ** 2).sum(axis=(1, 2)))
    found = np.full(len(one), np.nan)
    np.divide(shared, scale, out=found, where=(scale > 0) & (count >= _FEWEST_PIXELS))
    return found


def _mean_over(values: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> Estimate | None:
    """Give the mean of the groups' means, with the interval of a bootstrap over groups."""
    known = np.isfinite(values)
    if not known.any():
        return None
    _names, number = np.unique(groups[known], return_inverse=True)
    return mean_estimate(np.bincount(number, values[known]) / np.bincount(number), rng)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _parts(inputs: Inputs) -> Sequence[str]:
    return tuple(name for name, one in inputs.sets.items() if one.segments.source.get("depth"))


def _run(inputs: Inputs, name: str, report_progress: Progress) -> Agreement | None:
    return agreement(inputs.sets[name].segments, inputs.seed)


def _describe(inputs: Inputs, found: Mapping[str, Agreement | None]) -> Result:
    known = {name: one for name, one in found.items() if one is not None}
    if not known:
        return Result()
    return Result(
        numbers={NAME: known},
        statements=(_statement(inputs, known),),
        figures=(
            Figure(
                NAME,
                "Curves of how slices of a stack agree over their distance, for each set",
                "Slices of one stack, by how far they lie apart: correlation of the HU where both "
                "are wall, of what is finer than tables, and overlap of both walls. Shaded: 95 % "
                "of the mean over stacks. Dashed: slices of different stacks. Synthetic stacks are "
                "like real ones where the curves fall alike.",
                writer(3.6, lambda picture: _draw(picture, known)),
            ),
        ),
    )


def _statement(inputs: Inputs, known: Mapping[str, Agreement]) -> Statement:
    real = next((name for name in ("test", "train") if name in known), None)
    if real is None or "synthetic" not in known:
        needed = "Real and synthetic stacks are needed."
        return Statement(QUESTION, "Not known", (needed,))
    one, made = known[real], known["synthetic"]
    if one.depth != made.depth:
        return Statement(
            QUESTION,
            "Not known",
            (f"Real stacks have {one.depth}, synthetic ones {made.depth}: expected the same.",),
        )
    reasons = []
    for name, title in QUANTITIES.items():
        texts = (_next(each, name) for each in (made, one))
        reasons.append(
            f"{title} of neighbors, {one.depth.step_mm:g} mm apart: {' against '.join(texts)} "
            f"(synthetic against real stacks); of different stacks {made.unrelated[name]:.2f} "
            f"against {one.unrelated[name]:.2f}."
        )
    return Statement(QUESTION, _short(one, made), tuple(reasons))


def _next(one: Agreement, name: str) -> str:
    first = one.by_distance[name][0]
    return "not known" if first is None else interval(first, ".2f")


def _short(real: Agreement, made: Agreement) -> str:
    """Answer by how neighbors' fine structure agrees, which is what a stack adds to its slices."""
    first, second = real.by_distance["fine"][0], made.by_distance["fine"][0]
    if first is None or second is None:
        return "Not known"
    if second.low <= first.high and first.low <= second.high:
        return "As those of real stacks, as far as these sets can show"
    return f"{'More' if second.value > first.value else 'Less'} than those of real stacks"


def _draw(picture: Picture, known: Mapping[str, Agreement]) -> None:
    for axes, (name, title) in zip(picture.subplots(1, 3), QUANTITIES.items(), strict=True):
        for of, one in known.items():
            values = one.by_distance[name]
            mm = one.depth.step_mm * (1 + np.arange(len(values)))
            line, low, high = (
                np.array([np.nan if each is None else getattr(each, end) for each in values])
                for end in ("value", "low", "high")
            )
            axes.plot(mm, line, "o-", markersize=3, color=COLORS[of], label=LABELS[of])
            axes.fill_between(mm, low, high, color=COLORS[of], alpha=0.2, linewidth=0)
            axes.axhline(one.unrelated[name], **{**GUIDE, "color": COLORS[of]})
        axes.set(
            title=title, xlabel="distance of slices (mm)", ylim=(min(0, axes.get_ylim()[0]), 1)
        )
    picture.axes[0].legend(frameon=False)


def _tables(numbers: Numbers) -> Sequence[ReportTable]:
    found = numbers.get(NAME) or {}
    if not found:
        return ()
    rows = [
        (name, quantity, one)
        for name, one in found.items()
        for quantity in QUANTITIES
        if quantity in one["by_distance"]
    ]

    def at(place: Callable[[int], int]) -> list[Mapping[str, float] | None]:
        each = [one["by_distance"][quantity] for _, quantity, one in rows]
        return [values[place(len(values))] for values in each]

    return (
        ReportTable(
            NAME,
            "Agreement of slices",
            (
                TableColumn("Set", [LABELS[name] for name, _, _ in rows]),
                TableColumn("What", [QUANTITIES[quantity] for _, quantity, _ in rows]),
                TableColumn("Neighbors", at(lambda count: 0)),
                TableColumn("First and last slice", at(lambda count: count - 1)),
                TableColumn(
                    "Different stacks", [one["unrelated"][quantity] for _, quantity, one in rows]
                ),
            ),
            "Synthetic stacks are like real ones where the numbers of both are alike.",
        ),
    )


MEASURE: Measure[Agreement | None] = Measure(
    name=NAME,
    title="Depth",
    run=_run,
    describe=_describe,
    parts=_parts,
    weight=0.5,
    tables=_tables,
)
