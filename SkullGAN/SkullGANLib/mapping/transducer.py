"""An ultrasound array over the head: what each of its elements sees of the skull.

Clinical systems decide on a patient by the mean SDR over about 1,024 straight rays from the
elements of a hemispherical array to the target. ``cast`` sends the rays; where the elements and the
target are is a matter of ``array_geometry``, and ``array_table`` puts the rays into numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from ..errors import BadInputError
from . import rays
from .array_geometry import checked_target, hemisphere, place
from .calvaria_map import CalvariaMap, Head
from .codes import MEASURED

MOST_INCIDENCE_DEG = 25.0
"""An element is active if its ray meets the skull at no more than this and goes through bone
without air. Beyond 20 to 30 degrees longitudinal waves are reflected and shear waves take over
(Clement, White, Hynynen, J. Acoust. Soc. Am. 115, 2004); treatment planning switches such elements
off. Clinical systems have their own rules: the limit is a setting."""

SINGLE_RAY_METRICS = ("sdr_peaks", "sdr_outer_peak")
SINGLE_RAY = "_single_ray"
"""Behind the names of those metrics where they are measured as Kranion does, by one ray an element
and trilinear interpolation instead of the mean of a bundle and a cubic spline, so that numbers can
be compared: a single ray's dip falls with noise, and trilinear HU flatten it."""

_BUNDLE_MM = 1.0
"""Rays around an element's own, this far beside it, whose profiles are averaged into its (as a
map averages neighboring vertices): the SDR of a single line falls with noise."""
_BUNDLE = 6


@dataclass(frozen=True, eq=False)
class ArrayRays:
    """What the N elements of an array see on their way to the target.

    Attributes:
        elements_ras: float64 (N, 3), RAS mm.
        target_ras: float64 (3,).
        values: float64 (N,) for each of ``metrics.METRICS`` but the thickness, along the ray; NaN
            where the code is not 0.
        thickness_mm: float64 (N,), of the wall where the ray enters it, along the wall's normal.
        path_mm: float64 (N,), way through the wall along the ray.
        single_ray: float64 (N,) for each of ``SINGLE_RAY_METRICS``, of one trilinear ray.
        incidence_deg: float64 (N,), between the ray and the inward normal of the wall's smoothed
            outer surface where it enters.
        code: uint8 (N,), what the ray met, see ``codes.CODES``; rays below the vault meet no bone.
        active: bool (N,), measured and met at no more than ``most_incidence_deg``.
        most_incidence_deg: the rule's limit.
    """

    elements_ras: np.ndarray
    target_ras: np.ndarray
    values: Mapping[str, np.ndarray]
    thickness_mm: np.ndarray
    path_mm: np.ndarray
    single_ray: Mapping[str, np.ndarray]
    incidence_deg: np.ndarray
    code: np.ndarray
    active: np.ndarray
    most_incidence_deg: float

    def __len__(self) -> int:
        return len(self.code)


def cast(
    head: Head,
    calvaria: CalvariaMap,
    target_ras: Sequence[float] | np.ndarray | None = None,
    elements_ras: np.ndarray | None = None,
    most_incidence_deg: float = MOST_INCIDENCE_DEG,
) -> ArrayRays:
    """Send a straight ray from every element to the target.

    Args:
        head: what ``calvaria_map.prepare`` gave.
        calvaria: its map, for the wall's normal and thickness where a ray enters.
        target_ras: (3,), RAS mm; ``array_geometry.default_target`` if None.
        elements_ras: (N, 3), RAS mm; ``hemisphere`` over the target if None.
        most_incidence_deg: see ``MOST_INCIDENCE_DEG``.

    Raises:
        BadInputError: if the target lies outside the intracranial space, or an element at it.
    """
    target = checked_target(head.cavity, target_ras)
    if elements_ras is None:
        elements_ras = place(hemisphere(), target, head.cavity.frame)
    way = target - elements_ras
    distance = np.linalg.norm(way, axis=1)
    if distance.min() < 1.0:
        raise BadInputError(
            "Expected a way between the array and the target, found an element at the target."
        )
    directions = way / distance[:, None]
    found, single, entry_mm = _measured_along(head, elements_ras, directions, distance)
    entry = elements_ras + np.nan_to_num(entry_mm)[:, None] * directions
    nearest = cKDTree(calvaria.points_ras, compact_nodes=False, balanced_tree=False).query(entry)[1]
    measured = found.code == MEASURED
    cosine = -(directions * calvaria.normals[nearest]).sum(axis=1)
    incidence = np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0)))
    incidence = np.where(measured, incidence, np.nan)
    values = dict(found.values)
    path_mm = values.pop("thickness_mm")
    return ArrayRays(
        elements_ras=elements_ras,
        target_ras=target,
        values=values,
        thickness_mm=np.where(measured, calvaria.values["thickness_mm"][nearest], np.nan),
        path_mm=path_mm,
        single_ray={name: single.values[name] for name in SINGLE_RAY_METRICS},
        incidence_deg=incidence,
        code=found.code,
        active=measured & (np.nan_to_num(incidence, nan=np.inf) <= most_incidence_deg),
        most_incidence_deg=most_incidence_deg,
    )


def _measured_along(
    head: Head, elements_ras: np.ndarray, directions: np.ndarray, distance_mm: np.ndarray
) -> tuple[rays.Rays, rays.Rays, np.ndarray]:
    """What the bundle of an element's rays measures, what its one trilinear ray does, and float64
    (N,), how far from the element the wall begins."""
    starts, average = _bundles(elements_ras, directions)
    longest_mm = float(distance_mm.max())
    # All rays end at the target: those of near elements are begun further out.
    back = np.tile(longest_mm - distance_mm, len(starts) // len(distance_mm))
    along = np.tile(directions, (len(starts) // len(directions), 1))
    begins = starts - back[:, None] * along
    found = rays.measure(head.field, begins, along, longest_mm, average)
    own = slice(len(directions))
    single = rays.measure(head.field, begins[own], directions, longest_mm, is_trilinear=True)
    return found, single, found.entry_mm - back[own]


def scalars_of(found: ArrayRays) -> dict[str, np.ndarray]:
    """Everything that has a number per element, by name."""
    return {
        **found.values,
        "thickness_mm": found.thickness_mm,
        "path_mm": found.path_mm,
        **{name + SINGLE_RAY: values for name, values in found.single_ray.items()},
        "incidence_deg": found.incidence_deg,
    }


def _bundles(starts: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, sparse.csr_array]:
    """Starts of all rays of all bundles, those of the elements themselves first, and the matrix
    that averages each bundle."""
    # Any two vectors across the ray: the axis it leans on least is never along it.
    least = np.eye(3)[np.abs(directions).argmin(axis=1)]
    across = np.cross(directions, least)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(directions, across)
    beside = [starts]
    for angle in 2 * np.pi * np.arange(_BUNDLE) / _BUNDLE:
        beside.append(starts + _BUNDLE_MM * (np.cos(angle) * across + np.sin(angle) * other))
    count = len(starts)
    rows = np.tile(np.arange(count), len(beside))
    weights = np.full(len(rows), 1.0 / len(beside), np.float32)
    average = sparse.coo_array((weights, (rows, np.arange(len(rows)))), (count, len(rows))).tocsr()
    return np.concatenate(beside), average
