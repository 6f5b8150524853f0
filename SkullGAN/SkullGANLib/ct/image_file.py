"""One image out of a NRRD, NIfTI or MetaImage file, by ITK in a child process.

The header is held against the file first (``image_limits``), and ITK reads in a process of its own
(``utils.reader_process``): a damaged file costs a sentence, not the program.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..utils.reader_process import array_folder, load_array, read_apart, save_array, seconds_for
from .dicom_pixels import itk_silent
from .image_limits import Claim, check_bytes, check_image, format_of
from .nifti import nifti_fault

_READERS = {"nrrd": "NrrdImageIO", "nifti": "NiftiImageIO", "meta": "MetaImageIO"}
_VOXELS = "voxels.npy"
_LONGEST_TEXT = 1000
_PIECE_BYTES = 4 * 1024**2


@dataclass(frozen=True, eq=False)
class Image:
    """An image as its file has it.

    Attributes:
        voxels: (slices, rows, columns), of the file's type.
        lps: float64 (4, 4), takes (column, row, slice, 1) to LPS mm.
        dimensions, channels: what it has.
        texts: keys and values of the header.
    """

    voxels: np.ndarray
    lps: np.ndarray
    dimensions: int = 3
    channels: int = 1
    texts: dict[str, str] = field(default_factory=dict)


def read_image(path: Path, expected: str) -> Image:
    """Read an image file.

    Args:
        path: NRRD, NIfTI or MetaImage.
        expected: what to say is expected where it cannot be read.

    Raises:
        BadInputError: if it cannot be read whole.
    """
    claim = _checked(path, expected)
    needed = claim.data_bytes
    size = path.stat().st_size
    with array_folder(needed) as folder:
        found = read_apart(
            "ct.image_file:read_here",
            {"path": str(path.absolute()), "folder": str(folder), "named": str(path)}
            | {"expected": expected},
            where=path,
            expected=expected,
            needed_bytes=4 * needed + size,
            seconds=seconds_for(needed),
        )
        voxels = load_array(folder / _VOXELS)
    return Image(
        voxels,
        np.array(found["lps"], float),
        int(found["dimensions"]),
        int(found["channels"]),
        {str(key): str(text) for key, text in found["texts"].items()},
    )


def read_here(path: str, folder: str, named: str, expected: str) -> dict[str, Any]:
    """Do it in this process, the voxels into a folder; raises as ``read_image`` does.

    Args:
        path: the file.
        folder: where the voxels go.
        named: what the user calls the file.
        expected: as for ``read_image``.
    """
    import SimpleITK as sitk

    claim = _checked(Path(path), expected)
    if format_of(path) == "meta" and claim.encoding == "gzip" and not claim.beside:
        _check_stream(path, named, claim, expected)
    try:
        with itk_silent():
            image = sitk.ReadImage(path, imageIO=_READERS[format_of(path)])
    except RuntimeError as error:
        sheared = "orthonormal" in str(error)
        found = "its axes are not at right angles" if sheared else "cannot be read"
        raise BadInputError(f"{named}: {found}, {expected}.") from error
    fault = nifti_fault(Path(path)) if format_of(path) == "nifti" else ""
    if fault:
        raise BadInputError(f"{named}: {fault}, {expected}.")
    save_array(Path(folder) / _VOXELS, sitk.GetArrayViewFromImage(image))
    lps = np.eye(4)
    if image.GetDimension() == 3:
        direction = np.array(image.GetDirection()).reshape(3, 3)
        lps[:3, :3] = direction * np.array(image.GetSpacing())
        lps[:3, 3] = image.GetOrigin()
    return {
        "lps": lps.tolist(),
        "dimensions": image.GetDimension(),
        "channels": image.GetNumberOfComponentsPerPixel(),
        "texts": {key: image.GetMetaData(key)[:_LONGEST_TEXT] for key in image.GetMetaDataKeys()},
    }


def _check_stream(path: str, named: str, claim: Claim, expected: str) -> None:
    """Unpack the voxels of a MetaImage and drop them: MetaIO never ends with a damaged stream."""
    unpacked, unpacking = 0, zlib.decompressobj(47)  # zlib's header or gzip's
    try:
        with open(path, "rb") as file:
            file.seek(claim.begins)
            while unpacked <= claim.data_bytes and (part := file.read(_PIECE_BYTES)):
                while part and unpacked <= claim.data_bytes:
                    unpacked += len(unpacking.decompress(part, _PIECE_BYTES))
                    part = unpacking.unconsumed_tail
    except zlib.error as error:
        raise BadInputError(
            f"{named}: cannot be read: its voxels are damaged, {expected}."
        ) from error
    if unpacked < claim.data_bytes:
        raise BadInputError(f"{named}: cannot be read: it is truncated, {expected}.")


def _checked(path: Path, expected: str) -> Claim:
    """What the header claims, held against the file."""
    if not format_of(path.name):
        pair = path.suffix.lower() in (".hdr", ".img")
        found = "is one of a pair of files" if pair else f"'{path.suffix}' files cannot be read"
        raise BadInputError(f"{path}: {found}, {expected}.")
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, {expected}.")
    try:
        with open(path, "rb") as file:
            claim = check_image(str(path), path.name, file, path.stat().st_size)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror}), {expected}.") from error
    except BadInputError as error:
        reason = str(error).removeprefix(f"{path}: ").rstrip(".")
        raise BadInputError(f"{path}: cannot be read: it {reason}; {expected}.") from error
    assert claim is not None
    if claim.beside:
        beside = path.parent / claim.beside
        if not beside.is_file():
            raise BadInputError(f"{path}: its data file {claim.beside} is not there, {expected}.")
        check_bytes(str(path), claim, beside.stat().st_size)
    return claim
