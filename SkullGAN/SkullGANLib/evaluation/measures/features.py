"""What segments are described by where two sets of them are compared.

The features need no network and no download: networks trained on photographs see gray bone through
eyes for colored objects, their weights are not always at hand, and what they found cannot be named.
Here each feature is something a radiologist can look at: the coarse picture (principal components),
the profile of HU from outer to inner surface, outlines, texture at several scales, quantiles of HU
and radiological metrics.
"""

from __future__ import annotations

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError
from ...metrics import measure

METRICS = (
    "sdr_peaks",
    "sdr_outer_peak",
    "sdr_central",
    "sdr_literal",
    "thickness_mm",
    "mean_intensity_hu",
)
"""The metrics among the features: pinned, so that a new one changes no judge's numbers."""

_COMPONENTS = 32
_DEPTHS = 12
_LAGS = (1, 2, 4, 8)
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_AT_ONCE = 256


def features(*sets: SegmentSet) -> list[np.ndarray]:
    """Describe segments by features that are standardized over all sets together.

    No set is treated otherwise than another (a space fitted to the real set alone would give it
    away), so that sets of one distribution stay indistinguishable.

    Returns:
        float64 (N, features) for each set.

    Raises:
        BadInputError: if no set, or an empty one is given, or their pixel sizes differ.
    """
    if not sets or min(map(len, sets)) == 0:
        raise BadInputError("Features of no segment cannot be computed: expected one in each set.")
    spacings = sorted({one.pixel_spacing_mm for one in sets})
    if len(spacings) > 1:
        raise BadInputError(f"Sets have pixels of {spacings} mm: expected one size.")
    named = np.concatenate([_named_features(one) for one in sets])
    coarse = np.concatenate([_coarse(one.hu) for one in sets])
    components = principal_components(coarse, _COMPONENTS, seed=0)
    # The components keep their weights among each other: together they weigh as half the rest.
    components *= np.sqrt(named.shape[1] / 2 / max(components.var(axis=0).sum(), 1e-12))
    together = np.hstack([standardized(named), components])
    return np.split(together, np.cumsum([len(one) for one in sets])[:-1])


def standardized(x: np.ndarray) -> np.ndarray:
    """Give each column (N, D) mean 0 and standard deviation 1; a constant one becomes 0."""
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)


def principal_components(x: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Give the coordinates of points (N, D) along their first principal axes, float64."""
    from sklearn.decomposition import PCA

    count = min(count, *x.shape)
    with np.errstate(invalid="ignore", divide="ignore"):  # segments that are all alike
        return PCA(count, svd_solver="randomized", random_state=seed).fit_transform(x).astype(float)


def _named_features(segments: SegmentSet) -> np.ndarray:
    """Give the features with a name of their own (N, 47); 0 where there is nothing to measure."""
    metrics = measure(segments)
    shapes = [
        _shape(segments.hu[part].astype(np.float32), segments.mask[part].astype(bool))
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
    profile = np.take_along_axis(hu, rows, axis=1)
    columns = np.maximum(covered.sum(axis=1), 1)[:, None]
    mean = np.sum(profile, axis=2, where=covered[:, None]) / columns
    square = np.sum(profile**2, axis=2, where=covered[:, None]) / columns
    found = [mean, np.sqrt(np.maximum(square - mean**2, 0))]
    thickness = (last - first + 1) * covered
    found += [one.std(axis=1)[:, None] for one in (first, thickness)]
    found += [np.abs(np.diff(one, 2, axis=1)).mean(axis=1)[:, None] for one in (first, last)]
    for lag in _LAGS:
        for there, here in (
            (np.s_[:, lag:], np.s_[:, :-lag]),
            (np.s_[:, :, lag:], np.s_[:, :, :-lag]),
        ):
            both = mask[there] & mask[here]
            step = np.sum(np.abs(hu[there] - hu[here]), axis=(1, 2), where=both)
            found.append((step / np.maximum(both.sum(axis=(1, 2)), 1))[:, None])
    quantiles = [
        np.quantile(one[inside], _QUANTILES) if inside.any() else np.zeros(len(_QUANTILES))
        for one, inside in zip(hu, mask, strict=True)
    ]
    return np.hstack([*found, quantiles])


def _coarse(hu: np.ndarray) -> np.ndarray:
    """Average blocks of 4 x 4 pixels: float32 (N, 1024)."""
    blocks = hu.reshape(len(hu), SIZE // 4, 4, SIZE // 4, 4)
    return blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(hu), -1)
