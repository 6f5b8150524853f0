"""Segment sets: skull segments with their masks, their place in the patient and their provenance.

``read`` and ``write`` move a ``SegmentSet`` between memory and one HDF5 file that MATLAB and any
HDF5 reader open as it is; ``append`` adds to a file so that a crash at any moment leaves what was
there before; ``concatenate`` joins sets in memory.

For sets larger than memory, ``Writer`` takes them batch by batch and ``iterate``, ``count`` and
``read`` with rows give them back so.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import BadInputError, OutputError
from ..utils.atomic_files import written_aside

FORMAT = "skullgan-segments"
FORMAT_VERSION = 1
SIZE = 128
"""Rows and columns of a segment."""
PIXEL_SPACING_MM = 0.45
"""Default size of a pixel: 128 columns are 57.6 mm, every 4th is one of the paper's 32 sections."""
HU_RANGE = (0.0, 2734.53)
"""Default HU that networks see as -1 and +1: those of the published model."""
KINDS = ("real", "synthetic", "artificial", "control")
BONES = ("temporal", "parietal", "frontal", "occipital", "unknown")
SIDES = ("left", "right", "midline", "unknown")
PLANES = ("axial", "coronal", "sagittal", "oblique", "unknown")

_PER_SEGMENT = ("hu", "mask", "pixel_to_ras", "subject", "bone", "side", "plane", "seed", "ct")
TEXTS = ("subject", "bone", "side", "plane", "ct")
_LATER = ("ct",)  # what files of earlier versions lack
_TYPES = {"hu": np.int16, "mask": np.uint8, "pixel_to_ras": np.float64, "seed": np.int64}
_PIXELS = {"hu": "<i2", "mask": "u1"}
_SMALL = tuple(name for name in _PER_SEGMENT if name not in _PIXELS)

_LEVEL = 4  # of gzip: 0.36 ms and 3.2 kB a segment; 6 takes 1.4 times as long and saves 3 %
_PACKED_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class SegmentSet:
    """N skull segments of 128 x 128 pixels, row 0 outside the head, columns along the wall.

    Attributes:
        hu: int16 (N, 128, 128), HU; 0 wherever the mask is 0.
        mask: uint8 (N, 128, 128), 1 inside the skull wall, else 0.
        pixel_to_ras: float64 (N, 4, 4), takes (column, row, 0, 1) to RAS mm; NaN where the
            segment belongs to no patient.
        subject: (N,) texts, a pseudonym; a segment of no patient has an empty one.
        bone, side, plane: (N,) texts out of ``BONES``, ``SIDES`` and ``PLANES``.
        seed: int64 (N,), the generator's seed, -1 where there is none.
        kind: one of ``KINDS``.
        pixel_spacing_mm: size of the square pixels.
        hu_range: HU that networks see as -1 and +1.
        source: what is known of the origin and holds no identity (scanner, kernel, kVp, slice
            thickness, model); anything that JSON can hold. ``cts`` holds the same for each CT
            alone, under its ``ct``.
        created_by: program and version that made the segments.
        ct: (N,) texts, the pseudonym of the CT each segment was cut from; empty where there is none
            and in files of earlier versions, which do not have it.

    ``len(segments)`` is N; ``segments[index]`` with a slice, an index array or a boolean array is
    the set of those segments.

    Raises:
        BadInputError: if shapes do not match each other, a text is not one of those named, a pixel
            has no size or the HU range is empty.
    """

    hu: np.ndarray
    mask: np.ndarray
    pixel_to_ras: np.ndarray
    subject: np.ndarray
    bone: np.ndarray
    side: np.ndarray
    plane: np.ndarray
    seed: np.ndarray
    kind: str
    pixel_spacing_mm: float = PIXEL_SPACING_MM
    hu_range: tuple[float, float] = HU_RANGE
    source: Mapping[str, Any] = field(default_factory=dict)
    created_by: str = f"skullgan {__version__}"
    ct: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.hu)
        if self.ct is None:
            object.__setattr__(self, "ct", np.full(count, ""))
        shapes = {
            "hu": (count, SIZE, SIZE),
            "mask": (count, SIZE, SIZE),
            "pixel_to_ras": (count, 4, 4),
        }
        for name in _PER_SEGMENT:
            needed = shapes.get(name, (count,))
            found = np.shape(getattr(self, name))
            if found != needed:
                raise BadInputError(f"A segment set's {name} is {found}, needed is {needed}.")
        for name, allowed in (("bone", BONES), ("side", SIDES), ("plane", PLANES)):
            strange = sorted(set(map(str, getattr(self, name))) - set(allowed))
            if strange:
                raise BadInputError(
                    f"A segment set's {name} is {strange[0]!r}, needed is one of {allowed}."
                )
        if self.kind not in KINDS:
            raise BadInputError(f"A segment set's kind is {self.kind!r}, needed is one of {KINDS}.")
        if not 0 < self.pixel_spacing_mm < np.inf:
            raise BadInputError(
                f"A segment set's pixel_spacing_mm is {self.pixel_spacing_mm}, more than 0 is "
                "needed."
            )
        if len(self.hu_range) != 2 or not self.hu_range[0] < self.hu_range[1]:
            raise BadInputError(
                f"A segment set's hu_range is {self.hu_range}, needed are two HU, the lower first."
            )
        if not isinstance(self.source, Mapping):
            raise BadInputError(
                f"A segment set's source is {self.source!r}, needed are names with values."
            )

    def __len__(self) -> int:
        return len(self.hu)

    def __getitem__(self, index: slice | Sequence[int] | np.ndarray) -> SegmentSet:
        return replace(self, **{name: getattr(self, name)[index] for name in _PER_SEGMENT})


