"""What an image file's header states of its geometry, before ITK makes something of what it lacks.

ITK reads a file that states no spacing as 1 mm, one that states no orientation as if its axes were
the scanner's, and a sheared NIfTI sform as if it were not there. A head CT without its geometry is
refused: left, right and every millimeter would be a guess.
"""

from __future__ import annotations

import gzip
import logging
import math
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import BadInputError

SPACING_MM = (0.1, 10.0)
"""Distances of voxels that a CT of a head has, and then some."""
MOST_SHEAR_DEG = 0.5
MOST_APART_MM = 1.0
"""How far sform and qform of one NIfTI file may put a voxel apart without a word."""

_log = logging.getLogger(__name__)

_HEADER_BYTES = 1 << 16
_NIFTI_1, _NIFTI_2 = 348, 540


def check_header(path: Path) -> None:
    """Check that a NRRD, NIfTI or MetaImage file states spacing and orientation, at right angles.

    A NIfTI file whose sform and qform differ is read by its qform, with a warning that says how far
    they are apart.

    Raises:
        BadInputError: if it does not; the sentence names the field.
    """
    name = path.name.lower()
    check: Callable[[Path, bytes], None]
    if name.endswith((".nii", ".nii.gz")):
        check = _check_nifti
    elif name.endswith((".nrrd", ".nhdr")):
        check = _check_nrrd
    elif name.endswith((".mha", ".mhd")):
        check = _check_metaimage
    else:
        return
    check(path, _beginning(path))


