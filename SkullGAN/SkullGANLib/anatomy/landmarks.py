"""Landmarks of a head, out of a 3D Slicer markups file: nasion, inion, left and right porion.

``read`` takes what Slicer's point lists are saved as, ``.mrk.json`` and the older ``.fcsv``, and
gives RAS mm; ``check_plausible`` and ``check_inside`` refuse points that cannot be those of one
human head, or of this CT. ``frame`` makes the head frame of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..utils.json_text import parse_json, read_bytes

NAMES = ("nasion", "inion", "left porion", "right porion")

_SHORT_FORMS = {
    "nasion": ("nasion", "n", "na", "nas", "nz"),
    "inion": ("inion", "i", "in", "iz"),
    "left porion": ("leftporion", "porionleft", "lporion", "porionl", "lpor", "porl", "lpo", "pol"),
    "right porion": (
        *("rightporion", "porionright", "rporion", "porionr", "rpor", "porr", "rpo", "por"),
    ),
}
_EXPECTED = f"expected a 3D Slicer point list (.mrk.json or .fcsv) with {', '.join(NAMES)}"
_LARGEST_BYTES = 10 * 1024**2
_SYSTEMS = {"RAS": 1.0, "0": 1.0, "LPS": -1.0, "1": -1.0}  # sign of R and A

# Distances in mm, children to large adults with room for landmarks on the skin.
_NASION_TO_INION_MM = (110.0, 230.0)
_PORION_TO_PORION_MM = (70.0, 180.0)
_MOST_ASKEW_DEG = 20.0  # of the line between the poria against a right angle to nasion-inion
_MOST_ASIDE_MM = 20.0  # middle of the poria beside the line nasion-inion
_PORIA_ALONG = (0.25, 0.75)  # where they stand on the way from the inion to the nasion
_BEYOND_MM = 1.0  # a landmark on the CT's last voxel may be rounded outside


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Read the four landmarks.

    Labels may be written in any case and with spaces, hyphens or underscores: ``nasion`` (``n``,
    ``na``, ``nas``, ``nz``), ``inion`` (``i``, ``in``, ``iz``), ``left porion`` (``porion left``,
    ``l porion``, ``porion l``, ``l por``, ``por l``, ``l po``, ``po l``) and likewise ``right
    porion``. Other points in the file are passed over.

    Args:
        path: a point list saved by 3D Slicer.

    Returns:
        float64 (3,), RAS mm, by each of ``NAMES``.

    Raises:
        BadInputError: if it is no such file, does not say in which coordinates it is, lacks a
            landmark or has one twice, or one is not placed.
    """
    path = Path(path)
    text = _text(path)
    points = _of_json(path, text) if text.lstrip().startswith("{") else _of_fcsv(path, text)
    found: dict[str, np.ndarray] = {}
    for label, ras in points:
        name = _name(label)
        if name is None:
            continue
        if name in found:
            raise BadInputError(f"{path}: has the {name} twice, expected one.")
        if ras is None:
            raise BadInputError(f"{path}: has a {name} that is not placed, expected its place.")
        found[name] = ras
    lacking = [name for name in NAMES if name not in found]
    if lacking:
        raise BadInputError(f"{path}: lacks {', '.join(lacking)}; {_EXPECTED}.")
    return found


def check_plausible(landmarks: Mapping[str, np.ndarray]) -> None:
    """Refuse what cannot be the landmarks of one human head.

    Args:
        landmarks: float (3,), RAS mm, by each of ``NAMES``.

    Raises:
        BadInputError: if one is missing, left and right or front and back are exchanged, or their
            distances and angles are not those of a head.
    """
    lacking = [name for name in NAMES if name not in landmarks]
    if lacking:
        raise BadInputError(f"The landmarks lack {', '.join(lacking)}; expected all four.")
    nasion, inion, left, right = (np.asarray(landmarks[name], float) for name in NAMES)
    if not np.isfinite([nasion, inion, left, right]).all():
        raise BadInputError("The landmarks hold NaN or infinite coordinates, expected mm.")
    if right[0] <= left[0]:
        raise BadInputError(
            f"The left porion lies {left[0] - right[0]:.0f} mm to the right of the right porion "
            "(RAS), expected the patient's own left and right."
        )
    if nasion[1] <= inion[1]:
        raise BadInputError(
            f"The nasion lies {inion[1] - nasion[1]:.0f} mm behind the inion (RAS), expected the "
            "patient's own front and back."
        )
    forward, across = nasion - inion, right - left
    length, width = np.linalg.norm(forward), np.linalg.norm(across)
    for what, found, (least, most) in (
        ("Nasion and inion", length, _NASION_TO_INION_MM),
        ("The poria", width, _PORION_TO_PORION_MM),
    ):
        if not least <= found <= most:
            raise BadInputError(
                f"{what} lie {found:.0f} mm apart, expected {least:.0f} to {most:.0f} mm."
            )
    askew_deg = float(np.rad2deg(np.arcsin(abs(forward @ across) / (length * width))))
    if askew_deg > _MOST_ASKEW_DEG:
        raise BadInputError(
            f"The line between the poria is {askew_deg:.0f} degrees off a right angle to that from "
            f"inion to nasion, expected at most {_MOST_ASKEW_DEG:.0f}."
        )
    middle = (left + right) / 2.0 - inion
    share = float(middle @ forward / length**2)
    if not _PORIA_ALONG[0] <= share <= _PORIA_ALONG[1]:
        raise BadInputError(
            f"The poria stand at {share:.0%} of the way from inion to nasion, "
            f"expected {_PORIA_ALONG[0]:.0%} to {_PORIA_ALONG[1]:.0%}."
        )
    sideways = across - (across @ forward) / length**2 * forward
    aside_mm = abs(float(middle @ sideways / np.linalg.norm(sideways)))
    if aside_mm > _MOST_ASIDE_MM:
        raise BadInputError(
            f"The line from inion to nasion passes {aside_mm:.0f} mm beside the poria's middle, "
            f"expected at most {_MOST_ASIDE_MM:.0f} mm."
        )


