"""How a segment set lies in an HDF5 file: names, types, chunks and attributes.

The HU of some segments are a chunk, and so are their masks, packed by ``packing``.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ..errors import BadInputError
from ..utils.json_text import parse_json
from . import hdf5_check
from .packing import CHUNK, LEVEL, PIXELS, Packed, Packer, pack
from .provenance import checked_source
from .segment_set import IN_DEPTH, NO_STACK, PER_SEGMENT, SIZE, TEXTS, SegmentSet

if TYPE_CHECKING:
    import h5py

FORMAT = "skullgan-segments"
FORMAT_VERSION = 1
"""Stepped when earlier programs would misread a file; they read chunks of any size."""

_LATER = ("ct", *IN_DEPTH)  # what files of earlier versions lack, and sets without depth
TYPES = {
    **{"hu": np.int16, "mask": np.uint8, "pixel_to_ras": np.float64, "seed": np.int64},
    **dict.fromkeys(IN_DEPTH, np.int64),
}
COLUMNS = tuple(name for name in PER_SEGMENT if name not in PIXELS)
"""What is small enough to be kept in memory for all segments."""


@contextmanager
def opened(path: str | Path) -> Iterator[h5py.File]:
    """The HDF5 file of a segment set; what goes wrong in it raises as ``hdf5.read`` says."""
    import h5py

    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, expected a segment set (.h5).")
    try:
        hdf5_check.check_file(path)
        with h5py.File(path, "r") as file:
            _check_format(path, file)
            _check_types(path, file)
            yield file
    except KeyError as error:
        raise BadInputError(f"{path}: the segment set is incomplete: {error.args[0]}.") from error
    except BadInputError as error:
        raise error if str(path) in str(error) else BadInputError(f"{path}: {error}") from error
    except (
        *(OSError, RuntimeError, ValueError, TypeError, AttributeError),
        *(LookupError, MemoryError, OverflowError),
    ) as error:
        raise BadInputError(
            f"{path}: cannot be read as a segment set (.h5); the file is damaged or something else."
        ) from error


def read_rows(file: h5py.File, rows: slice) -> SegmentSet:
    return SegmentSet(
        **{name: read_column(file, name, rows) for name in PER_SEGMENT},
        kind=str(file.attrs["kind"]),
        pixel_spacing_mm=float(file.attrs["pixel_spacing_mm"]),
        hu_range=cast("tuple[float, float]", tuple(float(hu) for hu in file.attrs["hu_range"])),
        source=checked_source(parse_json(file.attrs["source"], "its source")),
        created_by=str(file.attrs["created_by"]),
    )


def read_column(file: h5py.File, name: str, rows: slice) -> np.ndarray:
    if name in _LATER and name not in file:
        return np.full(len(file["seed"][rows]), NO_STACK if name in IN_DEPTH else "")
    if name in TEXTS:
        return np.array(file[name].asstr()[rows], dtype=np.str_)
    return file[name][rows]


def lay_out(
    path: Path,
    header: SegmentSet,
    columns: Mapping[str, np.ndarray],
    pixels: Iterable[Packed],
    packer: str,
) -> None:
    """Write a whole segment set.

    Args:
        path: the HDF5 file.
        header: a set whose kind, pixel size, HU range, source and program are written.
        columns: each of ``COLUMNS``, (N, ...).
        pixels: HU and masks of the N segments, packed in chunks.
        packer: the name of what packed them.

    Raises:
        OSError, RuntimeError: what HDF5 says of a file that cannot be written.
        TypeError: if JSON cannot hold the source.
    """
    import h5py

    count = len(columns["seed"])
    with h5py.File(path, "w") as file:
        datasets = [
            file.create_dataset(
                name,
                shape=(count, SIZE, SIZE),
                dtype=dtype,
                chunks=(CHUNK, SIZE, SIZE),
                maxshape=(None, SIZE, SIZE),
                compression="gzip",
                compression_opts=LEVEL,
                shuffle=True,
            ).id
            for name, dtype in PIXELS.items()
        ]
        for place, packed in enumerate(pixels):
            for dataset, chunk in zip(datasets, packed, strict=True):
                dataset.write_direct_chunk((place * CHUNK, 0, 0), chunk)
        for name in COLUMNS:
            if name in IN_DEPTH and (columns[name] == NO_STACK).all():
                continue
            text = name in TEXTS
            file.create_dataset(
                name,
                data=columns[name].tolist() if text else columns[name],
                dtype=h5py.string_dtype("utf-8") if text else TYPES[name],
            )
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["packer"] = packer
        file.attrs["kind"] = header.kind
        file.attrs["pixel_spacing_mm"] = float(header.pixel_spacing_mm)
        file.attrs["hu_range"] = np.asarray(header.hu_range, np.float64)
        file.attrs["created_by"] = header.created_by
        file.attrs["source"] = json.dumps(dict(header.source), sort_keys=True)


def packer_in(file: h5py.File) -> str:
    """The name of what packed a file's pixels; empty if it does not say."""
    name = file.attrs.get("packer")
    return name if isinstance(name, str) else ""


