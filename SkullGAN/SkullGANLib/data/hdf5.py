"""The file of a segment set: HDF5 that MATLAB and any HDF5 reader open as it is.

``read`` and ``write`` move a ``SegmentSet`` between memory and a file; ``append`` adds to a file so
that a crash at any moment leaves what was there before. For sets larger than memory, ``Writer``
takes them batch by batch and ``iterate``, ``count`` and ``read`` with rows give them back so.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import OutputError
from ..utils.atomic_files import written_aside
from ..utils.file_lock import WriteLock
from . import hdf5_check, hdf5_layout
from .hdf5_layout import COLUMNS, TYPES, Packed
from .segment_set import (
    HU_RANGE,
    IN_DEPTH,
    PIXEL_SPACING_MM,
    SIZE,
    TEXTS,
    SegmentSet,
    check_alike,
    joined_source,
    without_patient,
)

_PACKED_AT_ONCE = 512


def read(path: str | Path, rows: slice | None = None) -> SegmentSet:
    """Read a segment set, or some of its segments.

    Args:
        path: HDF5 file.
        rows: which segments, in steps forward; None is all. ``slice(0)`` gives the set without its
            segments: kind, pixel size, HU range, source.

    Raises:
        BadInputError: if the file does not exist, is not HDF5, is not a segment set, is of a later
            version or lacks a part.
    """
    with hdf5_layout.opened(path) as file:
        return hdf5_layout.read_rows(file, rows or slice(None))


def iterate(path: str | Path, batch_size: int = 1024) -> Iterator[SegmentSet]:
    """Read a segment set in batches, in order, at flat memory; raises as ``read`` does."""
    with hdf5_layout.opened(path) as file:
        for start in range(0, len(file["hu"]), batch_size):
            yield hdf5_layout.read_rows(file, slice(start, start + batch_size))


def count(path: str | Path) -> int:
    """How many segments a file holds; raises as ``read`` does."""
    with hdf5_layout.opened(path) as file:
        return len(file["hu"])


def texts(path: str | Path) -> dict[str, np.ndarray]:
    """Read the texts of all segments, (N,) each by name, and no pixel; raises as ``read`` does."""
    with hdf5_layout.opened(path) as file:
        return {name: hdf5_layout.read_column(file, name, slice(None)) for name in TEXTS}


def stack_columns(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read ``stack`` and ``slice_number`` of all segments, int64 (N,); raises as ``read`` does."""
    with hdf5_layout.opened(path) as file:
        found = [hdf5_layout.read_column(file, name, slice(None)) for name in IN_DEPTH]
    return found[0], found[1]


def write(path: str | Path, segments: SegmentSet) -> None:
    """Write a segment set to an HDF5 file, aside and renamed; the same set gives the same bytes.

    Raises:
        OutputError: if the file cannot be written.
    """
    with Writer.of(path, segments) as writer:
        writer.append(segments)


def append(path: str | Path, segments: SegmentSet) -> None:
    """Add segments to the set in a file, or start the file.

    The joined set is written aside and renamed, so that a crash leaves either the old file or the
    new one. That costs a copy of the file a call: for many batches use a ``Writer``.

    Raises:
        BadInputError: if the file is not a segment set or does not fit (kind, pixel size, range).
        OutputError: if the file cannot be written.
    """
    with Writer.of(path, segments, resume=True) as writer:
        writer.append(segments)


