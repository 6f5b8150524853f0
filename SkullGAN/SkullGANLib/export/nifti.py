"""NIfTI-1: HU and masks as stacks of slices."""

from __future__ import annotations

import struct
from pathlib import Path

from ..data.segment_set import SIZE
from .format import Format
from .segment_stack import SegmentStack
from .staging import gzipped, staged_pair


def write_nifti(stack: SegmentStack, path: Path) -> None:
    """Write HU, and beside them the masks; packed if the name ends in .gz."""
    packed = path.name.lower().endswith(".gz")
    with staged_pair(FORMAT.files(path)) as both:
        for name, temporary in zip(("hu", "mask"), both, strict=True):
            with open(temporary, "wb") as plain, gzipped(plain) if packed else plain as file:
                file.write(_nifti_header(stack, name))
                stack.write_pixels(file, name)


def _nifti_header(stack: SegmentStack, name: str) -> bytes:
    """The 352 bytes before the voxels, by the fields' places in nifti1.h."""
    code, bits = (4, 16) if name == "hu" else (2, 8)
    affine = stack.ijk_to_ras
    spacing = stack.header.pixel_spacing_mm
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    slices = stack.depth.slices if stack.depth else stack.count
    stacks = stack.count // slices
    # A volume a stack: by the fourth axis no slice lies beside one of another stack.
    size = (4 if stacks > 1 else 3, SIZE, SIZE, slices, stacks, 1, 1, 1)
    struct.pack_into("<8h", header, 40, *size)
    struct.pack_into("<hh", header, 70, code, bits)
    distance = stack.slice_distance_mm
    struct.pack_into("<8f", header, 76, 1.0, spacing, spacing, distance, stacks > 1, 0, 0, 0)
    struct.pack_into("<fff", header, 108, 352.0, 1.0, 0.0)  # voxels' offset, slope, intercept
    header[123] = 2  # mm
    header[148:228] = f"{stack.header.kind} skull segments, HU".encode().ljust(80, b"\0")
    struct.pack_into("<hh", header, 252, 1, 1)
    # The quaternion (0, 0, 0, 1) is the half turn about S that the matrix is, too.
    struct.pack_into("<6f", header, 256, 0, 0, 1, *affine[:3, 3])
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header)


FORMAT = Format(
    name="nifti",
    title="NIfTI",
    endings=(".nii.gz", ".nii"),
    description="stack of slices, and one of the masks; of stacks in depth a volume each",
    write=write_nifti,
    mask_ending="-mask{ending}",
    most_segments=32_767,
    most_reason="its header counts no further",
)