def check_inside(
    landmarks: Mapping[str, np.ndarray], ijk_to_ras: np.ndarray, shape: tuple[int, ...]
) -> None:
    """Refuse landmarks that lie outside a volume (slices, rows, columns).

    Raises:
        BadInputError: if one does.
    """
    to_ijk = np.linalg.inv(ijk_to_ras)
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    for name in NAMES:
        ijk = to_ijk[:3, :3] @ landmarks[name] + to_ijk[:3, 3]
        last = np.array(shape[::-1]) - 0.5
        outside_mm = float((np.maximum(np.maximum(-0.5 - ijk, ijk - last), 0) * spacing).max())
        if outside_mm > _BEYOND_MM:
            raise BadInputError(
                f"The {name} lies {outside_mm:.0f} mm outside the CT, expected landmarks of the "
                "same CT."
            )


def _text(path: Path) -> str:
    expected = _EXPECTED.removeprefix("expected ")
    content = read_bytes(path, expected, most_bytes=_LARGEST_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: is no text, {_EXPECTED}.") from error


def _of_json(path: Path, text: str) -> Iterator[tuple[str, np.ndarray | None]]:
    """Labels and places of a .mrk.json file; None is a point that is not placed."""
    try:
        lists = _parsed(path, text)["markups"]
        for one in lists:
            sign = _sign(path, one.get("coordinateSystem"))
            units = one.get("coordinateUnits", "mm")
            if set([units] if isinstance(units, str) else units) != {"mm"}:
                raise BadInputError(f"{path}: its coordinates are in {units}, expected mm.")
            for point in one["controlPoints"]:
                placed = point.get("positionStatus", "defined") == "defined"
                yield str(point.get("label", "")), _ras(point.get("position"), sign, placed)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadInputError(f"{path}: is no markups file, {_EXPECTED}.") from error


def _parsed(path: Path, text: str) -> Any:
    try:
        return parse_json(text, str(path))
    except BadInputError as error:
        raise BadInputError(f"{path}: is no markups file, {_EXPECTED}.") from error


def _of_fcsv(path: Path, text: str) -> Iterator[tuple[str, np.ndarray | None]]:
    """Labels and places of a .fcsv file."""
    head = {}
    for line in text.splitlines():
        name, equals, value = line.removeprefix("#").partition("=")
        if line.startswith("#") and equals:
            head[name.strip()] = value.strip()
    columns = [name.strip() for name in head.get("columns", "").split(",")]
    if not {"x", "y", "z", "label"} <= set(columns):
        raise BadInputError(f"{path}: is no markups file, {_EXPECTED}.")
    sign = _sign(path, head.get("CoordinateSystem"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        for row in csv.reader(lines):
            values = dict(zip(columns, row, strict=False))
            position = [values[axis] for axis in "xyz"]
            yield values["label"], _ras(position, sign, placed=True)
    except (KeyError, csv.Error) as error:
        raise BadInputError(f"{path}: has an incomplete line, {_EXPECTED}.") from error


def _sign(path: Path, system: Any) -> float:
    if str(system) not in _SYSTEMS:
        raise BadInputError(
            f"{path}: its coordinate system is {system or 'not stated'}, expected LPS or RAS."
        )
    return _SYSTEMS[str(system)]


def _ras(position: Any, sign: float, placed: bool) -> np.ndarray | None:
    try:
        values = np.array(position, float)
    except (ValueError, TypeError):
        return None
    if not placed or values.shape != (3,) or not np.isfinite(values).all():
        return None
    return values * [sign, sign, 1.0]


def _name(label: str) -> str | None:
    """Which landmark a label means, None if none of ours."""
    plain = re.sub(r"[\s_.\-]+", "", label).lower()
    for name, forms in _SHORT_FORMS.items():
        if plain in forms:
            return name
    return None
