"""Straight rays through the wall of the skull: what the CT shows along them, and what they measure.

``field.Field`` prepares a CT and its skull mask once; ``measure`` sends any number of rays through
it, vectorized: those of a map (inward along the normals of the surface, see ``calvaria_map``) or
those of an ultrasound array (from its elements to a target, see ``transducer``). What a profile is
worth is measured by ``metrics``, the same as in segments.

A ray is not guessed at: what it met is its code (``codes``), and where that is not ``MEASURED`` its
values are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ..metrics import METRICS, Profiles, measure_profiles
from ..metrics.profiles import AIR_HU
from .codes import AIR, MEASURED, METAL, NO_BONE, OUTSIDE
from .field import Field, in_parts

STEP_MM = 0.25
"""Distance of samples along a ray."""
METAL_HU = 3000.0
"""From here on it is metal, not bone; its streaks and its clipped values measure nothing."""
WIDEST_GAP_MM = 3.0
"""A suture, vein or venous lake of less than this within the wall belongs to it; what lies behind
a wider gap (a ridge of the base, a calcified falx) does not."""

_SCAN_MM = 0.5  # at which the wall is looked for before the CT is interpolated
_LEAD_MM = 1.5  # sampled before and behind the wall, for its blurred edges
_SURELY_INSIDE, _SURELY_OUTSIDE = 0.85, 0.15  # shares of the interpolated mask, as for segments


@dataclass(frozen=True, eq=False)
class Rays:
    """What N rays measured.

    Attributes:
        values: float64 (N,) for each of ``metrics.METRICS``, NaN where the code is not 0.
        code: uint8 (N,), see ``codes.CODES``.
        entry_mm, exit_mm: float64 (N,), distance from a ray's start to the outer and the inner
            edge of the wall (at half height); NaN as the values.
    """

    values: Mapping[str, np.ndarray]
    code: np.ndarray
    entry_mm: np.ndarray
    exit_mm: np.ndarray


def wall_range(
    field: Field, starts_ras: np.ndarray, directions: np.ndarray, reach_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N,) in mm of the first and the last voxel of the mask on rays, NaN where none is;
    to half a mm. Arguments as for ``measure``."""
    return _wall_range(field, field.index(starts_ras), field.step(directions), reach_mm)


def measure(
    field: Field,
    starts_ras: np.ndarray,
    directions: np.ndarray,
    reach_mm: float,
    average: sparse.csr_array | None = None,
    *,
    is_trilinear: bool = False,
) -> Rays:
    """Send rays through the wall and measure SDR, thickness along the ray and intensity.

    The wall of a ray begins with the first bone on it and ends before the first gap of
    ``WIDEST_GAP_MM``. A ray with air (``profiles.AIR_HU``) between the first and the last bone on
    it goes through a sinus or mastoid cells; one whose wall reaches the end of the field of view
    may go on beyond it. Neither is measured.

    Args:
        field: the CT and its mask.
        starts_ras: float (N, 3), RAS mm, outside the skull.
        directions: float (N, 3), unit vectors into the head.
        reach_mm: how far a ray is followed.
        average: (M, N), rows that sum to 1, for M results: the profile of ray m becomes this mean
            of profiles, at the same distance from their starts. A minimum, and so the SDR, falls
            with noise, which the mean of rays beside each other takes away. None: M = N, each ray
            on its own.
        is_trilinear: whether HU between voxels are trilinear, as in other programs; else they are
            those of the cubic spline.
    """
    index, step = field.index(starts_ras), field.step(directions)
    own = slice(len(index) if average is None else average.shape[0])
    first, last = _wall_range(field, index[own], step[own], reach_mm)
    has_wall = np.isfinite(first)
    first, last = (np.where(has_wall, distance, 0.0) for distance in (first, last))
    # Sample numbers, the same for all rays, so that rays can be averaged.
    begin = np.floor((first - _LEAD_MM) / STEP_MM).astype(int)
    end = np.where(has_wall, np.ceil((last + _LEAD_MM) / STEP_MM).astype(int) + 1, begin)
    hu_at = field.hu_between if is_trilinear else field.hu_at
    profiles = _Profiles.sampled(field, hu_at, index, step, begin, end, average)
    return _measured(field, index[own], step[own], profiles, begin, end)


@dataclass(frozen=True, eq=False)
class _Profiles:
    """HU and share of the mask along rays, float32 (N, samples); sample 0 is number ``start``."""

    hu: np.ndarray
    share: np.ndarray
    start: int

    @classmethod
    def sampled(
        cls,
        field: Field,
        hu_at: Callable[[np.ndarray], np.ndarray],
        index: np.ndarray,
        step: np.ndarray,
        begin: np.ndarray,
        end: np.ndarray,
        average: sparse.csr_array | None,
    ) -> _Profiles:
        begins, ends = (begin, end) if average is None else _taken(average, begin, end)
        start = int(begins.min(initial=0))
        width = max(int(ends.max(initial=0)) - start, 0)

        def along(
            interpolate: Callable[[np.ndarray], np.ndarray], begin: np.ndarray, end: np.ndarray
        ) -> np.ndarray:
            found = np.zeros((len(begin), width), np.float32)

            def work(part: slice) -> None:
                lengths = end[part] - begin[part]
                ray = np.repeat(np.arange(part.start, part.start + len(lengths)), lengths)
                offset = np.repeat(np.cumsum(lengths) - lengths, lengths)
                number = np.arange(len(ray)) - offset + np.repeat(begin[part], lengths)
                at = (index[ray] + (number * STEP_MM)[:, None] * step[ray]).T
                found[ray, number - start] = interpolate(at)

            in_parts(work, len(begin), field.threads)
            return found

        hu = along(hu_at, begins, ends)
        # Where the wall is, a ray knows by itself: only HU are noisy.
        share = along(field.share_at, begin, end)
        return cls(hu if average is None else average @ hu, share, start)


