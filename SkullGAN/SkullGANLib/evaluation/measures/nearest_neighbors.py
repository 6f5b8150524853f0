"""Memorization: are synthetic segments copies of training segments?

``nearest_by_mse`` and ``nearest_by_sift`` find the nearest training segment of each segment (paper,
Figure 5), also where it was turned left to right or moved by a few pixels. How near is near? Skulls
resemble each other, and thin or smooth segments lie near to everything. So a distance is taken
as a share of the distances to the next ones, as membership tests of other generators do (Carlini et
al. 2023), and ``judge`` holds these ratios against those of real segments that were kept out of
training, which are no copies for sure. ``aligned`` lays the nearest training segments over the
others, for difference images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError

MOST_SEGMENTS = 100_000
MOST_TRAINING = 10_000
"""Of larger sets this many are drawn for ``nearest_by_mse``; its cost is their product."""
MOST_BY_SIFT = 1_000
"""The same for ``nearest_by_sift``, for both sets."""

COPY_RATIO = 0.5
"""Share of the distance to the next segments below which a suspect is a copy."""

_REDUCED = (2, 4)  # rows, columns averaged; walls lie flat, so that rows tell more than columns
_COMPONENTS = 128
_FITTED_ON = 512
_CANDIDATES = 6
_OTHERS = 5
_TRAINING_AT_ONCE = 2048
_AT_ONCE = 256
_KEYPOINTS = 24


@dataclass(frozen=True)
class Neighbors:
    """The nearest training segment of each of N segments.

    Attributes:
        segment: int (N,), which segment of the set it is about; all, or those that were drawn.
        nearest: int (N,), its place in the training set; -1 where there is nothing to compare.
        distance: float (N,), 0 for a copy. By MSE: root mean square difference in HU where the two
            overlap. By SIFT: mean Euclidean distance of the segment's descriptors to the nearest.
        ratio: float (N,), by which ``judge`` judges: distance over the mean distance to the next
            five training segments. Near 1 for a segment among many like it, 0 for a copy.
        flipped: bool (N,), whether the training segment was turned left to right.
        shift_px: int (N, 2), rows and columns by which it was then moved.
        searched: number of training segments that were compared.
    """

    segment: np.ndarray
    nearest: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray
    flipped: np.ndarray
    shift_px: np.ndarray
    searched: int


@dataclass(frozen=True)
class Verdict:
    """Which synthetic segments stick to one training segment as no held-out real one does.

    Attributes:
        threshold: ratio below which a segment is suspect.
        rate: share of segments that would be suspect if they were as new as the held-out ones:
            k / (n + 1), with n of these and the threshold at the k-th smallest ratio.
        suspects: int, the segments below the threshold, the lowest ratio first.
        copies: int, those of them at less than half the distance of the next ones: what follows the
            data more smoothly than real segments do may be suspect, but it does not come that near.
        judged: number of synthetic segments.
        p_value: chance of as many suspects or more if the synthetic segments are as new as the
            held-out ones (beta-binomial).
    """

    threshold: float
    rate: float
    suspects: np.ndarray
    copies: np.ndarray
    judged: int
    p_value: float


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
        seed: of the draw from sets larger than ``MOST_SEGMENTS`` and ``MOST_TRAINING``.
        on_progress: called with the segments done and to do.

    Raises:
        BadInputError: if a set is empty, their pixel sizes differ or the shift is out of range.
    """
    _check(segments, training)
    if not 0 <= shift_px <= SIZE // 4:
        raise BadInputError(f"shift_px is {shift_px}, needed is 0 to {SIZE // 4}.")
    which = _drawn(len(segments), MOST_SEGMENTS, seed)
    of = _drawn(len(training), MOST_TRAINING, seed)
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


