"""What of a CT's grid was not scanned: padding, of whatever value, around the field of view.

Scanners fill the corners around the circle of reconstruction, and programs that resample a CT fill
what lies beyond it, with a constant: -1024, -3024, 0, anything. What is measured is never constant,
but for air that a program has cut at its lowest value.
"""

from __future__ import annotations

import numpy as np

_BLOCK = np.array([2, 4, 4])


def outside_blocks(hu: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Find blocks of voxels that hold one constant and hang together with the grid's border.

    Args:
        hu: (slices, rows, columns).
        factor: int (3,), voxels of a block along slices, rows and columns, as for
            ``anatomy.voxel_blocks.block_mean``.

    Returns:
        bool, one a block. Air that was cut at its lowest value is among them, too.
    """
    from scipy import ndimage

    n = np.array(hu.shape) // factor
    k, j, i = (int(f) for f in factor)
    whole = hu[: n[0] * k, : n[1] * j, : n[2] * i]
    # Whole rows first, which lie in one piece in memory.
    first = whole[::k, ::j]
    alike = np.ones(first.shape, bool)
    for dk in range(k):
        for dj in range(j):
            if dk or dj:
                alike &= whole[dk::k, dj::j] == first
    constant = alike[..., ::i].copy()
    for di in range(1, i):
        constant &= alike[..., di::i] & (first[..., di::i] == first[..., ::i])
    labels, count = ndimage.label(constant)
    known = np.zeros(count + 1, bool)
    for axis in range(3):
        for end in (0, -1):
            known[np.unique(np.take(labels, end, axis))] = True
    known[0] = False
    return known[labels]


def outside_voxels(hu: np.ndarray) -> np.ndarray:
    """Find the voxels that were not scanned.

    Args:
        hu: (slices, rows, columns).

    Returns:
        bool of the same shape: ``outside_blocks`` and what of the same values lies beside them.
    """
    from scipy import ndimage

    factor = np.minimum(_BLOCK, hu.shape)
    blocks = outside_blocks(hu, factor)
    if not blocks.any():
        return np.zeros(hu.shape, bool)
    k, j, i = factor
    values = np.unique(
        hu[: blocks.shape[0] * k : k, : blocks.shape[1] * j : j, : blocks.shape[2] * i : i][blocks]
    )
    # A remainder at the far ends belongs to the last blocks.
    slices, rows, columns = (
        np.minimum(np.arange(n) // f, m - 1)
        for n, f, m in zip(hu.shape, factor, blocks.shape, strict=True)
    )
    near = ndimage.binary_dilation(blocks, np.ones((3, 3, 3))).take(columns, axis=2)
    found = np.empty(hu.shape, bool)
    for index, k in enumerate(slices):  # slice by slice, in the processor's cache
        alike = hu[index] == values[0]
        for value in values[1:]:
            alike |= hu[index] == value
        np.logical_and(alike, near[k].take(rows, axis=0), out=found[index])
    return found
