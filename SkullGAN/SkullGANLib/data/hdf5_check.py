"""Whether an HDF5 file may be read as a segment set: before HDF5 has gone through it here.

HDF5 files can name other files that are read in their place (external storage, links, virtual
datasets), can claim more than they hold, and, damaged, make the library loop or crash. So a file
from anywhere is gone through in a child process first (``utils.reader_process``), once; what this
process wrote itself is trusted.
"""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..utils.reader_process import read_apart, seconds_for

if TYPE_CHECKING:
    import h5py

_FILTERS = ("gzip", "shuffle", "fletcher32", "lzf")
_MOST_CHUNK_BYTES = 2**26
_MOST_TEXT_BYTES = 2**26
_MOST_ATTRIBUTE = 64
_EXPECTED = "expected a segment set (.h5)"
_DAMAGED = "cannot be read as a segment set (.h5); the file is damaged or something else."

Identity = tuple[int, ...]
_known: dict[Identity, None] = {}
_guard = threading.Lock()
_MOST_KNOWN = 1000


def check_file(path: Path) -> None:
    """Go through a file in the child, unless that was done or this process wrote it.

    Raises:
        BadInputError: if it crashes or loops there, names other files, or claims what it lacks.
    """
    identity = _identity(path)
    if identity in _known:
        return
    size = path.stat().st_size
    try:
        read_apart(
            "data.hdf5_check:go_through",
            {"path": str(path.absolute()), "named": str(path)},
            where=path,
            expected=_EXPECTED,
            needed_bytes=4 * size,
            seconds=seconds_for(size),
        )
    except BadInputError as error:
        if f"{path}: cannot be read (" in str(error):  # whatever HDF5 stumbled over
            raise BadInputError(f"{path}: {_DAMAGED}") from error
        raise
    trust(path)


def trust(path: Path) -> None:
    """Have a file that this process has just written or checked taken as it is."""
    with _guard:
        while len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)))
        _known[_identity(path)] = None


def go_through(path: str, named: str) -> None:
    """Go through a file in this process: all parts, the index of all pixels, all texts.

    Args:
        path: the file.
        named: what the user calls it.

    Raises:
        BadInputError: as ``check_file``.
    """
    import h5py

    from .hdf5_layout import layout_fault, parts_in
    from .packing import PIXELS
    from .segment_set import TEXTS

    size = os.stat(path).st_size
    with h5py.File(path, "r") as file:
        fault = layout_fault(file)  # of another format, which the reader says
        if fault:
            return
        for name in parts_in(file):
            fault = part_fault(file, name) or _storage_fault(file[name], size)
            if fault:
                raise BadInputError(f"{named}: the segment set's {name} {fault}, {_EXPECTED}.")
            if name in TEXTS:
                file[name].asstr()[()]
            elif name not in PIXELS:
                file[name][()]
        for name in file.attrs:
            _check_attribute(named, file, name)


def part_fault(file: h5py.File, name: str) -> str:
    """Say what of a part leads out of its file; empty if nothing does."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return "is a link to elsewhere"
    part = file[name]
    if not isinstance(part, h5py.Dataset):
        return "is no dataset"
    if part.is_virtual:
        return "is put together of other files (a virtual dataset)"
    if part.external:
        return "lies in another file (external storage)"
    return ""


def _storage_fault(part: h5py.Dataset, size: int) -> str:
    """Say what of a part cannot be in its file; empty if all can."""
    if not 1 <= part.ndim <= 4 or part.dtype.itemsize * max(part.size, 1) > 2**42:
        return f"has the shape {part.shape}"
    if part.chunks is not None:
        return _chunks_fault(part, size)
    held = part.id.get_storage_size()
    if held < part.size * part.id.get_type().get_size() or held > size:
        return f"claims {part.size:,} values that the file does not hold"
    return ""


def _chunks_fault(part: h5py.Dataset, size: int) -> str:
    raw = math.prod(part.chunks) * part.dtype.itemsize
    if raw > _MOST_CHUNK_BYTES:
        return f"is stored in pieces of {raw:,} bytes"
    strange = [
        name
        for name in (
            part.id.get_create_plist().get_filter(n)[3].decode("ascii", "replace")
            for n in range(part.id.get_create_plist().get_nfilters())
        )
        if not any(known in name.lower() for known in (*_FILTERS, "deflate"))
    ]
    if strange:
        return f"is packed by {strange[0][:40]!r}"
    expected = math.prod(
        math.ceil(length / chunk) for length, chunk in zip(part.shape, part.chunks, strict=True)
    )
    if expected > size:
        return f"claims {part.shape[0]:,} segments that the file does not hold"
    found = 0
    fault = ""

    def look(chunk: h5py.h5d.StoreInfo) -> bool | None:
        nonlocal found, fault
        found += 1
        where, held = chunk.byte_offset, chunk.size
        if where is None or held > 2 * raw + 1024 or where + held > size:
            fault = "has a piece that lies beyond the file"
        return True if fault or found > expected else None  # ends it

    if expected:
        part.id.chunk_iter(look)
    if not fault and found != expected:
        fault = f"has {found:,} of the {expected:,} pieces that it claims"
    return fault


def _check_attribute(named: str, file: h5py.File, name: str) -> None:
    import h5py

    attribute = file.attrs.get_id(name)
    text = h5py.check_string_dtype(attribute.dtype) is not None
    count = math.prod(attribute.shape)
    if count > (1 if text else _MOST_ATTRIBUTE):
        raise BadInputError(
            f"{named}: its attribute {name[:40]!r} has {count:,} values, {_EXPECTED}."
        )
    value = file.attrs[name]
    if isinstance(value, str | bytes) and len(value) > _MOST_TEXT_BYTES:
        raise BadInputError(f"{named}: its attribute {name[:40]!r} is too long, {_EXPECTED}.")


def _identity(path: Path) -> Identity:
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
