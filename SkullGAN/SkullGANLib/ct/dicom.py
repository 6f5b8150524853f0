"""One CT series out of DICOM files, refused unless its slices make an even stack.

``read_files`` and ``read_zip`` give the volume in HU and what may be known of the scanner. A stack
that is sheared by a tilted gantry is made straight.

What is kept of a header are the scanner's own words (maker, model, kernel, kVp, slice thickness);
whoever has typed a name into one of these has to take it out himself.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..utils.safe_zip import checked_members
from .dicom_geometry import stack_of
from .dicom_headers import Header, numbers_of, text_of
from .dicom_pixels import THREADS, decoded_hu, framed_hu, plain_hu, straightened
from .dicom_series import one_ct_series

_LARGEST_ZIP_BYTES = 8 * 1024**3
_COPY_BYTES = 1024**2


def read_zip(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Read the one CT series in a zip; as ``read_files``.

    Raises:
        BadInputError: also if the zip is damaged, encrypted or too large to unpack.
    """
    with tempfile.TemporaryDirectory(prefix="skullgan-") as folder:
        return read_files(path, _unpacked(path, Path(folder)))


def names_in_zip(path: Path) -> list[str]:
    """Names of the files in a zip, without their folders; none if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [Path(one.filename).name for one in archive.infolist() if not one.is_dir()]
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return []


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
    headers = one_ct_series(path, files)
    stack = stack_of(path, headers)
    ordered = [headers[file] for file in stack.files]
    hu = framed_hu(path, stack.files, ordered)
    if hu is None:
        hu = plain_hu(stack.files, ordered)
    if hu is None:
        hu = decoded_hu(path, stack.files, ordered)
    source = _source_of(ordered[0])
    if stack.tilt_deg:
        hu = straightened(hu, stack.first_row)
        source["gantry_tilt_deg"] = round(stack.tilt_deg, 2)
    return hu, stack.lps, source


def _unpacked(path: Path, folder: Path) -> list[Path]:
    """Unpack a zip, whose names are looked at first, under names of our own."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = checked_members(path, archive, most_bytes=_LARGEST_ZIP_BYTES)
        parts = np.array_split(np.arange(len(members)), 4 * THREADS)
        with ThreadPoolExecutor(THREADS) as pool:
            unpacked = list(pool.map(partial(_unpacked_part, path, folder), parts))
    except NotImplementedError as error:
        raise BadInputError(
            f"{path}: the zip is compressed in a way that cannot be unpacked, expected deflate."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BadInputError(
            f"{path}: the zip is damaged or incomplete, expected a whole one."
        ) from error
    except OSError as error:
        raise BadInputError(
            f"{path}: the zip cannot be unpacked to {folder.parent} ({error.strerror or error}), "
            "expected room for its contents there."
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


def _source_of(header: Header) -> dict[str, Any]:
    """What is kept of a DICOM header: the scanner and its settings, by an explicit list."""
    scanner = f"{text_of(header, 'Manufacturer')} {text_of(header, 'ManufacturerModelName')}"
    found: dict[str, Any] = {
        "scanner": scanner.strip(),
        "kernel": text_of(header, "ConvolutionKernel"),
    }
    for key, name in (("kvp", "KVP"), ("slice_thickness_mm", "SliceThickness")):
        value = numbers_of(header, name, 1)
        found[key] = float(value[0]) if value is not None else 0.0
    return {key: value for key, value in found.items() if value}
