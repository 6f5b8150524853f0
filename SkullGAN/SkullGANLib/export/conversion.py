"""Segment sets in the formats of others: NRRD, NIfTI, NumPy, MATLAB, PNG, DICOM and what is added.

``write`` takes segments batch by batch, ``convert`` a segment set's file; both at flat memory.
``check`` says beforehand whether segments can be written. The formats stand in ``registry``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from ..data import hdf5
from ..data.segment_set import SegmentSet
from ..errors import BadInputError, OutputError
from .format import Format
from .registry import folder_formats, format_of
from .segment_stack import Progress, SegmentStack
from .staging import neighboring_folder


def write(
    path: str | Path, batches: Iterable[SegmentSet], format: Format | str | None = None
) -> None:
    """Write segments in any of ``FORMATS``, all or, if something raises, none.

    Args:
        path: file, or folder where the format is one; what it held is replaced.
        batches: at least one set, all of one kind, pixel size and HU range.
        format: one of ``FORMATS`` or its name; None goes by the name of the file.

    Raises:
        BadInputError: as ``format_of`` and ``check``, or if there is no batch or they differ.
        OutputError: if the files cannot be written.
    """
    path = Path(path)
    chosen = format_of(path, format)
    iterator = iter(batches)
    first = next(iterator, None)
    if first is None:
        raise BadInputError(f"{path}: was given no segments, expected at least one.")
    if chosen.reads_back:
        _collect(path, first, iterator)
        return
    with neighboring_folder(path) as folder:
        collected = folder / "segments.h5"
        try:
            _collect(collected, first, iterator)
        except OutputError as error:
            raise OutputError(str(error).replace(str(collected), str(path))) from error
        convert(collected, path, chosen)


def convert(
    segments_path: str | Path,
    path: str | Path,
    format: Format | str | None = None,
    on_progress: Progress | None = None,
) -> None:
    """Write the segments in a segment set's file in another of ``FORMATS``.

    Args:
        segments_path: segment set (.h5) with at least one segment.
        path: file, or folder where the format is one; what it held is replaced. The masks may be
            written beside it, see ``Format.files``.
        format: one of ``FORMATS`` or its name, other than ``h5``; None goes by the file's name.
        on_progress: called with the segments written and those there are.

    Raises:
        BadInputError: as ``format_of`` and ``check``, or if the segment set cannot be read.
        OutputError: if the files cannot be written.
    """
    path = Path(path)
    chosen = format_of(path, format)
    stack = SegmentStack(Path(segments_path), on_progress)
    check(path, chosen, stack.count)
    chosen.write(stack, path)


def check(path: str | Path, format: Format, count: int) -> None:
    """Raise unless segments can be written there; worth knowing before they are made.

    Raises:
        BadInputError: if the format does not hold so many, or a folder would be replaced that
            holds anything that is not from here.
    """
    path = Path(path)
    if format.most_segments is not None and count > format.most_segments:
        raise BadInputError(
            f"{path}: {count} segments were asked for, at most {format.most_segments} go into this "
            f"format ({format.most_reason}); a segment set (.h5) holds any number."
        )
    if count < 1:
        raise BadInputError(f"{path}: was given no segments, expected at least one.")
    if format.is_folder and path.exists():
        _check_folder(path)


def _check_folder(path: Path) -> None:
    """Raise unless a folder is there that holds nothing but what a format writes."""
    if not path.is_dir():
        raise BadInputError(f"{path}: is a file, expected the name of a folder.")
    ours = re.compile("|".join(one.folder_names for one in folder_formats() if one.folder_names))
    strange = sorted(one.name for one in path.iterdir() if not ours.fullmatch(one.name))
    if strange:
        raise BadInputError(
            f"{path}: holds {strange[0]}, which was not written by SkullGAN; expected a new or an "
            "empty folder."
        )


def _collect(path: Path, first: SegmentSet, others: Iterable[SegmentSet]) -> None:
    with hdf5.Writer.of(path, first) as writer:
        for batch in chain([first], others):
            writer.append(batch)
