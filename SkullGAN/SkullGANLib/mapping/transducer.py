"""An ultrasound array over the head: what each of its elements sees of the skull.

Clinical systems decide on a patient by the mean SDR over about 1,024 straight rays from the
elements of a hemispherical array to the target. ``hemisphere`` gives the elements by formula,
``read_elements`` those of a file; ``place`` puts them over a head, and ``cast`` sends the rays.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from ..anatomy.cavity import Cavity
from ..anatomy.head_frame import HeadFrame, voxels_ras
from ..errors import BadInputError
from ..utils.atomic_files import written_aside
from . import rays
from .calvaria_map import CalvariaMap, Head, not_measured, statistics
from .rays import CODES, MEASURED

ELEMENTS = 1024
RADIUS_MM = 150.0
"""Elements and radius of the clinical hemispherical array (30 cm across)."""
COVERAGE_DEG = 90.0
"""From the array's axis to its rim: a whole hemisphere."""
MOST_INCIDENCE_DEG = 25.0
"""An element is active if its ray meets the skull at no more than this and goes through bone
without air. Beyond 20 to 30 degrees longitudinal waves are reflected and shear waves take over
(Clement, White, Hynynen, J. Acoust. Soc. Am. 115, 2004); treatment planning switches such elements
off. Clinical systems have their own rules: the limit is a setting."""

_BUNDLE_MM = 1.0
"""Rays around an element's own, this far beside it, whose profiles are averaged into its (as a
map averages neighboring vertices): the SDR of a single line falls with noise."""
_BUNDLE = 6
_FARTHEST_MM = 8.0  # a target may lie so far outside the opened intracranial space (in a recess)
_NEEDED = "a CSV file with the columns x, y, z in mm is needed"
_MOST_ELEMENTS = 10_000  # the lines of more would not fit in memory together


@dataclass(frozen=True, eq=False)
class ArrayRays:
    """What the N elements of an array see on their way to the target.

    Attributes:
        elements_ras: float64 (N, 3), RAS mm.
        target_ras: float64 (3,).
        values: float64 (N,) for each SDR of ``metrics.METRICS`` and ``mean_intensity_hu``, along
            the ray; NaN where the code is not 0.
        thickness_mm: float64 (N,), of the wall where the ray enters it, along the wall's normal.
        path_mm: float64 (N,), way through the wall along the ray.
        incidence_deg: float64 (N,), between the ray and the inward normal of the wall's smoothed
            outer surface where it enters.
        code: uint8 (N,), what the ray met, see ``rays.CODES``; rays below the vault meet no bone.
        active: bool (N,), measured and met at no more than ``most_incidence_deg``.
        most_incidence_deg: the rule's limit.
    """

    elements_ras: np.ndarray
    target_ras: np.ndarray
    values: Mapping[str, np.ndarray]
    thickness_mm: np.ndarray
    path_mm: np.ndarray
    incidence_deg: np.ndarray
    code: np.ndarray
    active: np.ndarray
    most_incidence_deg: float

    def __len__(self) -> int:
        return len(self.code)


def hemisphere(
    count: int = ELEMENTS, radius_mm: float = RADIUS_MM, coverage_deg: float = COVERAGE_DEG
) -> np.ndarray:
    """Lay elements evenly on a spherical cap, along a Fibonacci spiral.

    Element n of N (from 0) lies at the height z = R (1 - (n + 1/2) / N (1 - cos(coverage))) and
    turned by n times the golden angle, π (3 - √5), about z: each stands for the same area
    (González, Math. Geosci. 42, 2010). The clinical array is patchy in its own way; the mean over
    many rays hardly feels it.

    Returns:
        float64 (count, 3), mm: the focus at 0, the array's axis along +z, the elements above.

    Raises:
        BadInputError: if there is no element, no radius or no cap.

    Example:
        >>> hemisphere(2, 100.0).round(1)
        array([[ 66.1,   0. ,  75. ],
               [-71.4,  65.4,  25. ]])
    """
    if not (1 <= count <= _MOST_ELEMENTS and radius_mm > 0 and 0 < coverage_deg <= 180):
        raise BadInputError(
            f"The array has {count} elements on a radius of {radius_mm:g} mm up to "
            f"{coverage_deg:g} degrees, 1 to {_MOST_ELEMENTS:,} elements, a radius above 0 and up "
            "to 180 degrees are needed."
        )
    number = np.arange(count)
    z = 1.0 - (number + 0.5) / count * (1.0 - np.cos(np.deg2rad(coverage_deg)))
    around = number * np.pi * (3.0 - np.sqrt(5.0))
    across = np.sqrt(1.0 - z**2)
    return radius_mm * np.stack([across * np.cos(around), across * np.sin(around), z], axis=1)


