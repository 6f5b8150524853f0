"""Nearest training segments by differences of HU, however they are turned, moved or scaled.

Candidates come from the straightened walls (``wall_strips``), whose differences at any lag take a
few products of matrices for all pairs; the nearest few are laid over each segment
(``registration``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...data.segment_set import SegmentSet
from .neighbors import OTHERS, Neighbors, check_sets, ratio_of
from .registration import Walls, register
from .statistics import subsample
from .wall_strips import LENGTH, MOST_LAG, lags, wall_strips

MOST_SEGMENTS = 20_000
MOST_TRAINING = 10_000
"""Larger sets are subsampled; the cost of the search is their product."""

_COMPONENTS = 64
_FITTED_ON = 512
_CANDIDATES = 16
_TRAINING_AT_ONCE = 2048
_AT_ONCE = 64


def nearest_by_mse(
    segments: SegmentSet,
    training: SegmentSet,
    *,
    flip: bool = True,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Neighbors:
    """Find the training segment of least mean squared difference in HU within the wall.

    It is looked for turned by any angle, moved by 16 pixels along the wall (and as far as need be
    across it), by parts of a pixel, too, scaled in HU by up to a third, and turned left to right:
    wider than any recipe disturbs what a discriminator sees.

    Args:
        segments: synthetic or held-out segments.
        training: real segments.
        flip: compare them turned left to right, too.
        seed: of the subsample of sets larger than ``MOST_SEGMENTS`` and ``MOST_TRAINING``.
        on_progress: called with the segments finished and to do.

    Raises:
        BadInputError: if a set is empty or their pixel sizes differ.
    """
    check_sets(segments, training)
    which = subsample(len(segments), MOST_SEGMENTS, seed)
    of = subsample(len(training), MOST_TRAINING, seed)
    pool = walls_of(training, of if len(of) < len(training) else slice(None))
    sketch = _Sketch(pool.strips.hu)
    found = []
    for start in range(0, len(which), _AT_ONCE):
        batch = walls_of(segments, which[start : start + _AT_ONCE])
        found.append(_nearest_of(batch, pool, sketch, flip))
        if on_progress:
            on_progress(min(start + _AT_ONCE, len(which)), len(which))
    nearest, flipped, shift, turn, gain, rms, ratio = (
        np.concatenate(part) for part in zip(*found, strict=True)
    )
    return Neighbors(which, of[nearest], rms, ratio, flipped, shift, len(of), turn, gain, rms)


def walls_of(segments: SegmentSet, which: np.ndarray | slice) -> Walls:
    """Give some segments of a set, ready to be registered; a slice copies none."""
    hu, mask = segments.hu[which], segments.mask[which]
    return Walls(hu, mask, wall_strips(hu, mask))


def _nearest_of(walls: Walls, pool: Walls, sketch: _Sketch, flip: bool) -> tuple[np.ndarray, ...]:
    """Give nearest, flipped, shift, turn, gain, rms and ratio of each."""
    candidate = sketch.candidates(walls.strips.hu, flip)
    candidate, flipped = _ranked(walls, pool, candidate, flip)
    rms = register(walls, pool, candidate, flipped, fine=False).rms_hu.reshape(candidate.shape)
    row, best = np.arange(len(walls)), rms.argmin(axis=1)
    nearest, flipped = candidate[row, best], flipped[row, best]
    laid = register(walls, pool, nearest[:, None], flipped[:, None], fine=True)
    rms[row, best] = np.nan
    rest = np.sort(rms, axis=1)[:, :OTHERS]
    alone = np.isnan(rest).all(axis=1)  # then there is only the segments' own level
    squares, bone = (walls.hu.astype(np.float32) ** 2).sum(axis=(1, 2)), walls.mask > 0
    level = np.sqrt(squares / np.maximum(bone.sum(axis=(1, 2)), 1))
    scale = np.where(alone, level, np.nanmean(np.where(alone[:, None], 0, rest), axis=1))
    ratio = ratio_of(laid.rms_hu, scale)
    return nearest, flipped, laid.shift_px, laid.turn_deg, laid.gain, laid.rms_hu, ratio


def _ranked(
    walls: Walls, pool: Walls, candidate: np.ndarray, flip: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Give the nearest few candidates by their strips, and whether each is nearer in a mirror."""
    own, each = walls.strips.hu, candidate.shape[1]
    other = pool.strips.hu[candidate.ravel()]
    as_it_is, _ = lags(own, other, each)
    mirrored = lags(own, other[:, :, ::-1], each)[0] if flip else np.full_like(as_it_is, np.inf)
    least = np.minimum(as_it_is, mirrored).reshape(candidate.shape)
    flipped = (mirrored < as_it_is).reshape(candidate.shape)
    order = np.argsort(least, axis=1, kind="stable")[:, : OTHERS + 1]
    return np.take_along_axis(candidate, order, 1), np.take_along_axis(flipped, order, 1)


class _Sketch:
    """Strips of training segments, projected: distances in it bound the true ones from below."""

    def __init__(self, strips: np.ndarray) -> None:
        flat = strips.reshape(len(strips), -1)
        self._axes = _principal_axes(flat[subsample(len(flat), _FITTED_ON, 0)])
        self._points = _projected(flat, self._axes)

    def candidates(self, strips: np.ndarray, flip: bool) -> np.ndarray:
        """Give the nearest training segments by the sketch, at any lag: int (B, up to 16)."""
        moved = [
            _projected(each.reshape(len(each), -1), self._axes)
            for one in (strips, strips[:, :, ::-1])[: 1 + flip]
            for each in _at_lags(one)
        ]
        nearness = np.empty((len(strips), len(self._points)), np.float32)
        for start in range(0, len(self._points), _TRAINING_AT_ONCE):
            part = self._points[start : start + _TRAINING_AT_ONCE]
            # |a|² - 2 a · b + |b|² as one product, which leaves one more pass over the result.
            there = np.column_stack([np.ones(len(part), np.float32), part, _squares(part)]).T
            least = nearness[:, start : start + _TRAINING_AT_ONCE]
            least[:] = np.inf
            for points in moved:
                here = np.column_stack([_squares(points), -2 * points, np.ones_like(points[:, 0])])
                np.minimum(least, here @ there, out=least)
        count = min(_CANDIDATES, nearness.shape[1])
        return np.argpartition(nearness, count - 1, axis=1)[:, :count]


def _at_lags(strips: np.ndarray) -> list[np.ndarray]:
    """Give strips after each lag; what comes in at an end repeats it, as a wall goes on there."""
    padded = np.pad(strips, ((0, 0), (0, 0), (MOST_LAG, MOST_LAG)), mode="edge")
    return [padded[:, :, lag : lag + LENGTH] for lag in range(2 * MOST_LAG + 1)]


def _squares(points: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", points, points)


def _principal_axes(points: np.ndarray) -> np.ndarray:
    """Give up to 64 orthonormal axes (D, k) along which points (N, D) reach out the most."""
    spread, mixture = np.linalg.eigh((points @ points.T).astype(np.float64))
    kept = np.flatnonzero(spread > max(1e-6 * spread[-1], 1e-9))[-_COMPONENTS:]
    return points.T @ (mixture[:, kept] / np.sqrt(spread[kept])).astype(np.float32)


def _projected(flat: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Give coordinates along the axes and, as one more, the length of what they leave out."""
    inside = flat @ axes
    rest = _squares(flat) - _squares(inside)
    return np.column_stack([inside, np.sqrt(np.maximum(rest, 0))]).astype(np.float32)
