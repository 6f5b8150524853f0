"""One CT series out of DICOM files, refused unless its slices make a straight and even stack.

``read_files`` and ``read_zip`` give the image in HU and what may be known of the scanner. Only the
header elements in ``_ELEMENTS`` are looked at, so nothing else that a header says can get any
further. Those that are kept are the scanner's own words (maker, model, kernel, kVp, slice
thickness); whoever has typed a name into one of these has to take it out himself.
"""

from __future__ import annotations

import logging
import shutil
import struct
import tempfile
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from .errors import BadInputError

MOST_TILT_DEG = 1.0
"""Gantry tilt beyond which the stacked slices are no longer a straight volume."""
FEWEST_SLICES = 10

_EVEN_WITHIN = 0.05  # steps between slices may differ by this share of their median
_STRAIGHT_WITHIN = 0.5  # slices may lie beside each other by this share of a pixel
_LARGEST_ZIP_BYTES = 8 * 1024**3
_ELEMENTS = (
    *("Modality", "ImageType", "SeriesInstanceUID", "SeriesNumber"),
    *("Rows", "Columns", "PixelRepresentation", "PixelSpacing"),
    *("ImagePositionPatient", "ImageOrientationPatient", "GantryDetectorTilt"),
    *("RescaleSlope", "RescaleIntercept"),
    *("Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "KVP", "SliceThickness"),
)
_itk_warnings = threading.Lock()

_log = logging.getLogger(__name__)


def read_zip(path: Path) -> tuple[Any, dict[str, Any]]:
    """Read the one CT series in a zip; as ``read_files``.

    Raises:
        BadInputError: also if the zip is damaged, encrypted or too large to unpack.
    """
    with tempfile.TemporaryDirectory(prefix="skullgan-") as folder:
        return read_files(path, _unpacked(path, Path(folder)))


def read_files(path: Path, files: Sequence[Path]) -> tuple[Any, dict[str, Any]]:
    """Read the one CT series among files, in any order and with other files between them.

    Rescale slope and intercept have to be there: both are required of a CT (DICOM PS3.3, C.8.2.1),
    and stored values that merely look like HU may be 1,024 off.

    Args:
        path: what the user gave, for the sentences.
        files: where to look.

    Returns:
        The volume as a SimpleITK image in HU, and its ``HeadCT.source``.

    Raises:
        BadInputError: if there is no CT series or more than one, its slices do not make a straight
            and even stack, or its values cannot be had in HU.
    """
    import SimpleITK as sitk

    headers = _ct_series(path, files)
    _check_slices_alike(path, headers)
    ordered, lps = _stack(path, headers)
    stored = {
        (float(h["RescaleSlope"]), float(h["RescaleIntercept"]), h["PixelRepresentation"])
        for h in headers.values()
    }
    # ITK takes the type of the first slice for all of them, whatever the others rescale to.
    pixel_type = sitk.sitkUnknown if len(stored) == 1 else sitk.sitkFloat32
    first = headers[ordered[0]]
    try:
        with itk_silent():
            image = sitk.ReadImage([str(file) for file in ordered], pixel_type)
    except RuntimeError as error:
        raise BadInputError(
            f"{path}: the pixels of the series cannot be decoded (transfer syntax "
            f"{first['transfer syntax']}); complete files in a syntax that GDCM "
            "reads are needed, such as Explicit VR Little Endian."
        ) from error
    # Ours: of secondary captures and the like, GDCM leaves out the place or the spacing.
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image, _source_of(first)


def _unpacked(path: Path, folder: Path) -> list[Path]:
    """Unpack a zip under names of our own: those in it may lead out of the folder."""
    files = []
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if any(member.flag_bits & 1 for member in members):
                raise BadInputError(
                    f"{path}: the zip is encrypted, one without a password is needed."
                )
            size = sum(member.file_size for member in members)
            if size > _LARGEST_ZIP_BYTES:
                raise BadInputError(
                    f"{path}: unpacks to {size / 1e9:.1f} GB, at most "
                    f"{_LARGEST_ZIP_BYTES / 1e9:.1f} GB are taken; unpack it yourself and give the "
                    "folder."
                )
            for number, member in enumerate(members):
                target = folder / f"{number:06d}"
                with archive.open(member) as packed, open(target, "wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)
                files.append(target)
    except NotImplementedError as error:
        raise BadInputError(
            f"{path}: the zip is compressed in a way that cannot be unpacked, deflate is needed."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BadInputError(
            f"{path}: the zip is damaged or incomplete, a whole one is needed."
        ) from error
    except OSError as error:
        raise BadInputError(
            f"{path}: the zip cannot be unpacked to {folder.parent} ({error.strerror or error}), "
            "room for its contents is needed there."
        ) from error
    return files


def _ct_series(path: Path, files: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    """Headers of the one CT series among the files.

    Raises:
        BadInputError: if there is none or more than one, or a DICOM file is damaged.
    """
    series: dict[str, dict[Path, dict[str, Any]]] = {}
    others: Counter[str] = Counter()
    for file in files:
        header = _header(path, file)
        if header is None:
            continue
        other = _why_no_slice(header)
        if other:
            others[other] += 1
        else:
            series.setdefault(_text(header, "SeriesInstanceUID"), {})[file] = header
    volumes = [one for one in series.values() if len(one) >= FEWEST_SLICES]
    if not volumes:
        found = [f"a CT series of {len(one)} slices" for one in series.values()]
        found += [f"{count} x {other}" for other, count in sorted(others.items())]
        raise BadInputError(
            f"{path}: holds {', '.join(found) or 'no DICOM image'}; a CT series of at least "
            f"{FEWEST_SLICES} slices is needed."
        )
    if len(volumes) > 1:
        firsts = [(len(one), next(iter(one.values()))) for one in volumes]
        listed = sorted(
            f"series {_text(header, 'SeriesNumber') or '?'}: {count} slices, "
            f"kernel {_text(header, 'ConvolutionKernel') or 'unknown'}"
            for count, header in firsts
        )
        raise BadInputError(
            f"{path}: holds {len(volumes)} CT series ({'; '.join(listed)}), one is needed; put the "
            "one to use into a folder of its own."
        )
    return volumes[0]


def _header(path: Path, file: Path) -> dict[str, Any] | None:
    """Those of ``_ELEMENTS`` that a DICOM file has, or None if it is something else.

    Raises:
        BadInputError: if it is DICOM, but damaged.
    """
    import pydicom
    from pydicom.errors import BytesLengthException, InvalidDicomError

    damage = (  # what pydicom stumbles over
        *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError),
        *(NotImplementedError, BytesLengthException, struct.error, zlib.error),
    )
    try:
        dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_ELEMENTS))
        header: dict[str, Any] = {"transfer syntax": dataset.file_meta.TransferSyntaxUID.name}
    except InvalidDicomError:
        _log.debug("%s is not DICOM", file)
        return None
    except damage as error:
        name = f" ({file.name})" if path in file.parents else ""  # in a zip, it has ours
        raise BadInputError(
            f"{path}: holds a DICOM file that is damaged or cannot be read{name}, complete ones "
            "are needed."
        ) from error
    for name in _ELEMENTS:
        with suppress(*damage):  # one that is damaged is one that is missing
            header[name] = dataset.get(name)
    return header


def _why_no_slice(header: Mapping[str, Any]) -> str:
    """What an image is, if it is no slice of a CT; empty if it is one."""
    if _numbers(header, "PixelRepresentation", 1) is None:
        return "DICOM without an image"  # DICOMDIR, structured reports
    modality = _text(header, "Modality") or "unknown"
    if modality != "CT":
        return f"modality {modality}"
    if "LOCALIZER" in _text(header, "ImageType").split("\\"):
        return "CT localizer"
    if _numbers(header, "ImagePositionPatient", 3) is None:
        return "CT image without its place in the patient"  # multi-frame, secondary captures
    return ""


def _check_slices_alike(path: Path, headers: Mapping[Path, Mapping[str, Any]]) -> None:
    """Raise unless all slices have one size and the elements that a volume in HU needs."""
    needed = {
        "ImageOrientationPatient": 6,
        "PixelSpacing": 2,
        "Rows": 1,
        "Columns": 1,
        "RescaleSlope": 1,
        "RescaleIntercept": 1,
    }
    for name, count in needed.items():
        lacking = sum(_numbers(header, name, count) is None for header in headers.values())
        if lacking:
            why = ", without which there are no Hounsfield units" if "Rescale" in name else ""
            raise BadInputError(
                f"{path}: {lacking} of {len(headers)} slices lack {name}{why}; a CT with it in "
                "every slice is needed."
            )
    sizes = sorted(
        {(h["Columns"], h["Rows"], *np.round(h["PixelSpacing"], 4)) for h in headers.values()}
    )
    if len(sizes) > 1:
        listed = ", ".join(f"{s[0]} x {s[1]} pixels of {s[3]:g} x {s[2]:g} mm" for s in sizes)
        raise BadInputError(f"{path}: its slices differ ({listed}), one size is needed.")
    if min(sizes[0]) <= 0:
        raise BadInputError(f"{path}: its pixels have no size, PixelSpacing above 0 is needed.")


def _stack(path: Path, headers: Mapping[Path, Mapping[str, Any]]) -> tuple[list[Path], np.ndarray]:
    """Order the slices along their normal.

    Returns:
        The files, and float64 (4, 4) that takes (column, row, slice, 1) to LPS mm.

    Raises:
        BadInputError: if they do not make one straight stack with even steps.
    """
    every = list(headers.values())
    orientations = np.array([h["ImageOrientationPatient"] for h in every], float)
    if np.abs(orientations - orientations[0]).max() > 1e-3:
        raise BadInputError(
            f"{path}: its slices lie in different directions, parallel ones are needed."
        )
    row, column = orientations[0, :3], orientations[0, 3:]
    if abs(row @ column) > 1e-3 or np.abs([row @ row - 1, column @ column - 1]).max() > 1e-3:
        raise BadInputError(
            f"{path}: ImageOrientationPatient is {orientations[0].tolist()}, two unit vectors at "
            "right angles are needed."
        )
    normal = np.cross(row, column)
    places = np.array([h["ImagePositionPatient"] for h in every], float)
    order = np.argsort(places @ normal)
    places = places[order]
    along = places @ normal
    steps = np.diff(along)
    if steps.min() < 1e-3:
        raise BadInputError(
            f"{path}: has several slices at one place, each place is needed once (are there two "
            "acquisitions in the series?)."
        )
    pixel = np.array(every[0]["PixelSpacing"], float)
    tilts = [_numbers(header, "GantryDetectorTilt", 1) for header in every]
    said = max(abs(float(tilt[0])) if tilt is not None else 0.0 for tilt in tilts)
    found = _faults(places - np.outer(along, normal), along, said, float(pixel.min()))
    if found:
        raise BadInputError(
            f"{path}: has {' and '.join(found)}, an upright gantry and even slices are needed."
        )
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1] = row * pixel[1], column * pixel[0]
    lps[:3, 2] = normal * steps.mean()
    lps[:3, 3] = places[0]
    files = list(headers)
    return [files[index] for index in order], lps


