"""What segments are described by where sets of them are compared: features of the wall with names.

Each is something a radiologist can look at: the profile of HU from outer to inner surface,
outlines, texture at several scales, quantiles of HU and radiological metrics. No network is needed:
those trained on photographs see gray bone through eyes for colored objects, their weights are not
always at hand, and what they found cannot be named.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..data.segment_set import SIZE, SegmentSet
from .measurement import measure

METRICS = (
    "sdr_peaks",
    "sdr_outer_peak",
    "sdr_central",
    "sdr_literal",
    "thickness_mm",
    "mean_intensity_hu",
)
"""The metrics among the features: pinned, so that a new one changes no judge's numbers."""

_DEPTHS = 12
_LAGS = (1, 2, 4, 8)
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_AT_ONCE = 256


def wall_features(
    segments: SegmentSet, metrics: Mapping[str, np.ndarray] | None = None
) -> np.ndarray:
    """Describe segments, float64 (N, 47); 0 where there is nothing to measure.

    Args:
        segments: N segments.
        metrics: what ``measure`` gives for them, where it is known.
    """
    metrics = measure(segments) if metrics is None else metrics
    shapes = [
        _shape(segments.hu[part], segments.mask[part].astype(bool))
        for part in (slice(i, i + _AT_ONCE) for i in range(0, len(segments), _AT_ONCE))
    ]
    named = np.stack([metrics[name] for name in METRICS], axis=1)
    # A segment without bone has no metrics; it lies far from all others in the rest.
    return np.nan_to_num(np.hstack([np.concatenate(shapes), named]))


def _shape(hu: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Give the profile across the wall, outlines, texture and quantiles of (B, 128, 128)."""
    covered = np.asarray(mask.any(axis=1))
    first = mask.argmax(axis=1)
    last = SIZE - 1 - mask[:, ::-1].argmax(axis=1)
    depth = (np.arange(_DEPTHS)[:, None] + 0.5) / _DEPTHS
    rows = np.rint(first[:, None] + depth * (last - first)[:, None]).astype(int)
    profile = np.take_along_axis(hu, rows, axis=1).astype(np.float32)
    columns = np.maximum(covered.sum(axis=1), 1)[:, None]
    mean = np.sum(profile, axis=2, where=covered[:, None]) / columns
    square = np.sum(profile**2, axis=2, where=covered[:, None]) / columns
    found = [mean, np.sqrt(np.maximum(square - mean**2, 0))]
    thickness = (last - first + 1) * covered
    found += [one.std(axis=1)[:, None] for one in (first, thickness)]
    found += [np.abs(np.diff(one, 2, axis=1)).mean(axis=1)[:, None] for one in (first, last)]
    found += _steps(hu, mask)
    quantiles = [
        np.quantile(one[inside], _QUANTILES) if inside.any() else np.zeros(len(_QUANTILES))
        for one, inside in zip(hu, mask, strict=True)
    ]
    return np.hstack([*found, quantiles])


def _steps(hu: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """Give the mean step of HU (B, 1) between pixels of the wall, by distance and direction."""
    used = np.flatnonzero(mask.any(axis=(0, 2)))
    rows = slice(used[0], used[-1] + 1) if used.size else slice(0, 1)
    # Sums of whole numbers are exact, and less than 2^31 of any HU.
    hu, mask = hu[:, rows].astype(np.int32), mask[:, rows]
    found = []
    for lag in _LAGS:
        for there, here in (
            (np.s_[:, lag:], np.s_[:, :-lag]),
            (np.s_[:, :, lag:], np.s_[:, :, :-lag]),
        ):
            both = mask[there] & mask[here]
            step = np.abs(hu[there] - hu[here]) * both
            count = np.count_nonzero(both, axis=(1, 2))
            found.append((step.sum(axis=(1, 2), dtype=np.int32) / np.maximum(count, 1))[:, None])
    return found
