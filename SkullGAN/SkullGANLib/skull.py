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

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .errors import BadInputError
from .frame import HeadFrame, find_frame, voxels_ras
from .volume import HeadCT

BONE_THRESHOLD_HU = 300.0
"""Where bone begins at 1 mm partial volume: half height against thin tables, not against thick."""
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
_CAVITY_CLOSING_MM = 15.0  # petrous ridges, sella and orbital roofs jut into the closed cavity
_DEEPEST_CREST_MM = 6.0  # frontal and occipital crests belong to the wall
_STEEPEST_DOWN = -0.7  # sine of the slope beyond which the wall is the floor of the skull
_BELOW_BASE_MM = 8.0  # the squama goes on below the cavity's narrowing


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


def skull_mask(
    ct: HeadCT, *, threshold_hu: float = BONE_THRESHOLD_HU, cavity: Cavity | None = None
) -> np.ndarray:
    """Find the wall of the calvaria, outer table, diploë and inner table as one.

    Args:
        ct: the head CT.
        threshold_hu: HU from which a voxel at the surface is bone.
        cavity: what ``find_cavity`` gave for this CT, to spare finding it again.

    Returns:
        uint8 (slices, rows, columns), 1 in the wall, on the grid of the CT.

    Raises:
        BadInputError: if there is no cranial vault in the CT.
    """
    cavity = cavity or find_cavity(ct)
    box = _vault_box(ct, cavity)
    hu = ct.hu[box]
    spacing = ct.spacing_mm[::-1]

    factor = _block(spacing, _FINE_MM)
    wall, near = _wall_between_inside_and_outside(hu, spacing, factor, cavity, ct, box)

    smooth = ndimage.gaussian_filter(hu.astype(np.float32), 0.4 / spacing, truncate=2.5)
    bone = smooth > threshold_hu
    # The threshold alone decides where the wall ends; what lies a voxel inside it is marrow.
    marrow = ndimage.binary_erosion(wall & near, border_value=1)
    fine = bone & _enlarged(near, factor, hu.shape)
    fine |= _enlarged(marrow, factor, hu.shape) & (smooth > _AIR_HU)
    fine &= _above_base(ct, cavity, box)
    fine = _largest(fine)
    mask = np.zeros(ct.hu.shape, np.uint8)
    mask[box] = fine
    return mask


def find_cavity(ct: HeadCT) -> Cavity:
    """Find the intracranial space: the widest soft tissue enclosed by bone, opened by 10 mm.

    Raises:
        BadInputError: if no soft tissue of a cranium's width is enclosed by bone.
    """
    spacing = ct.spacing_mm[::-1]
    factor = _block(spacing, _COARSE_MM)
    hu = _block_mean(ct.hu, factor)
    coarse_mm = spacing * factor
    bone = hu > _BONE_COARSE_HU
    bone = _without_specks(bone, 2000.0 / coarse_mm.prod())
    soft = (hu > _AIR_HU) & ~bone
    distance = ndimage.distance_transform_edt(soft, sampling=coarse_mm)
    # Outside the head lies air, so the widest soft tissue inside bone is the brain or the neck;
    # of cores wide enough to be a cranium the one with the most bone around it is the brain.
    labels, count = ndimage.label(distance > _CAVITY_OPENING_MM)
    if count == 0:
        raise BadInputError(_no_vault("no soft tissue enclosed by bone"))
    core = _most_enclosed(labels, count, bone, coarse_mm)
    reached = ndimage.distance_transform_edt(~core, sampling=coarse_mm) <= _CAVITY_OPENING_MM
    mask = reached & soft
    volume_ml = mask.sum() * coarse_mm.prod() / 1000.0
    if volume_ml < _SMALLEST_CAVITY_ML:
        raise BadInputError(_no_vault(f"an enclosed space of {volume_ml:.0f} ml"))
    return _described(mask, _coarse_geometry(ct.ijk_to_ras, factor))


def _no_vault(found: str) -> str:
    return (
        f"The CT shows no cranial vault (found {found}, needed an intracranial space of at least "
        f"{_SMALLEST_CAVITY_ML:.0f} ml inside bone)."
    )


def _most_enclosed(labels: np.ndarray, count: int, bone: np.ndarray, mm: np.ndarray) -> np.ndarray:
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
    return best


def _described(mask: np.ndarray, ijk_to_ras: np.ndarray) -> Cavity:
    frame = find_frame(mask, ijk_to_ras)
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
    """Centres of a mask's voxels in head coordinates, float64 (N, 3), mm."""
    return frame.from_ras(voxels_ras(mask, ijk_to_ras))


