"""Head CTs: a volume in HU with its geometry, read from DICOM, NRRD, NIfTI or MetaImage.

``read_ct`` reads what a user has (a DICOM folder or zip, or one file of the other formats),
``read_mask`` a mask on its grid; ``write_volume`` writes either; ``pseudonym`` names the subject
without knowing who it is. ``write_in_slabs`` is for those who cannot wait.

This is the only place where the files' LPS coordinates become the RAS coordinates of the library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError, OutputError
from ..utils.atomic_files import written_aside
from . import dicom
from .dicom_geometry import MOST_TILT_DEG
from .dicom_series import FEWEST_SLICES
from .field_of_view import Unseen
from .hounsfield import check_hounsfield
from .image_file import Image, read_image
from .image_header import check_header
from .nifti import nifti_fault

LOWEST_HU = -1024
"""Air; what scanners store below it is padding."""

_SAME_GRID_MM = 0.01
_SOURCE_KEY = "skullgan_source_"  # prefix of our own key/value pairs in NRRD and MetaImage headers
_SOURCE_FIELDS = {
    **{"scanner": str, "kernel": str, "kvp": float, "slice_thickness_mm": float},
    "gantry_tilt_deg": float,
}
IMAGES = (".nrrd", ".nii", ".nii.gz", ".mha")
"""Endings of files that hold one volume."""
_PACKED = (*IMAGES, ".hdr", ".img", ".zip", ".tar", ".tar.gz", ".7z")
_CT_EXPECTED = "expected a head CT (DICOM folder or zip, NRRD, NIfTI or MHA)"


@dataclass(frozen=True, eq=False)
class HeadCT:
    """A head CT in Hounsfield units.

    Attributes:
        hu: int16 (slices, rows, columns), HU, not below -1024.
        ijk_to_ras: float64 (4, 4), takes (column, row, slice, 1) to RAS mm.
        source: what the headers say of the scanner (``scanner``, ``kernel``, ``kvp``,
            ``slice_thickness_mm``), as far as known, in their own words, and
            ``gantry_tilt_deg``, if slices were resampled for it; nothing else.
    """

    hu: np.ndarray
    ijk_to_ras: np.ndarray
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spacing_mm(self) -> np.ndarray:
        """Distance of neighboring voxels along (columns, rows, slices), float64 (3,)."""
        return np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)

    @cached_property
    def unseen(self) -> Unseen:
        """Voxels beyond the field of view."""
        return Unseen.of(self.hu)


def read_ct(path: str | Path) -> HeadCT:
    """Read a head CT: a DICOM folder or zip, or one NRRD, NIfTI or MetaImage file.

    Values below -1024 are padding and become -1024; fractions of a HU are rounded.

    Raises:
        BadInputError: if there is no such file, it cannot be read or is incomplete, is not one CT
            series with even slices, leans otherwise than by the gantry tilt that it names, does not
            say how its values become Hounsfield units, or they cannot be Hounsfield units.
    """
    path = Path(path)
    try:
        if path.is_dir():
            files, start = sorted(p for p in path.rglob("*") if p.is_file()), b""
        elif path.is_file():
            with open(path, "rb") as file:
                files, start = [], file.read(132)
        else:
            raise BadInputError(f"{path}: there is no such file or folder, {_CT_EXPECTED}.")
    except OSError as error:
        raise BadInputError(
            f"{path}: cannot be read ({error.strerror}), {_CT_EXPECTED}."
        ) from error
    if path.is_dir():
        return _from_folder(path, files)
    if start.startswith(b"PK"):
        return _from_zip(path)
    if not start or start.endswith(b"DICM"):
        found = "one DICOM file" if start else "an empty file"
        raise BadInputError(f"{path}: is {found}, {_CT_EXPECTED}.")
    return _from_image(path, read_image(path, _CT_EXPECTED))


def _from_folder(path: Path, files: list[Path]) -> HeadCT:
    try:
        return _from_dicom(path, *dicom.read_files(path, files))
    except BadInputError as error:
        images = [file for file in files if file.name.lower().endswith(IMAGES)]
        if not images:
            raise
        raise BadInputError(
            f"{str(error).rstrip('.')}, or the name of an image in the folder, such as {images[0]}."
        ) from error


def _from_zip(path: Path) -> HeadCT:
    try:
        return _from_dicom(path, *dicom.read_zip(path))
    except BadInputError as error:
        images = [name for name in dicom.names_in_zip(path) if name.lower().endswith(_PACKED)]
        if not images:
            raise
        raise BadInputError(
            f"{str(error).rstrip('.')}; it holds {images[0]}, expected that unpacked and named."
        ) from error


def pseudonym(ct: HeadCT) -> str:
    """Name the subject by a salted hash of the voxels: the same CT always gets the same name.

    Nothing of the patient's identity enters the hash, so nothing of it can be guessed back. Two
    CTs of one person get two names; whoever has such pairs names the subjects himself.
    """
    digest = hashlib.sha256(b"SkullGAN subject of ")
    digest.update(np.ascontiguousarray(ct.hu).data)
    return f"subject-{digest.hexdigest()[:12]}"


def write_volume(
    path: str | Path,
    voxels: np.ndarray,
    ijk_to_ras: np.ndarray,
    source: Mapping[str, Any] | None = None,
    *,
    compress: bool = True,
) -> None:
    """Write a volume (NRRD, NIfTI or MHA by the extension), aside and renamed.

    Args:
        path: where to write.
        voxels: (slices, rows, columns), integers, float32 or float64.
        ijk_to_ras: float64 (4, 4), takes (column, row, slice, 1) to RAS mm.
        source: ``HeadCT.source``, kept in the headers of NRRD and MHA.
        compress: whether to compress NRRD and MHA, which takes ten times as long.

    Raises:
        OutputError: if it cannot be written, or the extension is none of these.
    """
    import SimpleITK as sitk

    if not str(path).lower().endswith(IMAGES):
        raise OutputError(f"{path}: has an unknown extension, expected one of {', '.join(IMAGES)}.")
    image = sitk.GetImageFromArray(voxels)
    lps = _between_lps_and_ras(ijk_to_ras)
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    for key, value in (source or {}).items():
        if value is not None:
            image.SetMetaData(_SOURCE_KEY + key, str(value))
    with written_aside(path) as temporary:
        try:
            sitk.WriteImage(image, str(temporary), useCompression=compress)
        except RuntimeError as error:
            raise OutputError(f"{path}: cannot be written (is the disk full?).") from error
        # ITK ends well on a full disk if the format is NIfTI.
        if ".nii" in temporary.suffixes and nifti_fault(temporary).startswith("is truncated"):
            raise OutputError(f"{path}: could not be written to its end (is the disk full?).")


def write_in_slabs(
    path: str | Path,
    slabs: Iterable[np.ndarray],
    shape: tuple[int, int, int],
    dtype: Any,
    ijk_to_ras: np.ndarray,
    source: Mapping[str, Any] | None = None,
) -> Iterator[float]:
    """Write a NRRD file slab by slab, uncompressed: what a panel hands to a child process.

    Neither written aside nor waited for until it is on the disk, which takes seconds for a CT.

    Args:
        path: ``.nrrd``.
        slabs: consecutive (slices, rows, columns) parts; each is asked for when it is written.
        shape: (slices, rows, columns) of the whole.
        dtype: int16 or uint8, of the file.
        ijk_to_ras, source: as for ``write_volume``.

    Yields:
        The share that is written, after each slab.

    Raises:
        OutputError: if it cannot be written.
    """
    dtype = np.dtype(dtype).newbyteorder("<")
    lps = _between_lps_and_ras(ijk_to_ras)

    def vector(values: np.ndarray) -> str:
        return "(" + ",".join(map(repr, values.tolist())) + ")"

    lines = [
        "NRRD0005",
        f"type: {'int16' if dtype.itemsize == 2 else 'uint8'}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {shape[2]} {shape[1]} {shape[0]}",
        f"space directions: {' '.join(vector(column) for column in lps[:3, :3].T)}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: raw",
        f"space origin: {vector(lps[:3, 3])}",
    ]
    known = {key: value for key, value in (source or {}).items() if value is not None}
    lines += [f"{_SOURCE_KEY}{key}:={' '.join(str(value).split())}" for key, value in known.items()]
    written = 0
    try:
        with open(path, "wb") as file:
            file.write(("\n".join(lines) + "\n\n").encode())
            for slab in slabs:
                file.write(np.ascontiguousarray(slab, dtype).data)
                written += len(slab)
                yield written / shape[0]
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written ({reason}).") from error


def read_mask(path: str | Path, ct: HeadCT) -> np.ndarray:
    """Read a mask (NRRD, NIfTI or MHA) that lies on the grid of a CT.

    Returns:
        uint8 (slices, rows, columns), 1 wherever the file is not 0.

    Raises:
        BadInputError: if it cannot be read, is empty or lies on another grid.
    """
    mask = read_on_grid(path, ct, "mask", "expected a mask (NRRD, NIfTI or MHA)")
    if not mask.any():
        raise BadInputError(f"{path}: the mask is empty, expected the skull in it.")
    return (mask != 0).astype(np.uint8)


def read_on_grid(path: str | Path, ct: HeadCT, what: str, expected: str) -> np.ndarray:
    """Read a volume (NRRD, NIfTI or MHA) that lies on the grid of a CT.

    Args:
        path: the file.
        ct: the CT.
        what: what it is, for the sentence if it lies elsewhere.
        expected: what to say if it cannot be read.

    Returns:
        (slices, rows, columns), of the file's type.

    Raises:
        BadInputError: if it cannot be read or lies on another grid.
    """
    path = Path(path)
    image = read_image(path, expected)
    voxels = image.voxels
    if voxels.shape != ct.hu.shape:
        raise BadInputError(
            f"{path}: the {what} has {voxels.shape} voxels, expected those of the CT: "
            f"{ct.hu.shape}, on the same grid."
        )
    corners = np.ones((4, 8))
    corners[:3] = np.indices((2, 2, 2)).reshape(3, 8) * np.reshape(ct.hu.shape[::-1], (3, 1))
    difference = (_between_lps_and_ras(image.lps) - ct.ijk_to_ras) @ corners
    apart_mm = float(np.linalg.norm(difference[:3], axis=0).max())
    if apart_mm > _SAME_GRID_MM:
        raise BadInputError(
            f"{path}: the {what} lies {apart_mm:.2f} mm beside the CT, expected the same grid."
        )
    return voxels


def _between_lps_and_ras(matrix: np.ndarray) -> np.ndarray:
    """LPS from RAS or RAS from LPS: the first two world axes change sign."""
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix


def _source_of(image: Image) -> dict[str, Any]:
    """``HeadCT.source`` as ``write_volume`` left it in a header."""
    source = {}
    for name, kind in _SOURCE_FIELDS.items():
        if _SOURCE_KEY + name in image.texts:
            with suppress(ValueError):  # no number, so not ours
                source[name] = kind(image.texts[_SOURCE_KEY + name])
    return source


def _from_dicom(path: Path, hu: np.ndarray, lps: np.ndarray, source: Mapping[str, Any]) -> HeadCT:
    return _as_ct(path, hu, _between_lps_and_ras(lps), source)


def _from_image(path: Path, image: Image) -> HeadCT:
    """Check that an image is one volume at right angles."""
    if image.dimensions != 3 or image.channels != 1:
        raise BadInputError(
            f"{path}: is an image of {image.dimensions} dimensions and {image.channels} channels, "
            "expected a volume of one channel."
        )
    check_header(path)
    geometry = _between_lps_and_ras(image.lps)
    axes = geometry[:3, :3] / np.linalg.norm(geometry[:3, :3], axis=0)
    skew_deg = float(np.rad2deg(np.arcsin(np.abs(axes.T @ axes - np.eye(3)).max())))
    if skew_deg > MOST_TILT_DEG:
        raise BadInputError(
            f"{path}: its axes are {skew_deg:.1f} degrees off right angles (a gantry tilt?), "
            "expected a straight volume."
        )
    return _as_ct(path, image.voxels, geometry, _source_of(image))


def _as_ct(path: Path, hu: np.ndarray, ijk_to_ras: np.ndarray, source: Mapping[str, Any]) -> HeadCT:
    """Check that a volume is in HU, and take padding for air."""
    if min(hu.shape) < FEWEST_SLICES:
        raise BadInputError(
            f"{path}: is an image of {' x '.join(map(str, hu.shape[::-1]))} voxels, expected "
            f"at least {FEWEST_SLICES} along each axis."
        )
    if np.iscomplexobj(hu):
        raise BadInputError(f"{path}: holds complex numbers, expected HU.")
    fractions = np.issubdtype(hu.dtype, np.floating)
    if fractions and not np.isfinite(hu).all():
        raise BadInputError(f"{path}: holds NaN or infinite voxels, expected finite HU.")
    lowest, highest = float(hu.min()), float(hu.max())
    if lowest > -500 or highest < 700 or highest > 32767:
        raise BadInputError(
            f"{path}: its values run from {lowest:.0f} to {highest:.0f}, expected Hounsfield "
            "units (air near -1000, bone above 700)."
        )
    check_hounsfield(path, hu)
    if fractions:
        hu = np.rint(hu)
    hu = np.maximum(hu, LOWEST_HU, out=hu if hu.flags.writeable else None)
    return HeadCT(hu.astype(np.int16, copy=False), ijk_to_ras, dict(source))
