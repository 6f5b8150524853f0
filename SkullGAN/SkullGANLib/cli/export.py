"""The command ``export``: a segment set in a format that other programs read."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..utils import progress
from .options import Commands, command
from .segment_files import add_segments_output, refuse_taken


def export(options: argparse.Namespace) -> None:
    """Write a segment set in a format that other programs read."""
    from ..data import hdf5
    from ..export import conversion, metrics_table
    from ..export.registry import format_of

    format = format_of(options.output, options.format)
    files = format.files(options.output)
    conversion.check(options.output, format, hdf5.count(options.segments))
    if not options.overwrite:
        refuse_taken(files.values())
    with progress.shown(f"Writing {options.output.name}", options.progress) as report_progress:
        conversion.convert(
            options.segments,
            options.output,
            format,
            lambda count, of: report_progress(count / of, f"{count}/{of}"),
        )
    if options.metrics:
        metrics_table.write_metrics(files["metrics"], hdf5.iterate(options.segments))
    for part, path in files.items():
        if part != "metrics" or options.metrics:
            print(f"{path}: {part}")


def add_export(commands: Commands) -> None:
    one = command(commands, export, "skullgan export segments.h5 -o segments.nii.gz")
    one.add_argument("segments", type=Path, metavar="SEGMENTS", help="segment set (.h5)")
    add_segments_output(one, converting=True)
