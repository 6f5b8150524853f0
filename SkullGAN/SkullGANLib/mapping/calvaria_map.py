"""Maps of the calvaria: thickness, SDR and intensity everywhere on its outer surface.

``prepare`` makes a head CT ready, ``calvaria`` maps it: a mesh of the outer surface (``surface``)
and at each vertex what a ray along the inward normal measured (``rays``). ``map_summary`` puts the
map into numbers by bone and side, ``wall_overlay`` brings it onto the voxels of the wall, and
``vtp`` keeps it as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import sparse

from .. import __version__
from ..anatomy.cavity import Cavity, find_cavity
from ..anatomy.cut_plan import bones_of
from ..anatomy.frame_source import frame_source
from ..anatomy.skull import skull_mask, threshold_or_fitted
from ..ct.volume import HeadCT
from ..errors import BadInputError
from . import rays, surface
from .codes import CODES, MEASURED, NO_BONE, OUTSIDE
from .field import Field
from .scalars import REALNESS

_OUTSIDE_MM = 4.0  # rays start so far outside the smoothed surface
_DEEPEST_START_MM = 6.0  # below it; what begins deeper is a ridge behind a hole in the wall
_REACH_MM = 30.0
_LEAST_COMPANY = 0.45  # share of measured vertices among one and its six neighbors
_MOST_MOVED_MM = 3.0  # from the smoothed mask to the edge at half height


@dataclass(frozen=True, eq=False)
class Head:
    """A head CT made ready for maps and rays.

    Attributes:
        field: the CT and its skull mask.
        cavity: its intracranial space and head frame.
        source: as of the CT, with ``threshold_hu``, ``voxel_mm`` and ``frame``.
    """

    field: Field
    cavity: Cavity
    source: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class CalvariaMap:
    """The outer surface of a calvaria, N vertices, and what was measured below each.

    Attributes:
        points_ras: float64 (N, 3), RAS mm, on the wall's outer edge at half height.
        triangles: int32 (T, 3), counter-clockwise seen from outside.
        normals: float64 (N, 3), outward unit vectors along which was measured.
        values: float64 (N,) for each of ``metrics.METRICS``; NaN where the code is not 0. Others
            (``REALNESS``) may have been added, NaN where nothing is known; the map of another
            version may lack some and have others.
        code: uint8 (N,), what the ray met, see ``codes.CODES``.
        bone: (N,) texts out of ``cut_plan.BONES``.
        side: (N,) texts, left or right.
        source: what is known of the CT (scanner, kernel, kVp, slice thickness) and of the map
            (``threshold_hu``, ``voxel_mm``, ``spacing_mm``, ``head_to_ras``); nothing of the
            patient.
        created_by: program and version.
    """

    points_ras: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    values: Mapping[str, np.ndarray]
    code: np.ndarray
    bone: np.ndarray
    side: np.ndarray
    source: Mapping[str, Any] = field(default_factory=dict)
    created_by: str = f"skullgan {__version__}"

    def __len__(self) -> int:
        return len(self.points_ras)


def prepare(
    ct: HeadCT,
    mask: np.ndarray | None = None,
    *,
    landmarks: Mapping[str, np.ndarray] | None = None,
    threshold_hu: float | None = None,
    threads: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[Head, np.ndarray]:
    """Find the head frame and the skull of a CT and make it ready for interpolation.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall; found by ``skull_mask`` if None.
        landmarks: what ``landmarks.read`` gave, to lay the head frame through.
        threshold_hu: HU from which bone begins; ``skull.bone_threshold_hu`` if None.
        threads: how many work at once; None is one a core, up to four.
        on_progress: called with the share of the work done, 0 to 1.

    Returns:
        The head, and its skull mask, uint8 (slices, rows, columns).

    Raises:
        BadInputError: if there is no vault in the CT, the mask is of another grid or empty, or the
            threshold makes no sense.
    """
    if mask is not None and mask.shape != ct.hu.shape:
        raise BadInputError(
            f"Expected a skull mask on the CT's grid {ct.hu.shape}, found {mask.shape} voxels."
        )
    if mask is not None and not mask.any():
        raise BadInputError("Expected the skull in the skull mask, found it empty.")
    report_progress = on_progress or (lambda share: None)
    cavity = find_cavity(ct, landmarks)
    report_progress(0.3)
    threshold_hu = threshold_or_fitted(threshold_hu, ct, cavity)
    if mask is None:
        mask = skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity, threads=threads)
    report_progress(0.9)
    made = Field.of(ct, mask, threshold_hu, threads, cavity.is_bare)
    report_progress(1.0)
    source = {
        **ct.source,
        "threshold_hu": threshold_hu,
        "voxel_mm": ct.spacing_mm.tolist(),
        "frame": frame_source(cavity.frame, landmarks),
    }
    return Head(made, cavity, source), mask


def calvaria(head: Head, spacing_mm: float = surface.SPACING_MM) -> CalvariaMap:
    """Map the calvaria: its outer surface, measured at every vertex along the inward normal.

    A vertex's profile is the mean of its own and of those around it, a disk of about 1.5 mm: a
    minimum, and so the SDR of a single ray, falls with noise.

    Args:
        head: what ``prepare`` gave.
        spacing_mm: distance of neighboring vertices.

    Raises:
        BadInputError: if the mask holds no wall around the middle of the head, or the spacing is
            none.
    """
    if not 0.3 <= spacing_mm <= 10.0:
        raise BadInputError(
            f"Expected a spacing of the map of 0.3 to 10 mm, found {spacing_mm:g} mm."
        )
    frame = head.cavity.frame
    mesh = surface.outer_surface(head.field, head.cavity, spacing_mm)
    normals = mesh.normals @ frame.head_to_ras[:3, :3].T
    points = frame.to_ras(mesh.points)
    found = rays.measure(
        head.field, points + _OUTSIDE_MM * normals, -normals, _REACH_MM, mesh.neighbors
    )
    below = found.entry_mm - _OUTSIDE_MM
    code = np.where(below > _DEEPEST_START_MM, NO_BONE, found.code).astype(np.uint8)
    code = _without_lonely(code, mesh.neighbors)
    # A wall that is lacking is one that was not scanned if its ray begins or should meet it there.
    unseen = head.field.is_outside(points) | head.field.is_outside(points + _OUTSIDE_MM * normals)
    code[(code == NO_BONE) & unseen] = OUTSIDE
    measured = code == MEASURED
    moved = np.where(measured, np.clip(below, -_MOST_MOVED_MM, _MOST_MOVED_MM), np.nan)
    if measured.any():
        moved = surface.filled(moved, mesh.neighbors)
        moved = surface.smoothed(moved, mesh.neighbors, surface.SMOOTHING_MM, spacing_mm)
        points = points - moved[:, None] * normals
    bone, side = bones_of(head.cavity, points)
    return CalvariaMap(
        points_ras=points,
        triangles=mesh.triangles,
        normals=normals,
        values={name: np.where(measured, one, np.nan) for name, one in found.values.items()},
        code=code,
        bone=bone,
        side=side,
        source={
            **head.source,
            "spacing_mm": spacing_mm,
            "head_to_ras": frame.head_to_ras.tolist(),
        },
    )


def _without_lonely(code: np.ndarray, neighbors: sparse.csr_array) -> np.ndarray:
    """Take the code of most neighbors where a measured vertex stands nearly alone among vertices
    that are not: there a septum or the rim of a hole was met, not a wall."""
    shares = np.stack([neighbors @ (code == each).astype(np.float32) for each in CODES])
    lonely = (code == MEASURED) & (shares[MEASURED] < _LEAST_COMPANY)
    others = shares.copy()
    others[MEASURED] = 0.0
    return np.where(lonely, others.argmax(axis=0), code).astype(np.uint8)


def with_realness(found: CalvariaMap, realness: np.ndarray) -> CalvariaMap:
    """Add the realness of segments, laid back on the skull (``realness.on_surface``), to a map."""
    return replace(found, values={**found.values, REALNESS: realness})


def checked_values(found: CalvariaMap, scalar: str) -> np.ndarray:
    """The values (N,) of a scalar by its name.

    Raises:
        BadInputError: if the map has none of that name.
    """
    if scalar not in found.values:
        raise BadInputError(
            f"Expected a scalar of the map out of {', '.join(found.values)}, found {scalar!r}."
        )
    return found.values[scalar]
