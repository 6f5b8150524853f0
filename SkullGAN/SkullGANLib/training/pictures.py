"""Pictures to pre-train on: small gray squares of a folder or zip of photographs.

``read_pictures`` makes them for a first training whose model a later one begins with; what it gives
stands in the place of a segment set in ``training.train``.
"""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data.segment_set import PIXEL_SPACING_MM, SIZE
from ..errors import BadInputError

PICTURES = "pictures"
"""The kind of ``Pictures``, beside those of segment sets."""
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")  # Pillow's EPS would start another program
_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
_MOST_BYTES = 64 * 2**20
_MOST_PIXELS = 64 * 10**6
_MOST_UNPACKING = 100  # pictures are compressed already, a zip hardly makes them smaller
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Pictures:
    """N gray pictures to pre-train on, with what a training asks of a ``SegmentSet``.

    Attributes:
        hu: uint8 (N, 128, 128); no HU but gray, of which networks see 0 as -1 and 255 as +1.
        source: where they come from, as for a segment set.
        skipped: those that could not be used, ``name (reason)`` each.
    """

    hu: np.ndarray
    source: Mapping[str, Any] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    kind: str = PICTURES
    hu_range: tuple[float, float] = (0.0, 255.0)
    pixel_spacing_mm: float = PIXEL_SPACING_MM

    def __len__(self) -> int:
        return len(self.hu)

    @property
    def subject(self) -> np.ndarray:
        """No subject: (0,) texts."""
        return np.empty(0, str)


def read_pictures(
    path: str | Path,
    *,
    least: int = 1,
    limit: int | None = None,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """Read a folder or zip of pictures, with all folders in it, in the order of their names.

    Each becomes gray (ITU-R 601 luma of what was stored), the largest square in its middle, and
    that 128 x 128 pixels by Lanczos resampling, whose kernel grows with the reduction. What cannot
    be used is skipped: damaged or encrypted files, pictures smaller than that, above 64 megapixels
    or 64 MiB, or of more than 8 bits a channel. Memory is 16 KiB a picture and those being decoded.

    Args:
        path: folder, or zip file, which is not unpacked to disk.
        least: how many are expected.
        limit: use as many at most, chosen at random; None is all.
        seed: what the choice follows from.
        on_progress: called with the pictures read and to be read.

    Raises:
        BadInputError: if there is no such folder or zip, fewer pictures than expected can be used,
            or a zip would unpack to a hundred times its size.
    """
    path = Path(path)
    if limit is not None and limit < 1:
        raise BadInputError(f"The limit is {limit} pictures, expected at least 1.")
    with _files_in(path) as (names, bytes_of):
        found = len(names)
        if limit is not None and limit < found:
            chosen = np.random.default_rng(seed).permutation(found)[:limit]
            names = [names[each] for each in np.sort(chosen)]
        squares = np.empty((len(names), SIZE, SIZE), np.uint8)
        reasons = _fill(squares, names, bytes_of, on_progress)
    skipped = tuple(
        f"{_printable(name)} ({reason})"
        for name, reason in zip(names, reasons, strict=True)
        if reason
    )
    used = [row for row, reason in enumerate(reasons) if not reason]
    if len(used) < least:
        bad = f"{len(skipped)} cannot be used ({skipped[0]}, ...), " if skipped else ""
        raise BadInputError(
            f"{path}: of {found} pictures ({', '.join(SUFFIXES)}) {bad}{len(used)} can be used; "
            f"expected at least {least}."
        )
    for row, of in enumerate(used):  # in place: there may be no room for two
        squares[row] = squares[of]
    source = {"pictures": len(used), "of": found, "seed": seed}
    return Pictures(squares[: len(used)], source, skipped)


def _fill(
    squares: np.ndarray,
    names: Sequence[str],
    bytes_of: Callable[[str], bytes],
    on_progress: Callable[[int, int], None] | None,
) -> list[str]:
    """Decode pictures into the rows of an array; give why each cannot be used, or nothing."""

    def read_one(row: int) -> str:
        try:
            squares[row] = _gray_square(bytes_of(names[row]))
        except BadInputError as error:
            return str(error)
        except Exception:  # decoders raise whatever they stumble over
            return "cannot be decoded"
        return ""

    reasons: list[str] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd but readable metadata
        for start in range(0, len(names), _AT_ONCE):
            rows = range(start, min(start + _AT_ONCE, len(names)))
            reasons += pool.map(read_one, rows)
            if on_progress:
                on_progress(rows.stop, len(names))
    return reasons


@contextmanager
def _files_in(path: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    """The names of the pictures in a folder or zip, and what gives a name's bytes."""
    if path.is_dir():
        files = (one for one in path.rglob("*") if one.is_file())
        yield _pictures_of(one.relative_to(path).as_posix() for one in files), _of_folder(path)
        return
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such folder or zip of pictures.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise BadInputError(
            f"{path}: expected a folder or zip of pictures, found no zip ({error})."
        ) from error
    with archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > max(_MOST_UNPACKING * path.stat().st_size, _MOST_BYTES):
            raise BadInputError(
                f"{path}: would unpack to {unpacked / 2**30:.1f} GiB, more than "
                f"{_MOST_UNPACKING} times its size; expected a zip of pictures."
            )
        yield _pictures_of(archive.namelist()), _of_zip(archive)


def _pictures_of(names: Iterator[str] | list[str]) -> list[str]:
    """Those that end like pictures, sorted, without what macOS and others hide beside them."""
    return sorted(
        name
        for name in names
        if name.lower().endswith(SUFFIXES)
        and not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    )


def _of_folder(folder: Path) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        _check_bytes((folder / name).stat().st_size)
        return (folder / name).read_bytes()

    return read


def _of_zip(archive: zipfile.ZipFile) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        _check_bytes(archive.getinfo(name).file_size)  # zipfile reads no more than this
        return archive.read(name)

    return read


def _check_bytes(size: int) -> None:
    if size > _MOST_BYTES:
        raise BadInputError(f"{size / 2**20:.0f} MiB, expected at most {_MOST_BYTES // 2**20}")


def _gray_square(encoded: bytes) -> np.ndarray:
    """The middle of a picture; uint8 (128, 128)."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(encoded), formats=_FORMATS) as picture:
        width, height = picture.size
        if min(width, height) < SIZE:
            raise BadInputError(f"{width} x {height}, expected at least {SIZE} x {SIZE}")
        if width * height > _MOST_PIXELS:
            raise BadInputError(f"{width} x {height}, expected at most {_MOST_PIXELS:,} pixels")
        if picture.mode not in _EIGHT_BIT:
            raise BadInputError(f"pixels of mode {picture.mode}, expected 8 bits a channel")
        picture.draft("L", (2 * SIZE, 2 * SIZE))  # JPEG alone: decodes gray, and large ones reduced
        upright = ImageOps.exif_transpose(picture).convert("L")
        return np.asarray(ImageOps.fit(upright, (SIZE, SIZE), Image.Resampling.LANCZOS))


def _printable(name: str) -> str:
    """A name out of a foreign zip, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
