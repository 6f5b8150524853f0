"""Walls laid straight: what is left of a segment when it no longer matters how its wall lies.

A strip follows the outer surface of the wall, column by column of equal length along it, row by row
of equal depth below it. Where a segment is turned or moved, its strip moves along itself and stays
the same: what would be a search over shifts and turns is one over a single shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SIZE

STEP_PX = 2.0
"""Pixels between the rows and columns of a strip."""
DEPTHS, LENGTH = 12, 64
"""Rows and columns of a strip: 24 pixels deep, 128 along the wall."""
MOST_LAG = 12
"""Columns by which strips are moved against each other: 16 px and what a turn by 6 degrees adds."""

_SPECKLES = 9
"""Columns whose median is the surface: single pixels that a network puts above it do not count."""
_SMOOTHED = 4.0
_AT_ONCE = 512
_SMOOTHED_AT_ONCE = 8  # that they stay in a core's cache


@dataclass(frozen=True, eq=False)
class WallStrips:
    """The strips of N segments.

    Attributes:
        hu: float32 (N, 12, 64).
        points: float64 (N, 64, 2), where each column begins: column and row of the segment.
    """

    hu: np.ndarray
    points: np.ndarray

    def __getitem__(self, index: np.ndarray | slice) -> WallStrips:
        return WallStrips(self.hu[index], self.points[index])

    def mirrored(self, which: np.ndarray) -> WallStrips:
        """Give the strips of the segments as they are, and as they are in a mirror where told."""
        hu = np.where(which[:, None, None], self.hu[:, :, ::-1], self.hu)
        seen = self.points[:, ::-1] * [-1, 1] + [SIZE - 1, 0]
        return WallStrips(hu, np.where(which[:, None, None], seen, self.points))


def wall_strips(hu: np.ndarray, mask: np.ndarray) -> WallStrips:
    """Lay walls straight.

    Args:
        hu: int16 (N, 128, 128).
        mask: (N, 128, 128), not 0 inside the wall.
    """
    surface = _surfaces(mask)
    slope = np.gradient(surface, axis=1)
    step = np.sqrt(1 + slope**2)
    along = np.zeros_like(surface)
    np.cumsum((step[:, 1:] + step[:, :-1]) / 2, axis=1, out=along[:, 1:])
    along -= along[:, [SIZE // 2]]
    places = (np.arange(LENGTH) - (LENGTH - 1) / 2) * STEP_PX
    columns = np.stack([np.interp(places, one, np.arange(SIZE)) for one in along])
    rows, slopes = (_between(each, columns) for each in (surface, slope))
    points = np.stack([columns, rows], axis=2)
    inward = np.stack([-slopes, np.ones_like(slopes)], axis=2) / np.hypot(1, slopes)[:, :, None]
    found = np.empty((len(hu), DEPTHS, LENGTH), np.float32)
    for start in range(0, len(hu), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        found[part] = _sampled(hu[part], points[part], inward[part])
    return WallStrips(found, points)


def lags(strips: np.ndarray, others: np.ndarray, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean squared difference (n * each,) of pairs of strips at the best lag (n * each,).

    Column k of a strip then lies at column k - lag of the other; columns without one do not count.

    Args:
        strips: float32 (n, 12, 64).
        others: float32 (n * each, 12, 64); ``each`` of them go with the first strip, as many with
            the second.
        each: how many go with one strip.
    """
    count = len(strips)
    reach = np.arange(-MOST_LAG, MOST_LAG + 1)
    moved = np.zeros((count, len(reach), DEPTHS, LENGTH), np.float32)
    total = np.empty((count, each, len(reach)), np.float32)
    own_square = np.einsum("ndk,ndk->nk", strips, strips)
    other_square = np.einsum("ndk,ndk->nk", others, others).reshape(count, each, LENGTH)
    for place, lag in enumerate(reach):
        own, other = overlapping(int(lag))
        moved[:, place, :, other] = strips[:, :, own]
        squares = own_square[:, own].sum(axis=1)[:, None] + other_square[:, :, other].sum(axis=2)
        total[:, :, place] = squares
    flat = others.reshape(count, each, DEPTHS * LENGTH)
    total -= 2 * (flat @ moved.reshape(count, len(reach), -1).transpose(0, 2, 1))
    mean = np.maximum(total, 0) / (DEPTHS * (LENGTH - abs(reach)))
    mean = mean.reshape(count * each, len(reach))
    best = mean.argmin(axis=1)
    return mean[np.arange(len(best)), best], reach[best]


def overlapping(lag: int) -> tuple[slice, slice]:
    """Give the columns of a strip, and those of another that lie there at a lag."""
    own = slice(max(lag, 0), LENGTH + min(lag, 0))
    return own, slice(own.start - lag, own.stop - lag)


def _surfaces(mask: np.ndarray) -> np.ndarray:
    """Give the row of the outer surface in each column, float64 (N, 128), smoothed."""
    from scipy import ndimage

    covered = np.asarray(mask.any(axis=1))
    top = mask.argmax(axis=1).astype(float)
    every = np.arange(SIZE)
    for one, there in zip(top, covered, strict=True):
        known = np.flatnonzero(there)
        if 0 < len(known) < SIZE:
            one[:] = np.interp(every, known, one[known])
    top = ndimage.median_filter(top, (1, _SPECKLES), mode="nearest")
    return ndimage.gaussian_filter1d(top, _SMOOTHED, axis=1, mode="nearest")


def _between(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Give values (N, 128) at columns (N, 64) between them."""
    left = np.minimum(columns.astype(int), SIZE - 2)
    part = columns - left
    low, high = (np.take_along_axis(values, left + k, axis=1) for k in (0, 1))
    return low + part * (high - low)


def _sampled(hu: np.ndarray, points: np.ndarray, inward: np.ndarray) -> np.ndarray:
    """Sample segments, smoothed over 3 x 3 pixels, below points of their surface."""
    import torch
    from torch.nn import functional

    depth = (np.arange(DEPTHS) * STEP_PX)[:, None, None]
    places = points[:, None] + depth * inward[:, None]
    grid = torch.from_numpy(((places + 0.5) * (2 / SIZE) - 1).astype(np.float32))
    smooth = torch.from_numpy(smoothed(hu).astype(np.float32))
    sampled = functional.grid_sample(
        smooth[:, None], grid, padding_mode="border", align_corners=False
    )
    return sampled[:, 0].numpy()


def smoothed(hu: np.ndarray) -> np.ndarray:
    """Average each pixel of int16 (N, R, C) with its neighbors, [1, 2, 1] in rows and columns.

    The outermost pixels stay what they are; what is lost to whole numbers is one HU.
    """
    found = hu.copy()
    for start in range(0, len(found), _SMOOTHED_AT_ONCE):
        for axis in (1, 2):
            one = np.moveaxis(found[start : start + _SMOOTHED_AT_ONCE], axis, 1)
            one[:, 1:-1] = (one[:, :-2] + one[:, 2:] + 2 * one[:, 1:-1]) >> 2
    return found
