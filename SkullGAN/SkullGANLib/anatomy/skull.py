"""The wall of the calvaria: a mask of the skull's vault with its diploë, found from the brain out.

``skull_mask`` is the stage; ``find_cavity`` is its first half, the intracranial space, from which
``segments`` also takes the head frame and the height of the skull base.

The brain is the widest soft tissue that bone encloses, so it is found first, on a coarse grid. The
wall is then everything between what can be reached from inside and what can be reached from
outside without squeezing through gaps of less than 3 mm: marrow below any bone threshold stays in
the wall, because neither side reaches it. What is not the wall of the vault (table, head holder,
wires, mandible, face, spine) lies away from the cavity, is not joined to the vault or lies below
the base.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..ct.volume import HeadCT
from ..errors import BadInputError
from .head_frame import HeadFrame, find_frame, frame_from_landmarks, voxels_ras
from .landmarks import check_inside

BONE_SHARE = 0.18
"""Bone begins this far from soft tissue (0) to the tables (1): about 300 HU at a sharp kernel, and
below half height, so that edges at half height lie inside the mask."""
BONE_RANGE_HU = (150.0, 500.0)
"""Nowhere else does bone begin, whatever the kernel: below is contrast medium, above are tables."""
SENSIBLE_HU = (50.0, 1500.0)
"""Thresholds that may be asked for: from above brain to below the densest tables."""
BASE_AREA_SHARE = 0.6
"""The base is where the cavity's axial section falls to this share of its largest."""

_COARSE_MM = 2.0
_FINE_MM = 1.0
_BONE_COARSE_HU = 200.0  # a 1 mm table fills half a 2 mm voxel
_AIR_HU = -300.0
_CAVITY_OPENING_MM = 10.0  # seals foramina, orbits and vertebral gaps, not the brain's spaces
_WALL_OPENING_MM = 1.5  # gaps under 3 mm (sutures, emissary veins) do not let either side in
_FARTHEST_WALL_MM = 25.0  # thickest vault and its distance from the cavity's smooth surface
_SMALLEST_CAVITY_ML = 400.0
_LEAST_ENCLOSED = 0.4  # whole heads have bone around 0.87 to 0.90 of it, a neck around 0.2
_CAVITY_CLOSING_MM = 15.0  # petrous ridges, sella and orbital roofs jut into the closed cavity
_DEEPEST_CREST_MM = 6.0  # frontal and occipital crests belong to the wall
_NOISE_SIGMAS = 4.0  # bone begins above the noise of the brain
_SMOOTHING_MM = 0.4  # against noise, before thresholding; a table is 1 mm and more
_SMOOTHING_SIGMAS = 2.5  # at which the smoothing kernel ends
_SLAB_SLICES = 16
_STEEPEST_DOWN = -0.7  # sine of the slope beyond which the wall is the floor of the skull
_BELOW_BASE_MM = 8.0


@dataclass(frozen=True, eq=False)
class Cavity:
    """The intracranial space on a coarse grid of the CT.

    Attributes:
        mask: bool (slices, rows, columns) on the coarse grid.
        ijk_to_ras: float64 (4, 4) of the coarse grid.
        frame: the head frame, in which the heights below are measured.
        middle_mm: y of the middle of the largest axial section.
        base_mm: z of the floor of the vault (``BASE_AREA_SHARE``).
        top_mm: z of the highest point of the cavity.
    """

    mask: np.ndarray
    ijk_to_ras: np.ndarray
    frame: HeadFrame
    middle_mm: float
    base_mm: float
    top_mm: float

    @property
    def floor_mm(self) -> float:
        """z where ``skull_mask`` ends: the squama goes on below the cavity's narrowing."""
        return self.base_mm - _BELOW_BASE_MM


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

    factor = _block(spacing, _FINE_MM)
    wall, near = _wall_between_inside_and_outside(hu, spacing, factor, cavity, ct, box)
    # The threshold alone decides where the wall ends; what lies a voxel inside it is marrow.
    marrow = ndimage.binary_erosion(wall & near, border_value=1)
    height = _height_mm(ct, cavity, box)
    fine = np.zeros(hu.shape, bool)

    def fill(first: int) -> None:
        slab = slice(first, min(first + _SLAB_SLICES, len(hu)))
        smooth = _smooth(hu, slab, spacing)
        fine[slab] = (smooth > threshold_hu) & _enlarged(near, factor, slab, hu.shape)
        fine[slab] |= (smooth > _AIR_HU) & _enlarged(marrow, factor, slab, hu.shape)
        for k in range(slab.start, slab.stop):
            fine[k] &= height[0][k] + height[1] >= cavity.floor_mm

    # Slab by slab the CT is never a whole volume of floats, and NumPy lets threads work at once.
    with ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(fill, range(0, len(hu), _SLAB_SLICES)))
    mask = np.zeros(ct.hu.shape, np.uint8)
    mask[box] = _largest(fine)
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
            f"The bone threshold is {threshold_hu:g} HU, {low:g} to {high:g} is needed."
        )
    return threshold_hu


