"""Mean intensity of the skull wall, in HU."""

from __future__ import annotations

import numpy as np

from .metric import Metric
from .profiles import Profiles

FAT_AND_WATER_HU = 10.0
"""Mean intensity is taken over the pixels above this (paper, "Mean Intensity")."""


def mean_intensity_hu(hu: np.ndarray) -> np.ndarray:
    """Give the mean HU of each segment's pixels above 10 HU (paper, "Mean Intensity").

    Args:
        hu: int16 (N, rows, columns), HU.

    Returns:
        float64 (N,); NaN where no pixel is above 10 HU.
    """
    hu = np.asarray(hu)
    above = hu > FAT_AND_WATER_HU
    count = np.count_nonzero(above, axis=(1, 2))
    total = np.sum(hu, axis=(1, 2), where=above, dtype=np.float64)
    return np.divide(total, count, out=np.full(len(hu), np.nan), where=count > 0)


def intensity_of_profiles(profiles: Profiles) -> np.ndarray:
    """Give the mean HU of each profile's bone above 10 HU, float64 (M,), NaN where none counts."""
    walls = profiles.walls
    above = walls.inside & (profiles.hu > FAT_AND_WATER_HU)
    count = np.where(walls.count, np.count_nonzero(above, axis=1), 0)
    total = np.sum(profiles.hu, axis=1, where=above)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


METRIC = Metric(
    name="mean_intensity_hu",
    quantity="Mean intensity",
    unit="HU",
    digits=0,
    digits_of_means=0,
    color_range=(500.0, 1800.0),
    description="Mean intensity of the segment",
    method=f"mean HU of a segment's pixels above {FAT_AND_WATER_HU:.0f} HU",
    of_profiles=intensity_of_profiles,
    of_segments=mean_intensity_hu,
)
