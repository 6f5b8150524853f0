"""Sets in which every value is known, and how two sets are compared."""

from dataclasses import fields, replace

import numpy as np
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet

BONES = ("temporal", "parietal", "frontal", "occipital")
PLANES = ("axial", "coronal", "sagittal", "oblique")
ARRAYS = (
    *("hu", "mask", "pixel_to_ras", "subject", "bone", "side", "plane", "seed", "ct"),
    *("stack", "slice_number"),
)


def make_set(count: int = 3, **changes) -> SegmentSet:
    """Segment i has i + 1 in its pixel (20, i), subject "subject-<i>", seed 10 * i."""
    hu = np.zeros((count, 128, 128), np.int16)
    hu[np.arange(count), 20, np.arange(count) % 128] = np.arange(count) + 1
    made = SegmentSet(
        hu=hu,
        mask=(hu != 0).astype(np.uint8),
        pixel_to_ras=np.eye(4) + np.arange(count)[:, None, None],
        subject=np.array([f"subject-{i}" for i in range(count)], dtype=np.str_),
        bone=np.array([BONES[i % 4] for i in range(count)], dtype=np.str_),
        side=np.array([segment_set.SIDES[i % 3] for i in range(count)], dtype=np.str_),
        plane=np.array([PLANES[i % 4] for i in range(count)], dtype=np.str_),
        seed=10 * np.arange(count),
        ct=np.array([f"ct-{i // 2}" for i in range(count)], dtype=np.str_),
        kind="real",
        source={"kernel": "BONEPLUS", "kvp": 120.0, "scanner": "GE größer"},
    )
    return replace(made, **changes)


def assert_same(found: SegmentSet, expected: SegmentSet) -> None:
    for one in fields(SegmentSet):
        have, need = getattr(found, one.name), getattr(expected, one.name)
        if one.name in ARRAYS:
            np.testing.assert_array_equal(have, need, err_msg=one.name)
        else:
            assert have == need, one.name
