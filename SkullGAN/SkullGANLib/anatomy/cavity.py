"""The intracranial space: what of a head CT is brain, how the head lies in it, where its floor is.

``find_cavity`` gives a ``Cavity``; ``skull`` finds the wall around it, and segments take the head
frame and the height of the skull base from it. The brain is the widest soft tissue that bone
encloses, so it is found first, on a coarse grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..ct.volume import HeadCT
from ..errors import BadInputError
from .head_frame import HeadFrame, find_frame, frame_from_landmarks, voxels_ras
from .landmarks import check_inside
from .voxel_blocks import block_geometry, block_mean, block_size, translation, without_specks

BASE_AREA_SHARE = 0.6
"""The base is where the cavity's axial section falls to this share of its largest."""
BONE_IN_BLOCKS_HU = 200.0
"""Bone in averages over 1 to 2 mm: a table of 1 mm fills half a voxel of 2 mm."""
AIR_HU = -300.0

_BLOCK_MM = 2.0
_OPENING_MM = 10.0  # seals foramina, orbits and vertebral gaps, not the brain's spaces
_SMALLEST_CAVITY_ML = 400.0
_LEAST_ENCLOSED = 0.4  # whole heads have bone around 0.87 to 0.90 of it, a neck around 0.2
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
    spacing = ct.spacing_mm[::-1]
    factor = block_size(spacing, _BLOCK_MM)
    hu = block_mean(ct.hu, factor)
    coarse_mm = spacing * factor
    bone = hu > BONE_IN_BLOCKS_HU
    bone = without_specks(bone, 2000.0 / coarse_mm.prod())
    if not bone.any():
        raise no_vault("no bone")
    # What encloses the brain is bone: beyond it, only the air within the opening is looked at.
    box = _around(bone, np.ceil(_OPENING_MM / coarse_mm).astype(int) + 1)
    hu, bone = hu[box], bone[box]
    start = np.array([part.start for part in box])
    soft = (hu > AIR_HU) & ~bone
    distance = ndimage.distance_transform_edt(soft, sampling=coarse_mm)
    # Outside the head lies air, so the widest soft tissue inside bone is the brain or the neck;
    # of cores wide enough to be a cranium the one with the most bone around it is the brain.
    labels, count = ndimage.label(distance > _OPENING_MM)
    if count == 0:
        raise no_vault("no soft tissue enclosed by bone")
    core, enclosed = _most_enclosed(labels, count, bone, coarse_mm)
    if enclosed < _LEAST_ENCLOSED:
        raise no_vault(f"soft tissue with bone around {enclosed:.0%} of it")
    reached = ndimage.distance_transform_edt(~core, sampling=coarse_mm) <= _OPENING_MM
    mask = reached & soft
    volume_ml = mask.sum() * coarse_mm.prod() / 1000.0
    if volume_ml < _SMALLEST_CAVITY_ML:
        raise no_vault(f"an enclosed space of {volume_ml:.0f} ml")
    grid = block_geometry(ct.ijk_to_ras, factor) @ translation(start[::-1])
    if landmarks is None:
        return _measured(mask, grid, find_frame(mask, grid))
    return _measured(mask, grid, frame_from_landmarks(mask, grid, landmarks))


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
        rim = ndimage.distance_transform_edt(~core, sampling=mm) <= _OPENING_MM + 4.0
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


def _around(mask: np.ndarray, margin: np.ndarray) -> tuple[slice, ...]:
    """The box that holds a mask and a margin of voxels along each axis."""
    box = []
    for axis, more in enumerate(margin):
        used = np.flatnonzero(mask.any(tuple({0, 1, 2} - {axis})))
        box.append(slice(max(int(used[0] - more), 0), int(used[-1] + more) + 1))
    return tuple(box)