class Writer:
    """Writes a segment set batch by batch, at flat memory, so that an interruption loses little.

    The file at ``path`` is always a whole segment set. What was appended since waits, compressed,
    in a nameless file beside it, until a commit lays both out anew under another name and renames
    that to ``path``. Commits come with the first batch, then at least ``commit_every_s`` and ten
    times the last commit's duration apart, so that they take a tenth of the time at most, and when
    the block ends, also by an exception. They need as much free room again as the file takes.

    The bytes of the file follow from its segments alone, not from batches, commits or
    interruptions.

    Args:
        path: HDF5 file; what it held is replaced by the first commit, or continued.
        kind, pixel_spacing_mm, hu_range: as in ``SegmentSet``, the same for all that is appended.
        source: what is known of the origin beforehand; the sources of what is appended are merged
            into it as ``concatenate`` does. The source in a file that is continued replaces it.
        created_by: as in ``SegmentSet``; a file that is continued keeps its own.
        resume: continue the set at ``path`` if there is one.
        commit_every_s: seconds between commits; None commits once, at the end, and leaves ``path``
            alone if the block raises.

    Raises:
        BadInputError: if the file to continue is not a segment set, or differs from what is given
            or appended in kind, pixel size or HU range; or if another process writes it. It is left
            alone.
        OutputError: if the file cannot be written (no permission, full disk); what was committed
            stays.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> pixels = np.ones((2, SIZE, SIZE))
        >>> with Writer(folder / "set.h5", kind="synthetic") as writer:
        ...     for seeds in ([0, 1], [2, 3]):
        ...         writer.append(without_patient(pixels, pixels, seeds))
        >>> read(folder / "set.h5", slice(1, 3)).seed.tolist()
        [1, 2]
    """

    def __init__(
        self,
        path: str | Path,
        *,
        kind: str,
        pixel_spacing_mm: float = PIXEL_SPACING_MM,
        hu_range: tuple[float, float] = HU_RANGE,
        source: Mapping[str, Any] | None = None,
        created_by: str = f"skullgan {__version__}",
        resume: bool = False,
        commit_every_s: float | None = 5.0,
    ) -> None:
        self._path = Path(path)
        self._every_s = commit_every_s
        none = np.empty((0, SIZE, SIZE))
        given = without_patient(
            none,
            none,
            np.empty(0),
            kind=kind,
            pixel_spacing_mm=pixel_spacing_mm,
            hu_range=hu_range,
            source=source,
        )
        self._header = replace(given, created_by=created_by)
        """The set without its segments."""
        self._columns = {name: [getattr(given, name)] for name in COLUMNS}
        self._committed = 0
        self._waiting: list[tuple[int, int]] = []
        """Bytes of the packed HU and mask of each segment in the nameless file."""
        self._waiting_bytes = 0
        self._next_commit_s = -np.inf
        self._lock = WriteLock(self._path)
        try:
            if resume and self._path.exists():
                self._continue(given)
            with _as_output_error(self._path):
                # Unbuffered: what a full disk refused must not come again with the next call.
                self._spool = tempfile.TemporaryFile(buffering=0, dir=self._path.parent)  # noqa: SIM115
        except BaseException:
            self._lock.release()
            raise
        self._pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))

    @classmethod
    def of(cls, path: str | Path, segments: SegmentSet, *, resume: bool = False) -> Writer:
        """Make a writer for batches like ``segments``, that commits once, at the end."""
        return cls(
            path,
            kind=segments.kind,
            pixel_spacing_mm=segments.pixel_spacing_mm,
            hu_range=segments.hu_range,
            source=segments.source,
            created_by=segments.created_by,
            resume=resume,
            commit_every_s=None,
        )

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.commit()
            elif self._every_s is not None and len(self):
                # The first error is the one to tell; after a full disk this fails likewise.
                with suppress(OutputError):
                    self.commit()
        finally:
            self._pool.shutdown(cancel_futures=True)
            self._spool.close()
            self._lock.release()

    def __len__(self) -> int:
        """Segments in the file and waiting."""
        return self._committed + len(self._waiting)

    @property
    def source(self) -> Mapping[str, Any]:
        """The source as merged so far."""
        return self._header.source

    def append(self, segments: SegmentSet) -> None:
        """Add segments, all or, if there is no room for them, none; raises as the class says."""
        check_alike(self._header, segments)
        try:
            with _as_output_error(self._path):
                sizes = self._pack(segments)
        except OutputError:
            self._spool.truncate(self._waiting_bytes)  # room for the commit at the end
            raise
        self._header = replace(self._header, source=joined_source(self._header, segments))
        for name in COLUMNS:
            kept = np.str_ if name in TEXTS else TYPES[name]
            self._columns[name].append(np.array(getattr(segments, name), kept))
        self._waiting += sizes
        self._waiting_bytes += sum(map(sum, sizes))
        if self._every_s is not None and time.monotonic() >= self._next_commit_s:
            self.commit()

    def commit(self) -> None:
        """Bring what was appended into the file at ``path``."""
        if self._committed and not self._waiting:
            return
        began_s = time.monotonic()
        # A name of its own for each path: what a killed process left is replaced, not added to.
        token = hashlib.sha256(self._path.name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        with written_aside(self._path, token) as temporary, _as_output_error(self._path):
            hdf5_layout.reserve(self._path.parent, self._most_bytes())
            columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
            hdf5_layout.lay_out(temporary, self._header, columns, self._all_packed())
        hdf5_check.trust(self._path)
        self._committed, self._waiting, self._waiting_bytes = len(self), [], 0
        self._spool.seek(0)
        self._spool.truncate()
        ended_s = time.monotonic()
        self._next_commit_s = ended_s + max(self._every_s or 0, 10 * (ended_s - began_s))

    def _continue(self, given: SegmentSet) -> None:
        with hdf5_layout.opened(self._path) as file:
            found = hdf5_layout.read_rows(file, slice(0))
            check_alike(found, given)
            self._committed = len(file["hu"])
            small = {name: [hdf5_layout.read_column(file, name, slice(None))] for name in COLUMNS}
        self._header, self._columns = found, small

    def _pack(self, segments: SegmentSet) -> list[tuple[int, int]]:
        """Pack segments to the end of the nameless file; gives the bytes of their HU and masks."""
        sizes = []
        self._spool.seek(self._waiting_bytes)
        for start in range(0, len(segments), _PACKED_AT_ONCE):
            part = slice(start, start + _PACKED_AT_ONCE)
            packed = list(self._pool.map(hdf5_layout.pack, segments.hu[part], segments.mask[part]))
            sizes += [(len(hu), len(mask)) for hu, mask in packed]
            rest = memoryview(b"".join(chunk for both in packed for chunk in both))
            while rest:
                rest = rest[self._spool.write(rest) :]
        return sizes

    def _most_bytes(self) -> int:
        """What the file will take at most."""
        before = self._path.stat().st_size if self._committed else 0
        texts = sum(column.nbytes for name in TEXTS for column in self._columns[name])
        source = len(json.dumps(dict(self._header.source)))
        return before + self._waiting_bytes + 600 * len(self) + 2 * (texts + source) + 2**16

    def _all_packed(self) -> Iterator[Packed]:
        """The packed HU and mask of every segment, in order, from the file and from the spool."""
        if self._committed:
            with hdf5_layout.opened(self._path) as file:
                yield from hdf5_layout.packed_pixels(file, self._committed)
        self._spool.seek(0)
        for hu_bytes, mask_bytes in self._waiting:
            yield self._spool.read(hu_bytes), self._spool.read(mask_bytes)


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # the latter is HDF5's
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{path}: cannot be written ({reason}).") from error
