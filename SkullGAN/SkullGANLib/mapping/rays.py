"""Straight rays through the wall of the skull: what the CT shows along them, and what they measure.

``Field`` prepares a CT and its skull mask once; ``measure`` then sends any number of rays through
it, vectorized: those of a map (inward along the normals of the surface, see ``maps``) or those of
an ultrasound array (from its elements to a target, see ``transducer``). What a profile is worth is
measured by ``metrics``, the same as in segments.

A ray is not guessed at: what it met is its ``code``, and where that is not ``MEASURED`` its values
are NaN.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

from ..ct.volume import HeadCT
from ..metrics import METRICS, Profiles, measure_profiles
from ..metrics.profiles import AIR_HU

CODES = {
    0: "measured",
    1: "no bone",
    2: "air",
    3: "leaves the field of view",
    4: "metal",
}
"""What a ray met, by its code. Only the values of code 0 are numbers."""
MEASURED, NO_BONE, AIR, OUTSIDE, METAL = CODES

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
_MARGIN = 8  # voxels around the mask, after which a cubic spline no longer feels the border
_RAYS_AT_ONCE = 2048  # their profiles stay in a core's cache


@dataclass(frozen=True, eq=False)
class Field:
    """A CT and its skull mask, prepared for interpolation.

    Attributes:
        spline: float32, coefficients of the cubic spline through the CT, in a box around the mask.
        mask: uint8, the skull mask in the same box.
        box_to_ras: float64 (4, 4), takes (k, j, i, 1) of the box to RAS mm.
        first, last: float64 (3,), the box's indices of the CT's outermost voxels.
        threshold_hu: HU from which a sample at the wall's surface is bone.
        threads: how many work at once.
    """

    spline: np.ndarray
    mask: np.ndarray
    box_to_ras: np.ndarray
    first: np.ndarray
    last: np.ndarray
    threshold_hu: float
    threads: int

    @classmethod
    def of(
        cls, ct: HeadCT, mask: np.ndarray, threshold_hu: float, threads: int | None = None
    ) -> Field:
        """Prepare a CT.

        Args:
            ct: the head CT.
            mask: (slices, rows, columns), nonzero in the skull wall.
            threshold_hu: HU from which a sample at the wall's surface is bone
                (``skull.bone_threshold_hu``).
            threads: how many work at once; None is one a core, up to four.
        """
        threads = threads or min(4, os.cpu_count() or 1)
        box = []
        for axis in range(3):
            used = np.flatnonzero(mask.any(tuple({0, 1, 2} - {axis})))
            low, high = (int(used[0]), int(used[-1])) if used.size else (0, 0)
            box.append(slice(max(low - _MARGIN, 0), min(high + _MARGIN + 1, mask.shape[axis])))
        start = np.array([part.start for part in box], float)
        to_ras = np.eye(4)
        to_ras[:3, :3] = ct.ijk_to_ras[:3, 2::-1]
        to_ras[:3, 3] = to_ras[:3, :3] @ start + ct.ijk_to_ras[:3, 3]
        return cls(
            spline=_spline(ct.hu[tuple(box)], threads),
            mask=(mask[tuple(box)] != 0).astype(np.uint8),
            box_to_ras=to_ras,
            first=-start,
            last=np.array(ct.hu.shape) - 1.0 - start,
            threshold_hu=threshold_hu,
            threads=threads,
        )

    def index(self, points_ras: np.ndarray) -> np.ndarray:
        """Take RAS mm (N, 3) to indices of the box, float64 (N, 3)."""
        inverse = np.linalg.inv(self.box_to_ras)
        return points_ras @ inverse[:3, :3].T + inverse[:3, 3]

    def is_outside(self, points_ras: np.ndarray) -> np.ndarray:
        """Tell of points (N, 3), RAS mm, whether they lie within half a voxel of the CT's outermost
        ones, or beyond."""
        return self.at_the_rim(self.index(points_ras))

    def at_the_rim(self, index: np.ndarray) -> np.ndarray:
        """The same of indices of the box."""
        return ((index < self.first + 0.5) | (index > self.last - 0.5)).any(axis=1)

    def step(self, directions: np.ndarray) -> np.ndarray:
        """Take vectors (N, 3), mm in RAS, to those of the box's indices."""
        return directions @ np.linalg.inv(self.box_to_ras[:3, :3]).T


@dataclass(frozen=True, eq=False)
class Rays:
    """What N rays measured.

    Attributes:
        values: float64 (N,) for each of ``metrics.METRICS``, NaN where the code is not 0.
        code: uint8 (N,), see ``CODES``.
        entry_mm, exit_mm: float64 (N,), distance from a ray's start to the outer and the inner
            edge of the wall (at half height); NaN as the values.
    """

    values: Mapping[str, np.ndarray]
    code: np.ndarray
    entry_mm: np.ndarray
    exit_mm: np.ndarray


