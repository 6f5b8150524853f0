"""Segments whose every value is known, and what a stack of them must look like to others."""

from dataclasses import replace

import numpy as np
import SimpleITK as sitk
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.export import FORMATS

COUNT = 12
NAMES = tuple(f"g{one.endings[0]}" for one in FORMATS.values() if not one.reads_back)
"""A file or folder of each format that is made of a segment set."""


def make_set(count: int = COUNT, **changes) -> SegmentSet:
    """Segment i is a wall of 1500 + i HU in rows 20 to 33, soft inside, and -5 HU at (25, i)."""
    hu = np.zeros((count, 128, 128), np.int16)
    hu[:, 20:34] = 1500 + np.arange(count)[:, None, None]
    hu[:, 24:30] = 700
    hu[np.arange(count), 25, np.arange(count) % 128] = -5
    mask = np.zeros(hu.shape, np.uint8)
    mask[:, 20:34] = 1
    source = {"model_sha256": "ab" * 32, "scanner": "größer"}
    made = segment_set.without_patient(hu, mask, 100 + np.arange(count), source=source)
    return replace(made, **changes)


def assert_same_stack(image: sitk.Image, voxels: np.ndarray) -> None:
    found = sitk.GetArrayFromImage(image)
    np.testing.assert_array_equal(found, voxels)
    assert found.dtype == voxels.dtype
    np.testing.assert_allclose(image.GetSpacing(), (0.45, 0.45, 1.0), rtol=1e-6)
    # LPS: columns to the left, rows to the back, the center of the first slice at the origin.
    np.testing.assert_allclose(image.GetDirection(), np.eye(3).ravel())
    np.testing.assert_allclose(image.GetOrigin(), (-28.575, -28.575, 0.0), rtol=1e-6)