def _measured(
    field: Field,
    index: np.ndarray,
    step: np.ndarray,
    profiles: _Profiles,
    begin: np.ndarray,
    end: np.ndarray,
) -> Rays:
    count = len(index)
    code = np.full(count, NO_BONE, np.uint8)
    values = {name: np.full(count, np.nan) for name in METRICS}
    edges = np.full((2, count), np.nan)
    # Rays of about the same length together: short ones are not padded to the longest.
    order = np.argsort(end - begin, kind="stable")
    order = order[(end - begin)[order] > 0]

    def work(part: slice) -> None:
        rays = order[part]
        numbers = begin[rays, None] + np.arange((end - begin)[rays].max(initial=1))
        columns = np.minimum(numbers - profiles.start, profiles.hu.shape[1] - 1)
        on_ray = numbers < end[rays, None]
        hu = np.take_along_axis(profiles.hu[rays], columns, axis=1).astype(np.float64)
        share = np.take_along_axis(profiles.share[rays], columns, axis=1)
        bone = (share > _SURELY_INSIDE) | ((hu > field.threshold_hu) & (share > _SURELY_OUTSIDE))
        bone &= on_ray
        wall, reaches_to = _outer_wall(bone)
        profile = Profiles(hu, wall, STEP_MM)
        found, (outer, inner) = measure_profiles(profile), profile.edges
        sampled = np.arange(hu.shape[1])
        behind = (sampled >= wall.argmax(1)[:, None]) & (sampled <= reaches_to[:, None])
        code[rays] = np.select(
            [
                ~wall.any(1),
                (behind & (hu <= AIR_HU)).any(1),
                (wall & (hu >= METAL_HU)).any(1),
                _at_the_rim(field, index[rays], step[rays], begin[rays], wall),
                np.isnan(found["thickness_mm"]),
            ],
            [NO_BONE, AIR, METAL, OUTSIDE, NO_BONE],
            MEASURED,
        )
        good = code[rays] == MEASURED
        for name, one in found.items():
            values[name][rays] = np.where(good, one, np.nan)
        for which, one in enumerate((outer, inner)):
            edges[which, rays] = np.where(good, (begin[rays] + one) * STEP_MM, np.nan)

    in_parts(work, len(order), field.threads)
    return Rays(values, code, *edges)


def _outer_wall(bone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The wall of profiles (N, samples), from the first bone to the last before a wide gap, without
    holes; and the number of the last bone of all (N,)."""
    samples = np.arange(bone.shape[1])
    last_so_far = np.maximum.accumulate(np.where(bone, samples, -1), axis=1)
    gap = (last_so_far >= 0) & (samples - last_so_far > round(WIDEST_GAP_MM / STEP_MM))
    before_gap = ~np.logical_or.accumulate(gap, axis=1)
    last = np.where(bone & before_gap, samples, -1).max(axis=1)
    first = np.where(last >= 0, bone.argmax(axis=1), bone.shape[1])
    wall = (samples >= first[:, None]) & (samples <= last[:, None])
    return wall, last_so_far[:, -1]


def _at_the_rim(
    field: Field, index: np.ndarray, step: np.ndarray, begin: np.ndarray, wall: np.ndarray
) -> np.ndarray:
    """Bool (N,), whose wall ends at the end of the field of view (``Field.is_outside``)."""
    first = begin + wall.argmax(axis=1)
    last = begin + wall.shape[1] - 1 - wall[:, ::-1].argmax(axis=1)
    found = np.zeros(len(index), bool)
    for number in (first, last):
        at = index + (number * STEP_MM)[:, None] * step
        found |= field.at_the_rim(at)
    return found


def _wall_range(
    field: Field, index: np.ndarray, step: np.ndarray, reach_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    first, last = np.full((2, len(index)), np.nan)
    flat = field.mask.ravel()
    distance = np.arange(0.0, reach_mm + _SCAN_MM, _SCAN_MM, dtype=np.float32)

    def scan(part: slice) -> None:
        voxel = np.zeros((len(index[part]), len(distance)), np.int32)
        inside = np.ones(voxel.shape, bool)
        for axis, size in enumerate(field.mask.shape):
            nearest = index[part, axis, None].astype(np.float32) + np.float32(0.5)
            nearest = nearest + step[part, axis, None].astype(np.float32) * distance
            inside &= (nearest >= 0) & (nearest < size)
            voxel *= size
            voxel += nearest.astype(np.int32)  # rounds towards 0, which is down where it counts
        hit = flat[np.where(inside, voxel, 0)] != 0
        hit &= inside
        found = hit.any(axis=1)
        first[part][found] = distance[hit.argmax(axis=1)[found]]
        last[part][found] = distance[hit.shape[1] - 1 - hit[:, ::-1].argmax(axis=1)[found]]

    in_parts(scan, len(index), field.threads)
    return first, last


def _taken(
    average: sparse.csr_array, begin: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First and last sample (N,) of each ray that any of the M results (from ``begin`` to ``end``)
    takes from it."""
    takers = average.T.tocsr()
    taken = np.repeat(np.arange(takers.shape[0]), np.diff(takers.indptr))
    by = takers.indices
    some = end[by] > begin[by]
    least = np.full(takers.shape[0], np.iinfo(int).max)
    largest = np.full(takers.shape[0], np.iinfo(int).min)
    np.minimum.at(least, taken[some], begin[by[some]])
    np.maximum.at(largest, taken[some], end[by[some]])
    unused = largest < least
    return np.where(unused, begin.min(initial=0), least), np.where(
        unused, begin.min(initial=0), largest
    )
