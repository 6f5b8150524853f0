"""One CT series out of DICOM files, refused unless its slices make an even stack.

``read_files`` and ``read_zip`` give the volume in HU and what may be known of the scanner. A stack
that is sheared by a tilted gantry is made straight.

Only the header elements in ``_ELEMENTS`` are looked at, so nothing else that a header says can get
any further. Those that are kept are the scanner's own words (maker, model, kernel, kVp, slice
thickness); whoever has typed a name into one of these has to take it out himself.
"""

from __future__ import annotations

import logging
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import BadInputError
from .dicom_pixels import THREADS, decoded_hu, plain_hu, straightened

MOST_TILT_DEG = 1.0
"""Gantry tilt beyond which the stacked slices are no longer a straight volume."""
FEWEST_SLICES = 10

_EVEN_WITHIN = 0.05  # steps between slices may differ by this share of their median
_STRAIGHT_WITHIN = 0.5  # slices may lie beside each other by this share of a pixel
_TILTS_AGREE_WITHIN_DEG = 0.5  # header and places; headers round to whole or half degrees
_STEEPEST_TILT_DEG = 35.0  # no gantry leans further
_LARGEST_ZIP_BYTES = 8 * 1024**3
_COPY_BYTES = 1024**2
_PLAIN_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")  # implicit, explicit little endian
_ELEMENTS = (
    *("Modality", "ImageType", "SeriesInstanceUID", "SeriesNumber"),
    *("Rows", "Columns", "PixelRepresentation", "PixelSpacing"),
    *("ImagePositionPatient", "ImageOrientationPatient", "GantryDetectorTilt"),
    *("RescaleSlope", "RescaleIntercept", "PhotometricInterpretation", "SamplesPerPixel"),
    *("BitsAllocated", "BitsStored", "HighBit"),
    *("Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "KVP", "SliceThickness"),
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Stack:
    """Slices in their order along the normal.

    Attributes:
        files: one a slice.
        lps: float64 (4, 4), takes (column, row, slice, 1) of the straight volume to LPS mm.
        first_row: float64 (slices,), row of the straight volume at which each slice begins.
        tilt_deg: gantry tilt, 0 if the slices are a straight volume as they are.
    """

    files: list[Path]
    lps: np.ndarray
    first_row: np.ndarray
    tilt_deg: float


def read_zip(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Read the one CT series in a zip; as ``read_files``.

    Raises:
        BadInputError: also if the zip is damaged, encrypted or too large to unpack.
    """
    with tempfile.TemporaryDirectory(prefix="skullgan-") as folder:
        return read_files(path, _unpacked(path, Path(folder)))


def read_files(path: Path, files: Sequence[Path]) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Read the one CT series among files, in any order and with other files between them.

    Rescale slope and intercept have to be there: both are required of a CT (DICOM PS3.3, C.8.2.1),
    and stored values that merely look like HU may be 1,024 off.

    A stack whose slices are shifted evenly down (or up) their columns was made by a tilted gantry.
    It is made straight if the headers say the same tilt or do not name any.

    Args:
        path: what the user gave, for the sentences.
        files: where to look.

    Returns:
        HU (slices, rows, columns), as int16 or, where the headers rescale to something else, in
        another type; float64 (4, 4) that takes (column, row, slice, 1) to LPS mm; and its
        ``HeadCT.source``.

    Raises:
        BadInputError: if there is no CT series or more than one, its slices do not make an even
            stack, its headers deny the tilt that its slices have or the reverse, or its values
            cannot be had in HU.
    """
    headers = _ct_series(path, files)
    _check_slices_alike(path, headers)
    stack = _stack(path, headers)
    ordered = [headers[file] for file in stack.files]
    hu = plain_hu(stack.files, ordered)
    if hu is None:
        hu = decoded_hu(path, stack.files, ordered)
    source = _source_of(ordered[0])
    if stack.tilt_deg:
        hu = straightened(hu, stack.first_row)
        source["gantry_tilt_deg"] = round(stack.tilt_deg, 2)
    return hu, stack.lps, source


def _unpacked(path: Path, folder: Path) -> list[Path]:
    """Unpack a zip under names of our own: those in it may lead out of the folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        if any(member.flag_bits & 1 for member in members):
            raise BadInputError(f"{path}: the zip is encrypted, one without a password is needed.")
        size = sum(member.file_size for member in members)
        if size > _LARGEST_ZIP_BYTES:
            raise BadInputError(
                f"{path}: unpacks to {size / 1e9:.1f} GB, at most "
                f"{_LARGEST_ZIP_BYTES / 1e9:.1f} GB are taken; unpack it yourself and give the "
                "folder."
            )
        parts = np.array_split(np.arange(len(members)), 4 * THREADS)
        with ThreadPoolExecutor(THREADS) as pool:
            unpacked = list(pool.map(partial(_unpacked_part, path, folder), parts))
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
    return list(chain.from_iterable(unpacked))


def _unpacked_part(path: Path, folder: Path, numbers: Sequence[int]) -> list[Path]:
    """Unpack some members of a zip, by a ``ZipFile`` of its own: one is not for several threads."""
    files = []
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        for number in numbers:
            if not members[number].is_dir():
                target = folder / f"{number:06d}"
                with archive.open(members[number]) as packed, open(target, "wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked, _COPY_BYTES)
                files.append(target)
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
    """Those of ``_ELEMENTS`` that a DICOM file has, or None if it is something else; ``first
    pixel`` is where in the file plain pixels begin, if they are such.

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
        with open(file, "rb") as opened:
            dataset = pydicom.dcmread(
                opened, stop_before_pixels=True, specific_tags=list(_ELEMENTS)
            )
            syntax = dataset.file_meta.TransferSyntaxUID
            pixels = _plain_pixels(opened, syntax)
        header: dict[str, Any] = {"transfer syntax": syntax.name}
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
    if pixels and _is_plain(header, pixels[1]):
        header["first pixel"] = pixels[0]
    return header


def _plain_pixels(opened: BinaryIO, syntax: str) -> tuple[int, int] | None:
    """Where the bytes of PixelData begin and how many there are, if they are stored as they are
    and all there. The file stands at that element (DICOM PS3.5, 7.1.2 and 7.1.3)."""
    if syntax not in _PLAIN_SYNTAXES:
        return None
    tag = opened.read(4)
    if syntax == _PLAIN_SYNTAXES[1]:
        opened.read(4)  # value representation and two reserved bytes
    length = int.from_bytes(opened.read(4), "little")
    begin = opened.tell()
    whole = begin + length <= os.fstat(opened.fileno()).st_size
    return (begin, length) if tag == b"\xe0\x7f\x10\x00" and whole else None


def _is_plain(header: Mapping[str, Any], length: int) -> bool:
    """Whether that many bytes of pixels are one gray image of 16 bits a pixel."""
    names = ("Rows", "Columns", "BitsStored", "HighBit", "BitsAllocated", "SamplesPerPixel")
    numbers = [_numbers(header, name, 1) for name in names]
    if any(number is None for number in numbers):
        return False
    rows, columns, bits, high, allocated, samples = (int(number[0]) for number in numbers)
    return (
        (allocated, samples, high) == (16, 1, bits - 1)
        and 1 <= bits <= 16
        and header["PixelRepresentation"] in (0, 1)
        and _text(header, "PhotometricInterpretation") == "MONOCHROME2"
        and length == 2 * rows * columns
    )


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


def _stack(path: Path, headers: Mapping[Path, Mapping[str, Any]]) -> _Stack:
    """Order the slices along their normal.

    Raises:
        BadInputError: if they do not make one stack with even steps, straight or sheared as a
            tilted gantry does it.
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
    axes = np.stack([row, column, np.cross(row, column)])
    corners = np.array([h["ImagePositionPatient"] for h in every], float)
    places = corners @ axes.T
    order = np.argsort(places[:, 2])
    corners, places = corners[order], places[order]
    steps = np.diff(places[:, 2])
    if steps.min() < 1e-3:
        raise BadInputError(
            f"{path}: has several slices at one place, each place is needed once (are there two "
            "acquisitions in the series?)."
        )
    pixel = np.array(every[0]["PixelSpacing"], float)
    said = [_numbers(header, "GantryDetectorTilt", 1) for header in every]
    said_deg = [abs(float(tilt[0])) for tilt in said if tilt is not None]
    lean_deg, found = _faults(places, max(said_deg, default=None), float(pixel.min()))
    if found:
        raise BadInputError(
            f"{path}: has {' and '.join(found)}, even slices are needed, straight or leaning by "
            "the gantry tilt that the headers name."
        )
    tilted = abs(np.tan(np.deg2rad(lean_deg))) * np.ptp(places[:, 2]) > _STRAIGHT_WITHIN * pixel[0]
    down = tilted * (places[:, 1] - places[0, 1])
    first_row = (down - down.min()) / pixel[0]
    lps = np.eye(4)
    lps[:3, :3] = axes.T * [pixel[1], pixel[0], steps.mean()]
    lps[:3, 3] = corners[0] + down.min() * column
    files = list(headers)
    return _Stack([files[i] for i in order], lps, first_row, abs(lean_deg) if tilted else 0.0)


def _faults(
    places: np.ndarray, said_tilt_deg: float | None, pixel_mm: float
) -> tuple[float, list[str]]:
    """What keeps slices from being an even stack, straight or tilted.

    Args:
        places: float64 (slices, 3), where each begins along row, column and normal, the last
            rising, mm.
        said_tilt_deg: what the headers say, None if nothing.
        pixel_mm: size of a pixel.

    Returns:
        How far the stack leans down its columns, in degrees, and the faults.
    """
    found = []
    steps = np.diff(places[:, 2])
    step = float(np.median(steps))
    drift = np.median(np.diff(places[:, :2], axis=0), axis=0) / step
    sideways_deg, lean_deg = (float(angle) for angle in np.rad2deg(np.arctan(drift)))
    if abs(sideways_deg) > MOST_TILT_DEG:
        found.append(f"slices that lean by {abs(sideways_deg):.1f} degrees along their rows")
    straight = places[0, :2] + np.outer(places[:, 2] - places[0, 2], drift)
    shift_mm = float(np.linalg.norm(places[:, :2] - straight, axis=1).max())
    if shift_mm > _STRAIGHT_WITHIN * pixel_mm:
        found.append(f"slices that lie up to {shift_mm:.1f} mm beside the others")
    if np.any(np.abs(steps - step) > _EVEN_WITHIN * step):
        gaps = np.rint(steps / step)
        whole = np.all(np.abs(steps - gaps * step) <= _EVEN_WITHIN * step)
        missing = f" ({int(gaps.sum()) - len(steps)} missing?)" if whole else ""
        found.append(f"slice steps from {steps.min():.2f} to {steps.max():.2f} mm{missing}")
    placed, said = abs(lean_deg), abs(lean_deg) if said_tilt_deg is None else said_tilt_deg
    tilt = f"a gantry tilt of {max(placed, said):.1f} degrees"
    if max(placed, said) <= MOST_TILT_DEG:
        return lean_deg, found
    if max(placed, said) > _STEEPEST_TILT_DEG or found:
        return lean_deg, [tilt, *found]
    if abs(placed - said) > _TILTS_AGREE_WITHIN_DEG:
        where = ("the slices' places", "the headers")
        one, other = where if placed > said else where[::-1]
        return lean_deg, [f"{tilt} by {one} and of {min(placed, said):.1f} by {other}"]
    return lean_deg, found


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
