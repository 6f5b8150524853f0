"""A CT and a mask between their voxels: the values at any points of the patient.

Points are RAS mm; ``points_of`` gives those of a segment's pixels.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage

from ..ct.volume import LOWEST_HU, HeadCT
from .spline_bricks import SplineBricks


def sample_hu(ct: HeadCT, points_ras: np.ndarray, spline: SplineBricks | None = None) -> np.ndarray:
    """Interpolate the CT by a cubic spline that never leaves the range of the voxels around.

    Args:
        ct: the head CT.
        points_ras: float (N, 3), RAS mm.
        spline: of the CT's HU, to spare finding it again for points near others.

    Returns:
        int16 (N,), HU; -1024 outside the CT.
    """
    ijk = to_ijk(ct, points_ras)
    outside = ((ijk < -0.5) | (ijk > np.array(ct.hu.shape) - 0.5)).any(1)
    if outside.all():
        return np.full(len(ijk), LOWEST_HU, np.int16)
    hu = (spline or SplineBricks(ct.hu)).at(ijk)
    hu = np.clip(hu, *_range_around(ct.hu, np.rint(ijk).astype(np.int64)))
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


def sample_mask_on_grid(
    mask: np.ndarray,
    ct: HeadCT,
    origin_ras: np.ndarray,
    steps_ras: np.ndarray,
    shape: tuple[int, ...],
) -> np.ndarray:
    """``sample_mask`` at the points of a line, plane or box, which need not be made for it.

    Args:
        mask: (slices, rows, columns), 1 inside.
        ct: the head CT.
        origin_ras: (3,), the first point, RAS mm.
        steps_ras: (axes, 3), from a point to the next along each axis, RAS mm.
        shape: points along each axis, up to three.

    Returns:
        float32 of that shape.
    """
    inverse = np.linalg.inv(ct.ijk_to_ras)
    matrix = np.zeros((3, 3))
    matrix[:, 3 - len(shape) :] = (inverse[:3, :3] @ np.transpose(steps_ras))[::-1]
    first = (inverse[:3, :3] @ origin_ras + inverse[:3, 3])[::-1]
    found = ndimage.affine_transform(
        mask,
        matrix,
        first,
        (1,) * (3 - len(shape)) + shape,
        output=np.float32,
        order=1,
        cval=0.0,
    )
    return np.asarray(found.reshape(shape))


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
    """Lowest and highest of the 27 voxels around each index (N, 3); cheaper than two filters over
    the whole volume, of which a plane meets little."""
    last = np.array(volume.shape) - 1
    first = np.clip(index.min(0) - 1, 0, last)
    end = np.clip(index.max(0) + 1, 0, last) + 1
    crop = volume[tuple(slice(a, b) for a, b in zip(first, end, strict=True))]
    flat, (_, rows, columns) = crop.ravel(), crop.shape
    limits = [
        [(np.clip(along + step, 0, most) - begin) * stride for step in (-1, 0, 1)]
        for along, most, begin, stride in zip(
            index.T, last, first, (rows * columns, columns, 1), strict=True
        )
    ]
    low = flat[sum(middle for _, middle, _ in limits)]
    high = low.copy()
    for k, j in itertools.product(*limits[:2]):
        row = k + j
        for i in limits[2]:
            values = flat.take(row + i)
            np.minimum(low, values, out=low)
            np.maximum(high, values, out=high)
    return low, high
