"""Make the sample head CT from the public PCIR series: box means at 1 mm, cropped to the head.

    python Resources/SampleData/make_sample.py pcir_bone.dicom.zip

writes ``SampleHeadCT.nrrd`` beside this script and prints its SHA-256. Each voxel is the mean of
the CT over the voxel's box, so HU are averages of measured HU, never interpolated or clipped.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "SkullGAN"))

from SkullGANLib.ct.volume import HeadCT, read_ct, write_volume  # noqa: E402

SPACING_MM = 1.0
HEAD_HU = -300
MARGIN_MM = 4.0


def main() -> None:
    sample = cropped(averaged(read_ct(sys.argv[1]), SPACING_MM))
    target = HERE / "SampleHeadCT.nrrd"
    write_volume(target, sample.hu, sample.ijk_to_ras, sample.source)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    print(f"{target.name}: {sample.hu.shape} voxels, {target.stat().st_size:,} bytes, {digest}")


def averaged(ct: HeadCT, spacing_mm: float) -> HeadCT:
    """The CT on a coarser grid, every voxel the mean over its box."""
    hu = ct.hu.astype(np.float64)
    for axis, old_mm in enumerate(ct.spacing_mm[::-1]):
        hu = _box_mean(hu, axis, spacing_mm / old_mm)
    ratio = spacing_mm / ct.spacing_mm
    geometry = ct.ijk_to_ras.copy()
    geometry[:3, :3] *= ratio
    geometry[:3, 3] += ct.ijk_to_ras[:3, :3] @ ((ratio - 1) / 2)
    source = {**ct.source, "slice_thickness_mm": spacing_mm}
    return HeadCT(np.rint(hu).astype(np.int16), geometry, source)


def _box_mean(volume: np.ndarray, axis: int, ratio: float) -> np.ndarray:
    """Mean over consecutive intervals of ``ratio`` voxels along an axis, from the integral."""
    moved = np.moveaxis(volume, axis, 0)
    integral = np.concatenate([np.zeros_like(moved[:1]), np.cumsum(moved, axis=0)])
    edges = np.arange(int(len(moved) / ratio) + 1) * ratio
    below = np.minimum(edges.astype(int), len(moved) - 1)
    share = (edges - below).reshape(-1, *[1] * (moved.ndim - 1))
    at_edges = integral[below] + share * moved[below]
    return np.moveaxis(np.diff(at_edges, axis=0) / ratio, 0, axis)


def cropped(ct: HeadCT) -> HeadCT:
    """The smallest box around everything denser than fat, and a margin of air."""
    margin = np.ceil(MARGIN_MM / ct.spacing_mm[::-1]).astype(int)
    inside = np.argwhere(ct.hu > HEAD_HU)
    first = np.maximum(inside.min(0) - margin, 0)
    last = np.minimum(inside.max(0) + margin + 1, ct.hu.shape)
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    geometry = ct.ijk_to_ras.copy()
    geometry[:3, 3] += ct.ijk_to_ras[:3, :3] @ first[::-1]
    return HeadCT(np.ascontiguousarray(ct.hu[box]), geometry, ct.source)


if __name__ == "__main__":
    main()
