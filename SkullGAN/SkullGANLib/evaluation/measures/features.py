"""What segments are described by where two sets of them are compared.

They are the features of the wall (``metrics.wall_features``) and the coarse picture (principal
components); neither network nor download is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError
from ...metrics.wall_features import wall_features

_COMPONENTS = 32


@dataclass(frozen=True, eq=False)
class Described:
    """What N segments are like, before they are held against others.

    Attributes:
        named: float64 (N, 47), of ``wall_features``.
        coarse: float32 (N, 1024), the picture in blocks of 4 x 4 pixels.
        pixel_spacing_mm: of the segments.
    """

    named: np.ndarray
    coarse: np.ndarray
    pixel_spacing_mm: float


def describe(segments: SegmentSet, metrics: Mapping[str, np.ndarray] | None = None) -> Described:
    """Describe segments, whose metrics may be known already."""
    return Described(
        wall_features(segments, metrics), _coarse(segments.hu), segments.pixel_spacing_mm
    )


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
    return joint_features(*map(describe, sets))


def joint_features(*sets: Described) -> list[np.ndarray]:
    """As ``features``, of sets that were described before."""
    spacings = sorted({one.pixel_spacing_mm for one in sets})
    if len(spacings) > 1:
        raise BadInputError(f"Sets have pixels of {spacings} mm: expected one size.")
    named = np.concatenate([one.named for one in sets])
    coarse = np.concatenate([one.coarse for one in sets])
    components = principal_components(coarse, _COMPONENTS, seed=0)
    # The components keep their weights among each other: together they weigh as half the rest.
    components *= np.sqrt(named.shape[1] / 2 / max(components.var(axis=0).sum(), 1e-12))
    together = np.hstack([standardized(named), components])
    return np.split(together, np.cumsum([len(one.named) for one in sets])[:-1])


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


def _coarse(hu: np.ndarray) -> np.ndarray:
    """Average blocks of 4 x 4 pixels: float32 (N, 1024)."""
    blocks = hu.reshape(len(hu), SIZE // 4, 4, SIZE // 4, 4)
    return blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(hu), -1)
