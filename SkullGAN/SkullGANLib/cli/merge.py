"""The command ``merge``: several segment sets as one."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import BadInputError
from ..utils import progress
from ..utils.file_lock import writing
from .options import Commands, add_output, command, refuse_to_overwrite


def merge(options: argparse.Namespace) -> None:
    """Join segment sets of one kind, pixel size and HU range into one."""
    from ..data import hdf5
    from ..data.segment_set import check_alike

    refuse_to_overwrite(options)
    named = [path.resolve() for path in options.segments]
    twice = next((path for path in named if named.count(path) > 1), None)
    if twice or options.output.resolve() in named:
        raise BadInputError(
            f"{twice}: was named twice, expected once."
            if twice
            else f"{options.output}: is one of the sets that are to be merged, expected a new name."
        )
    headers = [hdf5.read(path, slice(0)) for path in options.segments]
    for path, header in zip(options.segments, headers, strict=True):
        try:
            check_alike(headers[0], header)
        except BadInputError as error:
            raise BadInputError(f"{path}: {error}") from error
    total, done = sum(map(hdf5.count, options.segments)), 0
    with (
        writing(options.output),
        progress.shown(f"Merging {len(headers)} sets", options.progress) as report_progress,
        hdf5.Writer(
            options.output,
            kind=headers[0].kind,
            pixel_spacing_mm=headers[0].pixel_spacing_mm,
            hu_range=headers[0].hu_range,
            commit_every_s=None,
        ) as writer,
    ):
        for path in options.segments:
            for batch in hdf5.iterate(path):
                writer.append(batch)
                done += len(batch)
                report_progress(done / max(total, 1), path.name)
    print(f"{options.output}: {total} {headers[0].kind} segments of {len(headers)} sets")


def add_merge(commands: Commands) -> None:
    one = command(commands, merge, "skullgan merge a.h5 b.h5 -o both.h5")
    one.add_argument(
        "segments", nargs="+", type=Path, metavar="SEGMENTS", help="segment sets (.h5), in order"
    )
    add_output(one, "segment set to write (.h5)")
