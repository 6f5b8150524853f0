"""The pixels of DICOM slices in HU, and slices of a tilted gantry made straight.

``plain_hu`` reads what is stored as it is, ``decoded_hu`` anything that ITK can decode;
``straightened`` shifts the slices of a sheared stack to where they belong.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..utils.reader_process import array_folder, load_array, read_apart, save_array, seconds_for
from .dicom_headers import numbers_of
from .dicom_multiframe import frame_pixels
from .dicom_zip import THREADS, ZippedFiles
from .image_limits import MOST_BYTES

PADDING_HU = -1024
"""What lies beside the slices of a tilted gantry once they are a straight volume."""
_PIXELS = "pixels.npy"
_UNSUSPICIOUS_BYTES = 2**27
_MOST_RATIO = 200  # of compressed pixels of a CT
_itk_warnings = threading.Lock()


def plain_hu(
    files: Sequence[Path],
    headers: Sequence[Mapping[str, Any]],
    zipped: ZippedFiles | None = None,
) -> np.ndarray | None:
    """HU (slices, rows, columns) of pixels that are stored as they are; None if any is not.

    Several times faster than ITK, which reads one file after the other and each header again.
    """
    if not all("first pixel" in header for header in headers):
        return None
    if zipped and any(zipped.is_large(file) for file in files):
        return None
    shape = (len(files), headers[0]["Rows"], headers[0]["Columns"])
    hu = np.empty(shape, np.int16 if all(map(_fits_int16, headers)) else np.float32)

    def fill(k: int) -> None:
        content = zipped.content(files[k]) if zipped else None
        _rescale(_stored_pixels(files[k], headers[k], content), headers[k], hu[k])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(len(files))))
    return hu


def framed_hu(
    path: Path, files: Sequence[Path], headers: Sequence[Mapping[str, Any]]
) -> np.ndarray | None:
    """HU (slices, rows, columns) of the frames of multi-frame files; None if any is no frame."""
    if not all("frame" in header for header in headers):
        return None
    frames: dict[Path, list[Mapping[str, Any]]] = {}
    for file, header in zip(files, headers, strict=True):
        frames.setdefault(file.parent, []).append(header)
    stored = {
        one: frame_pixels(path, one, decoded_bytes(path, [one], of, 4))
        for one, of in frames.items()
    }
    shape = (len(files), int(headers[0]["Rows"]), int(headers[0]["Columns"]))
    hu = np.empty(shape, np.int16 if all(map(_fits_int16, headers)) else np.float32)
    for k, (file, header) in enumerate(zip(files, headers, strict=True)):
        pixels = stored[file.parent]
        if pixels.shape[1:] != shape[1:] or header["frame"] >= len(pixels):
            raise BadInputError(
                f"{path}: its frames decode to {pixels.shape} pixels, its headers say otherwise; "
                "expected complete ones."
            )
        _rescale(pixels[header["frame"]], header, hu[k])
    return hu


def _rescale(stored: np.ndarray, header: Mapping[str, Any], hu: np.ndarray) -> None:
    """Write a slice's HU into ``hu`` (rows, columns); what the header calls padding is air."""
    slope, intercept = (float(header[name]) for name in ("RescaleSlope", "RescaleIntercept"))
    if hu.dtype == np.int16:
        _shift(stored, int(intercept), hu)
    else:
        with np.errstate(all="ignore"):  # what is not finite is found later
            hu[...] = stored * slope + intercept
    padding = padding_of(header)
    if padding is not None:
        hu[(stored >= padding[0]) & (stored <= padding[1])] = PADDING_HU


def _shift(stored: np.ndarray, intercept: int, hu: np.ndarray) -> None:
    """Add the intercept to whole values; what falls below int16 is padding, and its lowest."""
    lowest = int(stored.min()) + intercept
    if lowest >= np.iinfo(np.int16).min:
        # Modulo 65,536 a sum is right whatever the type, if it fits; a fourth of the time.
        shift = np.array(intercept % 2**16, np.uint16).view(np.int16)
        np.add(stored.view(np.int16), shift, out=hu)
    else:
        rescaled = stored.astype(np.int32) + intercept
        np.maximum(rescaled, np.iinfo(np.int16).min, out=hu, casting="unsafe")


def padding_of(header: Mapping[str, Any]) -> tuple[int, int] | None:
    """The lowest and the highest stored value that are padding (DICOM PS3.3, C.7.5.1.1.2); None
    where the header names none."""
    first = numbers_of(header, "PixelPaddingValue", 1)
    if first is None:
        return None
    last = numbers_of(header, "PixelPaddingRangeLimit", 1)
    ends = sorted(int(one[0]) for one in (first, first if last is None else last))
    return ends[0], ends[1]


