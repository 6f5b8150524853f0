"""Maps of the calvaria: thickness, SDR and intensity everywhere on its outer surface.

``prepare`` makes a head CT ready, ``calvaria`` maps it: a mesh of the outer surface (``surface``)
and at each vertex what a ray along the inward normal measured (``rays``). ``summary`` puts the map
into numbers by bone and side, ``caveats`` says what a reader must know of them, and ``overlay``
brings the map onto the voxels of the wall. ``vtp`` keeps a map as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from .. import __version__
from ..anatomy.cavity import Cavity, find_cavity
from ..anatomy.cut_plan import BONES, SIDES, bones_of
from ..anatomy.skull import skull_mask, threshold_or_fitted
from ..ct.volume import HeadCT
from ..errors import BadInputError
from ..metrics import METRICS, kernel_is_soft
from . import rays, surface
from .rays import CODES, MEASURED, METAL, NO_BONE, OUTSIDE

SDR_LIMIT = 0.40
"""Treatments commonly exclude a mean SDR below this."""
COARSEST_MM = 2.0
"""Largest voxel whose SDR and thickness are told without a warning, as for segments."""
UNITS = {name: "" for name in METRICS} | {"thickness_mm": "mm", "mean_intensity_hu": "HU"}
REALNESS = "realness"
"""Name of the scalar that ``with_realness`` adds to a map."""
ALL = "all"
REASONS = {meaning.replace(" ", "_"): code for code, meaning in CODES.items() if code != MEASURED}
"""Why a ray was not measured, as a column's name, with its code."""

_OUTSIDE_MM = 4.0  # rays start so far outside the smoothed surface
_DEEPEST_START_MM = 6.0  # below it; what begins deeper is a ridge behind a hole in the wall
_REACH_MM = 30.0
_BLOCK_MM = 1.0
_LEAST_COMPANY = 0.45  # share of measured vertices among one and its six neighbors
_MOST_MOVED_MM = 3.0  # from the smoothed mask to the edge at half height
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_THICK_SLICES_MM = 1.5
_MENTIONED = 0.01  # share of the map from which rays not measured are told of


@dataclass(frozen=True, eq=False)
class Head:
    """A head CT made ready for maps and rays.

    Attributes:
        field: the CT and its skull mask.
        cavity: its intracranial space and head frame.
        source: as of the CT, with ``threshold_hu`` and ``voxel_mm``.
    """

    field: rays.Field
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
            (``REALNESS``) may have been added, NaN where nothing is known.
        code: uint8 (N,), what the ray met, see ``rays.CODES``.
        bone: (N,) texts out of ``sites.BONES``.
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
            f"The skull mask has {mask.shape} voxels, the CT {ct.hu.shape}; the same grid is "
            "needed."
        )
    if mask is not None and not mask.any():
        raise BadInputError("The skull mask is empty, the skull is needed in it.")
    report_progress = on_progress or (lambda share: None)
    cavity = find_cavity(ct, landmarks)
    report_progress(0.3)
    threshold_hu = threshold_or_fitted(threshold_hu, ct, cavity)
    if mask is None:
        mask = skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity, threads=threads)
    report_progress(0.9)
    made = rays.Field.of(ct, mask, threshold_hu, threads)
    report_progress(1.0)
    source = {**ct.source, "threshold_hu": threshold_hu, "voxel_mm": ct.spacing_mm.tolist()}
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
            f"The spacing of the map is {spacing_mm:g} mm, 0.3 to 10 mm are needed."
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
    code[(code == NO_BONE) & head.field.is_outside(points)] = OUTSIDE
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


def summary(found: CalvariaMap) -> list[dict[str, Any]]:
    """Put a map into numbers: a row per metric, bone and side, and for the whole calvaria.

    Returns:
        Dictionaries with ``bone``, ``side`` (both ``all`` for the whole), ``metric``, ``unit``,
        ``count`` of vertices measured, ``mean``, ``sd``, ``q05``, ``q25``, ``q50``, ``q75``,
        ``q95``, ``share_below_0.40`` (of SDR, None elsewhere), and the number of vertices that
        were not measured, by reason. Statistics of no vertex are None.
    """
    groups = [(ALL, ALL, np.ones(len(found), bool))]
    groups += [
        (bone, side, (found.bone == bone) & (found.side == side))
        for bone in BONES
        for side in SIDES
    ]
    return [
        {
            "bone": bone,
            "side": side,
            "metric": metric,
            "unit": UNITS[metric],
            **statistics(found.values[metric][where], is_sdr=metric.startswith("sdr")),
            **not_measured(found.code[where]),
        }
        for bone, side, where in groups
        for metric in METRICS
    ]


def not_measured(code: np.ndarray) -> dict[str, int]:
    """How many rays were not measured, for each of ``REASONS``."""
    return {name: int(np.count_nonzero(code == each)) for name, each in REASONS.items()}