def sample(field: Field, points_ras: np.ndarray) -> np.ndarray:
    """Interpolate the CT by its cubic spline.

    Args:
        field: the CT.
        points_ras: float (..., 3), RAS mm; the CT is mirrored at the border of the field's box.

    Returns:
        float32 (...), HU.
    """
    at = field.index(points_ras.reshape(-1, 3))
    found = np.empty(len(at), np.float32)

    def work(part: slice) -> None:
        found[part] = _hu(field, at[part].T)

    _in_parts(work, len(at), field.threads, at_once=50 * _RAYS_AT_ONCE)
    return found.reshape(points_ras.shape[:-1])


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
) -> Rays:
    """Send rays through the wall and measure SDR, thickness along the ray and intensity.

    The wall of a ray begins with the first bone on it and ends before the first gap of
    ``WIDEST_GAP_MM``. A ray with air (``profiles.AIR_HU``) between the first and the last bone on
    it goes through a sinus or mastoid cells; one whose wall reaches the CT's outermost voxels may
    go on beyond them. Neither is measured.

    Args:
        field: the CT and its mask.
        starts_ras: float (N, 3), RAS mm, outside the skull.
        directions: float (N, 3), unit vectors into the head.
        reach_mm: how far a ray is followed.
        average: (M, N), rows that sum to 1, for M results: the profile of ray m becomes this mean
            of profiles, at the same distance from their starts. A minimum, and so the SDR, falls
            with noise, which the mean of rays beside each other takes away. None: M = N, each ray
            on its own.
    """
    index, step = field.index(starts_ras), field.step(directions)
    own = slice(len(index) if average is None else average.shape[0])
    first, last = _wall_range(field, index[own], step[own], reach_mm)
    has_wall = np.isfinite(first)
    first, last = (np.where(has_wall, distance, 0.0) for distance in (first, last))
    # Sample numbers, the same for all rays, so that rays can be averaged.
    begin = np.floor((first - _LEAD_MM) / STEP_MM).astype(int)
    end = np.where(has_wall, np.ceil((last + _LEAD_MM) / STEP_MM).astype(int) + 1, begin)
    profiles = _Profiles.sampled(field, index, step, begin, end, average)
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
        index: np.ndarray,
        step: np.ndarray,
        begin: np.ndarray,
        end: np.ndarray,
        average: sparse.csr_array | None,
    ) -> _Profiles:
        begins, ends = (begin, end) if average is None else _needed(average, begin, end)
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

            _in_parts(work, len(begin), field.threads)
            return found

        hu = along(lambda at: _hu(field, at), begins, ends)
        # Where the wall is, a ray knows by itself: only HU are noisy.
        share = along(lambda at: _share(field, at), begin, end)
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
        within = numbers < end[rays, None]
        hu = np.take_along_axis(profiles.hu[rays], columns, axis=1).astype(np.float64)
        share = np.take_along_axis(profiles.share[rays], columns, axis=1)
        bone = (share > _SURELY_INSIDE) | ((hu > field.threshold_hu) & (share > _SURELY_OUTSIDE))
        bone &= within
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

    _in_parts(work, len(order), field.threads)
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
    """Bool (N,), whose wall ends within half a voxel of the CT's outermost ones, or beyond."""
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

    _in_parts(scan, len(index), field.threads)
    return first, last


def _needed(
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


def _hu(field: Field, at: np.ndarray) -> np.ndarray:
    """HU at indices (3, N) of the box, float32 (N,)."""
    # Mirrored as the spline was made; rays that reach the CT's rim are not measured anyway.
    return ndimage.map_coordinates(
        field.spline, at, order=3, prefilter=False, mode="mirror", output=np.float32
    )


def _share(field: Field, at: np.ndarray) -> np.ndarray:
    """How far indices (3, N) of the box lie in the mask, float32 (N,), 0.5 at its surface."""
    return ndimage.map_coordinates(field.mask, at, order=1, output=np.float32)


def _spline(hu: np.ndarray, threads: int) -> np.ndarray:
    """Coefficients of the cubic spline through a volume, mirrored at its ends, float32."""
    found = np.empty(hu.shape, np.float32)

    def within_slice(k: int) -> None:
        plane = ndimage.spline_filter1d(hu[k], 3, axis=0, output=np.float32)
        ndimage.spline_filter1d(plane, 3, axis=1, output=found[k])

    def across_slices(j: int) -> None:
        found[:, j] = ndimage.spline_filter1d(found[:, j], 3, axis=0, output=np.float32)

    # SciPy's filters let go of the interpreter: two threads take half the time of one.
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(within_slice, range(hu.shape[0])))
        list(pool.map(across_slices, range(hu.shape[1])))
    return found


def _in_parts(
    work: Callable[[slice], None], count: int, threads: int, at_once: int = _RAYS_AT_ONCE
) -> None:
    parts = [slice(n, min(n + at_once, count)) for n in range(0, count, at_once)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))
