"""The files of a zip: their beginnings for the headers, then one after the other what is wanted.

Nothing but what a reader cannot take from memory is unpacked onto the disk, and no more than a file
a thread is in memory.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ..errors import BadInputError
from ..utils.safe_zip import checked_members

THREADS = min(4, os.cpu_count() or 1)
"""How many files are read at once: reading, unpacking and arithmetic let go of the interpreter."""

_LARGEST_ZIP_BYTES = 8 * 2**30
_HEAD_BYTES = 2**15  # headers of CT slices have 2 to 10 KiB
_AT_ONCE = 16  # beginnings that a thread unpacks before it gives them
_MOST_IN_MEMORY = 2**27
"""Bytes of a file above which it is read from the disk, or through a window where it is checked."""
_WINDOW = 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What can be unpacked bit by bit: zipfile does not bound what bzip2 and LZMA give at once."""
_LOCAL_HEADER = 30  # bytes before the name (APPNOTE.TXT 4.3.7)


class ZippedFiles:
    """The files in a zip, in its order, under names of our own; a context.

    Attributes:
        files: their names, which are no names on the disk: see ``on_disk``.

    Raises:
        BadInputError: when entered or while files are read, if the zip is damaged, encrypted or
            too large, its names or sizes are suspicious, or there is no room to unpack it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._members: list[zipfile.ZipInfo] = []
        self._heads: list[Future[list[bytes]]] = []
        self._folder: Path | None = None
        self._unchecked: set[int] = set()
        self.files: list[Path] = []

    def __enter__(self) -> ZippedFiles:
        with _as_sentences(self._path), zipfile.ZipFile(self._path) as archive:
            found = checked_members(self._path, archive, most_bytes=_LARGEST_ZIP_BYTES)
            if any(one.compress_type not in _METHODS for one in found):
                raise NotImplementedError
        self._members = [member for member in found if not member.is_dir()]
        self.files = [Path(f"{number:06d}") for number in range(len(self._members))]
        self._unchecked = set(range(len(self._members)))
        pool = ThreadPoolExecutor(THREADS)
        self._stack.callback(pool.shutdown, cancel_futures=True)
        for first in range(0, len(self._members), _AT_ONCE):
            part = self._members[first : first + _AT_ONCE]
            self._heads.append(pool.submit(_beginnings, self._path, part))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def size(self, file: Path) -> int:
        """How many bytes are in a file."""
        return self._members[int(file.name)].file_size

    def beginning(self, file: Path) -> bytes:
        """Give the beginning of a file, or all of a short one. It is not checked."""
        number = int(file.name)
        with _as_sentences(self._path):
            return self._heads[number // _AT_ONCE].result()[number % _AT_ONCE]

    def is_large(self, file: Path) -> bool:
        """Tell whether a file is too large for the memory: see ``on_disk``."""
        return self.size(file) > _MOST_IN_MEMORY

    def content(self, file: Path) -> bytes:
        """Give what is in a file, checked; any thread may ask."""
        number = int(file.name)
        with _as_sentences(self._path):
            found = _unpacked(self._path, self._members[number])
        self._unchecked.discard(number)
        return found

    def check_rest(self) -> None:
        """Raise if a file is damaged that was not read: it may have been a slice."""
        rest = [self.files[number] for number in sorted(self._unchecked)]
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(self._check, rest):
                pass

    def _check(self, file: Path) -> None:
        if not self.is_large(file):
            self.content(file)
            return
        with _as_sentences(self._path):
            for _ in _windows(self._path, self._members[int(file.name)]):
                pass

    def on_disk(self, files: Sequence[Path]) -> list[Path]:
        """Give the paths of files, or of frames below them, on the disk, where they then are."""
        with _as_sentences(self._path):
            if self._folder is None:
                temporary = tempfile.TemporaryDirectory(prefix="skullgan-")
                self._folder = Path(self._stack.enter_context(temporary))
            for name in sorted({file.parts[0] for file in files}):
                if not (self._folder / name).exists():
                    with open(self._folder / name, "wb") as unpacked:
                        unpacked.writelines(_windows(self._path, self._members[int(name)]))
                    self._unchecked.discard(int(name))
            return [self._folder / file for file in files]


def _beginnings(path: Path, members: Sequence[zipfile.ZipInfo]) -> list[bytes]:
    with open(path, "rb") as file:
        found = []
        for member in members:
            packed = _packed(file, member, 2 * _HEAD_BYTES)
            found.append(_plain(packed, member, min(member.file_size, _HEAD_BYTES)))
        return found


def _unpacked(path: Path, member: zipfile.ZipInfo) -> bytes:
    """Unpack a member as ``zipfile`` does, but at once and by the fastest library."""
    with open(path, "rb") as file:
        packed = _packed(file, member, member.compress_size)
    content = _plain(packed, member, member.file_size + 1)
    if len(content) != member.file_size or _library().crc32(content) != member.CRC:
        raise zipfile.BadZipFile("a file is not what the zip's directory says")
    return content


def _windows(path: Path, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack a member piece by piece; it is checked at its end."""
    with zipfile.ZipFile(path) as archive, archive.open(member) as opened:
        size = 0
        while piece := opened.read(_WINDOW):
            size += len(piece)
            yield piece
    if size != member.file_size:
        raise zipfile.BadZipFile("a file is not what the zip's directory says")


def _plain(packed: bytes, member: zipfile.ZipInfo, most_bytes: int) -> bytes:
    if member.compress_type == zipfile.ZIP_STORED:
        return packed[:most_bytes]
    return _inflated(packed, most_bytes)


def _packed(file: BinaryIO, member: zipfile.ZipInfo, most_bytes: int) -> bytes:
    """The beginning of what is stored of a member."""
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\3\4"):
        raise zipfile.BadZipFile("a local header is missing")
    lengths = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    file.seek(sum(lengths), os.SEEK_CUR)
    return file.read(min(most_bytes, member.compress_size))


def _inflated(packed: bytes, most_bytes: int) -> bytes:
    library = _library()
    try:
        found: bytes = library.decompressobj(-zlib.MAX_WBITS).decompress(packed, most_bytes)
    except library.error as error:
        raise zipfile.BadZipFile(str(error)) from error
    return found


@lru_cache(maxsize=1)
def _library() -> Any:
    """zlib-ng, where it is installed, takes two thirds of zlib's time."""
    ng = importlib.util.find_spec("zlib_ng")
    return importlib.import_module("zlib_ng.zlib_ng" if ng else "zlib")


@contextmanager
def _as_sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:
        raise BadInputError(
            f"{path}: the zip is compressed in a way that cannot be unpacked, expected deflate."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BadInputError(
            f"{path}: the zip is damaged or incomplete, expected a whole one."
        ) from error
    except OSError as error:
        raise BadInputError(
            f"{path}: the zip cannot be unpacked to {tempfile.gettempdir()} "
            f"({error.strerror or error}), expected room for its contents there."
        ) from error
