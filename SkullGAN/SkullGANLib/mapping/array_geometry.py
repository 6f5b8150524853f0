"""Where the elements of an ultrasound array are, and the target that they aim at.

``hemisphere`` gives the elements by formula, ``read_elements`` those of a file; ``place`` puts them
over a head. ``default_target`` and ``checked_target`` say where in a head the focus is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..anatomy.cavity import Cavity
from ..anatomy.head_frame import HeadFrame, voxels_ras
from ..errors import BadInputError
from ..utils.json_text import read_bytes

ELEMENTS = 1024
RADIUS_MM = 150.0
"""Elements and radius of the clinical hemispherical array (30 cm across)."""
COVERAGE_DEG = 90.0
"""From the array's axis to its rim: a whole hemisphere."""

_FARTHEST_MM = 8.0  # a target may lie so far outside the opened intracranial space (in a recess)
_EXPECTED = "expected a CSV file with the columns x, y, z in mm"
_LARGEST_BYTES = 10 * 1024**2
_MOST_ELEMENTS = 10_000  # the lines of more would not fit in memory together


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
            f"Expected an array of 1 to {_MOST_ELEMENTS:,} elements on a radius above 0 mm and up "
            f"to 180 degrees, found {count} elements on {radius_mm:g} mm up to {coverage_deg:g} "
            "degrees."
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
    content = read_bytes(path, _EXPECTED.removeprefix("expected "), most_bytes=_LARGEST_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: is no text, {_EXPECTED}.") from error
    lines = csv.DictReader(io.StringIO(text))
    names = [(name or "").strip().lower() for name in lines.fieldnames or ()]
    lacking = [axis for axis in "xyz" if axis not in names]
    if lacking:
        raise BadInputError(
            f"{path}: its columns are {', '.join(names) or 'none'}, {', '.join(lacking)} "
            f"{'is' if len(lacking) == 1 else 'are'} missing; {_EXPECTED}."
        )
    lines.fieldnames = names
    found = []
    try:
        for row in lines:
            found.append([float(row[axis]) for axis in "xyz"])
    except (TypeError, ValueError, csv.Error) as error:
        raise BadInputError(
            f"{path}: line {len(found) + 2} has no three numbers, {_EXPECTED}."
        ) from error
    elements = np.array(found)
    if not 1 <= len(elements) <= _MOST_ELEMENTS or not np.isfinite(elements).all():
        raise BadInputError(
            f"{path}: has {len(elements)} elements, expected 1 to {_MOST_ELEMENTS:,} with finite "
            "places."
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
        raise BadInputError(f"Expected a target as R,A,S in mm, such as 0,-10,5, found {text!r}.")
    return found


def checked_target(cavity: Cavity, target_ras: Sequence[float] | np.ndarray | None) -> np.ndarray:
    """Give a target, float64 (3,), RAS mm; ``default_target`` if None.

    Raises:
        BadInputError: if it is no point or lies outside the intracranial space.
    """
    if target_ras is None:
        return default_target(cavity)
    target = np.asarray(target_ras, float)
    if target.shape != (3,) or not np.isfinite(target).all():
        raise BadInputError(
            f"Expected a target of three coordinates in mm (R, A, S), found {target.tolist()}."
        )
    away_mm = _outside_mm(cavity, target)
    if away_mm > _FARTHEST_MM:
        where = ", ".join(f"{mm:.0f}" for mm in target)
        raise BadInputError(
            f"Expected a target inside the head (R, A, S in mm), found ({where}), which lies "
            f"{away_mm:.0f} mm outside the intracranial space."
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
