"""Nearest training segments by SIFT descriptors (Lowe 1999)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...data.segment_set import SegmentSet
from .neighbors import OTHERS, Neighbors, check_sets, ratio_of
from .pixel_search import walls_of
from .registration import register
from .statistics import subsample

MOST_BY_SIFT = 1_000
"""Larger sets are subsampled; the cost of the search is their product."""

_AT_ONCE = 256
_SEARCHED_AT_ONCE = 16
"""Segments whose products with the pool stay in a core's cache and are large enough to be fast."""
_KEYPOINTS = 24


def nearest_by_sift(
    segments: SegmentSet,
    training: SegmentSet,
    *,
    flip: bool = True,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Neighbors:
    """Find the training segment whose SIFT descriptors are nearest.

    The 24 strongest keypoints of each segment count, wherever they lie: a segment's distance is the
    mean distance of its descriptors to the nearest of the other's. Needs OpenCV.

    Args:
        segments, training, flip, seed, on_progress: as for ``nearest_by_mse``; sets larger than
            ``MOST_BY_SIFT`` are subsampled.

    Raises:
        BadInputError: if a set is empty or their pixel sizes differ.
    """
    check_sets(segments, training)
    which = subsample(len(segments), MOST_BY_SIFT, seed)
    of = subsample(len(training), MOST_BY_SIFT, seed)
    some, pool = _pool(training.hu[of], training.hu_range)
    nearest = np.full(len(which), -1)
    flipped = np.zeros(len(which), bool)
    distance, ratio = np.full((2, len(which)), np.nan)
    for start in range(0, len(which), _SEARCHED_AT_ONCE):
        batch = which[start : start + _SEARCHED_AT_ONCE]
        own = [_descriptors(segments.hu[segment], training.hu_range) for segment in batch]
        ways = [_distances(own, pool)]
        if flip:
            ways.append(_distances([_mirrored(one) for one in own], pool))
        known = np.flatnonzero([len(one) * len(some) > 0 for one in own])
        for place, to_each in zip(known, np.stack(ways, axis=1)[known], strict=True):
            order = np.argsort(to_each.min(axis=0), kind="stable")
            ranked = to_each.min(axis=0)[order]
            nearest[start + place] = of[some[order[0]]]
            flipped[start + place] = to_each[:, order[0]].argmin() == 1
            distance[start + place] = ranked[0]
            # A segment alone is compared with descriptors that have nothing in common.
            others = ranked[1 : 1 + OTHERS].mean() if len(ranked) > 1 else np.sqrt(2)
            ratio[start + place] = ratio_of(ranked[0], others)
        if on_progress:
            on_progress(start + len(batch), len(which))
    shift, turn, gain, rms = _laid_over(segments, training, which, nearest, flipped)
    return Neighbors(which, nearest, distance, ratio, flipped, shift, len(of), turn, gain, rms)


def _laid_over(
    segments: SegmentSet,
    training: SegmentSet,
    which: np.ndarray,
    nearest: np.ndarray,
    flipped: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give shift, turn, gain and rms at which the nearest ones lie best over their segments."""
    shift = np.zeros((len(which), 2))
    turn, gain, rms = np.zeros(len(which)), np.ones(len(which)), np.full(len(which), np.nan)
    known = np.flatnonzero(nearest >= 0)
    for start in range(0, len(known), _AT_ONCE):
        batch = known[start : start + _AT_ONCE]
        walls, others = walls_of(segments, which[batch]), walls_of(training, nearest[batch])
        every = np.arange(len(batch))[:, None]
        laid = register(walls, others, every, flipped[batch, None], fine=True)
        shift[batch], turn[batch] = laid.shift_px, laid.turn_deg
        gain[batch], rms[batch] = laid.gain, laid.rms_hu
    return shift, turn, gain, rms


def _pool(hu: np.ndarray, hu_range: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Give which segments have descriptors, int (M,), and these, float32 (24, M, 128)."""
    described = [_descriptors(one, hu_range) for one in hu]
    some = np.flatnonzero([len(each) for each in described])
    # Repeated where there are less than 24, which leaves the nearest as it is.
    filled = [np.resize(described[i], (_KEYPOINTS, 128)) for i in some]
    return some, np.stack(filled, axis=1) if filled else np.zeros((_KEYPOINTS, 0, 128), np.float32)


def _descriptors(hu: np.ndarray, hu_range: tuple[float, float]) -> np.ndarray:
    """Give up to 24 SIFT descriptors, float32 (n, 128), of length 1 (RootSIFT)."""
    import cv2

    low, high = hu_range
    used = np.flatnonzero(hu.any(axis=1))
    hu = hu[: used[-1] + 17] if used.size else hu[:32]  # half of a segment has nothing to find
    gray = np.clip((hu.astype(np.float32) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    sift = cv2.SIFT_create(nfeatures=_KEYPOINTS)  # type: ignore[attr-defined] # not in its stubs
    _, found = sift.detectAndCompute(gray, None)
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


def _distances(own: Sequence[np.ndarray], pool: np.ndarray) -> np.ndarray:
    """Give how far segments are from others, float32 (n, M); NaN for those of no descriptor.

    Args:
        own: descriptors of n segments, (some, 128) each.
        pool: (24, M, 128). The distance is the mean one of descriptors to the nearest of the other.
    """
    whole = np.concatenate(own)
    closest = np.full((len(whole), pool.shape[1]), -np.inf, np.float32)
    for keypoints in pool:
        np.maximum(closest, whole @ keypoints.T, out=closest)
    distances = np.sqrt(np.maximum(2 - 2 * closest, 0))
    found = np.full((len(own), pool.shape[1]), np.nan, np.float32)
    end = 0
    for place, one in enumerate(own):
        begin, end = end, end + len(one)
        if len(one):
            found[place] = distances[begin:end].mean(axis=0)
    return found