def _faults(
    beside: np.ndarray, along: np.ndarray, said_tilt_deg: float, pixel_mm: float
) -> list[str]:
    """What keeps slices from being a straight and even stack.

    Args:
        beside: float64 (slices, 3), where each lies in its own plane, mm.
        along: float64 (slices,), where it lies along the normal, rising, mm.
        said_tilt_deg: what the header says; the stack may be sheared although it says nothing.
        pixel_mm: size of a pixel.
    """
    found = []
    steps = np.diff(along)
    step = float(np.median(steps))
    drift = np.median(np.diff(beside, axis=0), axis=0) / step
    tilt_deg = max(said_tilt_deg, float(np.rad2deg(np.arctan(np.linalg.norm(drift)))))
    if tilt_deg > MOST_TILT_DEG:
        found.append(f"a gantry tilt of {tilt_deg:.1f} degrees")
    straight = beside[0] + np.outer(along - along[0], drift)
    shift_mm = float(np.linalg.norm(beside - straight, axis=1).max())
    if shift_mm > _STRAIGHT_WITHIN * pixel_mm:
        found.append(f"slices that lie up to {shift_mm:.1f} mm beside the others")
    if np.any(np.abs(steps - step) > _EVEN_WITHIN * step):
        gaps = np.rint(steps / step)
        whole = np.all(np.abs(steps - gaps * step) <= _EVEN_WITHIN * step)
        missing = f" ({int(gaps.sum()) - len(steps)} missing?)" if whole else ""
        found.append(f"slice steps from {steps.min():.2f} to {steps.max():.2f} mm{missing}")
    return found


