"""What of a CT's grid was not scanned: padding, of whatever value, around the field of view.

Scanners fill the corners around the circle of reconstruction, and programs that resample a CT fill
what lies beyond it, with a constant: -1024, -3024, 0, anything. What is measured is never constant,
but for air that a program has cut at its lowest value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BLOCK = np.array([2, 4, 4])
_BESIDE_VOXELS = 1.5  # from the end of the field of view, which interpolation blurs


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
    columns = int(n[2]) * i
    constant = np.empty(n, bool)
    # Slice by slice, in the processor's cache, and whole rows first, which lie in one piece in
    # memory.
    for slice_ in range(n[0]):
        first = hu[slice_ * k, : n[1] * j : j, :columns]
        alike = np.ones(first.shape, bool)
        for dk in range(slice_ * k, (slice_ + 1) * k):
            for dj in range(j):
                alike &= hu[dk, dj : n[1] * j : j, :columns] == first
        constant[slice_] = alike[:, ::i]
        for di in range(1, i):
            constant[slice_] &= alike[:, di::i] & (first[:, di::i] == first[:, ::i])
    labels, count = ndimage.label(constant)
    known = np.zeros(count + 1, bool)
    for axis in range(3):
        for end in (0, -1):
            known[np.unique(np.take(labels, end, axis))] = True
    known[0] = False
    return known[labels]


@dataclass(frozen=True, eq=False)
class Unseen:
    """The voxels of a volume that were not scanned: ``outside_blocks`` and what of the same values
    lies beside them. Whether a voxel is one is told when it is asked; most never are.

    Attributes:
        hu: (slices, rows, columns).
        values: that blocks hold.
        near: bool, blocks at or beside one that holds such a value throughout.
        factor: voxels of a block along slices, rows and columns; what is left at the far ends
            belongs to the last blocks.
    """

    hu: np.ndarray
    values: np.ndarray
    near: np.ndarray
    factor: tuple[int, int, int]

    @classmethod
    def of(cls, hu: np.ndarray) -> Unseen:
        """Find them in a volume (slices, rows, columns)."""
        from scipy import ndimage

        k, j, i = factor = tuple(np.minimum(_BLOCK, hu.shape).tolist())
        blocks = outside_blocks(hu, np.array(factor))
        within = tuple(
            slice(0, size * step, step) for size, step in zip(blocks.shape, factor, strict=True)
        )
        values = np.unique(hu[within][blocks])
        near = ndimage.binary_dilation(blocks, np.ones((3, 3, 3))) if values.size else blocks
        return cls(hu, values, near, (k, j, i))

    def any(self) -> bool:
        """Whether there are such voxels."""
        return bool(self.values.size)

    def at(self, index: np.ndarray) -> np.ndarray:
        """Say which of some voxels are such.

        Args:
            index: int (N, 3), slice, row and column, inside the volume.

        Returns:
            bool (N,).
        """
        found = np.zeros(len(index), bool)
        if self.any():
            last = np.array(self.near.shape) - 1
            block = np.minimum(index // self.factor, last)
            some = np.flatnonzero(self.near[tuple(block.T)])  # most often none
            found[some] = self._alike(self.hu[tuple(index[some].T)])
        return found

    def beside(self, index: np.ndarray) -> np.ndarray:
        """Say which of some points lie within a voxel or so of such a voxel.

        Args:
            index: float64 (N, 3), slice, row and column; outside the volume they count as on its
                border.

        Returns:
            bool (N,).
        """
        found = np.zeros(len(index), bool)
        if self.any():
            last = np.array(self.hu.shape) - 1
            for step in _BESIDE_VOXELS * np.vstack([np.zeros((1, 3)), np.eye(3), -np.eye(3)]):
                found |= self.at(np.clip(np.rint(index + step), 0, last).astype(int))
        return found

    def voxels(self) -> np.ndarray:
        """Say it of all voxels, bool (slices, rows, columns)."""
        found = np.zeros(self.hu.shape, bool)
        if not self.any():
            return found
        slices, rows, columns = (
            np.minimum(np.arange(n) // f, m - 1)
            for n, f, m in zip(self.hu.shape, self.factor, self.near.shape, strict=True)
        )
        near = self.near.take(columns, axis=2)
        for index, k in enumerate(slices):  # slice by slice, in the processor's cache
            np.logical_and(
                self._alike(self.hu[index]), near[k].take(rows, axis=0), out=found[index]
            )
        return found

    def _alike(self, hu: np.ndarray) -> np.ndarray:
        alike = hu == self.values[0]
        for value in self.values[1:]:
            alike |= hu == value
        return np.asarray(alike)


def outside_voxels(hu: np.ndarray) -> np.ndarray:
    """Find the voxels of a volume that were not scanned; bool of its shape."""
    return Unseen.of(hu).voxels()
