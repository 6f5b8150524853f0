"""What the commands that write segments in any format have in common."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from ..errors import BadInputError
from ..export.registry import FORMATS, file_formats
from .options import add_output


def add_segments_output(one: argparse.ArgumentParser, *, converting: bool = False) -> None:
    """Add ``-o``, ``--overwrite``, ``--format`` and ``--no-metrics``.

    Args:
        one: the command.
        converting: whether what is written cannot be a segment set again.
    """
    formats = [one for one in file_formats() if not (converting and one.reads_back)]
    endings = ", ".join(one.endings[0] for one in formats)
    add_output(one, f"file to write ({endings}), or a folder (with --format)")
    meanings = "; ".join(
        f"{name}: {format.description}"
        for name, format in FORMATS.items()
        if not (converting and format.reads_back)
    )
    one.add_argument(
        "--format",
        choices=tuple(name for name, one in FORMATS.items() if not (converting and one.reads_back)),
        help=f"of what is written (by the ending of the file's name); {meanings}",
    )
    one.add_argument(
        "--no-metrics",
        dest="metrics",
        action="store_false",
        help="do without the CSV of SDR, thickness and intensity beside the output",
    )


def refuse_taken(files: Iterable[Path]) -> None:
    """Raise BadInputError if one of the files is there; an empty folder may be filled."""
    for one in files:
        if one.exists() and not (one.is_dir() and not any(one.iterdir())):
            raise BadInputError(f"{one}: is there already, expected a new name (or --overwrite).")
