"""Walls with marrow, no two alike, for tests that look for copies among them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet


def walls(count: int, seed: int) -> SegmentSet:
    """Bent walls of uneven thickness with coarse marrow, no two alike."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, 128)
    rows = np.arange(128)[:, None]
    hu = np.zeros((count, 128, 128), np.int16)
    for one in hu:
        bumps = ndimage.gaussian_filter1d(rng.normal(0, 1, (2, 128)), 8, axis=1) * 4
        top = 14 + rng.uniform(2, 8) * x**2 + rng.uniform(-3, 3) * x + bumps[0]
        depth = (rows - top) / (rng.uniform(12, 22) + 2 * bumps[1])
        marrow = 900 + 1500 * ndimage.gaussian_filter(rng.normal(0, 1, (128, 128)), 2)
        value = np.where((depth > 0.25) & (depth < 0.75), marrow, 1700)
        one[:] = np.rint(np.where((depth >= 0) & (depth <= 1), np.clip(value, 50, 2500), 0))
    return segments_of(hu)


def segments_of(hu: np.ndarray) -> SegmentSet:
    return segment_set.without_patient(hu, hu != 0, np.arange(len(hu)))


def shifted(hu: np.ndarray) -> np.ndarray:
    """Down by 3, right by 2; what comes in at the left is new."""
    moved = np.roll(hu, (3, 2), axis=(1, 2))
    moved[:, :, :2] = moved[:, :, 5:3:-1]
    return moved
