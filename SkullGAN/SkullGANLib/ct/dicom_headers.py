"""The headers of DICOM files: the few elements that a CT is read by, and nothing else.

Only the elements in ``_ELEMENTS`` are read, so nothing else that a header says can get any further.
"""

from __future__ import annotations

import io
import logging
import os
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import BadInputError
from .dicom_zip import ZippedFiles

_PLAIN_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")  # implicit, explicit little endian
_ELEMENTS = (
    *("Modality", "ImageType", "SeriesInstanceUID", "SeriesNumber", "SOPInstanceUID"),
    *("NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("Rows", "Columns", "PixelRepresentation", "PixelSpacing"),
    *("ImagePositionPatient", "ImageOrientationPatient", "GantryDetectorTilt"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("PhotometricInterpretation", "SamplesPerPixel"),
    *("BitsAllocated", "BitsStored", "HighBit"),
    *("Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "KVP", "SliceThickness"),
)

_WHOLE_NUMBERS = (
    *("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored"),
    *("HighBit", "PixelRepresentation"),
)

Header = Mapping[str, Any]
"""Those of ``_ELEMENTS`` that a file has, as pydicom gives them, its ``transfer syntax``, and
``first pixel``: where in the file plain pixels begin, if they are such."""

_FIRST_ELEMENTS = (0x0000, 0x0001, 0x0005, 0x0006, 0x0008, 0x0012, 0x0016, 0x0018)

_MOST_READS = 2_000_000  # a CT of 1,000 frames in a file takes 200,000
_log = logging.getLogger(__name__)


def read_header(path: Path, file: Path, zipped: ZippedFiles | None = None) -> Header | None:
    """Read the header of a DICOM file; None if it is something else.

    Args:
        path: what the user gave, for the sentence.
        file: the file, itself or in it.
        zipped: what it is a file of, if it is not on the disk.

    Raises:
        BadInputError: if it is DICOM, but damaged.
    """
    if zipped is None:
        return _read(path, file, lambda: open(file, "rb"))
    size, beginning = zipped.size(file), zipped.beginning(file)
    if len(beginning) < size:
        with suppress(BadInputError):  # there may be more to it
            header = _read(path, file, lambda: io.BytesIO(beginning), size)
            if header is None or ("first pixel" in header and not zipped.is_large(file)):
                return header
    if not zipped.is_large(file):
        return _read(path, file, lambda: io.BytesIO(zipped.content(file)))
    unpacked = zipped.on_disk([file])[0]
    return _read(path, file, lambda: open(unpacked, "rb"))


def _read(
    path: Path, file: Path, open_file: Callable[[], BinaryIO], size: int | None = None
) -> Header | None:
    """``read_header`` of what is opened, which may be the beginning of a file of that size."""
    import pydicom
    from pydicom.errors import BytesLengthException, InvalidDicomError

    damage = (  # what pydicom stumbles over
        *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError),
        *(NotImplementedError, BytesLengthException, struct.error, zlib.error),
    )
    try:
        with open_file() as opened:
            bare = _lacks_preamble(opened)
            dataset = pydicom.dcmread(
                _Bounded(opened),
                stop_before_pixels=True,
                specific_tags=list(_ELEMENTS),
                force=bare,
            )
            syntax = dataset.file_meta.get("TransferSyntaxUID")
            if syntax is None and bare:
                syntax = (
                    pydicom.uid.ImplicitVRLittleEndian
                    if dataset.is_implicit_VR
                    else pydicom.uid.ExplicitVRLittleEndian
                )
            if syntax is None:
                raise AttributeError("TransferSyntaxUID")
            pixels = _plain_pixels(opened, syntax, size)
        header: dict[str, Any] = {"transfer syntax": syntax.name}
    except InvalidDicomError:
        _log.debug("%s is not DICOM", file)
        return None
    except damage as error:
        name = f" ({file.name})" if path in file.parents else ""  # in a zip, it has ours
        raise BadInputError(
            f"{path}: holds a DICOM file that is damaged or cannot be read{name}, expected "
            "complete ones."
        ) from error
    for name in _ELEMENTS:
        with suppress(*damage):  # one that is damaged is one that is missing
            header[name] = dataset.get(name)
    for name in _WHOLE_NUMBERS:  # a damaged file may have texts there
        value = numbers_of(header, name, 1)
        whole = value is not None and value[0].is_integer() and 0 <= value[0] < 2**16
        header[name] = int(value[0]) if value is not None and whole else None
    if pixels and _is_plain(header, pixels[1]):
        header["first pixel"] = pixels[0]
    return header


class _Bounded:
    """A file that is read some millions of times at most: 2 GB of zeros are as many elements."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _MOST_READS

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ValueError("a header without end")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def text_of(header: Header, name: str) -> str:
    """An element as text, several values joined as DICOM writes them; empty where there is none."""
    value = header.get(name)
    if value is None or isinstance(value, str):
        return (value or "").strip()
    parts = value if isinstance(value, Sequence) else [value]
    return "\\".join(str(part) for part in parts)


def numbers_of(header: Header, name: str, count: int) -> np.ndarray | None:
    """An element's finite numbers, float64 (count,), or None where there are not that many."""
    try:
        values = np.atleast_1d(np.array(header.get(name), float))
    except (ValueError, TypeError):
        return None
    return values if values.shape == (count,) and np.isfinite(values).all() else None


def _lacks_preamble(opened: BinaryIO) -> bool:
    """Whether a file begins with elements of DICOM's first groups, without preamble and DICM, as
    older programs write them; it stands at its beginning afterwards."""
    start = opened.read(132)
    opened.seek(0)
    group, element = (int.from_bytes(start[at : at + 2], "little") for at in (0, 2))
    return start[128:] != b"DICM" and group in (0x0002, 0x0008) and element in _FIRST_ELEMENTS


def _plain_pixels(opened: BinaryIO, syntax: str, size: int | None) -> tuple[int, int] | None:
    """Where the bytes of PixelData begin and how many there are, if they are stored as they are
    and all there. The file stands at that element (DICOM PS3.5, 7.1.2 and 7.1.3)."""
    if syntax not in _PLAIN_SYNTAXES:
        return None
    tag = opened.read(4)
    if syntax == _PLAIN_SYNTAXES[1]:
        opened.read(4)  # value representation and two reserved bytes
    length = int.from_bytes(opened.read(4), "little")
    begin = opened.tell()
    whole = begin + length <= (size or opened.seek(0, os.SEEK_END))
    return (begin, length) if tag == b"\xe0\x7f\x10\x00" and whole else None


def _is_plain(header: Header, length: int) -> bool:
    """Whether that many bytes of pixels are one gray image of 16 bits a pixel."""
    names = ("Rows", "Columns", "BitsStored", "HighBit", "BitsAllocated", "SamplesPerPixel")
    found = (numbers_of(header, name, 1) for name in names)
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(names):
        return False
    rows, columns, bits, high, allocated, samples = (int(number[0]) for number in numbers)
    return (
        (allocated, samples, high) == (16, 1, bits - 1)
        and 1 <= bits <= 16
        and header["PixelRepresentation"] in (0, 1)
        and text_of(header, "PhotometricInterpretation") == "MONOCHROME2"
        and length == 2 * rows * columns
    )