def statistics(values: np.ndarray, *, is_sdr: bool) -> dict[str, Any]:
    """Count, mean, standard deviation and quantiles of what is not NaN, as in ``summary``."""
    values = values[~np.isnan(values)]
    there = bool(values.size)
    quantiles = np.quantile(values, _QUANTILES) if there else [None] * len(_QUANTILES)
    return {
        "count": int(values.size),
        "mean": float(values.mean()) if there else None,
        "sd": float(values.std()) if there else None,
        **{
            f"q{round(100 * q):02d}": None if value is None else float(value)
            for q, value in zip(_QUANTILES, quantiles, strict=True)
        },
        f"share_below_{SDR_LIMIT:.2f}": (
            float((values < SDR_LIMIT).mean()) if is_sdr and there else None
        ),
    }


def caveats(source: Mapping[str, Any], code: np.ndarray | None = None) -> list[str]:
    """Say what must be known beside an SDR: a sentence for each thing, none if all is well.

    Args:
        source: of the map or the CT.
        code: of the map's vertices or the array's rays, to tell of those not measured.
    """
    found = []
    kernel = source.get("kernel")
    soft = kernel_is_soft(str(kernel)) if kernel else None
    if soft:
        found.append(
            f"The kernel {kernel} is soft: it blurs the diploë into the tables, the SDR is higher "
            f"than with a bone kernel and must not be held against {SDR_LIMIT:.2f}."
        )
    elif soft is None:
        what = f"The kernel {kernel} is not known here" if kernel else "The CT names no kernel"
        found.append(
            f"{what}: SDR differs by 0.05 and more between kernels, compare only with the same one."
        )
    slices_mm = source.get("slice_thickness_mm")
    if slices_mm and slices_mm > _THICK_SLICES_MM:
        found.append(
            f"The slices are {slices_mm:g} mm thick: tables and diploë run into each other, SDR "
            "and thickness come out too high."
        )
    voxel_mm = source.get("voxel_mm", [0.0])
    if max(voxel_mm) > COARSEST_MM * 1.001:
        size = " x ".join(f"{mm:.3g}" for mm in voxel_mm)
        found.append(
            f"The voxels are {size} mm, above {COARSEST_MM:g} mm they do not show the tables: SDR "
            "and thickness come out too high."
        )
    if code is not None and len(code):
        for which, what in (
            (METAL, "meets metal; values beside it suffer from streaks"),
            (OUTSIDE, "leaves the field of view"),
        ):
            share = float(np.mean(np.asarray(code) == which))
            if share > (0 if which == METAL else _MENTIONED):
                found.append(f"{share:.1%} of the map {what}; it is not measured there.")
    return found


def _without_lonely(code: np.ndarray, neighbors: sparse.csr_array) -> np.ndarray:
    """Take the code of most neighbors where a measured vertex stands nearly alone among vertices
    that are not: there a septum or the rim of a hole was met, not a wall."""
    shares = np.stack([neighbors @ (code == each).astype(np.float32) for each in CODES])
    lonely = (code == MEASURED) & (shares[MEASURED] < _LEAST_COMPANY)
    others = shares.copy()
    others[MEASURED] = 0.0
    return np.where(lonely, others.argmax(axis=0), code).astype(np.uint8)


def vertex_numbers(found: CalvariaMap, mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Say for every voxel of the wall which vertex's ray it lies on: the nearest vertex's.

    Voxels well below a millimeter are asked about in blocks of about one, for the vertices are no
    nearer to each other.

    Args:
        found: the map of a CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        ijk_to_ras: float (4, 4) of the CT.

    Returns:
        int32 (slices, rows, columns), -1 outside the wall.
    """
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)[::-1]
    block = np.maximum(1, np.rint(_BLOCK_MM / spacing)).astype(int)
    wall = np.nonzero(mask)
    blocks = tuple(along // by for along, by in zip(wall, block, strict=True))
    nearest = np.full(-(-np.array(mask.shape) // block), -1, np.int32)
    nearest[blocks] = 0
    asked = np.argwhere(nearest == 0)
    ijk = (asked * block + (block - 1) / 2)[:, ::-1]
    ras = ijk @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]
    nearest[tuple(asked.T)] = cKDTree(found.points_ras).query(ras, workers=-1)[1]
    numbers = np.full(mask.shape, -1, np.int32)
    numbers[wall] = nearest[blocks]
    return numbers


def overlay(found: CalvariaMap, numbers: np.ndarray, scalar: str = "thickness_mm") -> np.ndarray:
    """Give every voxel of the wall the value of its ray.

    Args:
        found: the map.
        numbers: what ``vertex_numbers`` gave.
        scalar: one of ``found.values``.

    Returns:
        float32 (slices, rows, columns): 0 outside the wall and where nothing is known, and the code
        with a minus sign where the ray was not measured (-1 no bone, -2 air, ...).

    Raises:
        BadInputError: if the scalar is not known.
    """
    values = np.nan_to_num(checked_values(found, scalar), nan=0.0)
    values = np.where(found.code == MEASURED, values, -found.code.astype(float))
    # Number -1 takes the last entry, which stands for what is no wall.
    return np.append(values, 0.0).astype(np.float32)[numbers]


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
            f"The map has no {scalar!r}, needed is one of {', '.join(found.values)}."
        )
    return found.values[scalar]