def bone_threshold_hu(ct: HeadCT, cavity: Cavity) -> float:
    """Say from which HU a voxel at the surface of the skull is bone in this CT.

    Kernel and slice thickness decide how high thin tables stand in the CT, and how noisy the soft
    tissue beside them is. The threshold lies ``BONE_SHARE`` of the way from the brain to the
    tables, above the noise, within ``BONE_RANGE_HU``.

    Args:
        ct: the head CT.
        cavity: what ``skull.find_cavity`` gave for it.

    Returns:
        HU, rounded to whole ones.
    """
    box = _vault_box(ct, cavity)
    spacing = ct.spacing_mm[::-1]
    middle = (box[0].stop - box[0].start) // 2
    slab = slice(max(middle - _SLAB_SLICES // 2, 0), middle + _SLAB_SLICES // 2)
    hu = _smooth(ct.hu[box], slab, spacing)
    slices = slice(box[0].start + slab.start, box[0].start + slab.start + len(hu))
    brain = hu[_on_grid(cavity.mask, cavity, ct, (slices, *box[1:]), np.ones(3, int), hu.shape)]
    soft_hu = float(np.median(brain))
    noise_hu = 1.4826 * float(np.median(np.abs(brain - soft_hu)))
    # The upper tenth of what is surely bone: tables, be they thin or thick.
    tables_hu = float(np.quantile(hu[hu > _BONE_COARSE_HU], 0.9))
    threshold = soft_hu + max(BONE_SHARE * (tables_hu - soft_hu), _NOISE_SIGMAS * noise_hu)
    return float(np.rint(np.clip(threshold, *BONE_RANGE_HU)))


def find_cavity(ct: HeadCT, landmarks: Mapping[str, np.ndarray] | None = None) -> Cavity:
    """Find the intracranial space: the widest soft tissue enclosed by bone, opened by 10 mm.

    Args:
        ct: the head CT.
        landmarks: what ``landmarks.read`` gave, to lay the head frame through; found from the
            vault if None.

    Raises:
        BadInputError: if no soft tissue of a cranium's width is enclosed by bone, or the landmarks
            are not those of a head or not in this CT.
    """
    if landmarks is not None:
        check_inside(landmarks, ct.ijk_to_ras, ct.hu.shape)
    spacing = ct.spacing_mm[::-1]
    factor = _block(spacing, _COARSE_MM)
    hu = _block_mean(ct.hu, factor)
    coarse_mm = spacing * factor
    bone = hu > _BONE_COARSE_HU
    bone = _without_specks(bone, 2000.0 / coarse_mm.prod())
    if not bone.any():
        raise BadInputError(_no_vault("no bone"))
    # What encloses the brain is bone: beyond it, only the air within the opening is looked at.
    box = _around(bone, np.ceil(_CAVITY_OPENING_MM / coarse_mm).astype(int) + 1)
    hu, bone = hu[box], bone[box]
    start = np.array([part.start for part in box])
    soft = (hu > _AIR_HU) & ~bone
    distance = ndimage.distance_transform_edt(soft, sampling=coarse_mm)
    # Outside the head lies air, so the widest soft tissue inside bone is the brain or the neck;
    # of cores wide enough to be a cranium the one with the most bone around it is the brain.
    labels, count = ndimage.label(distance > _CAVITY_OPENING_MM)
    if count == 0:
        raise BadInputError(_no_vault("no soft tissue enclosed by bone"))
    core, enclosed = _most_enclosed(labels, count, bone, coarse_mm)
    if enclosed < _LEAST_ENCLOSED:
        raise BadInputError(_no_vault(f"soft tissue with bone around {enclosed:.0%} of it"))
    reached = ndimage.distance_transform_edt(~core, sampling=coarse_mm) <= _CAVITY_OPENING_MM
    mask = reached & soft
    volume_ml = mask.sum() * coarse_mm.prod() / 1000.0
    if volume_ml < _SMALLEST_CAVITY_ML:
        raise BadInputError(_no_vault(f"an enclosed space of {volume_ml:.0f} ml"))
    grid = _coarse_geometry(ct.ijk_to_ras, factor) @ _translation(start[::-1])
    if landmarks is None:
        return _described(mask, grid, find_frame(mask, grid))
    return _described(mask, grid, frame_from_landmarks(mask, grid, landmarks))


def _no_vault(found: str) -> str:
    return (
        f"The CT shows no cranial vault (found {found}, needed an intracranial space of at least "
        f"{_SMALLEST_CAVITY_ML:.0f} ml inside bone)."
    )


def _most_enclosed(
    labels: np.ndarray, count: int, bone: np.ndarray, mm: np.ndarray
) -> tuple[np.ndarray, float]:
    """The label most enclosed by bone, as a mask, and the share of its rim that is bone."""
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    candidates = np.argsort(sizes)[::-1][:3]
    best, best_share = labels == candidates[0], -1.0
    for label in candidates:
        if sizes[label] * mm.prod() < 1e5:
            continue
        core = labels == label
        rim = ndimage.distance_transform_edt(~core, sampling=mm) <= _CAVITY_OPENING_MM + 4.0
        rim &= ~ndimage.binary_erosion(rim)
        share = float(bone[rim].mean())
        if share > best_share:
            best, best_share = core, share
    return best, best_share


def _described(mask: np.ndarray, ijk_to_ras: np.ndarray, frame: HeadFrame) -> Cavity:
    head = _in_head(mask, ijk_to_ras, frame)
    bins = np.floor(head[:, 2] / 2.0).astype(int)
    first = bins.min()
    area = ndimage.uniform_filter1d(np.bincount(bins - first).astype(float), 5)
    widest = int(area.argmax())
    below = np.flatnonzero(area[: widest + 1] < BASE_AREA_SHARE * area[widest])
    base = int(below[-1]) + 1 if below.size else 0
    section_y = head[np.abs(bins - first - widest) <= 2, 1]
    return Cavity(
        mask=mask,
        ijk_to_ras=ijk_to_ras,
        frame=frame,
        middle_mm=float(section_y.min() + section_y.max()) / 2.0,
        base_mm=float((first + base) * 2.0),
        top_mm=float(head[:, 2].max()),
    )


def _in_head(mask: np.ndarray, ijk_to_ras: np.ndarray, frame: HeadFrame) -> np.ndarray:
    """Centers of a mask's voxels in head coordinates, float64 (N, 3), mm."""
    return frame.from_ras(voxels_ras(mask, ijk_to_ras))


def _wall_between_inside_and_outside(
    hu: np.ndarray,
    spacing: np.ndarray,
    factor: np.ndarray,
    cavity: Cavity,
    ct: HeadCT,
    box: tuple[slice, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Wall and neighborhood of the cavity, bool, on a grid of about 1 mm over the box."""
    mean = _block_mean(hu, factor)
    mm = spacing * factor
    bone = _without_specks(mean > _BONE_COARSE_HU, 1000.0 / mm.prod())
    free = ~bone
    # Beyond the field of view lies more of the outside, never marrow.
    core = ~_within(bone, _WALL_OPENING_MM, mm)
    inside = _on_grid(cavity.mask, cavity, ct, box, factor, mean.shape)
    labels, _ = ndimage.label(core)
    border = np.ones_like(core)
    border[1:-1, 1:-1, 1:-1] = False
    # What is outside holds air somewhere; marrow that the end of the field of view cuts does not.
    outside = np.intersect1d(labels[border], labels[mean < _AIR_HU])
    is_open = np.zeros(labels.max() + 1, bool)
    is_open[outside] = True
    is_open[labels[inside & core]] = True
    is_open[0] = False
    reached = free & _within(is_open[labels], _WALL_OPENING_MM, mm)
    vault = _on_grid(_vault_side(cavity), cavity, ct, box, factor, mean.shape)
    return ~reached, vault


def _vault_side(cavity: Cavity) -> np.ndarray:
    """Bool on the coarse grid: near the cavity and beside or above it, not below, nor a ridge or
    crest that juts deep into it."""
    mm = np.linalg.norm(cavity.ijk_to_ras[:3, :3], axis=0)[::-1]
    margin = np.ceil(_CAVITY_CLOSING_MM / mm).astype(int)
    padded = np.pad(cavity.mask, [(int(m), int(m)) for m in margin])
    grown = ndimage.distance_transform_edt(~padded, sampling=mm) <= _CAVITY_CLOSING_MM
    depth = ndimage.distance_transform_edt(grown, sampling=mm) - _CAVITY_CLOSING_MM
    outward = ndimage.distance_transform_edt(depth <= 0, sampling=mm)
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
    fine_to_ras = _coarse_geometry(ct.ijk_to_ras @ _translation(start[::-1]), factor)
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
    return coarse[np.ix_(*index)] & k[:, None, None] & j[:, None] & i


def _vault_box(ct: HeadCT, cavity: Cavity) -> tuple[slice, ...]:
    """The part of the CT within reach of the cavity and above the base."""
    head = _in_head(cavity.mask, cavity.ijk_to_ras, cavity.frame)
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


def _smooth(hu: np.ndarray, slab: slice, spacing: np.ndarray) -> np.ndarray:
    """Some slices of the CT, less its noise, float32."""
    sigmas = _SMOOTHING_MM / spacing
    halo = int(_SMOOTHING_SIGMAS * sigmas[0] + 0.5)
    first = max(slab.start - halo, 0)
    around = hu[first : slab.stop + halo].astype(np.float32)
    smooth = ndimage.gaussian_filter(around, sigmas, truncate=_SMOOTHING_SIGMAS)
    return smooth[slab.start - first :][: min(slab.stop, len(hu)) - slab.start]


def _within(mask: np.ndarray, distance_mm: float, mm: np.ndarray) -> np.ndarray:
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


def _around(mask: np.ndarray, margin: np.ndarray) -> tuple[slice, ...]:
    """The box that holds a mask and a margin of voxels along each axis."""
    box = []
    for axis, more in enumerate(margin):
        used = np.flatnonzero(mask.any(tuple({0, 1, 2} - {axis})))
        box.append(slice(max(int(used[0] - more), 0), int(used[-1] + more) + 1))
    return tuple(box)


def _block(spacing: np.ndarray, target_mm: float) -> np.ndarray:
    return np.maximum(1, np.rint(target_mm / spacing)).astype(int)


def _block_mean(volume: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Mean over blocks, float32; a remainder at the far ends is left out."""
    n = np.array(volume.shape) // factor
    k, j, i = (int(f) for f in factor)
    whole = volume[: n[0] * k, : n[1] * j, : n[2] * i]
    total = np.zeros(n, np.float32)
    for dk in range(k):
        for dj in range(j):
            for di in range(i):
                total += whole[dk::k, dj::j, di::i]
    return total / float(factor.prod())


def _coarse_geometry(ijk_to_ras: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Geometry of the block-mean grid: voxel centers move to the middle of their block."""
    coarse = ijk_to_ras.astype(np.float64).copy()
    fxyz = factor[::-1].astype(np.float64)
    coarse[:3, :3] = ijk_to_ras[:3, :3] * fxyz
    coarse[:3, 3] = ijk_to_ras[:3, :3] @ ((fxyz - 1.0) / 2.0) + ijk_to_ras[:3, 3]
    return coarse


def _translation(ijk: np.ndarray) -> np.ndarray:
    move = np.eye(4)
    move[:3, 3] = ijk
    return move


def _enlarged(
    blocks: np.ndarray, factor: np.ndarray, slab: slice, shape: tuple[int, ...]
) -> np.ndarray:
    """Some slices of a mask of blocks, on the voxels that the blocks were made of."""
    k, *rest = (
        np.minimum(np.arange(size) // f, have - 1)
        for size, f, have in zip(shape, factor, blocks.shape, strict=True)
    )
    return blocks[np.ix_(k[slab], *rest)]


def _without_specks(mask: np.ndarray, smallest: float) -> np.ndarray:
    labels, count = ndimage.label(mask)
    keep = _sizes(labels, mask, count) >= smallest
    return keep[labels]


def _largest(mask: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(mask)
    if count == 0:
        raise BadInputError(_no_vault("no bone around the enclosed space"))
    return labels == _sizes(labels, mask, count).argmax()


def _sizes(labels: np.ndarray, mask: np.ndarray, count: int) -> np.ndarray:
    """Voxels of each label, 0 for the background; counted in the mask alone, most of a head CT is
    none of it."""
    return np.bincount(labels[mask], minlength=count + 1)
