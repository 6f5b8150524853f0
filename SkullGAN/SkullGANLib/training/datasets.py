"""What a training learns from: segment sets, split by subject, and pictures for pre-training.

``read_segments`` joins segment sets and ``split`` holds a test part out. ``read_pictures`` makes
small gray squares of a folder or zip of photographs, for a first training whose model a later one
begins with; what it gives stands in the place of a segment set in ``training.train``.
"""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import hdf5, segment_set
from ..data.segment_set import PIXEL_SPACING_MM, SIZE, SegmentSet
from ..errors import BadInputError

SPLITS = {
    "subjects": "no subject is on both sides",
    "segments": "chance decides, neighboring cuts of one head are on both sides (as in the paper)",
    "none": "nothing is held out",
}
TEST_SHARE = 0.2
"""Share held out by default: the paper's half is too much where heads are few."""
LARGEST_TEST_SHARE = 0.9

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
class Parts:
    """Segments to learn from and segments held out.

    Attributes:
        training, test: the parts, in the order they had; ``test`` is None if nothing is held out.
            Their ``source["split"]`` says how they came about, in numbers.
        note: that in a sentence.
    """

    training: SegmentSet
    test: SegmentSet | None
    note: str


@dataclass(frozen=True, eq=False)
class Plan:
    """Which segments would be held out.

    Attributes:
        held_out: bool (N,).
        record: how that came about, in numbers.
        note: that in a sentence.
    """

    held_out: np.ndarray
    record: Mapping[str, Any]
    note: str


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


def read_segments(paths: Sequence[str | Path], *, any_kind: bool = False) -> SegmentSet:
    """Read segment sets into one, in the order given.

    Args:
        paths: HDF5 files.
        any_kind: take synthetic, artificial and control segments, too; all of one kind.

    Raises:
        BadInputError: if a file is no segment set, its segments are not real, all files together
            hold none, or kind, pixel size or HU range differ; before any segment is read.
    """
    check_sets(paths, any_kind=any_kind)
    sets = [hdf5.read(path) for path in paths]
    return sets[0] if len(sets) == 1 else segment_set.concatenate(sets)


def check_sets(paths: Sequence[str | Path], *, any_kind: bool = False) -> None:
    """Raise where ``read_segments`` would; no segment is read."""
    headers = {path: hdf5.read(path, slice(0)) for path in paths}
    for path, header in headers.items():
        if header.kind != "real" and not any_kind:
            raise BadInputError(
                f"{path}: the segments are {header.kind}, real ones are needed (--any-kind learns "
                "from others, too)."
            )
    first, *others = headers
    for name in ("kind", "pixel_spacing_mm", "hu_range"):
        needed = getattr(headers[first], name)
        for path in others:
            found = getattr(headers[path], name)
            if found != needed:
                raise BadInputError(
                    f"{path}: {name} is {found}, in {first} it is {needed}; one is needed for all."
                )
    if not any(map(hdf5.count, paths)):
        raise BadInputError(f"{', '.join(map(str, paths))}: no segment in there, some are needed.")


def split(
    segments: SegmentSet, *, by: str = "subjects", test_share: float = TEST_SHARE, seed: int = 0
) -> Parts:
    """Hold out a part of the segments.

    Split by subject, the share is met as well as whole subjects allow, at least one on each side;
    a single subject cannot be split, and all is to learn from.

    Args:
        segments: to be split.
        by: one of ``SPLITS``.
        test_share: share of the segments to hold out, 0 to ``LARGEST_TEST_SHARE``.
        seed: what the choice follows from.

    Raises:
        BadInputError: if ``by`` or ``test_share`` is none of these.
    """
    plan = planned(segments.subject, by=by, test_share=test_share, seed=seed)
    whole = replace(segments, source={**segments.source, "split": dict(plan.record)})
    if not plan.held_out.any():
        return Parts(whole, None, plan.note)
    return Parts(whole[~plan.held_out], whole[plan.held_out], plan.note)


