"""CTs of one multi-frame file, Enhanced or Legacy Converted, taken apart into slices.

Geometry and rescaling stand in functional groups there, shared by all frames or one a frame (DICOM
PS3.3, C.7.6.16). ``frames_of`` gives a header a frame, as a file of one slice would have it;
``frame_pixels`` gives what the frames store.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..utils.reader_process import array_folder, load_array, read_apart, save_array, seconds_for
from .dicom_headers import Header, numbers_of

_PIXELS = "frames.npy"
_EXPECTED = "expected complete pixels, uncompressed or in a syntax that pydicom reads"
_GROUPS = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "RescaleType"),
    "CTReconstructionSequence": ("ConvolutionKernel",),
    "CTImageFrameTypeSequence": ("FrameType",),
}
"""Functional groups, and what of them a slice is read by."""


def is_multi_frame(header: Header) -> bool:
    """Whether a file holds several frames with functional groups."""
    frames = numbers_of(header, "NumberOfFrames", 1)
    return (
        frames is not None
        and frames[0] > 1
        and bool(header.get("PerFrameFunctionalGroupsSequence"))
    )


def frames_of(file: Path, header: Header) -> dict[Path, Header]:
    """Give the header of each frame, by the file's path and the frame's number below it.

    Args:
        file: the multi-frame file.
        header: its header.
    """
    shared = _first(header.get("SharedFunctionalGroupsSequence"))
    own = [name for name in header if not name.endswith("FunctionalGroupsSequence")]
    frames: dict[Path, Header] = {}
    for number, group in enumerate(header["PerFrameFunctionalGroupsSequence"]):
        frame: dict[str, Any] = {name: header[name] for name in own if name != "first pixel"}
        for name, value in (*_values(shared), *_values(group)):
            frame["ImageType" if name == "FrameType" else name] = value
        frame["frame"] = number
        frames[file / str(number)] = frame
    return frames


def frame_pixels(path: Path, file: Path, needed_bytes: int) -> np.ndarray:
    """Read what the frames of a file store, (frames, rows, columns), in a child process.

    Args:
        path: what the user gave, for the sentences.
        file: the multi-frame file.
        needed_bytes: what its pixels take.

    Raises:
        BadInputError: if the pixels are damaged or compressed in a way that cannot be read.
    """
    with array_folder(needed_bytes) as folder:
        read_apart(
            "ct.dicom_multiframe:decode_here",
            {"file": str(file), "folder": str(folder), "path": str(path)},
            where=path,
            expected=_EXPECTED,
            needed_bytes=4 * needed_bytes,
            seconds=seconds_for(needed_bytes),
        )
        return load_array(folder / _PIXELS)


def decode_here(file: str, folder: str, path: str) -> None:
    """Decode a file's frames in this process, into a folder; raises as ``frame_pixels`` does."""
    import pydicom

    try:
        stored = np.asarray(pydicom.dcmread(file, force=True).pixel_array)
    except (OSError, EOFError, ValueError, RuntimeError, LookupError, AttributeError) as error:
        raise BadInputError(
            f"{path}: the frames of its multi-frame file cannot be decoded ({error}), {_EXPECTED}."
        ) from error
    save_array(Path(folder) / _PIXELS, stored)


def _first(sequence: Any) -> Any:
    return sequence[0] if sequence else None


def _values(group: Any) -> Iterator[tuple[str, Any]]:
    """What a functional group, shared or of a frame, says of a slice."""
    for sequence, names in _GROUPS.items():
        item = _first(getattr(group, sequence, None)) if group is not None else None
        for name in names:
            value = getattr(item, name, None)
            if value is not None:
                yield name, value
