"""A CT and a mask between their voxels: the values at any points of the patient.

Points are RAS mm; ``points_of`` gives those of a segment's pixels.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage

from ..ct.volume import LOWEST_HU, HeadCT

_CROP_MARGIN = 8  # voxels after which a cubic spline no longer feels the border (0.27 ** 8)


def sample_hu(ct: HeadCT, points_ras: np.ndarray) -> np.ndarray:
    """Interpolate the CT by a cubic spline that never leaves the range of the voxels around.

    Args:
        ct: the head CT.
        points_ras: float (N, 3), RAS mm.

    Returns:
        int16 (N,), HU; -1024 outside the CT.
    """
    ijk = to_ijk(ct, points_ras)
    shape = np.array(ct.hu.shape)
    first = np.clip(np.floor(ijk.min(0)).astype(int) - _CROP_MARGIN, 0, shape)
    last = np.clip(np.ceil(ijk.max(0)).astype(int) + _CROP_MARGIN + 1, 0, shape)
    if (last <= first).any():
        return np.full(len(ijk), LOWEST_HU, np.int16)
    crop = ct.hu[tuple(slice(a, b) for a, b in zip(first, last, strict=True))].astype(np.float32)
    at = (ijk - first).T
    # Mirrored, because SciPy pads by 12 voxels a side for "nearest": three times as much to filter.
    hu = ndimage.map_coordinates(crop, at, order=3, mode="mirror")
    hu = np.clip(hu, *_range_around(crop, np.rint(at).astype(int)))
    outside = ((ijk < -0.5) | (ijk > shape - 0.5)).any(1)
    hu[outside] = LOWEST_HU
    return np.rint(hu).astype(np.int16)


def sample_mask(mask: np.ndarray, ct: HeadCT, points_ras: np.ndarray) -> np.ndarray:
    """Interpolate a mask on the CT's grid linearly.

    Args:
        mask: (slices, rows, columns), 1 inside.
        ct: the head CT.
        points_ras: float (N, 3), RAS mm.

    Returns:
        float32 (N,), 0.5 at the mask's surface; 0 outside the CT.
    """
    ijk = to_ijk(ct, points_ras)
    return ndimage.map_coordinates(mask, ijk.T, order=1, output=np.float32, cval=0.0)


def points_of(pixel_to_ras: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Where pixels of a segment are, float64 (..., 3), RAS mm; rows and columns have one shape."""
    pixels = np.stack([columns, rows], axis=-1).astype(np.float64)
    return pixels @ pixel_to_ras[:3, :2].T + pixel_to_ras[:3, 3]


def to_ijk(ct: HeadCT, points_ras: np.ndarray) -> np.ndarray:
    """(N, 3) RAS mm to (N, 3) array indices (slice, row, column)."""
    inverse = np.linalg.inv(ct.ijk_to_ras)
    return (points_ras @ inverse[:3, :3].T + inverse[:3, 3])[:, ::-1]


def is_inside(ijk: np.ndarray, ct: HeadCT, margin: float = 0.0) -> np.ndarray:
    """Which indices (N, 3) lie at least ``margin`` voxels within the CT's outermost voxels."""
    return np.all((ijk >= margin) & (ijk <= np.array(ct.hu.shape) - 1 - margin), axis=1)


def _range_around(volume: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest of the 27 voxels around each index (3, N); cheaper than two filters over
    the whole volume, of which a plane meets little."""
    low = np.full(index.shape[1], np.inf, volume.dtype)
    high = -low
    limits = [
        [np.clip(along + step, 0, size - 1) for step in (-1, 0, 1)]
        for along, size in zip(index, volume.shape, strict=True)
    ]
    for k, j, i in itertools.product(*limits):
        values = volume[k, j, i]
        np.minimum(low, values, out=low)
        np.maximum(high, values, out=high)
    return low, high