def planned(
    subject: np.ndarray, *, by: str = "subjects", test_share: float = TEST_SHARE, seed: int = 0
) -> Plan:
    """Say how ``split`` would split the segments of these subjects, (N,) texts; raises as it."""
    if by not in SPLITS:
        raise BadInputError(f"The split is {by!r}, needed is one of {list(SPLITS)}.")
    if not 0 <= test_share <= LARGEST_TEST_SHARE:
        raise BadInputError(
            f"The test share is {test_share}, needed is a number from 0 to {LARGEST_TEST_SHARE}."
        )
    if test_share == 0:
        by = "none"
    subjects = len(np.unique(subject))
    note = ""
    if by == "subjects" and subjects < 2:
        by = "none"
        note = "They are of one subject and cannot be split by subject, so none is held out."
    rng = np.random.default_rng(seed)
    held_out = np.zeros(len(subject), bool)
    if by == "subjects":
        held_out = _of_whole_subjects(subject, test_share, rng)
    elif by == "segments":
        held_out[rng.permutation(len(subject))[: round(test_share * len(subject))]] = True

    if not held_out.any():
        by = "none"
    record: dict[str, Any] = {"by": by} if by == "none" else {"by": by, "seed": seed}
    told = {}
    for side, rows in (("training", ~held_out), ("test", held_out)):
        count, of = int(rows.sum()), len(np.unique(subject[rows]))
        record |= {f"{side}_segments": count, f"{side}_subjects": of}
        told[side] = f"{count} segments of {of} subject{'' if of == 1 else 's'}"
    learned = f"To learn from: {told['training']}."
    if by == "none":
        return Plan(held_out, record, f"{learned} {note}".rstrip())
    note = f"Held out: {told['test']}, chosen by {by}."
    return Plan(held_out, record, f"{learned} {note}")


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
        least: how many are needed.
        limit: use as many at most, a choice by chance; None is all.
        seed: what the choice follows from.
        on_progress: called with the pictures read and to be read.

    Raises:
        BadInputError: if there is no such folder or zip, fewer pictures than needed can be used,
            or a zip would unpack to a hundred times its size.
    """
    path = Path(path)
    if limit is not None and limit < 1:
        raise BadInputError(f"The limit is {limit} pictures, at least 1 is needed.")
    with _files_in(path) as (names, bytes_of):
        found = len(names)
        if limit is not None and limit < found:
            chosen = np.random.default_rng(seed).permutation(found)[:limit]
            names = [names[each] for each in np.sort(chosen)]
        squares = np.empty((len(names), SIZE, SIZE), np.uint8)

        def read_one(row: int) -> str:
            """Fill a row; gives the reason if that cannot be done."""
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
            f"at least {least} are needed."
        )
    for row, of in enumerate(used):  # in place: there may be no room for two
        squares[row] = squares[of]
    source = {"pictures": len(used), "of": found, "seed": seed}
    return Pictures(squares[: len(used)], source, skipped)


def _of_whole_subjects(subject: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Choose subjects by chance whose segments are about that share; bool (N,)."""
    names, whose, sizes = np.unique(subject, return_inverse=True, return_counts=True)
    needed, chosen, total = share * len(subject), [], 0
    for one in rng.permutation(len(names)):
        nearer = abs(total + sizes[one] - needed) < abs(total - needed)
        if nearer and len(chosen) < len(names) - 1:
            chosen.append(one)
            total += sizes[one]
    return np.isin(whose, chosen or [np.argmin(sizes)])


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
            f"{path}: cannot be read as a zip ({error}); a folder or zip of pictures is needed."
        ) from error
    with archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > max(_MOST_UNPACKING * path.stat().st_size, _MOST_BYTES):
            raise BadInputError(
                f"{path}: would unpack to {unpacked / 2**30:.1f} GiB, more than "
                f"{_MOST_UNPACKING} times its size; a zip of pictures is needed."
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
        raise BadInputError(f"{size / 2**20:.0f} MiB, at most {_MOST_BYTES // 2**20} are read")


def _gray_square(encoded: bytes) -> np.ndarray:
    """The middle of a picture; uint8 (128, 128)."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(encoded), formats=_FORMATS) as picture:
        width, height = picture.size
        if min(width, height) < SIZE:
            raise BadInputError(f"{width} x {height}, at least {SIZE} x {SIZE} are needed")
        if width * height > _MOST_PIXELS:
            raise BadInputError(f"{width} x {height}, at most {_MOST_PIXELS:,} pixels are decoded")
        if picture.mode not in _EIGHT_BIT:
            raise BadInputError(f"pixels of mode {picture.mode}, 8 bits a channel are needed")
        picture.draft("L", (2 * SIZE, 2 * SIZE))  # JPEG alone: decodes gray, and large ones reduced
        upright = ImageOps.exif_transpose(picture).convert("L")
        return np.asarray(ImageOps.fit(upright, (SIZE, SIZE), Image.Resampling.LANCZOS))


def _printable(name: str) -> str:
    """A name out of a foreign zip, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
