"""Nearest training segments by mean squared difference of HU, at flat cost.

Candidates come from a sketch of the segments (reduced, then projected), whose distances bound the
true ones from below; the best few are compared pixel by pixel at every shift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError
from .neighbors import OTHERS, Neighbors, check_sets, overlap, ratio_of, turned
from .statistics import subsample

MOST_SEGMENTS = 100_000
MOST_TRAINING = 10_000
"""Larger sets are subsampled; the cost of the search is their product."""

_REDUCED = (2, 4)  # rows, columns averaged; walls lie flat, so that rows tell more than columns
_COMPONENTS = 128
_FITTED_ON = 512
_CANDIDATES = 6
_TRAINING_AT_ONCE = 2048
_AT_ONCE = 256


def nearest_by_mse(
    segments: SegmentSet,
    training: SegmentSet,
    *,
    flip: bool = True,
    shift_px: int = 4,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Neighbors:
    """Find the training segment of least mean squared difference in HU.

    Candidates come from a sketch of the segments (reduced, then projected), whose distances bound
    the true ones from below; the best few are compared pixel by pixel at every shift, over the
    part where the two overlap.

    Args:
        segments: synthetic or held-out segments.
        training: real segments.
        flip: compare them turned left to right, too.
        shift_px: compare them moved by up to so many rows and columns, too.
        seed: of the subsample of sets larger than ``MOST_SEGMENTS`` and ``MOST_TRAINING``.
        on_progress: called with the segments finished and to do.

    Raises:
        BadInputError: if a set is empty, their pixel sizes differ or the shift is out of range.
    """
    check_sets(segments, training)
    if not 0 <= shift_px <= SIZE // 4:
        raise BadInputError(f"shift_px is {shift_px}: expected 0 to {SIZE // 4}.")
    which = subsample(len(segments), MOST_SEGMENTS, seed)
    of = subsample(len(training), MOST_TRAINING, seed)
    pool = training.hu[of]
    sketch = _Sketch.of(pool, shift_px)
    found = []
    for start in range(0, len(which), _AT_ONCE):
        batch = segments.hu[which[start : start + _AT_ONCE]]
        found.append(_nearest_of_batch(batch, pool, sketch, flip, shift_px))
        if on_progress:
            on_progress(min(start + _AT_ONCE, len(which)), len(which))
    nearest, flipped, shifts, rmse, ratio = (
        np.concatenate(part) for part in zip(*found, strict=True)
    )
    return Neighbors(which, of[nearest], rmse, ratio, flipped, shifts, len(of))


def best_shifts(hu: np.ndarray, others: np.ndarray, shift_px: int) -> np.ndarray:
    """Give the shifts, int (N, 2), by which others lie best over segments (N, 128, 128)."""
    return _Query(hu, shift_px, _bottom(hu, others)).compared(others)[1]


def _nearest_of_batch(
    hu: np.ndarray, pool: np.ndarray, sketch: _Sketch, flip: bool, shift_px: int
) -> tuple[np.ndarray, ...]:
    """Give nearest, flipped, shift, root mean square difference and ratio of (B, 128, 128)."""
    columns, bottom = [], max(sketch.bottom, _bottom(hu))
    for turn in (False, True)[: 1 + flip]:
        # To turn the segment is to turn the other one; a shift across then goes the other way.
        towards = hu[:, :, ::-1] if turn else hu
        query = _Query(towards, shift_px, bottom)
        for candidate in sketch.candidates(towards).T:
            mse, shift = query.compared(pool[candidate])
            columns.append((candidate, np.full(len(hu), turn), shift * [1, 1 - 2 * turn], mse))
    candidate, flipped, shift, mse = (np.stack(c, axis=1) for c in zip(*columns, strict=True))
    row, best = np.arange(len(hu)), mse.argmin(axis=1)
    nearest, flipped, shift = (each[row, best] for each in (candidate, flipped, shift))
    rmse, level = _exactly(hu, turned(pool[nearest], flipped), shift)
    others = np.sqrt(np.where(candidate == nearest[:, None], np.nan, mse))
    others = np.sort(others, axis=1)[:, :OTHERS]
    alone = np.isnan(others[:, 0])  # then there is only the segments' own level to compare with
    others[alone, 0] = level[alone]
    return nearest, flipped, shift, rmse, ratio_of(rmse, np.nanmean(others, axis=1))


@dataclass(frozen=True)
class _Sketch:
    """Reduced, projected training segments: distances in it bound the true ones from below."""

    bottom: int  # the row below which all are empty
    axes: np.ndarray  # float32 (pixels, components), orthonormal
    points: np.ndarray  # float32 (M, components + 1), the last is what the axes leave out
    shift_px: int

    @classmethod
    def of(cls, pool: np.ndarray, shift_px: int) -> _Sketch:
        axes = _principal_axes(_reduced(_narrowed(pool[subsample(len(pool), _FITTED_ON, 0)])))
        points = np.concatenate(
            [
                _projected(_reduced(_narrowed(pool[start : start + _TRAINING_AT_ONCE])), axes)
                for start in range(0, len(pool), _TRAINING_AT_ONCE)
            ]
        )
        return cls(_bottom(pool), axes, points, shift_px)

    def candidates(self, hu: np.ndarray) -> np.ndarray:
        """Give the nearest training segments by the sketch: int (B, up to 6)."""
        moved = [_projected(each, self.axes) for each in _moved(hu, self.shift_px)]
        nearness = np.empty((len(hu), len(self.points)), np.float32)
        for start in range(0, len(self.points), _TRAINING_AT_ONCE):
            part = self.points[start : start + _TRAINING_AT_ONCE]
            # |a|² - 2 a · b + |b|² as one product, which leaves one more pass over the result.
            there = np.column_stack([np.ones(len(part), np.float32), part, _squares(part)]).T
            least = nearness[:, start : start + _TRAINING_AT_ONCE]
            least[:] = np.inf
            for points in moved:
                here = np.column_stack([_squares(points), -2 * points, np.ones_like(points[:, 0])])
                np.minimum(least, here @ there, out=least)
        count = min(_CANDIDATES, nearness.shape[1])
        return np.argpartition(nearness, count - 1, axis=1)[:, :count]


def _narrowed(hu: np.ndarray) -> np.ndarray:
    """Average columns: float32 (B, 128, 32)."""
    step = _REDUCED[1]
    first, *rest = (hu[:, :, i::step].astype(np.float32) for i in range(step))
    return sum(rest, first) / step


def _reduced(narrow: np.ndarray) -> np.ndarray:
    """Average rows, of (B, 128, 32): float32 (B, pixels)."""
    step = _REDUCED[0]
    first, *rest = (narrow[:, i::step] for i in range(step))
    return (sum(rest, first) / step).reshape(len(narrow), -1)


def _moved(hu: np.ndarray, shift_px: int) -> Iterator[np.ndarray]:
    """Give segments reduced after each shift: by all rows, and columns in steps of the reduction.

    What comes in at an edge repeats it, as a wall goes on there.
    """
    across = shift_px // _REDUCED[1]
    margins = ((0, 0), (shift_px, shift_px), (across, across))
    padded = np.pad(_narrowed(hu), margins, mode="edge")
    for row in range(2 * shift_px + 1):
        reduced = _reduced(padded[:, row : row + SIZE]).reshape(len(hu), -1, padded.shape[2])
        for column in range(2 * across + 1):
            yield reduced[:, :, column : column + SIZE // _REDUCED[1]].reshape(len(hu), -1)


def _squares(points: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", points, points)


def _principal_axes(points: np.ndarray) -> np.ndarray:
    """Give up to 128 orthonormal axes (D, k) along which points (N, D) reach out the most."""
    spread, mixture = np.linalg.eigh((points @ points.T).astype(np.float64))
    kept = np.flatnonzero(spread > 1e-6 * spread[-1])[-_COMPONENTS:]
    return points.T @ (mixture[:, kept] / np.sqrt(spread[kept])).astype(np.float32)


def _projected(reduced: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Give coordinates along the axes and, as one more, the length of what they leave out."""
    inside = reduced @ axes
    rest = _squares(reduced) - _squares(inside)
    return np.column_stack([inside, np.sqrt(np.maximum(rest, 0))]).astype(np.float32)


