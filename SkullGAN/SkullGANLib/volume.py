"""Head CTs: a volume in HU with its geometry, read from DICOM, NRRD, NIfTI or MetaImage.

``read_ct`` reads what a user has (a DICOM folder or zip, or one file of the other formats),
``read_mask`` a mask on its grid; ``write_volume`` writes either; ``pseudonym`` names the subject
without knowing who it is.

This is the only place where the files' LPS coordinates become the RAS coordinates of the library.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .errors import BadInputError
from .files import written_aside

LOWEST_HU = -1024
"""Air; what scanners store below it is padding."""
MOST_TILT_DEG = 1.0
"""Gantry tilt beyond which the stacked slices are no longer a straight volume."""

_EVEN_WITHIN = 0.05  # steps between slices may differ by this share of their median
_FEWEST_SLICES = 10
_SAME_GRID_MM = 0.01
_LARGEST_ZIP_BYTES = 8 * 1024**3
_SOURCE_KEY = "skullgan_source_"  # prefix of our own key/value pairs in NRRD and MetaImage headers
_SOURCE_FIELDS = ("scanner", "kernel", "kvp", "slice_thickness_mm")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class HeadCT:
    """A head CT in Hounsfield units.

    Attributes:
        hu: int16 (slices, rows, columns), HU, not below -1024.
        ijk_to_ras: float64 (4, 4), takes (column, row, slice, 1) to RAS mm.
        source: what the headers say of the scanner (``scanner``, ``kernel``, ``kvp``,
            ``slice_thickness_mm``), as far as known, and nothing of the patient.
    """

    hu: np.ndarray
    ijk_to_ras: np.ndarray
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spacing_mm(self) -> np.ndarray:
        """Distance of neighbouring voxels along (columns, rows, slices), float64 (3,)."""
        return np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)


def read_ct(path: str | Path) -> HeadCT:
    """Read a head CT: a DICOM folder or zip, or one NRRD, NIfTI or MetaImage file.

    Raises:
        BadInputError: if there is no such file, it cannot be read, is not one CT series with even
            slices and an upright gantry, or its values cannot be Hounsfield units.
    """
    path = Path(path)
    if path.is_dir():
        return _read_dicom(path, sorted(p for p in path.rglob("*") if p.is_file()))
    if not path.is_file():
        raise BadInputError(
            f"{path}: there is no such file or folder, a head CT is needed (DICOM folder or zip, "
            "NRRD, NIfTI or MHA)."
        )
    if zipfile.is_zipfile(path):
        return _read_zip(path)
    return _read_image_file(path)


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
) -> None:
    """Write a volume (NRRD, NIfTI or MHA by the extension), compressed, aside and renamed.

    Args:
        path: where to write.
        voxels: (slices, rows, columns), any numeric dtype.
        ijk_to_ras: float64 (4, 4), takes (column, row, slice, 1) to RAS mm.
        source: ``HeadCT.source``, kept in the headers of NRRD and MHA.

    Raises:
        OutputError: if it cannot be written.
    """
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(voxels)
    lps = _between_lps_and_ras(ijk_to_ras)
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    for key, value in (source or {}).items():
        image.SetMetaData(_SOURCE_KEY + key, str(value))
    with written_aside(path) as aside:
        sitk.WriteImage(image, str(aside), useCompression=True)


def read_mask(path: str | Path, ct: HeadCT) -> np.ndarray:
    """Read a mask (NRRD, NIfTI or MHA) that lies on the grid of a CT.

    Returns:
        uint8 (slices, rows, columns), 1 wherever the file is not 0.

    Raises:
        BadInputError: if it cannot be read, is empty or lies on another grid.
    """
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise BadInputError(
            f"{path}: cannot be read, a mask is needed (NRRD, NIfTI or MHA)."
        ) from error
    mask = sitk.GetArrayViewFromImage(image)
    if mask.shape != ct.hu.shape:
        raise BadInputError(
            f"{path}: the mask has {mask.shape} voxels, the CT {ct.hu.shape}; the same grid is "
            "needed."
        )
    far_corner = np.array([*ct.hu.shape[::-1], 1.0])
    difference = _geometry(image) - ct.ijk_to_ras
    apart_mm = max(np.linalg.norm(difference[:3, 3]), np.linalg.norm((difference @ far_corner)[:3]))
    if apart_mm > _SAME_GRID_MM:
        raise BadInputError(
            f"{path}: the mask lies {apart_mm:.2f} mm beside the CT, the same grid is needed."
        )
    if not mask.any():
        raise BadInputError(f"{path}: the mask is empty, the skull is needed in it.")
    return (mask != 0).astype(np.uint8)


def _geometry(image: Any) -> np.ndarray:
    """``ijk_to_ras`` of a SimpleITK image, float64 (4, 4)."""
    lps = np.eye(4)
    lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    lps[:3, 3] = image.GetOrigin()
    return _between_lps_and_ras(lps)


def _between_lps_and_ras(matrix: np.ndarray) -> np.ndarray:
    """LPS from RAS or RAS from LPS: the first two world axes change sign."""
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix


def _read_image_file(path: Path) -> HeadCT:
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise BadInputError(
            f"{path}: cannot be read, a head CT is needed (DICOM folder or zip, NRRD, NIfTI or "
            "MHA)."
        ) from error
    source = {
        name: _number_or_text(image.GetMetaData(_SOURCE_KEY + name))
        for name in _SOURCE_FIELDS
        if image.HasMetaDataKey(_SOURCE_KEY + name)
    }
    return _as_ct(path, image, source)


def _read_zip(path: Path) -> HeadCT:
    with (
        tempfile.TemporaryDirectory(prefix="skullgan-") as folder,
        zipfile.ZipFile(path) as archive,
    ):
        members = [member for member in archive.infolist() if not member.is_dir()]
        size = sum(member.file_size for member in members)
        if size > _LARGEST_ZIP_BYTES:
            raise BadInputError(
                f"{path}: unpacks to {size / 1e9:.1f} GB, at most "
                f"{_LARGEST_ZIP_BYTES / 1e9:.1f} GB are taken; unpack it yourself and give the "
                "folder."
            )
        files = []
        try:
            for number, member in enumerate(members):
                # Our own names: those in the archive may lead out of the folder.
                target = Path(folder) / f"{number:06d}"
                with archive.open(member) as packed, open(target, "wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)
                files.append(target)
        except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError) as error:
            raise BadInputError(f"{path}: the zip cannot be unpacked ({error}).") from error
        return _read_dicom(path, files)


def _read_dicom(path: Path, files: Sequence[Path]) -> HeadCT:
    import SimpleITK as sitk

    headers = _ct_series(path, files)
    first = next(iter(headers.values()))
    tilt = abs(float(getattr(first, "GantryDetectorTilt", 0.0) or 0.0))
    positions = _positions_along_normal(path, headers)
    order = np.argsort(positions)
    steps = np.diff(positions[order])
    median = float(np.median(steps))
    uneven = bool(np.any(np.abs(steps - median) > _EVEN_WITHIN * median))
    if tilt > MOST_TILT_DEG or uneven:
        found = [f"a gantry tilt of {tilt:.1f} degrees"] if tilt > MOST_TILT_DEG else []
        if uneven:
            found.append(f"slice steps from {steps.min():.2f} to {steps.max():.2f} mm")
        raise BadInputError(
            f"{path}: has {' and '.join(found)}, an upright gantry and even slices are needed."
        )
    names = [str(list(headers)[index]) for index in order]
    try:
        image = sitk.ReadImage(names) if len(names) > 1 else sitk.ReadImage(names[0])
    except RuntimeError as error:
        raise BadInputError(f"{path}: the pixels of the series cannot be decoded.") from error
    return _as_ct(path, image, _source_of(first))


def _ct_series(path: Path, files: Sequence[Path]) -> dict[Path, Any]:
    """Headers of the one CT series among the files.

    Raises:
        BadInputError: if there is none or more than one.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    series: dict[str, dict[Path, Any]] = {}
    modalities: set[str] = set()
    for file in files:
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True)
        except (InvalidDicomError, OSError, EOFError):
            _log.debug("%s is not DICOM", file)
            continue
        if "PixelRepresentation" not in header or "ImagePositionPatient" not in header:
            continue  # DICOMDIR, structured reports
        modalities.add(str(header.get("Modality", "unknown")))
        if header.get("Modality") != "CT" or "LOCALIZER" in header.get("ImageType", []):
            continue
        series.setdefault(str(header.get("SeriesInstanceUID")), {})[file] = header
    volumes = [one for one in series.values() if len(one) >= _FEWEST_SLICES]
    if not volumes:
        slices = max((len(one) for one in series.values()), default=0)
        found = (
            f"a CT series of {slices} slices"
            if series
            else f"modality {', '.join(sorted(modalities))}"
            if modalities
            else "no DICOM image"
        )
        raise BadInputError(
            f"{path}: holds {found}, a CT series of at least {_FEWEST_SLICES} slices is needed."
        )
    if len(volumes) > 1:
        listed = "; ".join(
            f"series {next(iter(one.values())).get('SeriesNumber', '?')}: {len(one)} slices, "
            f"kernel {next(iter(one.values())).get('ConvolutionKernel', 'unknown')}"
            for one in volumes
        )
        raise BadInputError(
            f"{path}: holds {len(volumes)} CT series ({listed}), one is needed; put the one to "
            "use into a folder of its own."
        )
    return volumes[0]


