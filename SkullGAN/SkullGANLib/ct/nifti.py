"""What is wrong with a NIfTI file that ITK reads without a word.

Its NIfTI library gives 0 for what a truncated file lacks and for NaN. The header's places are those
of nifti1.h: dim at byte 40, datatype at 70, bitpix at 72, vox_offset at 108.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

_CHUNK_BYTES = 4 * 1024**2


def nifti_fault(path: Path) -> str:
    """Say what is wrong with a NIfTI file (.nii, .nii.gz); empty if nothing is."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else open(path, "rb") as file:
            return _fault(file)
    except (OSError, EOFError, ValueError, OverflowError, zlib.error, struct.error):
        return "is truncated or damaged"


def _fault(file: BinaryIO | gzip.GzipFile) -> str:
    header = file.read(352)
    order = "<" if header[:4] == struct.pack("<i", 348) else ">"
    rank, *dim = struct.unpack_from(f"{order}8h", header, 40)
    datatype, bits = struct.unpack_from(f"{order}2h", header, 70)
    (offset,) = struct.unpack_from(f"{order}f", header, 108)
    if header[344:348] != b"n+1\0":
        return "is one of a pair of files"
    floats = {16: np.dtype(f"{order}f4"), 64: np.dtype(f"{order}f8")}.get(datatype)
    file.read(max(int(offset) - len(header), 0))
    lacking = math.prod(dim[:rank]) * bits // 8
    while chunk := file.read(_CHUNK_BYTES):  # to the end, where gzip has its checksum
        if floats is not None and lacking > 0:
            whole = chunk[: min(lacking, len(chunk)) // floats.itemsize * floats.itemsize]
            if not np.isfinite(np.frombuffer(whole, floats)).all():
                return "holds NaN or infinite voxels"
        lacking -= len(chunk)
    return "is truncated" if lacking > 0 else ""
