"""One CT series out of DICOM files, refused unless its slices make an even stack.

``read_files`` and ``read_zip`` give the volume in HU and what may be known of the scanner. A stack
that is sheared by a tilted gantry is made straight.

What is kept of a header are the scanner's own words (maker, model, kernel, kVp, slice thickness);
whoever has typed a name into one of these has to take it out himself.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .dicom_geometry import stack_of
from .dicom_headers import Header, numbers_of, text_of
from .dicom_pixels import decoded_hu, framed_hu, plain_hu, straightened
from .dicom_series import one_ct_series
from .dicom_zip import ZippedFiles


def read_zip(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Read the one CT series in a zip; as ``read_files``.

    Raises:
        BadInputError: also if the zip is damaged, encrypted or too large to unpack.
    """
    with ZippedFiles(path) as zipped:
        return read_files(path, zipped.files, zipped)


def names_in_zip(path: Path) -> list[str]:
    """Names of the files in a zip, without their folders; none if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [Path(one.filename).name for one in archive.infolist() if not one.is_dir()]
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return []


def read_files(
    path: Path, files: Sequence[Path], zipped: ZippedFiles | None = None
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Read the one CT series among files, in any order and with other files between them.

    Rescale slope and intercept have to be there: both are required of a CT (DICOM PS3.3, C.8.2.1),
    and stored values that merely look like HU may be 1,024 off.

    A stack whose slices are shifted evenly down (or up) their columns was made by a tilted gantry.
    It is made straight if the headers say the same tilt or do not name any.

    Args:
        path: what the user gave, for the sentences.
        files: where to look.
        zipped: what they are files of, if they are not on the disk.

    Returns:
        HU (slices, rows, columns), as int16 or, where the headers rescale to something else, in
        another type; float64 (4, 4) that takes (column, row, slice, 1) to LPS mm; and its
        ``HeadCT.source``.

    Raises:
        BadInputError: if there is no CT series or more than one, its slices do not make an even
            stack, its headers deny the tilt that its slices have or the reverse, or its values
            cannot be had in HU.
    """
    headers = one_ct_series(path, files, zipped)
    stack = stack_of(path, headers)
    ordered = [headers[file] for file in stack.files]
    hu = plain_hu(stack.files, ordered, zipped)
    if hu is None:
        on_disk = zipped.on_disk(stack.files) if zipped else stack.files
        hu = framed_hu(path, on_disk, ordered)
        if hu is None:
            hu = decoded_hu(path, on_disk, ordered)
    if zipped:
        zipped.check_rest()
    source = _source_of(ordered[0])
    if stack.tilt_deg:
        hu = straightened(hu, stack.first_row)
        source["gantry_tilt_deg"] = round(stack.tilt_deg, 2)
    return hu, stack.lps, source


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