def without_patient(
    hu: np.ndarray,
    mask: np.ndarray,
    seed: np.ndarray,
    *,
    kind: str = "synthetic",
    pixel_spacing_mm: float = PIXEL_SPACING_MM,
    hu_range: tuple[float, float] = HU_RANGE,
    source: Mapping[str, Any] | None = None,
) -> SegmentSet:
    """Make a set of segments that come from no patient: synthetic, artificial or control.

    Args:
        hu: int16 (N, 128, 128), HU.
        mask: uint8 (N, 128, 128).
        seed: int64 (N,), the seed that makes each segment again.
        kind: one of ``KINDS``.
        pixel_spacing_mm, hu_range, source: as in ``SegmentSet``.
    """
    count = len(hu)
    unknown = np.full(count, "unknown")
    return SegmentSet(
        hu=np.asarray(hu, np.int16),
        mask=np.asarray(mask, np.uint8),
        pixel_to_ras=np.full((count, 4, 4), np.nan),
        subject=np.full(count, ""),
        bone=unknown,
        side=unknown,
        plane=unknown,
        seed=np.asarray(seed, np.int64),
        kind=kind,
        pixel_spacing_mm=pixel_spacing_mm,
        hu_range=hu_range,
        source=dict(source or {}),
    )


def concatenate(sets: Sequence[SegmentSet]) -> SegmentSet:
    """Join sets of one kind, pixel size and HU range, in the order given.

    A source entry survives if all sets agree on it; one that differs becomes the list of values;
    ``cts`` keeps every CT's own.

    Raises:
        BadInputError: if there is no set, or kind, pixel size or HU range differ.
    """
    if not sets:
        raise BadInputError("No segment set was given, at least one is needed.")
    first = sets[0]
    for other in sets[1:]:
        _check_alike(first, other)
    joined = {name: np.concatenate([getattr(s, name) for s in sets]) for name in _PER_SEGMENT}
    return replace(first, source=_merged_source([s.source for s in sets]), **joined)


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
            or appended in kind, pixel size or HU range; it is left alone.
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
        self._small = {name: [getattr(given, name)] for name in _SMALL}
        self._committed = 0
        self._waiting: list[tuple[int, int]] = []
        """Bytes of the packed HU and mask of each segment in the nameless file."""
        self._waiting_bytes = 0
        self._next_commit_s = -np.inf
        if resume and self._path.exists():
            self._continue(given)
        with _said_as_output_error(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what a full disk refused must not come again with the next call.
            self._spool = tempfile.TemporaryFile(buffering=0, dir=self._path.parent)  # noqa: SIM115
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

    def __len__(self) -> int:
        """Segments in the file and waiting."""
        return self._committed + len(self._waiting)

    @property
    def source(self) -> Mapping[str, Any]:
        """The source as merged so far."""
        return self._header.source

    def append(self, segments: SegmentSet) -> None:
        """Add segments, all or, if there is no room for them, none; raises as the class says."""
        _check_alike(self._header, segments)
        try:
            with _said_as_output_error(self._path):
                sizes = self._pack(segments)
        except OutputError:
            self._spool.truncate(self._waiting_bytes)  # room for the commit at the end
            raise
        self._header = replace(self._header, source=_joined_source(self._header, segments))
        for name in _SMALL:
            kept = np.str_ if name in TEXTS else _TYPES[name]
            self._small[name].append(np.array(getattr(segments, name), kept))
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
        with written_aside(self._path, token) as temporary, _said_as_output_error(self._path):
            _reserve(self._path.parent, self._most_bytes())
            self._lay_out(temporary)
        self._committed, self._waiting, self._waiting_bytes = len(self), [], 0
        self._spool.seek(0)
        self._spool.truncate()
        ended_s = time.monotonic()
        self._next_commit_s = ended_s + max(self._every_s or 0, 10 * (ended_s - began_s))

    def _continue(self, given: SegmentSet) -> None:
        with _opened(self._path) as file:
            found = _read_rows(file, slice(0))
            _check_alike(found, given)
            self._committed = len(file["hu"])
            small = {name: [_read_column(file, name, slice(None))] for name in _SMALL}
        self._header, self._small = found, small

    def _pack(self, segments: SegmentSet) -> list[tuple[int, int]]:
        """Pack segments to the end of the nameless file; gives the bytes of their HU and masks."""
        sizes = []
        self._spool.seek(self._waiting_bytes)
        for start in range(0, len(segments), _PACKED_AT_ONCE):
            part = slice(start, start + _PACKED_AT_ONCE)
            packed = list(self._pool.map(_packed, segments.hu[part], segments.mask[part]))
            sizes += [(len(hu), len(mask)) for hu, mask in packed]
            rest = memoryview(b"".join(chunk for both in packed for chunk in both))
            while rest:
                rest = rest[self._spool.write(rest) :]
        return sizes

    def _most_bytes(self) -> int:
        """What the file will take at most."""
        before = self._path.stat().st_size if self._committed else 0
        texts = sum(column.nbytes for name in TEXTS for column in self._small[name])
        source = len(json.dumps(dict(self._header.source)))
        return before + self._waiting_bytes + 600 * len(self) + 2 * (texts + source) + 2**16

    def _lay_out(self, path: Path) -> None:
        import h5py

        count = len(self)
        with h5py.File(path, "w") as file:
            pixels = [
                file.create_dataset(
                    name,
                    shape=(count, SIZE, SIZE),
                    dtype=dtype,
                    chunks=(1, SIZE, SIZE),
                    maxshape=(None, SIZE, SIZE),
                    compression="gzip",
                    compression_opts=_LEVEL,
                    shuffle=True,
                ).id
                for name, dtype in _PIXELS.items()
            ]
            for row, packed in enumerate(self._all_packed()):
                for dataset, chunk in zip(pixels, packed, strict=True):
                    dataset.write_direct_chunk((row, 0, 0), chunk)
            for name in _SMALL:
                column = np.concatenate(self._small[name])
                text = name in TEXTS
                file.create_dataset(
                    name,
                    data=column.tolist() if text else column,
                    dtype=h5py.string_dtype("utf-8") if text else _TYPES[name],
                )
            file.attrs["format"] = FORMAT
            file.attrs["format_version"] = FORMAT_VERSION
            file.attrs["kind"] = self._header.kind
            file.attrs["pixel_spacing_mm"] = float(self._header.pixel_spacing_mm)
            file.attrs["hu_range"] = np.asarray(self._header.hu_range, np.float64)
            file.attrs["created_by"] = self._header.created_by
            file.attrs["source"] = json.dumps(dict(self._header.source), sort_keys=True)

    def _all_packed(self) -> Iterator[tuple[bytes, bytes]]:
        """The packed HU and mask of every segment, in order, from the file and from the spool."""
        if self._committed:
            with _opened(self._path) as file:
                yield from _packed_in(file, self._committed)
        self._spool.seek(0)
        for hu_bytes, mask_bytes in self._waiting:
            yield self._spool.read(hu_bytes), self._spool.read(mask_bytes)


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
    with _opened(path) as file:
        return _read_rows(file, rows or slice(None))


def iterate(path: str | Path, batch_size: int = 1024) -> Iterator[SegmentSet]:
    """Read a segment set in batches, in order, at flat memory; raises as ``read`` does."""
    with _opened(path) as file:
        for start in range(0, len(file["hu"]), batch_size):
            yield _read_rows(file, slice(start, start + batch_size))


def count(path: str | Path) -> int:
    """How many segments a file holds; raises as ``read`` does."""
    with _opened(path) as file:
        return len(file["hu"])


def texts(path: str | Path) -> dict[str, np.ndarray]:
    """Read the texts of all segments, (N,) each by name, and no pixel; raises as ``read`` does."""
    with _opened(path) as file:
        return {name: _read_column(file, name, slice(None)) for name in TEXTS}


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """The HDF5 file of a segment set; what goes wrong in it is told as ``read`` says."""
    import h5py

    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, a segment set (.h5) is needed.")
    try:
        with h5py.File(path, "r") as file:
            _check_format(path, file)
            _check_types(path, file)
            yield file
    except KeyError as error:
        raise BadInputError(f"{path}: the segment set is incomplete: {error.args[0]}.") from error
    except BadInputError as error:
        raise error if str(path) in str(error) else BadInputError(f"{path}: {error}") from error
    except (OSError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise BadInputError(
            f"{path}: cannot be read as a segment set (.h5); the file is damaged or something else."
        ) from error


def _reserve(folder: Path, size: int) -> None:
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


@contextmanager
def _said_as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # the latter is HDF5's
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{path}: cannot be written ({reason}).") from error


def _read_rows(file: Any, rows: slice) -> SegmentSet:
    return SegmentSet(
        **{name: _read_column(file, name, rows) for name in _PER_SEGMENT},
        kind=str(file.attrs["kind"]),
        pixel_spacing_mm=float(file.attrs["pixel_spacing_mm"]),
        hu_range=tuple(float(hu) for hu in file.attrs["hu_range"]),
        source=json.loads(file.attrs["source"]),
        created_by=str(file.attrs["created_by"]),
    )


def _read_column(file: Any, name: str, rows: slice) -> np.ndarray:
    if name in _LATER and name not in file:
        return np.full(len(file["seed"][rows]), "")
    if name in TEXTS:
        return np.array(file[name].asstr()[rows], dtype=np.str_)
    return file[name][rows]


def _packed(hu: np.ndarray, mask: np.ndarray) -> tuple[bytes, bytes]:
    """One segment's chunks as HDF5's filters shuffle and gzip store them, (128, 128) each.

    Here, and not by HDF5, for zlib lets go of the interpreter: several threads pack at once.
    """
    halves = np.ascontiguousarray(hu, _PIXELS["hu"]).view(np.uint8).reshape(-1, 2)
    shuffled = np.ascontiguousarray(halves.T)
    whole = np.ascontiguousarray(mask, _PIXELS["mask"])
    return zlib.compress(shuffled, _LEVEL), zlib.compress(whole, _LEVEL)


def _packed_in(file: Any, count: int) -> Iterator[tuple[bytes, bytes]]:
    """The packed HU and mask of the segments in a file, as they are if they were packed here."""
    both = [file[name] for name in _PIXELS]
    ours = all(
        (one.chunks, one.compression, one.compression_opts, one.shuffle, one.fletcher32)
        == ((1, SIZE, SIZE), "gzip", _LEVEL, True, False)
        and one.dtype == np.dtype(dtype)
        and one.id.get_num_chunks() == count
        for one, dtype in zip(both, _PIXELS.values(), strict=True)
    )
    for row in range(count):
        if ours:
            chunks = [one.id.read_direct_chunk((row, 0, 0)) for one in both]
            if not any(filters_skipped for filters_skipped, _ in chunks):
                yield chunks[0][1], chunks[1][1]
                continue
        yield _packed(both[0][row], both[1][row])


def _check_format(path: Path, file: Any) -> None:
    found = file.attrs.get("format")
    if found != FORMAT:
        raise BadInputError(
            f"{path}: is an HDF5 file of format {found!r}, a segment set ({FORMAT!r}) is needed."
        )
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise BadInputError(
            f"{path}: is a segment set of version {version}, this program reads up to version "
            f"{FORMAT_VERSION}; a newer SkullGAN is needed."
        )


def _check_types(path: Path, file: Any) -> None:
    for name, needed in _TYPES.items():
        found = file[name].dtype
        if found != needed:
            raise BadInputError(
                f"{path}: the segment set's {name} is of type {found}, needed is "
                f"{np.dtype(needed)}."
            )
    counts = {name: len(file[name]) for name in _PER_SEGMENT if name in file or name not in _LATER}
    if len(set(counts.values())) > 1:
        raise BadInputError(
            f"{path}: the segment set's parts are of different lengths ({counts}), one is needed "
            "for all."
        )


def _check_alike(first: SegmentSet, other: SegmentSet) -> None:
    for name in ("kind", "pixel_spacing_mm", "hu_range"):
        if getattr(other, name) != getattr(first, name):
            raise BadInputError(
                f"Segment sets differ in {name}: {getattr(first, name)} and "
                f"{getattr(other, name)}; one is needed for all."
            )


def _joined_source(first: SegmentSet, other: SegmentSet) -> Mapping[str, Any]:
    if other.source == first.source or not first.source:
        return other.source
    return _merged_source([first.source, other.source])


def _merged_source(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in sorted({key for source in sources for key in source}):
        of_cts = [source[key] for source in sources if key in source]
        if key == "cts" and all(isinstance(one, Mapping) for one in of_cts):
            merged[key] = {ct: of for one in of_cts for ct, of in one.items()}
            continue
        values: list[Any] = []
        for source in sources:
            value = source.get(key)
            for one in value if isinstance(value, list) else [value]:
                if one is not None and one not in values:
                    values.append(one)
        merged[key] = values[0] if len(values) == 1 else values
    return merged
