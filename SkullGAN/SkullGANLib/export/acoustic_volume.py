"""The acoustic medium of a CT's calvaria, as a volume for simulators of ultrasound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..acoustics.media import Medium, MediumSettings, grid_shape, volume_grid_mm, volume_medium
from ..anatomy.cavity import Cavity, find_cavity
from ..anatomy.skull import skull_mask
from ..anatomy.voxel_blocks import block_geometry, block_mean, block_size, enlarged, translation
from ..ct.volume import HeadCT
from ..errors import BadInputError
from . import media_files
from .media_notes import HuTally, notes_of, warnings_of

MARGIN_MM = 10.0
"""What is kept around the calvaria."""

_BLOCK_MM = 2.0  # of the cavity's grid
_BESIDE_CAVITY_MM = 8.0  # its opened space stays away from the bone, most in corners
_BESIDE_BONE_MM = 2.5  # what blocks of half bone leave open
_BYTES_EACH = 64  # of a grid point, while properties are worked out


@dataclass(frozen=True, eq=False)
class VolumeMedium:
    """A calvaria's medium and where it lies.

    Attributes:
        medium: arrays (slices, rows, columns).
        ijk_to_ras: float64 (4, 4), takes (column, row, slice, 1) of the grid to RAS mm.
        notes: what a file says of it.
    """

    medium: Medium
    ijk_to_ras: np.ndarray
    notes: dict[str, Any]


def calvaria_medium(
    ct: HeadCT,
    settings: MediumSettings,
    *,
    mask: np.ndarray | None = None,
    cavity: Cavity | None = None,
    name: str | Path = "The CT",
    on_progress: Callable[[float], None] | None = None,
) -> VolumeMedium:
    """Make the medium of a CT's calvaria and what is around it.

    Beyond the calvaria lies ``settings.outside``, in the intracranial space ``settings.inside``.
    Face, skull base and scalp are not in it.

    Args:
        ct: the head CT.
        settings: how.
        mask: uint8 (slices, rows, columns), the wall of the calvaria; found if None.
        cavity: what ``find_cavity`` gave for this CT, to spare finding it again.
        name: of the CT, for sentences.
        on_progress: called with the share that is done.

    Raises:
        BadInputError: if there is no cranial vault, the convention does not hold for the CT, or the
            grid makes no sense or does not go into memory.
    """
    report = on_progress or (lambda share: None)
    kernels = tuple(filter(None, [str(ct.source.get("kernel") or "")]))
    media_files.check_kernels(Path(name), settings.convention, kernels)
    cavity = cavity or find_cavity(ct)
    report(0.3)
    bone = skull_mask(ct, cavity=cavity) > 0 if mask is None else mask > 0
    if not bone.any():
        raise BadInputError(f"{name}: the mask holds no bone, expected the calvaria in it.")
    report(0.5)
    spacing_mm = ct.spacing_mm[::-1]
    box = _box(bone, spacing_mm)
    hu, bone = ct.hu[box], bone[box]
    grid_mm = volume_grid_mm(tuple(spacing_mm), settings)
    points = 1
    for count, mm, finer_mm in zip(hu.shape, spacing_mm, grid_mm, strict=True):
        points *= grid_shape([count], [mm], finer_mm)[0]
    media_files.check_memory(Path(name), points, _BYTES_EACH)
    tally = HuTally(settings.convention)
    tally.add(hu[bone])
    inside = _inside(ct, cavity, bone, box)
    report(0.7)
    medium = volume_medium(hu, bone, inside, tuple(spacing_mm), settings, tally.densest_hu)
    geometry = _geometry(ct, box, hu.shape, medium)
    report(1.0)
    notes = notes_of(settings, min(grid_mm), tally.densest_hu) | {
        "spacing_mm": list(grid_mm),
        "ijk_to_ras": geometry.tolist(),
        "kind": "calvaria",
        "about": "The calvaria of a head CT; face, base and scalp are left out.",
        "ct": {key: value for key, value in ct.source.items() if value is not None},
        "created_by": f"skullgan {__version__}",
        "warnings": warnings_of(settings, max(grid_mm), tally, kernels),
    }
    return VolumeMedium(medium, geometry, notes)


def write_calvaria(path: str | Path, made: VolumeMedium) -> None:
    """Write a calvaria's medium as HDF5 (.h5), MATLAB (.mat) or NumPy (.npz).

    Raises:
        BadInputError: if the file cannot hold so many points.
        OutputError: if it cannot be written.
    """
    path = Path(path)
    shape = made.medium.density.shape
    media_files.check_size(path, shape)
    media_files.writer_of(path)(path, shape, [made.medium], made.notes, {})


def _box(bone: np.ndarray, spacing_mm: np.ndarray) -> tuple[slice, ...]:
    """Give the part of the CT that holds the bone, with ``MARGIN_MM`` around it."""
    found = []
    for axis in range(3):
        used = np.flatnonzero(bone.any(axis=tuple(other for other in range(3) if other != axis)))
        margin = round(MARGIN_MM / float(spacing_mm[axis]))
        found.append(
            slice(max(0, int(used[0]) - margin), min(int(used[-1]) + 1 + margin, bone.shape[axis]))
        )
    return tuple(found)


def _inside(ct: HeadCT, cavity: Cavity, bone: np.ndarray, box: tuple[slice, ...]) -> np.ndarray:
    """Give the intracranial space up to the bone, bool, on the voxels of a box.

    Args:
        ct: the head CT.
        cavity: its intracranial space, which stays a few mm away from the bone.
        bone: bool, the calvaria in the box.
        box: of the CT.
    """
    from scipy import ndimage

    spacing_mm = ct.spacing_mm[::-1]
    factor = block_size(spacing_mm, _BLOCK_MM)
    free = block_mean(bone, factor) < 0.5
    space = _on_blocks(ct, cavity, box, factor, free.shape)
    steps = int(np.ceil(_BESIDE_CAVITY_MM / (spacing_mm * factor).min()))
    grown = ndimage.binary_dilation(space, iterations=steps, mask=free | space)
    fine = enlarged(grown, factor, (slice(None),) * 3, bone.shape) & ~bone
    steps = int(np.ceil(_BESIDE_BONE_MM / spacing_mm.min()))
    near = ndimage.binary_dilation(bone, iterations=steps)
    found: np.ndarray = ndimage.binary_dilation(fine, iterations=steps, mask=near & ~bone) | fine
    return found


def _on_blocks(
    ct: HeadCT, cavity: Cavity, box: tuple[slice, ...], factor: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Give the cavity, bool, on blocks of a box: the nearest voxel of its own grid for each."""
    start = np.array([part.start for part in box])[::-1]
    blocks_to_ras = block_geometry(ct.ijk_to_ras @ translation(start), factor)
    to_own = np.linalg.inv(cavity.ijk_to_ras) @ blocks_to_ras
    found: np.ndarray = cavity.mask
    for axis, size in enumerate(shape):  # both are blocks of one grid: each axis maps on its own
        at = np.arange(size) * to_own[2 - axis, 2 - axis] + to_own[2 - axis, 3]
        at = np.floor(at + 0.501).astype(int)
        have = cavity.mask.shape[axis]
        outside = (at < 0) | (at >= have)
        found = found.take(np.clip(at, 0, have - 1), axis=axis)
        found[(slice(None),) * axis + (outside,)] = False
    return found


def _geometry(
    ct: HeadCT, box: tuple[slice, ...], shape: tuple[int, ...], medium: Medium
) -> np.ndarray:
    """Give where grid points lie, float64 (4, 4)."""
    start = np.array([part.start for part in box])[::-1]
    step = np.array(medium.spacing_mm)[::-1] / ct.spacing_mm
    count, finer = (np.array(one)[::-1] for one in (shape, medium.density.shape))
    finer_to_voxel = np.diag([*step, 1.0])
    finer_to_voxel[:3, 3] = (count - 1) / 2 - step * (finer - 1) / 2
    found: np.ndarray = ct.ijk_to_ras @ translation(start) @ finer_to_voxel
    return found