def _wall_between_inside_and_outside(
    hu: np.ndarray,
    spacing: np.ndarray,
    factor: np.ndarray,
    cavity: Cavity,
    ct: HeadCT,
    box: tuple[slice, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Wall and neighbourhood of the cavity, bool, on a grid of about 1 mm over the box."""
    mean = _block_mean(hu, factor)
    mm = spacing * factor
    bone = _without_specks(mean > _BONE_COARSE_HU, 1000.0 / mm.prod())
    free = ~bone
    # Beyond the field of view lies more of the outside, never marrow.
    padded = np.pad(free, 1, constant_values=True)
    distance = ndimage.distance_transform_edt(padded, sampling=mm)[1:-1, 1:-1, 1:-1]
    core = distance > _WALL_OPENING_MM
    inside = _on_box(cavity.mask, cavity, ct, box, factor, mean.shape)
    labels, _ = ndimage.label(core)
    border = np.ones_like(core)
    border[1:-1, 1:-1, 1:-1] = False
    open_labels = np.union1d(labels[border], labels[inside & core])
    open_core = np.isin(labels, open_labels[open_labels > 0])
    to_open = ndimage.distance_transform_edt(~open_core, sampling=mm)
    reached = free & (to_open <= _WALL_OPENING_MM)
    vault = _on_box(_vault_side(cavity), cavity, ct, box, factor, mean.shape)
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


def _on_box(
    coarse: np.ndarray,
    cavity: Cavity,
    ct: HeadCT,
    box: tuple[slice, ...],
    factor: np.ndarray,
    shape: tuple[int, ...],
) -> np.ndarray:
    """A mask of the cavity's grid on the 1 mm grid of the box (nearest coarse voxel)."""
    start = np.array([part.start for part in box])
    fine_to_ras = _coarse_geometry(ct.ijk_to_ras @ _translation(start[::-1]), factor)
    to_coarse = np.linalg.inv(cavity.ijk_to_ras) @ fine_to_ras
    # Both grids are blocks of the same CT grid, so each axis maps on its own.
    index = []
    for axis in range(3):
        at = np.arange(shape[axis]) * to_coarse[2 - axis, 2 - axis] + to_coarse[2 - axis, 3]
        at = np.rint(at).astype(int)
        index.append(np.clip(at, 0, coarse.shape[axis] - 1))
    return coarse[np.ix_(*index)]


def _vault_box(ct: HeadCT, cavity: Cavity) -> tuple[slice, ...]:
    """The part of the CT within reach of the cavity and above the base."""
    head = _in_head(cavity.mask, cavity.ijk_to_ras, cavity.frame)
    low, high = head.min(0) - _FARTHEST_WALL_MM, head.max(0) + _FARTHEST_WALL_MM
    low[2] = max(low[2], cavity.base_mm - _BELOW_BASE_MM - 5.0)
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1)
    corners = cavity.frame.to_ras(corners.T).T
    to_ijk = np.linalg.inv(ct.ijk_to_ras)
    ijk = to_ijk[:3, :3] @ corners + to_ijk[:3, 3:]
    first = np.clip(np.floor(ijk.min(1)).astype(int)[::-1], 0, ct.hu.shape)
    last = np.clip(np.ceil(ijk.max(1)).astype(int)[::-1] + 1, 0, ct.hu.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))


def _above_base(ct: HeadCT, cavity: Cavity, box: tuple[slice, ...]) -> np.ndarray:
    k, j, i = (np.arange(part.start, part.stop, dtype=np.float32) for part in box)
    # Height in the head frame is one affine function of the indices.
    up = np.append(cavity.frame.superior, 0) @ ct.ijk_to_ras
    up[3] -= cavity.frame.superior @ cavity.frame.head_to_ras[:3, 3]
    up = up.astype(np.float32)
    height = up[2] * k[:, None, None] + up[1] * j[:, None] + up[0] * i + up[3]
    return height >= cavity.base_mm - _BELOW_BASE_MM


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
    """Geometry of the block-mean grid: voxel centres move to the middle of their block."""
    coarse = ijk_to_ras.astype(np.float64).copy()
    fxyz = factor[::-1].astype(np.float64)
    coarse[:3, :3] = ijk_to_ras[:3, :3] * fxyz
    coarse[:3, 3] = ijk_to_ras[:3, :3] @ ((fxyz - 1.0) / 2.0) + ijk_to_ras[:3, 3]
    return coarse


def _translation(ijk: np.ndarray) -> np.ndarray:
    move = np.eye(4)
    move[:3, 3] = ijk
    return move


def _enlarged(mask: np.ndarray, factor: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    for axis, f in enumerate(factor):
        mask = np.repeat(mask, int(f), axis=axis)
    pad = [(0, full - have) for full, have in zip(shape, mask.shape, strict=True)]
    return np.pad(mask, pad, mode="edge")


def _without_specks(mask: np.ndarray, smallest: float) -> np.ndarray:
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())
    keep = sizes >= smallest
    keep[0] = False
    return keep[labels]


def _largest(mask: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(mask)
    if count == 0:
        raise BadInputError(_no_vault("no bone around the enclosed space"))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels == sizes.argmax()