def decoded_hu(
    path: Path, files: Sequence[Path], headers: Sequence[Mapping[str, Any]]
) -> np.ndarray:
    """HU (slices, rows, columns) of compressed or unusual pixels, by ITK in a child process."""
    stored = {
        (float(h["RescaleSlope"]), float(h["RescaleIntercept"]), h["PixelRepresentation"])
        for h in headers
    }
    syntax = headers[0]["transfer syntax"]
    expected = (
        "expected complete files in a syntax that GDCM reads, such as Explicit VR Little Endian"
    )
    needed = decoded_bytes(path, files, headers, 4)
    with array_folder(needed) as folder:
        read_apart(
            "ct.dicom_pixels:decode_here",
            {
                "files": [str(file) for file in files],
                # ITK takes the type of the first slice for all, whatever the others rescale to.
                "as_float": len(stored) > 1,
                "folder": str(folder),
                "sentence": f"{path}: the pixels of the series cannot be decoded (transfer syntax "
                f"{syntax}), {expected}.",
            },
            where=path,
            expected=expected,
            needed_bytes=4 * needed,
            seconds=seconds_for(needed),
        )
        hu = load_array(folder / _PIXELS)
    shape = (len(files), int(headers[0]["Rows"]), int(headers[0]["Columns"]))
    if hu.shape != shape:
        raise BadInputError(
            f"{path}: its pixels decode to {hu.shape} voxels, its headers say {shape}; {expected}."
        )
    for k, header in enumerate(headers):
        padding = padding_of(header)
        if padding is not None:
            slope, intercept = (float(header[n]) for n in ("RescaleSlope", "RescaleIntercept"))
            low, high = sorted(slope * end + intercept for end in padding)
            hu[k][(hu[k] >= low) & (hu[k] <= high)] = PADDING_HU
    return hu


def decode_here(files: list[str], as_float: bool, folder: str, sentence: str) -> None:
    """Decode slices in this process, into a folder; raises BadInputError with that sentence."""
    import SimpleITK as sitk

    try:
        with itk_silent():
            image = sitk.ReadImage(files, sitk.sitkFloat32 if as_float else sitk.sitkUnknown)
    except RuntimeError as error:
        raise BadInputError(sentence) from error
    save_array(Path(folder) / _PIXELS, sitk.GetArrayViewFromImage(image))


def decoded_bytes(
    path: Path, files: Sequence[Path], headers: Sequence[Mapping[str, Any]], sample_bytes: int
) -> int:
    """What pixels take in memory, by their headers.

    Raises:
        BadInputError: if that is more than files of their size can hold.
    """
    needed = sum(int(h["Rows"]) * int(h["Columns"]) * sample_bytes for h in headers)
    held = sum(file.stat().st_size for file in files)
    if needed > min(MOST_BYTES, max(_UNSUSPICIOUS_BYTES, _MOST_RATIO * held)):
        raise BadInputError(
            f"{path}: its headers tell of {needed / 2**30:.3g} GiB of pixels in "
            f"{held / 2**20:.3g} MiB of files, expected a head CT of at most "
            f"{MOST_BYTES / 2**30:g} GiB."
        )
    return needed


def straightened(slices: np.ndarray, first_row: np.ndarray) -> np.ndarray:
    """Shift each slice down its columns, to where it lies in a straight volume.

    Between rows by cubic convolution (Keys 1981, a = -1/2), kept within the range of the four rows
    around, so that there is no overshoot.

    Args:
        slices: (slices, rows, columns), HU.
        first_row: float64 (slices,), not below 0, the row at which each slice begins.

    Returns:
        (slices, more rows, columns) of the same type; ``PADDING_HU`` where no slice is.
    """
    rows = slices.shape[1]
    more = int(np.ceil(first_row.max()))
    straight = np.full((len(slices), rows + more, slices.shape[2]), PADDING_HU, slices.dtype)

    def shift(k: int) -> None:
        at = np.arange(rows + more) - first_row[k]
        covered = (at > -0.5) & (at < rows - 0.5)
        below = int(np.floor(at[0]))
        t = at[0] - below
        weights = (
            *(((-0.5 * t + 1.0) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1.0),
            *(((-1.5 * t + 2.0) * t + 0.5) * t, (0.5 * t - 0.5) * t * t),
        )
        nearest = np.flatnonzero(covered) + below
        taps = [
            slices[k, np.clip(nearest + step, 0, rows - 1)].astype(np.float32)
            for step in (-1, 0, 1, 2)
        ]
        value = sum(np.float32(weight) * tap for weight, tap in zip(weights, taps, strict=True))
        value = np.clip(value, np.minimum.reduce(taps), np.maximum.reduce(taps))
        whole = np.issubdtype(slices.dtype, np.integer)
        straight[k, covered] = np.rint(value) if whole else value

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(shift, range(len(slices))))
    return straight


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


def _fits_int16(header: Mapping[str, Any]) -> bool:
    """Whether HU are whole numbers that int16 holds; below its range there is only padding."""
    slope, intercept = float(header["RescaleSlope"]), float(header["RescaleIntercept"])
    bits, signed = header.get("BitsStored") or 16, header.get("PixelRepresentation") or 0
    highest = 2 ** (min(bits, 32) - signed) - 1
    return slope == 1 and intercept.is_integer() and -65536 < intercept <= 32767 - highest


def _stored_pixels(file: Path, header: Mapping[str, Any], content: bytes | None) -> np.ndarray:
    """Stored values (rows, columns) of one file."""
    kind = "<i2" if header["PixelRepresentation"] else "<u2"
    count, offset = header["Rows"] * header["Columns"], header["first pixel"]
    stored = (
        np.fromfile(file, kind, count=count, offset=offset)
        if content is None
        else np.frombuffer(content, kind, count=count, offset=offset)
    ).reshape(header["Rows"], header["Columns"])
    unused = 16 - header["BitsStored"]
    return (stored << unused) >> unused if unused else stored  # there may be anything above