def nearest_by_sift(
    segments: SegmentSet,
    training: SegmentSet,
    *,
    flip: bool = True,
    shift_px: int = 4,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Neighbors:
    """Find the training segment whose SIFT descriptors (Lowe 1999) are nearest.

    The 24 strongest keypoints of each segment count, wherever they lie: a segment's distance is the
    mean distance of its descriptors to the nearest of the other's. Needs OpenCV.

    Args:
        segments, training, flip, seed, on_progress: as for ``nearest_by_mse``; sets larger than
            ``MOST_BY_SIFT`` are drawn from.
        shift_px: how far the nearest one is then moved to lie over the segment.

    Raises:
        BadInputError: if a set is empty or their pixel sizes differ.
    """
    _check(segments, training)
    which = _drawn(len(segments), MOST_BY_SIFT, seed)
    of = _drawn(len(training), MOST_BY_SIFT, seed)
    described = [_descriptors(one, training.hu_range) for one in training.hu[of]]
    some = np.flatnonzero([len(each) for each in described])
    # Repeated where there are less than 24, which leaves the nearest as it is.
    filled = [np.resize(described[i], (_KEYPOINTS, 128)) for i in some]
    pool = np.stack(filled, axis=1) if filled else np.zeros((_KEYPOINTS, 0, 128), np.float32)
    nearest = np.full(len(which), -1)
    flipped = np.zeros(len(which), bool)
    distance, ratio = np.full((2, len(which)), np.nan)
    for place, segment in enumerate(which):
        own = _descriptors(segments.hu[segment], training.hu_range)
        if len(own) and len(some):
            ways = np.stack([_distances(each, pool) for each in (own, _mirrored(own))[: 1 + flip]])
            order = np.argsort(ways.min(axis=0), kind="stable")
            ranked = ways.min(axis=0)[order]
            nearest[place] = of[some[order[0]]]
            flipped[place] = ways[:, order[0]].argmin() == 1
            distance[place] = ranked[0]
            # A segment alone is compared with descriptors that have nothing in common.
            others = ranked[1 : 1 + _OTHERS].mean() if len(ranked) > 1 else np.sqrt(2)
            ratio[place] = _share(ranked[0], others)
        if on_progress and ((place + 1) % 100 == 0 or place + 1 == len(which)):
            on_progress(place + 1, len(which))
    shifts = np.zeros((len(which), 2), int)
    for start in range(0, len(which), _AT_ONCE):
        batch = np.arange(start, min(start + _AT_ONCE, len(which)))
        batch = batch[nearest[batch] >= 0]
        others = _turned(training.hu[nearest[batch]], flipped[batch])
        hu = segments.hu[which[batch]]
        _, shifts[batch] = _Query(hu, shift_px, _bottom(hu, others)).compared(others)
    return Neighbors(which, nearest, distance, ratio, flipped, shifts, len(of))


def judge(synthetic: Neighbors, held_out: Neighbors, rate: float = 0.01) -> Verdict:
    """Find the synthetic segments that stick to a training segment more than is natural.

    Args:
        synthetic, held_out: neighbors of synthetic and of held-out real segments in one training
            set, found in the same way.
        rate: share of new segments that may be suspect by mistake. The verdict's own rate is
            the largest that does not exceed it, or 1 / (n + 1) where n held-out segments allow
            none that small.

    Raises:
        BadInputError: if no held-out segment has a neighbor.
    """
    from scipy import stats

    known = np.sort(held_out.ratio[np.isfinite(held_out.ratio)])
    if len(known) == 0:
        raise BadInputError(
            "No held-out segment has a neighbor in the training set, at least one is needed."
        )
    k = max(1, int(rate * (len(known) + 1)))
    near = np.flatnonzero(synthetic.ratio < known[k - 1])
    near = near[np.argsort(synthetic.ratio[near], kind="stable")]
    judged = int(np.isfinite(synthetic.ratio).sum())
    chance = stats.betabinom.sf(len(near) - 1, judged, k, len(known) + 1 - k)
    return Verdict(
        threshold=float(known[k - 1]),
        rate=k / (len(known) + 1),
        suspects=synthetic.segment[near],
        copies=synthetic.segment[near[synthetic.ratio[near] < COPY_RATIO]],
        judged=judged,
        p_value=float(chance),
    )


def aligned(training: SegmentSet, neighbors: Neighbors) -> np.ndarray:
    """Give the nearest training segments as they lie over the segments they are nearest to.

    Returns:
        int16 (N, 128, 128), HU; 0 where the shift brought nothing, or there is no neighbor.
    """
    hu = _turned(training.hu[neighbors.nearest], neighbors.flipped)
    moved = np.zeros_like(hu)
    for one, other, (rows, columns) in zip(moved, hu, neighbors.shift_px, strict=True):
        to_rows, from_rows = _overlap(rows)
        to_columns, from_columns = _overlap(columns)
        one[to_rows, to_columns] = other[from_rows, from_columns]
    moved[neighbors.nearest < 0] = 0
    return moved


def differences(hu: np.ndarray, others: np.ndarray, shift_px: np.ndarray) -> np.ndarray:
    """Subtract what ``aligned`` gave from the segments it lies over.

    Args:
        hu, others: int16 (N, 128, 128), HU.
        shift_px: int (N, 2), by which the others were moved.

    Returns:
        float32 (N, 128, 128), HU; NaN where the shift brought nothing.
    """
    found = np.full(hu.shape, np.nan, np.float32)
    for one, own, other, (rows, columns) in zip(found, hu, others, shift_px, strict=True):
        there = _overlap(int(rows))[0], _overlap(int(columns))[0]
        one[there] = own[there].astype(np.float32) - other[there]  # int16 would overflow
    return found


def _nearest_of_batch(
    hu: np.ndarray, pool: np.ndarray, sketch: _Sketch, flip: bool, shift_px: int
) -> tuple[np.ndarray, ...]:
    """Give nearest, flipped, shift, root mean square difference and ratio of (B, 128, 128)."""
    columns, bottom = [], max(sketch.bottom, _bottom(hu))
    for turned in (False, True)[: 1 + flip]:
        # To turn the segment is to turn the other one; a shift across then goes the other way.
        towards = hu[:, :, ::-1] if turned else hu
        query = _Query(towards, shift_px, bottom)
        for candidate in sketch.candidates(towards).T:
            mse, shift = query.compared(pool[candidate])
            columns.append((candidate, np.full(len(hu), turned), shift * [1, 1 - 2 * turned], mse))
    candidate, turned, shift, mse = (np.stack(c, axis=1) for c in zip(*columns, strict=True))
    row, best = np.arange(len(hu)), mse.argmin(axis=1)
    nearest, turned, shift = (each[row, best] for each in (candidate, turned, shift))
    rmse, level = _exactly(hu, _turned(pool[nearest], turned), shift)
    others = np.sqrt(np.where(candidate == nearest[:, None], np.nan, mse))
    others = np.sort(others, axis=1)[:, :_OTHERS]
    alone = np.isnan(others[:, 0])  # then there is only the segments' own level to compare with
    others[alone, 0] = level[alone]
    return nearest, turned, shift, rmse, _share(rmse, np.nanmean(others, axis=1))


@dataclass(frozen=True)
class _Sketch:
    """Reduced, projected training segments: distances in it bound the true ones from below."""

    bottom: int  # the row below which all are empty
    axes: np.ndarray  # float32 (pixels, components), orthonormal
    points: np.ndarray  # float32 (M, components + 1), the last is what the axes leave out
    shift_px: int

    @classmethod
    def of(cls, pool: np.ndarray, shift_px: int) -> _Sketch:
        axes = _principal_axes(_reduced(_narrowed(pool[_drawn(len(pool), _FITTED_ON, 0)])))
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
    return sum(hu[:, :, i::step].astype(np.float32) for i in range(step)) / step


def _reduced(narrow: np.ndarray) -> np.ndarray:
    """Average rows, of (B, 128, 32): float32 (B, pixels)."""
    step = _REDUCED[0]
    return (sum(narrow[:, i::step] for i in range(step)) / step).reshape(len(narrow), -1)


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
        (r1, r2), (c1, c2) = _overlap(rows), _overlap(columns)
        one, two = hu[i, r1, c1].astype(np.float64), other[i, r2, c2].astype(np.float64)
        rmse[i] = np.sqrt(np.mean((one - two) ** 2))
        level[i] = np.sqrt((np.mean(one**2) + np.mean(two**2)) / 2)
    return rmse, level


def _overlap(shift: int) -> tuple[slice, slice]:
    """Give where a moved line lands, and which part of it that is."""
    return slice(max(shift, 0), SIZE + min(shift, 0)), slice(max(-shift, 0), SIZE - max(shift, 0))


def _descriptors(hu: np.ndarray, hu_range: tuple[float, float]) -> np.ndarray:
    """Give up to 24 SIFT descriptors, float32 (n, 128), of length 1 (RootSIFT)."""
    import cv2

    low, high = hu_range
    used = np.flatnonzero(hu.any(axis=1))
    hu = hu[: used[-1] + 17] if used.size else hu[:32]  # half of a segment has nothing to find
    gray = np.clip((hu.astype(np.float32) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    _, found = cv2.SIFT_create(nfeatures=_KEYPOINTS).detectAndCompute(gray, None)
    if found is None:
        return np.zeros((0, 128), np.float32)
    found = found[:_KEYPOINTS]  # of equal strength it keeps more
    return np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9))


def _mirrored(descriptors: np.ndarray) -> np.ndarray:
    """Give the descriptors of the same places in the mirror image.

    A descriptor is 4 x 4 cells of 8 directions, laid along the keypoint's own direction: seen in a
    mirror, the cells change sides of it and the directions turn the other way round.
    """
    cells = descriptors.reshape(-1, 4, 4, 8)[:, ::-1]
    return cells[..., -np.arange(8) % 8].reshape(-1, 128)


def _distances(own: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Give the mean distance of descriptors (n, 128) to the nearest of each in (24, M, 128)."""
    products = own @ pool.reshape(-1, 128).T
    closest = products.reshape(len(own), *pool.shape[:2]).max(axis=1)
    return np.sqrt(np.maximum(2 - 2 * closest, 0)).mean(axis=0)


def _turned(hu: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    return np.where(flipped[:, None, None], hu[:, :, ::-1], hu)


def _share(distance: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Divide, and give 1 where both are 0: copies of what is there many times stick to none."""
    distance, others = np.asarray(distance, float), np.asarray(others, float)
    return np.divide(distance, others, out=np.ones_like(distance), where=others > 0)


def _drawn(size: int, most: int, seed: int) -> np.ndarray:
    """Give all places of a set, or as many as allowed, drawn without putting back."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed).choice(size, most, replace=False))


def _check(segments: SegmentSet, training: SegmentSet) -> None:
    if len(segments) == 0 or len(training) == 0:
        raise BadInputError(
            f"{len(segments)} segments were to be compared with {len(training)} of the training "
            "set, at least one of each is needed."
        )
    if segments.pixel_spacing_mm != training.pixel_spacing_mm:
        raise BadInputError(
            f"Segments of {segments.pixel_spacing_mm} mm pixels were to be compared with a "
            f"training set of {training.pixel_spacing_mm} mm, one pixel size is needed."
        )
