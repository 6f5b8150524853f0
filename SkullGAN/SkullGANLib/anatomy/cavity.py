"""The intracranial space: what of a head CT is brain, how the head lies in it, where its floor is.

``find_cavity`` gives a ``Cavity``; ``skull`` finds the wall around it, and segments take the head
frame and the height of the skull base from it. The brain is the widest soft tissue that bone
encloses, so it is found first, on a coarse grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..ct.field_of_view import outside_blocks
from ..ct.volume import HeadCT
from ..errors import BadInputError
from .head_frame import HeadFrame, find_frame, frame_from_landmarks, voxels_ras
from .landmarks import check_inside
from .voxel_blocks import (
    around,
    block_geometry,
    block_mean,
    block_size,
    sizes_of,
    translation,
    within,
    without_specks,
)

BASE_AREA_SHARE = 0.6
"""The base is where the cavity's axial section falls to this share of its largest."""
BONE_IN_BLOCKS_HU = 200.0
"""Bone in averages over 1 to 2 mm: a table of 1 mm fills half a voxel of 2 mm."""
AIR_HU = -300.0

_THIN_BONE_IN_BLOCKS_HU = 150.0
"""A second try, where the first finds no head: averages over 2.5 mm leave holes in the orbits'
thin roofs, through which the space leaks (2 of 60 poses in ``Testing/Benchmarks/RESULTS.md``)."""

_BLOCK_MM = 2.0
_OPENING_MM = 10.0  # seals foramina, orbits and vertebral gaps, not the brain's spaces
_SMALLEST_CAVITY_ML = 400.0
_LEAST_ENCLOSED = 0.4  # whole heads have bone around 0.87 to 0.90 of it, a neck around 0.2
_BELOW_BASE_MM = 8.0
_BESIDE_BONE_MM = 4.0  # the opened space stays so far from bone in corners
_SLOT_MM = 8.0
_HULL_DIRECTIONS = 100


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
        is_bare: whether the skull has neither brain nor scalp: around and inside it lies air or
            water, of one value perhaps.
    """

    mask: np.ndarray
    ijk_to_ras: np.ndarray
    frame: HeadFrame
    middle_mm: float
    base_mm: float
    top_mm: float
    is_bare: bool = False

    @property
    def floor_mm(self) -> float:
        """z where ``skull.skull_mask`` ends: the squama goes on below the cavity's narrowing."""
        return self.base_mm - _BELOW_BASE_MM


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
    factor = block_size(ct.spacing_mm[::-1], _BLOCK_MM)
    blocks = block_mean(ct.hu, factor), outside_blocks(ct.hu, factor)
    try:
        return _cavity(ct, factor, *blocks, landmarks, BONE_IN_BLOCKS_HU)
    except BadInputError as first:
        try:
            return _cavity(ct, factor, *blocks, landmarks, _THIN_BONE_IN_BLOCKS_HU)
        except BadInputError:
            raise first from None


def _cavity(
    ct: HeadCT,
    factor: np.ndarray,
    hu: np.ndarray,
    unseen: np.ndarray,
    landmarks: Mapping[str, np.ndarray] | None,
    bone_hu: float,
) -> Cavity:
    """``find_cavity`` by the averages of blocks, by which of them were not scanned, and by what is
    bone in averages."""
    coarse_mm = ct.spacing_mm[::-1] * factor
    bone = without_specks(hu > bone_hu, 2000.0 / coarse_mm.prod())
    if not bone.any():
        raise no_vault("no bone")
    box = around(bone, np.ceil(_OPENING_MM / coarse_mm).astype(int) + 1)
    hu, bone, unseen = hu[box], bone[box], unseen[box]
    start = np.array([part.start for part in box])
    is_bare = False
    try:
        mask = _enclosed_space(_not_outside(hu, bone, unseen), bone, coarse_mm)
    except BadInputError:
        # A skull without brain and scalp: air or water inside is that outside.
        is_bare = True
        mask = _enclosed_space(_within_convex_hull(bone, coarse_mm) & ~bone, bone, coarse_mm)
    grid = block_geometry(ct.ijk_to_ras, factor) @ translation(start[::-1])
    if landmarks is None:
        reach = np.ceil(_BESIDE_BONE_MM / coarse_mm).astype(int)
        beside = ndimage.maximum_filter(bone, 2 * reach + 1)
        try:
            frame = find_frame(mask, grid, beside)
        except BadInputError:
            # A calcified falx or a ridge leaves a slot that is no part of a head's outline.
            frame = find_frame(_without_slots(mask, coarse_mm), grid, beside)
    else:
        frame = frame_from_landmarks(mask, grid, landmarks)
    return replace(_measured(mask, grid, frame), is_bare=is_bare)


