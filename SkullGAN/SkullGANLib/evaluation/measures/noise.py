"""The noise of a CT in segments cut from it: how much two views of the same bone may differ."""

from __future__ import annotations

import numpy as np

from ...data.segment_set import SegmentSet
from .statistics import subsample

_MOST = 200
_INWARD_PX = 2
_NORMAL = 0.6745
"""Median of the absolute value of a normal number, in standard deviations."""


def noise_hu(segments: SegmentSet, seed: int = 0) -> float:
    """Estimate the standard deviation of the noise within walls, in HU.

    By the median size of what is left of pixels when planes, edges and ramps are taken out (the
    operator of Immerkær 1996, a robust estimate), at least 2 pixels inside the wall. Segments are
    interpolated, which smooths the noise; fine marrow adds to it.

    Args:
        segments: real ones; of more than 200 so many are taken.
        seed: of the subsample.

    Returns:
        0.0 where no wall is thick enough to tell.
    """
    from scipy import ndimage

    which = subsample(len(segments), _MOST, seed)
    hu = segments.hu[which].astype(np.float32)
    inside = ndimage.minimum_filter(segments.mask[which] > 0, (1, *[2 * _INWARD_PX + 1] * 2))
    bend = hu[:, :-2] - 2 * hu[:, 1:-1] + hu[:, 2:]
    bend = bend[:, :, :-2] - 2 * bend[:, :, 1:-1] + bend[:, :, 2:]
    # Of independent pixels, the sum of squares of the weights is 36.
    left = np.abs(bend[inside[:, 1:-1, 1:-1]]) / 6
    return float(np.median(left) / _NORMAL) if left.size else 0.0