def read_elements(path: str | Path) -> np.ndarray:
    """Read the elements of an array: CSV with a header and the columns x, y, z.

    Other columns are passed over. Positions are those of ``hemisphere``: the focus at 0, +z along
    the array's axis to its elements, +x to the patient's right, +y to the front.

    Returns:
        float64 (N, 3), mm.

    Raises:
        BadInputError: if there is no such file, a column is missing, a place is no number or there
            is no element.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror}), {_NEEDED}.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: is no text, {_NEEDED}.") from error
    lines = csv.DictReader(io.StringIO(text))
    names = [(name or "").strip().lower() for name in lines.fieldnames or ()]
    lacking = [axis for axis in "xyz" if axis not in names]
    if lacking:
        raise BadInputError(
            f"{path}: its columns are {', '.join(names) or 'none'}, {', '.join(lacking)} "
            f"{'is' if len(lacking) == 1 else 'are'} missing; {_NEEDED}."
        )
    lines.fieldnames = names
    found = []
    try:
        for row in lines:
            found.append([float(row[axis]) for axis in "xyz"])
    except (TypeError, ValueError, csv.Error) as error:
        raise BadInputError(
            f"{path}: line {len(found) + 2} has no three numbers, {_NEEDED}."
        ) from error
    elements = np.array(found)
    if not 1 <= len(elements) <= _MOST_ELEMENTS or not np.isfinite(elements).all():
        raise BadInputError(
            f"{path}: has {len(elements)} elements, 1 to {_MOST_ELEMENTS:,} with finite places are "
            "needed."
        )
    return elements


def default_target(cavity: Cavity) -> np.ndarray:
    """The middle of the intracranial space above the floor of the vault, in the midsagittal plane
    of the head frame, float64 (3,), RAS mm."""
    points = cavity.frame.from_ras(voxels_ras(cavity.mask, cavity.ijk_to_ras))
    middle = points[points[:, 2] >= cavity.base_mm].mean(axis=0)
    return cavity.frame.to_ras(np.array([0.0, middle[1], middle[2]]))


def point(text: str) -> list[float]:
    """Read a point as it is typed: R,A,S in mm.

    Raises:
        BadInputError: if it is not three numbers.
    """
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != 3:
        raise BadInputError(f"The target is {text!r}, R,A,S in mm is needed, such as 0,-10,5.")
    return found


def checked_target(cavity: Cavity, target_ras: Sequence[float] | None) -> np.ndarray:
    """Give a target, float64 (3,), RAS mm; ``default_target`` if None.

    Raises:
        BadInputError: if it is no point or lies outside the intracranial space.
    """
    if target_ras is None:
        return default_target(cavity)
    target = np.asarray(target_ras, float)
    if target.shape != (3,) or not np.isfinite(target).all():
        raise BadInputError(
            f"The target is {target.tolist()}, three coordinates in mm (R, A, S) are needed."
        )
    away_mm = _outside_mm(cavity, target)
    if away_mm > _FARTHEST_MM:
        where = ", ".join(f"{mm:.0f}" for mm in target)
        raise BadInputError(
            f"The target ({where}) lies {away_mm:.0f} mm outside the intracranial space, a point "
            "inside the head is needed (R, A, S in mm)."
        )
    return target


def _outside_mm(cavity: Cavity, target_ras: np.ndarray) -> float:
    """From a point to the nearest voxel of the intracranial space, mm."""
    to_index = np.linalg.inv(cavity.ijk_to_ras)
    index = (to_index[:3, :3] @ target_ras + to_index[:3, 3])[::-1]
    reach = _FARTHEST_MM / np.linalg.norm(cavity.ijk_to_ras[:3, :3], axis=0)[::-1]
    low = np.maximum(np.floor(index - reach).astype(int), 0)
    high = np.maximum(np.ceil(index + reach).astype(int) + 1, 0)
    around = np.zeros_like(cavity.mask)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    around[box] = cavity.mask[box]
    near = around if around.any() else cavity.mask  # far ones are asked for the distance alone
    inside = voxels_ras(near, cavity.ijk_to_ras)
    return float(np.sqrt(((inside - target_ras) ** 2).sum(axis=1).min()))


def place(elements: np.ndarray, target_ras: np.ndarray, frame: HeadFrame) -> np.ndarray:
    """Put an array over a head: its focus on the target, its axis along the head's superior axis.

    Returns:
        float64 (N, 3), RAS mm.
    """
    return elements @ frame.head_to_ras[:3, :3].T + np.asarray(target_ras, float)


def cast(
    head: Head,
    calvaria: CalvariaMap,
    target_ras: Sequence[float] | None = None,
    elements_ras: np.ndarray | None = None,
    most_incidence_deg: float = MOST_INCIDENCE_DEG,
) -> ArrayRays:
    """Send a straight ray from every element to the target.

    Args:
        head: what ``maps.prepare`` gave.
        calvaria: its map, for the wall's normal and thickness where a ray enters.
        target_ras: (3,), RAS mm; ``default_target`` if None.
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
        raise BadInputError("An element of the array lies at the target, a way is needed between.")
    directions = way / distance[:, None]
    starts, average = _bundles(elements_ras, directions)
    # All rays end at the target: those of near elements are begun further out.
    back = distance.max() - distance
    back = np.tile(back, len(starts) // len(back))
    along = np.tile(directions, (len(starts) // len(directions), 1))
    found = rays.measure(
        head.field, starts - back[:, None] * along, along, float(distance.max()), average
    )
    entry_mm = found.entry_mm - back[: len(directions)]
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
        incidence_deg=incidence,
        code=found.code,
        active=measured & (np.nan_to_num(incidence, nan=np.inf) <= most_incidence_deg),
        most_incidence_deg=most_incidence_deg,
    )


def numbers(found: ArrayRays, bins: int = 20) -> dict[str, Any]:
    """The array in numbers, ready for JSON.

    Returns:
        ``elements``; ``measured`` and ``active`` counts; ``rule``; ``target_ras``; by reason how
        many were not measured; for each scalar its ``statistics`` over the measured rays, over the
        active ones, and a histogram (``edges`` and ``counts``) of the measured ones. The clinical
        number is the mean of ``sdr_peaks`` over the measured rays.
    """
    scalars = scalars_of(found)
    measured = found.code == MEASURED
    told: dict[str, Any] = {}
    for name, values in scalars.items():
        is_sdr = name.startswith("sdr")
        there = values[measured & np.isfinite(values)]
        range_ = (0.0, 1.0) if is_sdr else None
        counts, edges = np.histogram(
            np.clip(there, 0.0, 1.0) if is_sdr else there, bins=bins, range=range_
        )
        told[name] = {
            **statistics(values[measured], is_sdr=is_sdr),
            "active": statistics(values[found.active], is_sdr=is_sdr),
            "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        }
    return {
        "elements": len(found),
        "measured": int(measured.sum()),
        "active": int(found.active.sum()),
        "rule": (
            f"incidence at most {found.most_incidence_deg:g} degrees, through bone of the vault "
            "without air"
        ),
        "target_ras": found.target_ras.tolist(),
        **not_measured(found.code),
        "scalars": told,
    }


def scalars_of(found: ArrayRays) -> dict[str, np.ndarray]:
    """Everything that has a number per element, by name."""
    return {
        **found.values,
        "thickness_mm": found.thickness_mm,
        "path_mm": found.path_mm,
        "incidence_deg": found.incidence_deg,
    }


def columns(found: ArrayRays) -> dict[str, np.ndarray]:
    """The array as a table with a row per element: its number and place, the scalars (NaN where not
    measured), what the ray ``met`` and whether it is ``active`` (0 or 1), by column."""
    places = {f"{axis}_ras_mm": found.elements_ras[:, n] for n, axis in enumerate("xyz")}
    return {
        "element": np.arange(len(found)),
        **places,
        **scalars_of(found),
        "met": np.array([CODES[code] for code in found.code.tolist()]),
        "active": found.active.astype(np.int64),
    }


def write_csv(path: str | Path, found: ArrayRays) -> None:
    """Write ``columns`` as CSV; what was not measured stays empty.

    Raises:
        OutputError: if the file cannot be written.
    """
    table = columns(found)
    with (
        written_aside(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(table)
        for row in zip(*(values.tolist() for values in table.values()), strict=True):
            writer.writerow(
                ("" if np.isnan(one) else f"{one:.4f}") if isinstance(one, float) else one
                for one in row
            )


def read_csv(path: str | Path) -> dict[str, np.ndarray]:
    """Read back ``columns`` from a file of ``write_csv``.

    Raises:
        BadInputError: if there is no such file or it is something else.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        texts = {name: [row[name] for row in rows] for name in rows[0]}
        return {
            name: np.array(values)
            if name == "met"
            else np.array(values, int)
            if name in ("element", "active")
            else np.array([float(value or "nan") for value in values])
            for name, values in texts.items()
        }
    except (OSError, ValueError, TypeError, IndexError, csv.Error) as error:
        raise BadInputError(
            f"{path}: cannot be read as the rays of an array, a table of skullgan map --rays is "
            "needed."
        ) from error


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