def _without_slots(mask: np.ndarray, mm: np.ndarray) -> np.ndarray:
    """The mask, bool, with gaps of less than ``2 * _SLOT_MM`` closed."""
    margin = np.ceil(_SLOT_MM / mm).astype(int) + 1
    padded = np.pad(mask, [(int(m), int(m)) for m in margin])
    closed = ~within(~within(padded, _SLOT_MM, mm), _SLOT_MM, mm)
    return (closed | padded)[tuple(slice(int(m), -int(m)) for m in margin)]


def _not_outside(hu: np.ndarray, bone: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """Bool, what is neither bone nor beyond the field of view nor air from outside the head; gas
    inside the head is."""
    air = (hu < AIR_HU) & ~bone & ~unseen
    labels, count = ndimage.label(air)
    border = unseen.copy()
    for axis in range(3):
        border[(slice(None),) * axis + (slice(None, None, max(hu.shape[axis] - 1, 1)),)] = True
    from_outside = np.zeros(count + 1, bool)
    from_outside[np.unique(labels[ndimage.binary_dilation(border)])] = True
    from_outside[0] = False
    return ~bone & ~unseen & ~from_outside[labels]


def _enclosed_space(free: np.ndarray, bone: np.ndarray, mm: np.ndarray) -> np.ndarray:
    """Of the free space, bool, the part that is wide as a cranium and most enclosed by bone.

    Raises:
        BadInputError: if there is none.
    """
    # At the border of the grid the head goes on: what is cut there is as wide as it looks.
    labels, count = ndimage.label(~within(~free, _OPENING_MM, mm))
    if count == 0:
        raise no_vault("no space enclosed by bone")
    core, enclosed = _most_enclosed(labels, count, bone, mm)
    if enclosed < _LEAST_ENCLOSED:
        raise no_vault(f"a space with bone around {max(enclosed, 0.0):.0%} of it")
    mask = within(core, _OPENING_MM, mm) & free
    volume_ml = mask.sum() * mm.prod() / 1000.0
    if volume_ml < _SMALLEST_CAVITY_ML:
        raise no_vault(f"an enclosed space of {volume_ml:.0f} ml")
    return mask


def _within_convex_hull(bone: np.ndarray, mm: np.ndarray) -> np.ndarray:
    """Bool, what lies between bone on both sides along each of ``_HULL_DIRECTIONS`` directions: the
    convex hull of the largest piece of bone, nearly."""
    labels, count = ndimage.label(bone)
    piece = labels == np.argmax(sizes_of(labels, bone, count)[1:]) + 1
    places = np.argwhere(piece & ~ndimage.binary_erosion(piece)) * mm
    turn = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(_HULL_DIRECTIONS)
    z = (np.arange(_HULL_DIRECTIONS) + 0.5) / _HULL_DIRECTIONS
    level = np.sqrt(1.0 - z**2)
    inside = np.ones(bone.shape, bool)
    k, j, i = (np.arange(size) * step for size, step in zip(bone.shape, mm, strict=True))
    for one in np.stack([z, level * np.sin(turn), level * np.cos(turn)], 1):
        reach = places @ one
        at = one[0] * k[:, None, None] + one[1] * j[:, None] + one[2] * i
        inside &= (at >= reach.min()) & (at <= reach.max())
    return inside


def no_vault(found: str) -> BadInputError:
    """Make the error of a CT without a vault.

    Args:
        found: what is there instead.
    """
    return BadInputError(
        f"The CT shows no cranial vault (found {found}, expected an intracranial space of at least "
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
        rim = within(core, _OPENING_MM + 4.0, mm)
        rim &= ~ndimage.binary_erosion(rim)
        share = float(bone[rim].mean())
        if share > best_share:
            best, best_share = core, share
    return best, best_share


def _measured(mask: np.ndarray, ijk_to_ras: np.ndarray, frame: HeadFrame) -> Cavity:
    head = frame.from_ras(voxels_ras(mask, ijk_to_ras))
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
