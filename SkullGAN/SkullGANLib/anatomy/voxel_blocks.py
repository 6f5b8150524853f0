"""Blocks of voxels: a volume averaged to a coarser grid, and what is joined on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    columns = int(n[2]) * i
    mean = np.empty(n, np.float32)
    total = np.empty((n[1], columns), np.float32)
    # Slice by slice, in the processor's cache, and whole rows first, which lie in one piece in
    # memory; sums of HU are exact in any order.
    for slice_ in range(n[0]):
        total[:] = 0
        for dk in range(slice_ * k, (slice_ + 1) * k):
            for dj in range(j):
                total += volume[dk, dj : n[1] * j : j, :columns]
        mean[slice_] = total[:, ::i]
        for di in range(1, i):
            mean[slice_] += total[:, di::i]
    mean /= float(factor.prod())
    return mean


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
    blocks: np.ndarray, factor: np.ndarray, box: tuple[slice, ...], shape: tuple[int, ...]
) -> np.ndarray:
    """A box of the volume that blocks were made of, each voxel with the value of its block."""
    k, j, i = (
        np.minimum(np.arange(size)[part] // f, have - 1)
        for size, part, f, have in zip(shape, box, factor, blocks.shape, strict=True)
    )
    # Columns while there are few rows, then whole rows.
    used, slices = np.unique(k, return_inverse=True)
    return blocks[used].take(i, axis=2).take(j, axis=1)[slices]


def around(mask: np.ndarray, margin: np.ndarray) -> tuple[slice, ...]:
    """Give the box that holds a mask, which is not empty, and a margin of voxels (3,) around it."""
    box = []
    for axis, more in enumerate(margin):
        used = np.flatnonzero(mask.any(tuple({0, 1, 2} - {axis})))
        box.append(slice(max(int(used[0] - more), 0), int(used[-1] + more) + 1))
    return tuple(box)


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
    box = around(mask, (distance_mm / mm).astype(int))
    # Squares of distances, along one axis after the other.
    far = 4.0 * distance_mm**2 + 1.0
    squares = np.where(mask[box], 0.0, far)
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
    found[box] = np.sqrt(squares) <= distance_mm
    return found


def distances_mm(mask: np.ndarray, mm: np.ndarray) -> np.ndarray:
    """Give the distance of each voxel of a mask from the nearest that is none of it.

    As ``scipy.ndimage.distance_transform_edt``, digit by digit and in two thirds of its time: it
    makes arrays of all indices to subtract them.

    Args:
        mask: bool (slices, rows, columns), not all True.
        mm: (3,), size of a voxel along slices, rows and columns.

    Returns:
        float64 of the same shape, mm; 0 where the mask is False.
    """
    found = np.zeros(mask.shape)
    if not mask.any():
        return found
    # The nearest that is none of it lies at most one voxel beside it.
    box = around(mask, np.ones(3, int))
    nearest = ndimage.distance_transform_edt(
        mask[box], sampling=mm, return_distances=False, return_indices=True
    )
    squares = found[box]
    for axis, size in enumerate(squares.shape):
        own = np.arange(size).reshape([-1 if n == axis else 1 for n in range(3)])
        apart = (nearest[axis] - own) * mm[axis]
        apart *= apart
        squares += apart
    np.sqrt(squares, out=squares)
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


class Parts:
    """The parts of a mask that hang together by their voxels' faces, slab by slab.

    Whoever makes the mask adds each slab as it is ready, from any thread; the slabs' parts are
    joined at last. The labels of a whole CT, four bytes a voxel, are never there: of a slab only
    those of all but its largest part are kept, which are few in a mask of bone.

    Args:
        mask: bool (slices, rows, columns); what is not of the largest part is taken out of it.
        slices: of a slab.
    """

    def __init__(self, mask: np.ndarray, slices: int) -> None:
        self._mask, self._slices = mask, slices
        self._slabs: dict[int, _Slab] = {}

    def add(self, number: int) -> None:
        """Label a slab, by its number; once for each."""
        slab = self._mask[number * self._slices :][: self._slices]
        # In rows and columns most of a slab is beside it; its ends are needed whole.
        box = (slice(None), *around(slab, np.zeros(3))[1:]) if slab.any() else (slice(0, 0),) * 3
        labels, count = ndimage.label(slab[box])
        sizes = sizes_of(labels, slab[box], count)
        main = int(sizes.argmax())
        flat = labels.ravel()
        rest = np.flatnonzero((flat != 0) & (flat != main))
        ends = np.zeros((2, *slab.shape[1:]), labels.dtype)
        if labels.size:
            ends[0][box[1:]], ends[1][box[1:]] = labels[0], labels[-1]
        self._slabs[number] = _Slab(box, sizes, main, rest, flat[rest], ends[0], ends[1])

    def keep_largest(self) -> None:
        """Take all but the largest part out of the mask, once all slabs are added."""
        slabs = [self._slabs[number] for number in range(len(self._slabs))]
        starts = np.cumsum([0, *(len(slab.sizes) for slab in slabs)])
        root = _joined(slabs, starts)
        sizes = np.concatenate([slab.sizes for slab in slabs])
        keep = root == np.bincount(root, weights=sizes).argmax()
        for number, slab in enumerate(slabs):
            kept = keep[starts[number] : starts[number + 1]]
            voxels = self._mask[number * self._slices :][: self._slices][slab.box]
            if not kept[slab.main]:
                voxels[:] = False
                back = slab.rest[kept[slab.rest_labels]]
                voxels[np.unravel_index(back, voxels.shape)] = True
            else:
                gone = slab.rest[~kept[slab.rest_labels]]
                voxels[np.unravel_index(gone, voxels.shape)] = False


@dataclass(frozen=True, eq=False)
class _Slab:
    """Labels of a slab: in which box of it they are; sizes, 0 for the background; the largest; flat
    indices in the box and labels of the voxels of the other parts; those of its first and last
    slice."""

    box: tuple[slice, ...]
    sizes: np.ndarray
    main: int
    rest: np.ndarray
    rest_labels: np.ndarray
    first: np.ndarray
    last: np.ndarray


def _joined(slabs: Sequence[_Slab], starts: np.ndarray) -> np.ndarray:
    """Number the parts of slabs that touch each other alike.

    Args:
        slabs: from the first to the last.
        starts: how many labels the slabs before have, and at the end all.

    Returns:
        int (labels,), for each label of each slab the number of the first that it hangs together
        with.
    """
    root = list(range(starts[-1]))

    def find(part: int) -> int:
        while root[part] != part:
            root[part] = root[root[part]]
            part = root[part]
        return part

    for number in range(len(slabs) - 1):
        above, below = slabs[number].last, slabs[number + 1].first
        touch = (above > 0) & (below > 0)
        pairs = (starts[number] + above[touch]) * len(root) + starts[number + 1] + below[touch]
        for pair in np.unique(pairs).tolist():
            first, second = sorted(map(find, divmod(pair, len(root))))
            root[second] = first
    return np.array([find(part) for part in root])
