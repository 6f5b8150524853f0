"""Blocks of voxels: a volume averaged to a coarser grid, and what is joined on it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def block_size(spacing_mm: np.ndarray, target_mm: float) -> np.ndarray:
    """How many voxels along each axis make a block of about the target's size, int (axes,)."""
    return np.maximum(1, np.rint(target_mm / spacing_mm)).astype(int)


def block_mean(volume: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Average a volume over blocks; a remainder at the far ends is left out.

    Args:
        volume: (slices, rows, columns), of numbers.
        factor: int (3,), voxels of a block along slices, rows and columns.

    Returns:
        float32, a value a block.
    """
    n = np.array(volume.shape) // factor
    k, j, i = (int(f) for f in factor)
    whole = volume[: n[0] * k, : n[1] * j, : n[2] * i]
    # Whole rows first, which lie in one piece in memory; sums of HU are exact in any order.
    rows = np.zeros((n[0], n[1], whole.shape[2]), np.float32)
    for dk in range(k):
        for dj in range(j):
            rows += whole[dk::k, dj::j]
    total = rows[..., ::i].copy()
    for di in range(1, i):
        total += rows[..., di::i]
    return total / float(factor.prod())


def block_geometry(ijk_to_ras: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Geometry of the grid of ``block_mean``: centers move to the middle of their block.

    Args:
        ijk_to_ras: (4, 4), takes (column, row, slice, 1) to RAS mm.
        factor: int (3,), along slices, rows and columns.

    Returns:
        float64 (4, 4), takes (column, row, slice, 1) of the blocks to RAS mm.
    """
    coarse = ijk_to_ras.astype(np.float64).copy()
    fxyz = factor[::-1].astype(np.float64)
    coarse[:3, :3] = ijk_to_ras[:3, :3] * fxyz
    coarse[:3, 3] = ijk_to_ras[:3, :3] @ ((fxyz - 1.0) / 2.0) + ijk_to_ras[:3, 3]
    return coarse


def translation(ijk: np.ndarray) -> np.ndarray:
    """Geometry of a part of a grid, float64 (4, 4), by the voxel (3,) where it begins."""
    move = np.eye(4)
    move[:3, 3] = ijk
    return move


def enlarged(
    blocks: np.ndarray, factor: np.ndarray, slab: slice, shape: tuple[int, ...]
) -> np.ndarray:
    """Some slices of a mask of blocks, on the voxels that the blocks were made of."""
    k, j, i = (
        np.minimum(np.arange(size) // f, have - 1)
        for size, f, have in zip(shape, factor, blocks.shape, strict=True)
    )
    # Columns while there are few rows, then whole rows.
    used, slices = np.unique(k[slab], return_inverse=True)
    return blocks[used].take(i, axis=2).take(j, axis=1)[slices]


def within(mask: np.ndarray, distance_mm: float, mm: np.ndarray) -> np.ndarray:
    """Find what lies within a distance of a mask, as by a distance transform and a fifth of its
    time.

    Args:
        mask: bool (slices, rows, columns).
        distance_mm: from the center of a voxel of the mask, inclusive.
        mm: (3,), size of a voxel along slices, rows and columns.

    Returns:
        bool of the same shape; all False if the mask is.
    """
    found = np.zeros(mask.shape, bool)
    if not mask.any():
        return found
    box = []
    for axis in range(3):
        used = np.flatnonzero(mask.any(tuple({0, 1, 2} - {axis})))
        reach = int(distance_mm / mm[axis])
        box.append(slice(max(int(used[0]) - reach, 0), int(used[-1]) + reach + 1))
    # Squares of distances, along one axis after the other.
    far = 4.0 * distance_mm**2 + 1.0
    squares = np.where(mask[tuple(box)], 0.0, far)
    for axis in range(3):
        nearest = squares.copy()
        for step in range(1, int(distance_mm / mm[axis]) + 1):
            if step >= squares.shape[axis]:
                break
            ahead = (slice(None),) * axis + (slice(step, None),)
            behind = (slice(None),) * axis + (slice(None, -step),)
            more = (step * mm[axis]) ** 2
            np.minimum(nearest[ahead], squares[behind] + more, out=nearest[ahead])
            np.minimum(nearest[behind], squares[ahead] + more, out=nearest[behind])
        squares = nearest
    found[tuple(box)] = np.sqrt(squares) <= distance_mm
    return found


def without_specks(mask: np.ndarray, smallest: float) -> np.ndarray:
    """Take the parts of a mask that have fewer than so many voxels out of it; bool."""
    labels, count = ndimage.label(mask)
    keep = sizes_of(labels, mask, count) >= smallest
    return keep[labels]


def sizes_of(labels: np.ndarray, mask: np.ndarray, count: int) -> np.ndarray:
    """Voxels of each label, 0 for the background; counted in the mask alone, most of a head CT is
    none of it."""
    return np.bincount(labels[mask], minlength=count + 1)