class _Query:
    """Segments (B, 128, 128) to be compared with one other each, again and again.

    Below the row ``bottom`` all of them are empty, which nothing that is summed here changes.
    """

    def __init__(self, hu: np.ndarray, shift_px: int, bottom: int) -> None:
        self._reach = np.arange(-shift_px, shift_px + 1)
        self._area = np.outer(SIZE - abs(self._reach), SIZE - abs(self._reach))
        self._bottom = bottom
        line = np.arange(SIZE)
        first, end = np.maximum(self._reach, 0), SIZE + np.minimum(self._reach, 0)
        inside = (line >= first[:, None]) & (line < end[:, None])
        self._inside = inside.astype(np.float32)  # per shift, what of a line overlaps
        self._squares, spectrum = self._prepared(hu)
        self._spectrum = np.conj(spectrum)

    def compared(self, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the least mean squared difference (B,) over the overlap, and that shift (B, 2)."""
        from scipy import fft

        squares, spectrum = self._prepared(other)
        spectrum *= self._spectrum
        correlation = fft.irfft2(spectrum, self._size)
        products = correlation[:, -self._reach[:, None], -self._reach]
        # What of the other one overlaps lies at the opposite side.
        squares = self._squares + squares[:, ::-1, ::-1]
        mse = (np.maximum(squares - 2 * products, 0) / self._area).reshape(
            len(other), self._area.size
        )
        best = mse.argmin(axis=1)
        shift = np.stack(np.unravel_index(best, self._area.shape), axis=1) - self._reach[-1]
        return mse[np.arange(len(other)), best], shift

    @property
    def _size(self) -> list[int]:
        from scipy import fft

        reach = int(self._reach[-1])
        return [fft.next_fast_len(n + reach, real=True) for n in (self._bottom, SIZE)]

    def _prepared(self, hu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the squares' sums over the overlap of each shift, and the spectrum."""
        from scipy import fft

        hu = hu[:, : self._bottom].astype(np.float32)
        sums = self._inside[:, : self._bottom] @ hu**2 @ self._inside.T
        return sums, fft.rfft2(hu, self._size)


def _bottom(*hu: np.ndarray) -> int:
    """Give the row below which all segments are empty, 1 at least."""
    used = np.logical_or.reduce([one.any(axis=(0, 2)) for one in hu])
    return int(SIZE - used[::-1].argmax()) if used.any() else 1


def _exactly(
    hu: np.ndarray, other: np.ndarray, shifts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the root mean square difference (B,), free of rounding, and that of the HU (B,)."""
    rmse, level = np.empty((2, len(hu)))
    for i, (rows, columns) in enumerate(shifts):
        (r1, r2), (c1, c2) = overlap(rows), overlap(columns)
        one, two = hu[i, r1, c1].astype(np.float64), other[i, r2, c2].astype(np.float64)
        rmse[i] = np.sqrt(np.mean((one - two) ** 2))
        level[i] = np.sqrt((np.mean(one**2) + np.mean(two**2)) / 2)
    return rmse, level
