"""The file of a segment set: HDF5 that MATLAB and any HDF5 reader open as it is.

``read`` and ``write`` move a ``SegmentSet`` between memory and a file; ``append`` adds to a file so
that a crash at any moment leaves what was there before. For sets larger than memory, ``Writer``
takes them batch by batch and ``iterate``, ``count`` and ``read`` with rows give them back so.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
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
from .hdf5_layout import COLUMNS, TYPES
from .packed_pixels import PackedPixels
from .packing import CHUNK, Packed, chosen_packer
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

    The bytes of the file follow from its segments and the packer that it names, not from batches,
    commits or interruptions. A file is continued with its own packer if that is installed, and
    otherwise packed anew by zlib.

    Threads pack while the caller goes on. So an error of writing may come with a later batch than
    the one it is about; the set ends with an earlier batch then. With ``commit_every_s`` None
    every call waits for its own, and an error is about what was given to it.

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
        >>> import tempfile
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
        self._ends = [0]
        """Segments after each batch, as many as there are parts of a column."""
        self._committed = 0
        self._packer, self._packs_anew = chosen_packer(), False
        self._next_commit_s = -np.inf
        self._lock = WriteLock(self._path)
        try:
            continued = self._continue(given) if resume and self._path.exists() else None
            with _as_output_error(self._path):
                self._pixels = PackedPixels(self._path.parent, self._packer)
        except BaseException:
            self._lock.release()
            raise
        if continued is not None:
            self._pixels.append(continued.hu, continued.mask)

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
                self._commit_all()
            elif self._every_s is not None and len(self):
                # The first error is the one to tell; after a full disk this fails likewise.
                with suppress(OutputError):
                    self.commit()
        finally:
            self._pixels.close()
            self._lock.release()

    def __len__(self) -> int:
        """Segments in the file and waiting."""
        return self._ends[-1]

    @property
    def source(self) -> Mapping[str, Any]:
        """The source as merged so far."""
        return self._header.source

    def append(self, segments: SegmentSet) -> None:
        """Add segments, all or, if there is no room for them, none; raises as the class says."""
        check_alike(self._header, segments)
        with self._going_back(), _as_output_error(self._path):
            self._pixels.append(segments.hu, segments.mask)
            if self._every_s is None:
                self._pixels.settle()
        self._header = replace(self._header, source=joined_source(self._header, segments))
        for name in COLUMNS:
            kept = np.str_ if name in TEXTS else TYPES[name]
            self._columns[name].append(np.array(getattr(segments, name), kept))
        self._ends.append(len(self) + len(segments))
        if self._every_s is not None and time.monotonic() >= self._next_commit_s:
            self.commit()

    def commit(self) -> None:
        """Bring what was appended into the file at ``path``."""
        if self._committed and len(self) == self._committed:
            return
        began_s = time.monotonic()
        with self._going_back(), _as_output_error(self._path):
            self._pixels.settle()
            self._pixels.cut(len(self) - self._in_whole_chunks)  # an interruption left more
        # A name of its own for each path: what a killed process left is replaced, not added to.
        token = hashlib.sha256(self._path.name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        with written_aside(self._path, token) as temporary, _as_output_error(self._path):
            hdf5_layout.reserve(self._path.parent, self._most_bytes())
            columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
            hdf5_layout.lay_out(
                temporary, self._header, columns, self._all_packed(), self._packer.name
            )
        hdf5_check.trust(self._path)
        self._packs_anew = False
        self._pixels.forget_chunks()
        self._committed = len(self)
        ended_s = time.monotonic()
        self._next_commit_s = ended_s + max(self._every_s or 0, 10 * (ended_s - began_s))

    @property
    def _in_whole_chunks(self) -> int:
        """Segments that the file holds in chunks that are full; ``_pixels`` has those that follow,
        in the file or not."""
        return self._committed // CHUNK * CHUNK

    def _commit_all(self) -> None:
        try:
            self.commit()
        except OutputError:
            if self._every_s is not None and len(self) > self._committed:
                with suppress(OutputError):  # what an error of writing left is kept
                    self.commit()
            raise

    @contextmanager
    def _going_back(self) -> Iterator[None]:
        """On an exception, forget the batches that are not packed and in the nameless file."""
        try:
            yield
        except BaseException:
            reachable = self._in_whole_chunks + self._pixels.reachable()
            batches = max(n for n, end in enumerate(self._ends) if end <= reachable)
            del self._ends[batches + 1 :]
            for parts in self._columns.values():
                del parts[batches + 1 :]
            self._pixels.cut(len(self) - self._in_whole_chunks)
            raise

    def _continue(self, given: SegmentSet) -> SegmentSet:
        """Take over what the file holds; gives its segments that do not fill a chunk."""
        with hdf5_layout.opened(self._path) as file:
            found = hdf5_layout.read_rows(file, slice(0))
            check_alike(found, given)
            self._committed = len(file["hu"])
            small = {name: [hdf5_layout.read_column(file, name, slice(None))] for name in COLUMNS}
            rest = hdf5_layout.read_rows(file, slice(self._in_whole_chunks, None))
            packer = hdf5_layout.packer_in(file)
            self._packer = chosen_packer(packer)
            self._packs_anew = self._packer.name != packer
        self._header, self._columns, self._ends = found, small, [self._committed]
        return rest

    def _most_bytes(self) -> int:
        """What the file will take at most."""
        before = self._path.stat().st_size if self._committed else 0
        if self._packs_anew:
            before += before // 2  # zlib's level 4, which earlier files have, saves a tenth
        texts = sum(column.nbytes for name in TEXTS for column in self._columns[name])
        source = len(json.dumps(dict(self._header.source)))
        return before + self._pixels.most_bytes + 600 * len(self) + 2 * (texts + source) + 2**16

    def _all_packed(self) -> Iterator[Packed]:
        """The chunks of all segments, in order, from the file and from the nameless one."""
        if self._in_whole_chunks:
            with hdf5_layout.opened(self._path) as file:
                yield from hdf5_layout.packed_chunks(
                    file, self._in_whole_chunks // CHUNK, self._packer
                )
        yield from self._pixels.chunks()


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # the latter is HDF5's
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{path}: cannot be written ({reason}).") from error