def _positions_along_normal(path: Path, headers: Mapping[Path, Any]) -> np.ndarray:
    """Where each slice lies along the slices' common normal, float64 (slices,), mm."""
    orientations = np.array([header.ImageOrientationPatient for header in headers.values()], float)
    if np.abs(orientations - orientations[0]).max() > 1e-3:
        raise BadInputError(
            f"{path}: its slices lie in different directions, parallel ones are needed."
        )
    normal = np.cross(orientations[0, :3], orientations[0, 3:])
    places = np.array([header.ImagePositionPatient for header in headers.values()], float)
    along = places @ normal
    if len(np.unique(np.round(along, 3))) < len(along):
        raise BadInputError(
            f"{path}: has several slices at one place, each place is needed once (are there two "
            "acquisitions in the series?)."
        )
    return along


def _source_of(header: Any) -> dict[str, Any]:
    """What may be kept of a DICOM header: the scanner and its settings, by an explicit list."""
    kernel = header.get("ConvolutionKernel")
    if kernel is not None and not isinstance(kernel, str):
        kernel = "\\".join(str(part) for part in kernel)
    scanner = " ".join(
        str(header.get(name))
        for name in ("Manufacturer", "ManufacturerModelName")
        if name in header
    )
    found = {
        "scanner": scanner or None,
        "kernel": kernel or None,
        "kvp": float(header.KVP) if header.get("KVP") else None,
        "slice_thickness_mm": float(header.SliceThickness)
        if header.get("SliceThickness")
        else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _as_ct(path: Path, image: Any, source: Mapping[str, Any]) -> HeadCT:
    import SimpleITK as sitk

    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise BadInputError(
            f"{path}: is an image of {image.GetDimension()} dimensions and "
            f"{image.GetNumberOfComponentsPerPixel()} channels, a volume of one channel is needed."
        )
    hu = sitk.GetArrayViewFromImage(image)
    if not np.isfinite(hu).all():
        raise BadInputError(f"{path}: holds NaN or infinite voxels, finite HU are needed.")
    lowest, highest = float(hu.min()), float(hu.max())
    if lowest > -500 or highest < 700 or highest > 32767:
        raise BadInputError(
            f"{path}: its values run from {lowest:.0f} to {highest:.0f}, Hounsfield units are "
            "needed (air near -1000, bone above 700)."
        )
    if np.issubdtype(hu.dtype, np.floating):
        hu = np.rint(hu)
    return HeadCT(
        hu=np.maximum(hu, LOWEST_HU).astype(np.int16),
        ijk_to_ras=_geometry(image),
        source=dict(source),
    )


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
