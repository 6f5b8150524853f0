"""Leakage: how much nearer held-out cuts are to training cuts that lie beside them in the head.

Where training and test set hold cuts of one head, neighboring cuts show nearly the same bone: the
test set is then no longer new. ``leakage`` says how far apart the cuts lie, and how their nearness
in pictures follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from .neighbors import Neighbors
from .statistics import numbered

EDGES_MM = (0.0, 2.0, 5.0, 10.0, 20.0, np.inf)
"""Distances between which ratios are summed up."""

_ALONG = np.arange(8, SIZE, 16)
"""Columns at which two cuts are compared."""
_AT_ONCE = 32
_FEWEST = 5
"""Segments in a range of distances whose median is quoted."""
_SURELY = 0.05


@dataclass(frozen=True)
class Leakage:
    """How near held-out segments come to training segments, by their distance in the head.

    Attributes:
        shared: held-out segments that have a training cut in the same CT, or of the same subject.
        of: held-out segments.
        least_mm, median_mm: their distances from the nearest of these cuts.
        bands: for each range of distances that holds any: from, to, number, median ratio.
        rank_correlation: Spearman's, of distance and ratio; above 0 where neighboring cuts leak.
            None where there is nothing to relate.
        p_value: chance of such a correlation or more where there is none.
    """

    shared: int
    of: int
    least_mm: float
    median_mm: float
    bands: tuple[Band, ...]
    rank_correlation: float | None
    p_value: float | None


@dataclass(frozen=True)
class Band:
    """Held-out segments in a range of distances, mm, from the nearest training cut."""

    from_mm: float
    to_mm: float
    count: int
    median_ratio: float


def leakage(training: SegmentSet, test: SegmentSet, held_out: Neighbors) -> Leakage | None:
    """Relate the nearness of held-out segments in pictures to that in the head.

    Args:
        training, test: real segments.
        held_out: neighbors of the test segments in the training set.

    Returns:
        None where no test segment has a training cut with a known place in its head.
    """
    from scipy import stats

    distance = distances_mm(test[held_out.segment], training)
    known = np.isfinite(distance) & np.isfinite(held_out.ratio)
    if not known.any():
        return None
    distance, ratio = distance[known], held_out.ratio[known]
    bands = []
    for low, high in pairwise(EDGES_MM):
        here = (distance >= low) & (distance < high)
        if here.any():
            bands.append(Band(low, high, int(here.sum()), float(np.median(ratio[here]))))
    varied = len(distance) > 2 and np.ptp(distance) > 0 and np.ptp(ratio) > 0
    related = stats.spearmanr(distance, ratio, alternative="greater") if varied else None
    return Leakage(
        shared=int(known.sum()),
        of=len(held_out.segment),
        least_mm=float(distance.min()),
        median_mm=float(np.median(distance)),
        bands=tuple(bands),
        rank_correlation=None if related is None else float(related.statistic),
        p_value=None if related is None else float(related.pvalue),
    )


def distances_mm(segments: SegmentSet, others: SegmentSet) -> np.ndarray:
    """Give the distance of each segment from the nearest other cut of the same head, float (N,).

    That is the root mean square distance of eight points along the outer surface from the nearest
    of the other's; NaN for a segment whose place is not known or that has no other in its head.
    """
    head, other_head = _heads(segments, others)
    here, there = _surface_points(segments), _surface_points(others)
    known = np.isfinite(there).all(axis=(1, 2))
    found = np.full(len(segments), np.nan)
    for name in np.unique(head[head >= 0]):
        own = np.flatnonzero((head == name) & np.isfinite(here).all(axis=(1, 2)))
        rest = there[(other_head == name) & known]
        for start in range(0, len(own) if len(rest) else 0, _AT_ONCE):
            batch = own[start : start + _AT_ONCE]
            gaps = here[batch][:, None, :, None] - rest[None, :, None]
            nearest = np.sum(gaps**2, axis=4).min(axis=3)
            found[batch] = np.sqrt(nearest.mean(axis=2).min(axis=1))
    return found


def in_words(found: Leakage | Mapping[str, Any]) -> str:
    """Say how near the held-out cuts lie, and whether that shows in their ratios."""
    one = found if isinstance(found, Leakage) else _from_numbers(found)
    text = (
        f"{one.shared:,} of {one.of:,} held-out segments were cut from a head that training "
        f"segments come from, too; the nearest of those lies {one.median_mm:.1f} mm away (median; "
        f"least {one.least_mm:.1f} mm)"
    )
    told = [band for band in one.bands if band.count >= _FEWEST]
    if len(told) < 2 or one.rank_correlation is None or one.p_value is None:
        return f"{text}."
    near, far = told[0], told[-1]
    leaks = "neighboring cuts leak" if one.p_value < _SURELY else "no leak is seen"
    return (
        f"{text}. Their median ratio is {near.median_ratio:.2f} {_range(near)} and "
        f"{far.median_ratio:.2f} {_range(far)} (rank correlation {one.rank_correlation:.2f}, "
        f"p = {one.p_value:.2g}): {leaks}."
    )


def _range(band: Band) -> str:
    if not np.isfinite(band.to_mm):
        return f"beyond {band.from_mm:g} mm"
    return f"from {band.from_mm:g} to {band.to_mm:g} mm"


def _from_numbers(found: Mapping[str, Any]) -> Leakage:
    bands: Sequence[Mapping[str, Any]] = found["bands"]
    whole = [Band(**{**one, "to_mm": np.inf if one["to_mm"] is None else one["to_mm"]})
             for one in bands]  # fmt: skip
    return Leakage(**{**found, "bands": tuple(whole)})


def _heads(segments: SegmentSet, others: SegmentSet) -> tuple[np.ndarray, np.ndarray]:
    """Number the CT of each segment, by its subject where it is not known; -1 where neither is."""
    names = []
    for one in (segments, others):
        assert one.ct is not None
        names.append(np.where(one.ct != "", np.char.add("ct ", one.ct.astype(str)), ""))
    if any((one == "").any() for one in names):  # places of one subject, in one CT as far as known
        names = [one.subject.astype(str) for one in (segments, others)]
    number = numbered(np.concatenate(names))
    return number[: len(segments)], number[len(segments) :]


def _surface_points(segments: SegmentSet) -> np.ndarray:
    """Give points along the outer surface, RAS mm, float64 (N, 8, 3)."""
    mask = segments.mask[:, :, _ALONG] > 0
    covered = np.asarray(mask.any(axis=1))
    top = np.where(covered, mask.argmax(axis=1), np.nan)
    empty = ~np.asarray(covered.any(axis=1))
    middle = np.nanmedian(np.where(empty[:, None], 0.0, top), axis=1)
    rows = np.where(covered, top, middle[:, None])
    columns = np.broadcast_to(_ALONG, rows.shape)
    pixels = np.stack([columns, rows, np.zeros_like(rows), np.ones_like(rows)], axis=2)
    return np.einsum("nij,npj->npi", segments.pixel_to_ras[:, :3], pixels)