def packed_chunks(file: h5py.File, count: int, packer: Packer) -> Iterator[Packed]:
    """The first ``count`` whole chunks of the segments in a file, as that packer packs them; those
    that it has packed are taken as they are."""
    both = [file[name] for name in PIXELS]
    ours = packer_in(file) == packer.name and all(
        (one.chunks, one.compression, one.compression_opts, one.shuffle, one.fletcher32)
        == ((CHUNK, SIZE, SIZE), "gzip", LEVEL, True, False)
        and one.dtype == np.dtype(dtype)
        and one.id.get_num_chunks() == -(-len(one) // CHUNK)
        for one, dtype in zip(both, PIXELS.values(), strict=True)
    )
    for row in range(0, count * CHUNK, CHUNK):
        if ours:
            chunks = [one.id.read_direct_chunk((row, 0, 0)) for one in both]
            if not any(filters_skipped for filters_skipped, _ in chunks):
                yield chunks[0][1], chunks[1][1]
                continue
        yield pack(both[0][row : row + CHUNK], both[1][row : row + CHUNK], packer)


def reserve(folder: Path, size: int) -> None:
    """Raise OSError if a folder has no room for a file of that many bytes.

    HDF5 does not survive a full disk: closing the file crashes the process. So the room is tried
    beforehand; what another process takes in between is left to luck.
    """
    if hasattr(os, "posix_fallocate"):
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                os.posix_fallocate(file.fileno(), 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # file systems without it
                raise
    if shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def layout_fault(file: h5py.File) -> str:
    """Say why a file is no segment set by its own words; empty if it is one."""
    found = file.attrs.get("format")
    if isinstance(found, str) and found == FORMAT:
        return ""
    said = found if found is None else str(found)[:80]
    return f"is an HDF5 file of format {said!r}, expected a segment set ({FORMAT!r})"


def parts_in(file: h5py.File) -> list[str]:
    """The names of a segment set's parts that are there; no link is followed to find out."""
    return [name for name in PER_SEGMENT if file.id.links.exists(name.encode())]


def _check_format(path: Path, file: h5py.File) -> None:
    fault = layout_fault(file)
    if fault:
        raise BadInputError(f"{path}: {fault}.")
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise BadInputError(
            f"{path}: is a segment set of version {version}, this program reads up to version "
            f"{FORMAT_VERSION}; a newer SkullGAN reads it."
        )


def _check_types(path: Path, file: h5py.File) -> None:
    for name in parts_in(file):
        if fault := hdf5_check.part_fault(file, name):  # again: it may be another file by now
            raise BadInputError(f"{path}: the segment set's {name} {fault}, expected none such.")
    for name, expected in TYPES.items():
        if name in _LATER and name not in file:
            continue
        found = file[name].dtype
        if found != expected:
            raise BadInputError(
                f"{path}: the segment set's {name} is of type {found}, expected "
                f"{np.dtype(expected)}."
            )
    counts = {name: len(file[name]) for name in PER_SEGMENT if name in file or name not in _LATER}
    if len(set(counts.values())) > 1:
        raise BadInputError(
            f"{path}: the segment set's parts have different lengths ({counts}), expected one "
            "for all."
        )
