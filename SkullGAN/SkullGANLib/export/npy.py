"""NumPy: HU and masks as an array each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..data.segment_set import SIZE
from .format import Format
from .segment_stack import SegmentStack
from .staging import staged_pair


def write_npy(stack: SegmentStack, path: Path) -> None:
    """Write int16 HU and, beside them, uint8 masks, both (N, 128, 128)."""
    with staged_pair(FORMAT.files(path)) as both:
        for name, temporary in zip(("hu", "mask"), both, strict=True):
            about = {
                "descr": "<i2" if name == "hu" else "|u1",
                "fortran_order": False,
                "shape": (stack.count, SIZE, SIZE),
            }
            with open(temporary, "wb") as file:
                np.lib.format.write_array_header_1_0(file, about)
                stack.write_pixels(file, name)


FORMAT = Format(
    name="npy",
    title="NumPy",
    endings=(".npy",),
    description="array (N, 128, 128) of HU, and one of the masks",
    write=write_npy,
    mask_ending="-mask{ending}",
)
