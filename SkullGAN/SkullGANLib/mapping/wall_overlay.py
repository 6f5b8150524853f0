"""A map on the voxels of the skull wall: every voxel carries the value of its ray."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .calvaria_map import CalvariaMap, checked_values
from .codes import MEASURED

_BLOCK_MM = 1.0


def vertex_numbers(found: CalvariaMap, mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Say for every voxel of the wall which vertex's ray it lies on: the nearest vertex's.

    Voxels well below a millimeter are asked about in blocks of about one, for the vertices are no
    nearer to each other.

    Args:
        found: the map of a CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        ijk_to_ras: float (4, 4) of the CT.

    Returns:
        int32 (slices, rows, columns), -1 outside the wall.
    """
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)[::-1]
    block = np.maximum(1, np.rint(_BLOCK_MM / spacing)).astype(int)
    wall = np.nonzero(mask)
    blocks = tuple(along // by for along, by in zip(wall, block, strict=True))
    nearest = np.full(-(-np.array(mask.shape) // block), -1, np.int32)
    nearest[blocks] = 0
    asked = np.argwhere(nearest == 0)
    ijk = (asked * block + (block - 1) / 2)[:, ::-1]
    ras = ijk @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]
    nearest[tuple(asked.T)] = cKDTree(found.points_ras).query(ras, workers=-1)[1]
    numbers = np.full(mask.shape, -1, np.int32)
    numbers[wall] = nearest[blocks]
    return numbers


def overlay(found: CalvariaMap, numbers: np.ndarray, scalar: str = "thickness_mm") -> np.ndarray:
    """Give every voxel of the wall the value of its ray.

    Args:
        found: the map.
        numbers: what ``vertex_numbers`` gave.
        scalar: one of ``found.values``.

    Returns:
        float32 (slices, rows, columns): 0 outside the wall and where nothing is known, and the code
        with a minus sign where the ray was not measured (-1 no bone, -2 air, ...).

    Raises:
        BadInputError: if the scalar is not known.
    """
    values = np.nan_to_num(checked_values(found, scalar), nan=0.0)
    values = np.where(found.code == MEASURED, values, -found.code.astype(float))
    # Number -1 takes the last entry, which stands for what is no wall.
    return np.append(values, 0.0).astype(np.float32)[numbers]