def _beginning(path: Path) -> bytes:
    """The first bytes of a file, unpacked if it is packed; empty if it cannot be read."""
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else open(path, "rb") as file:
            return file.read(_HEADER_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def _check_nifti(path: Path, header: bytes) -> None:
    """Places are those of nifti1.h: pixdim at byte 76, qform_code at 252, sform_code at 254,
    quaternion and offset at 256, the rows of the sform at 280."""
    if len(header) < _NIFTI_1 + 4:
        return  # truncated, which is said elsewhere
    order = "<" if struct.unpack_from("<i", header)[0] in (_NIFTI_1, _NIFTI_2) else ">"
    if struct.unpack_from(f"{order}i", header)[0] == _NIFTI_2:
        raise BadInputError(f"{path}: is a NIfTI-2 file, expected NIfTI-1 (.nii or .nii.gz).")
    pixdim = struct.unpack_from(f"{order}8f", header, 76)
    qform_code, sform_code = struct.unpack_from(f"{order}2h", header, 252)
    quaternion = struct.unpack_from(f"{order}6f", header, 256)
    rows = struct.unpack_from(f"{order}12f", header, 280)
    _check_spacing(path, "pixdim", np.array(pixdim[1:4]))
    if qform_code <= 0 and sform_code <= 0:
        raise BadInputError(
            f"{path}: states no orientation (qform_code and sform_code are 0), expected a CT whose "
            "sides are known."
        )
    sform = np.reshape(rows, (3, 4)) if sform_code > 0 else None
    if sform is not None:
        if not np.isfinite(sform).all():
            raise BadInputError(f"{path}: its sform holds NaN or infinite numbers.")
        _check_spacing(path, "sform", np.linalg.norm(sform[:, :3], axis=0))
        _check_right_angles(path, "sform", sform[:, :3])
    if sform is not None and qform_code > 0:
        size = struct.unpack_from(f"{order}3h", header, 42)
        apart_mm = _apart_mm(sform, _qform(pixdim, quaternion), size)
        if not apart_mm <= MOST_APART_MM:
            _log.warning(
                "%s: sform and qform put the same voxel up to %.0f mm apart; the qform is taken.",
                path,
                apart_mm,
            )


def _qform(pixdim: tuple[float, ...], numbers: tuple[float, ...]) -> np.ndarray:
    """The qform's (3, 4), RAS mm, as nifti1.h makes it of quaternion, offset and pixdim."""
    b, c, d = numbers[:3]
    a = math.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    scale = np.array(pixdim[1:4]) * [1.0, 1.0, -1.0 if pixdim[0] < 0 else 1.0]
    return np.column_stack([turn * scale, numbers[3:6]])


def _apart_mm(one: np.ndarray, other: np.ndarray, size: tuple[int, ...]) -> float:
    """How far two geometries (3, 4) put the corners of a grid apart at most."""
    corners = np.indices((2, 2, 2)).reshape(3, 8) * (np.reshape(size, (3, 1)) - 1)
    moved = (one - other)[:, :3] @ corners + (one - other)[:, 3:]
    return float(np.linalg.norm(moved, axis=0).max())


def _check_nrrd(path: Path, header: bytes) -> None:
    text = header.split(b"\n\n", 1)[0].decode("latin-1").replace("\r", "")
    fields = dict(re.findall(r"^([a-z ]+?):(?!=)[ \t]*(.*)$", text, flags=re.MULTILINE))
    if "space directions" not in fields:
        raise BadInputError(
            f"{path}: states no orientation (there are no 'space directions'), expected a CT whose "
            "sides are known."
        )
    if "space" not in fields:
        raise BadInputError(
            f"{path}: states no orientation (there is no 'space', such as "
            "left-posterior-superior), expected a CT whose sides are known."
        )
    vectors = re.findall(r"\(([^)]*)\)", fields["space directions"])
    try:
        columns = np.array([[float(one) for one in each.split(",")] for each in vectors]).T
    except ValueError:
        columns = np.zeros((0, 0))
    if columns.shape != (3, 3):
        raise BadInputError(
            f"{path}: its space directions are '{fields['space directions']}', expected three "
            "vectors of three numbers."
        )
    _check_spacing(path, "space directions", np.linalg.norm(columns, axis=0))
    _check_right_angles(path, "space directions", columns)


def _check_metaimage(path: Path, header: bytes) -> None:
    text = header.split(b"ElementDataFile", 1)[0].decode("latin-1").replace("\r", "")
    fields = dict(re.findall(r"^(\w+)[ \t]*=[ \t]*(.*)$", text, flags=re.MULTILINE))
    stated = fields.get("ElementSpacing", fields.get("ElementSize"))
    if stated is None:
        raise BadInputError(f"{path}: states no ElementSpacing, expected the voxels' size in mm.")
    matrix = fields.get("TransformMatrix", fields.get("Rotation", fields.get("Orientation")))
    if matrix is None:
        raise BadInputError(
            f"{path}: states no orientation (there is no TransformMatrix), expected a CT whose "
            "sides are known."
        )
    try:
        spacing = np.array(stated.split(), float)
        columns = np.array(matrix.split(), float)
    except ValueError as error:
        raise BadInputError(f"{path}: its geometry is no numbers ({error}).") from error
    _check_spacing(path, "ElementSpacing", spacing)
    if columns.size == 9:
        _check_right_angles(path, "TransformMatrix", columns.reshape(3, 3).T)


def _check_spacing(path: Path, field: str, spacing_mm: np.ndarray) -> None:
    low, high = SPACING_MM
    rounded = 1e-4 * spacing_mm  # headers hold float32
    if not np.all((spacing_mm >= low - rounded) & (spacing_mm <= high + rounded)):
        found = " x ".join(f"{one:g}" for one in spacing_mm)
        raise BadInputError(
            f"{path}: by its {field} the voxels are {found} mm, expected {low:g} to {high:g} mm "
            "along each axis."
        )


def _check_right_angles(path: Path, field: str, columns: np.ndarray) -> None:
    axes = columns / np.linalg.norm(columns, axis=0)
    skew = np.abs(axes.T @ axes - np.eye(3)).max()
    shear_deg = float(np.rad2deg(np.arcsin(min(1.0, skew)))) if np.isfinite(skew) else 90.0
    if shear_deg > MOST_SHEAR_DEG:
        raise BadInputError(
            f"{path}: by its {field} the axes are {shear_deg:.1f} degrees off right angles (a "
            "gantry tilt?), expected a straight volume."
        )