def _source_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a DICOM header: the scanner and its settings, by an explicit list."""
    scanner = f"{_text(header, 'Manufacturer')} {_text(header, 'ManufacturerModelName')}"
    found: dict[str, Any] = {
        "scanner": scanner.strip(),
        "kernel": _text(header, "ConvolutionKernel"),
    }
    for key, name in (("kvp", "KVP"), ("slice_thickness_mm", "SliceThickness")):
        value = _numbers(header, name, 1)
        found[key] = float(value[0]) if value is not None else 0.0
    return {key: value for key, value in found.items() if value}


def _text(header: Mapping[str, Any], name: str) -> str:
    """An element as text, several values joined as DICOM writes them; empty where there is none."""
    value = header.get(name)
    if value is None or isinstance(value, str):
        return (value or "").strip()
    parts = value if isinstance(value, Sequence) else [value]
    return "\\".join(str(part) for part in parts)


def _numbers(header: Mapping[str, Any], name: str, count: int) -> np.ndarray | None:
    """An element's finite numbers, float64 (count,), or None where there are not that many."""
    try:
        values = np.atleast_1d(np.array(header.get(name), float))
    except (ValueError, TypeError):
        return None
    return values if values.shape == (count,) and np.isfinite(values).all() else None


@contextmanager
def itk_silent() -> Iterator[None]:
    """Keep ITK from printing what we have judged ourselves, such as slices a little uneven.

    Its switch is one for the whole process, so it is off for the reading only, one at a time.
    """
    from SimpleITK import ProcessObject

    with _itk_warnings:
        before = ProcessObject.GetGlobalWarningDisplay()
        ProcessObject.SetGlobalWarningDisplay(False)
        try:
            yield
        finally:
            ProcessObject.SetGlobalWarningDisplay(before)
