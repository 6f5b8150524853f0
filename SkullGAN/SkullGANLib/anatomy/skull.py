"""The wall of the calvaria: a mask of the skull's vault with its diploë, found from the brain out.

``skull_mask`` is the stage. The brain is known from ``cavity``. The wall is everything between what
can be reached from inside and what can be reached from outside without squeezing through gaps of
less than 3 mm: marrow below any bone threshold stays in the wall, because neither side reaches it.
What is not the wall of the vault (table, head holder, wires, mandible, face, spine) lies away from
the cavity, is not joined to the vault or lies below the base.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import ndimage

from ..ct.volume import HeadCT
from ..errors import BadInputError
from .cavity import AIR_HU, BONE_IN_BLOCKS_HU, Cavity, find_cavity, no_vault
from .gaussian_tiles import smoothed
from .head_frame import voxels_ras
from .voxel_blocks import (
    Parts,
    block_geometry,
    block_mean,
    block_size,
    distances_mm,
    enlarged,
    translation,
    within,
    without_specks,
)

BONE_SHARE = 0.18
"""Bone begins this far from soft tissue (0) to the tables (1): about 300 HU at a sharp kernel, and
below half height, so that edges at half height lie inside the mask."""
BONE_RANGE_HU = (150.0, 500.0)
"""Nowhere else does bone begin, whatever the kernel: below is contrast medium, above are tables."""
SENSIBLE_HU = (50.0, 1500.0)
"""Thresholds that may be asked for: from above brain to below the densest tables."""

_FINE_MM = 1.0
_WALL_OPENING_MM = 1.5  # gaps under 3 mm (sutures, emissary veins) do not let either side in
_FARTHEST_WALL_MM = 25.0  # thickest vault and its distance from the cavity's smooth surface
_CAVITY_CLOSING_MM = 15.0  # petrous ridges, sella and orbital roofs jut into the closed cavity
_DEEPEST_CREST_MM = 6.0  # frontal and occipital crests belong to the wall
_NOISE_SIGMAS = 4.0  # bone begins above the noise of the brain
_SMOOTHING_MM = 0.4  # against noise, before thresholding; a table is 1 mm and more
_SMOOTHING_SIGMAS = 2.5  # at which the smoothing kernel ends
_SLAB_SLICES = 16
_STEEPEST_DOWN = -0.7  # sine of the slope beyond which the wall is the floor of the skull


def skull_mask(
    ct: HeadCT,
    *,
    threshold_hu: float | None = None,
    cavity: Cavity | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Find the wall of the calvaria, outer table, diploë and inner table as one.

    Args:
        ct: the head CT.
        threshold_hu: HU from which a voxel at the surface is bone; ``bone_threshold_hu`` if None.
        cavity: what ``find_cavity`` gave for this CT, to spare finding it again.
        threads: how many work at once; None is one a core, up to four.

    Returns:
        uint8 (slices, rows, columns), 1 in the wall, on the grid of the CT.

    Raises:
        BadInputError: if there is no cranial vault in the CT, or the threshold makes no sense.
    """
    cavity = cavity or find_cavity(ct)
    threshold_hu = threshold_or_fitted(threshold_hu, ct, cavity)
    box = _vault_box(ct, cavity)
    hu = ct.hu[box]
    spacing = ct.spacing_mm[::-1]

    factor = block_size(spacing, _FINE_MM)
    wall, near = _wall_between_inside_and_outside(hu, spacing, factor, cavity, ct, box)
    # The threshold alone decides where the wall ends; what lies a voxel inside it is marrow.
    marrow = ndimage.binary_erosion(wall & near, border_value=1)
    least_hu = np.where(near, np.float32(threshold_hu), np.float32(np.inf))
    least_hu[marrow] = AIR_HU
    by_slice, in_slice = _height_mm(ct, cavity, box)
    lowest = in_slice.min()
    mask = np.zeros(ct.hu.shape, np.uint8)
    fine = mask[box].view(bool)
    parts = Parts(fine, _SLAB_SLICES)

    def fill(number: int) -> None:
        first = number * _SLAB_SLICES
        slab = slice(first, min(first + _SLAB_SLICES, len(hu)))
        part = (slab, *_used(near, factor, slab, hu.shape))
        least = enlarged(least_hu, factor, part, hu.shape)
        np.greater(_smooth(hu, part, spacing), least, out=fine[part])
        for k in range(slab.start, slab.stop):
            if by_slice[k] + lowest < cavity.floor_mm:
                fine[k] &= by_slice[k] + in_slice >= cavity.floor_mm
        parts.add(number)

    # Slab by slab the CT is never a whole volume of floats, and NumPy lets threads work at once.
    with ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(fill, range(-(-len(hu) // _SLAB_SLICES))))
    parts.keep_largest()
    if not fine.any():
        raise no_vault("no bone around the enclosed space")
    return mask


def threshold_or_fitted(threshold_hu: float | None, ct: HeadCT, cavity: Cavity) -> float:
    """Take the threshold that was asked for, or where none was, ``bone_threshold_hu``.

    Raises:
        BadInputError: if it lies in soft tissue or above bone.
    """
    if threshold_hu is None:
        return bone_threshold_hu(ct, cavity)
    low, high = SENSIBLE_HU
    if not low <= threshold_hu <= high:
        raise BadInputError(
            f"The bone threshold is {threshold_hu:g} HU, expected {low:g} to {high:g}."
        )
    return threshold_hu


def bone_threshold_hu(ct: HeadCT, cavity: Cavity) -> float:
    """Say from which HU a voxel at the surface of the skull is bone in this CT.

    Kernel and slice thickness decide how high thin tables stand in the CT, and how noisy the soft
    tissue beside them is. The threshold lies ``BONE_SHARE`` of the way from the brain to the
    tables, above the noise, within ``BONE_RANGE_HU``.

    Args:
        ct: the head CT.
        cavity: what ``cavity.find_cavity`` gave for it.

    Returns:
        HU, rounded to whole ones.
    """
    box = _vault_box(ct, cavity)
    spacing = ct.spacing_mm[::-1]
    middle = (box[0].stop - box[0].start) // 2
    last = min(middle + _SLAB_SLICES // 2, box[0].stop - box[0].start)
    slab = slice(max(middle - _SLAB_SLICES // 2, 0), last)
    rows, columns = (slice(0, part.stop - part.start) for part in box[1:])
    hu = _smooth(ct.hu[box], (slab, rows, columns), spacing)
    slices = slice(box[0].start + slab.start, box[0].start + slab.start + len(hu))
    brain = hu[_on_grid(cavity.mask, cavity, ct, (slices, *box[1:]), np.ones(3, int), hu.shape)]
    soft_hu = float(np.median(brain))
    noise_hu = 1.4826 * float(np.median(np.abs(brain - soft_hu)))
    # The upper tenth of what is surely bone: tables, be they thin or thick.
    tables_hu = float(np.quantile(hu[hu > BONE_IN_BLOCKS_HU], 0.9))
    threshold = soft_hu + max(BONE_SHARE * (tables_hu - soft_hu), _NOISE_SIGMAS * noise_hu)
    return float(np.rint(np.clip(threshold, *BONE_RANGE_HU)))


def _wall_between_inside_and_outside(
    hu: np.ndarray,
    spacing: np.ndarray,
    factor: np.ndarray,
    cavity: Cavity,
    ct: HeadCT,
    box: tuple[slice, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Wall and neighborhood of the cavity, bool, on a grid of about 1 mm over the box."""
    mm = spacing * factor
    with ThreadPoolExecutor(1) as beside:
        vault_side = beside.submit(_vault_side, cavity)
        mean = block_mean(hu, factor)
        inside = _on_grid(cavity.mask, cavity, ct, box, factor, mean.shape)
        reached = _reached(mean, mm, inside)
        vault = _on_grid(vault_side.result(), cavity, ct, box, factor, mean.shape)
    return ~reached, vault


def _reached(mean: np.ndarray, mm: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Bool, what can be reached from inside or outside without squeezing through gaps.

    Args:
        mean: HU of blocks.
        mm: their size.
        inside: bool, the cavity.
    """
    bone = without_specks(mean > BONE_IN_BLOCKS_HU, 1000.0 / mm.prod())
    # Beyond the field of view lies more of the outside, never marrow.
    core = ~_near(bone, _WALL_OPENING_MM, mm)
    labels, count = ndimage.label(core)
    # What is outside holds air somewhere; marrow that the end of the field of view cuts does not.
    is_open = np.zeros(count + 1, bool)
    is_open[labels[mean < AIR_HU]] = True
    at_border = np.zeros(count + 1, bool)
    for axis in range(3):
        for end in (0, -1):
            at_border[np.take(labels, end, axis)] = True
    is_open &= at_border
    is_open[labels[inside & core]] = True
    is_open[0] = False
    return ~bone & _near(is_open[labels], _WALL_OPENING_MM, mm)


def _vault_side(cavity: Cavity) -> np.ndarray:
    """Bool on the coarse grid: near the cavity and beside or above it, not below, nor a ridge or
    crest that juts deep into it."""
    mm = np.linalg.norm(cavity.ijk_to_ras[:3, :3], axis=0)[::-1]
    margin = np.ceil(_CAVITY_CLOSING_MM / mm).astype(int)
    padded = np.pad(cavity.mask, [(int(m), int(m)) for m in margin])
    grown = within(padded, _CAVITY_CLOSING_MM, mm)
    depth = distances_mm(grown, mm) - _CAVITY_CLOSING_MM
    outward = distances_mm(depth <= 0, mm)
    smooth = ndimage.gaussian_filter(outward - np.maximum(depth, 0), 4.0 / mm)
    up = cavity.frame.superior @ cavity.ijk_to_ras[:3, :3] / mm[::-1]
    rise = sum(up[2 - axis] * gradient for axis, gradient in enumerate(np.gradient(smooth, *mm)))
    whole = tuple(slice(int(m), -int(m)) for m in margin)
    jutting_in = (depth > _DEEPEST_CREST_MM) & ~padded
    near = outward <= _FARTHEST_WALL_MM
    return (near & (rise > _STEEPEST_DOWN) & ~jutting_in)[whole]


def _on_grid(
    coarse: np.ndarray,
    cavity: Cavity,
    ct: HeadCT,
    box: tuple[slice, ...],
    factor: np.ndarray,
    shape: tuple[int, ...],
) -> np.ndarray:
    """A mask of the cavity's grid on blocks of the CT in a box (nearest coarse voxel)."""
    start = np.array([part.start for part in box])
    fine_to_ras = block_geometry(ct.ijk_to_ras @ translation(start[::-1]), factor)
    to_coarse = np.linalg.inv(cavity.ijk_to_ras) @ fine_to_ras
    # Both grids are blocks of the same CT grid, so each axis maps on its own.
    index = []
    covered = []
    for axis, size in enumerate(coarse.shape):
        at = np.arange(shape[axis]) * to_coarse[2 - axis, 2 - axis] + to_coarse[2 - axis, 3]
        at = np.floor(at + 0.501).astype(int)  # halves go up, whatever the rounding before
        index.append(np.clip(at, 0, size - 1))
        covered.append((at >= -1) & (at <= size))  # blocks leave a rest at the far end
    k, j, i = covered
    found = coarse.take(index[2], axis=2).take(index[1], axis=1).take(index[0], axis=0)
    found &= k[:, None, None] & j[:, None] & i
    return found


def _vault_box(ct: HeadCT, cavity: Cavity) -> tuple[slice, ...]:
    """The part of the CT within reach of the cavity and above the base."""
    head = cavity.frame.from_ras(voxels_ras(cavity.mask, cavity.ijk_to_ras))
    low, high = head.min(0) - _FARTHEST_WALL_MM, head.max(0) + _FARTHEST_WALL_MM
    low[2] = max(low[2], cavity.floor_mm - 5.0)
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1)
    corners = cavity.frame.to_ras(corners.T).T
    to_ijk = np.linalg.inv(ct.ijk_to_ras)
    ijk = to_ijk[:3, :3] @ corners + to_ijk[:3, 3:]
    first = np.clip(np.floor(ijk.min(1)).astype(int)[::-1], 0, ct.hu.shape)
    last = np.clip(np.ceil(ijk.max(1)).astype(int)[::-1] + 1, 0, ct.hu.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))


def _height_mm(ct: HeadCT, cavity: Cavity, box: tuple[slice, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Height in the head frame, the sum of a part by slice (slices,) and one within a slice (rows,
    columns), float32, mm."""
    k, j, i = (np.arange(part.start, part.stop) for part in box)
    # It is one affine function of the indices.
    up = np.append(cavity.frame.superior, 0) @ ct.ijk_to_ras
    up[3] -= cavity.frame.superior @ cavity.frame.head_to_ras[:3, 3]
    by_slice, in_slice = up[2] * k + up[3], up[1] * j[:, None] + up[0] * i
    return by_slice.astype(np.float32), in_slice.astype(np.float32)


def _smooth(hu: np.ndarray, box: tuple[slice, ...], spacing: np.ndarray) -> np.ndarray:
    """A part of the CT, less its noise, float32."""
    return smoothed(hu, box, _SMOOTHING_MM / spacing, _SMOOTHING_SIGMAS)


def _used(
    blocks: np.ndarray, factor: np.ndarray, slab: slice, shape: tuple[int, ...]
) -> list[slice]:
    """The rows and the columns of a slab from the first to the last that blocks reach."""
    last = len(blocks) - 1
    there = blocks[min(slab.start // factor[0], last) : (slab.stop - 1) // factor[0] + 1]
    found = []
    for axis in (1, 2):
        at = np.flatnonzero(there.any((0, 3 - axis)))
        if not at.size:
            return [slice(0, 0), slice(0, 0)]
        # What is left at the far end belongs to the last block.
        is_last = at[-1] == blocks.shape[axis] - 1
        stop = shape[axis] if is_last else int((at[-1] + 1) * factor[axis])
        found.append(slice(int(at[0] * factor[axis]), stop))
    return found


def _near(mask: np.ndarray, distance_mm: float, mm: np.ndarray) -> np.ndarray:
    """Bool, where a voxel of the mask lies within a distance of few voxels; as by a distance
    transform, ten times as fast."""
    reach = (distance_mm / mm).astype(int)
    steps = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1)
    steps = steps.reshape(-1, 3)
    padded = np.pad(mask, [(r, r) for r in reach])
    found = np.zeros(mask.shape, bool)
    for step in steps[np.linalg.norm(steps * mm, axis=1) <= distance_mm]:
        start = step + reach
        found |= padded[tuple(slice(a, a + n) for a, n in zip(start, mask.shape, strict=True))]
    return found
