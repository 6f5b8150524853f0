"""The command ``export``: a segment set in a format that other programs read."""

from __future__ import annotations

import argparse
import filecmp
import os
from pathlib import Path

from ..errors import BadInputError, OutputError
from ..export.staging import neighboring_folder
from ..utils import progress
from ..utils.file_lock import writing
from ..utils.output_names import check_places
from .options import Commands, command
from .segment_files import add_segments_output, refuse_taken


def export(options: argparse.Namespace) -> None:
    """Write a segment set in a format that other programs read."""
    from ..data import hdf5
    from ..export import conversion
    from ..export.registry import format_of

    format = format_of(options.output, options.format)
    files = format.files(options.output)
    if not options.metrics:
        del files["metrics"]
    conversion.check(options.output, format, hdf5.count(options.segments))
    check_places(files.values())
    with writing(options.output):
        if not options.overwrite:
            refuse_taken(path for part, path in files.items() if part != "metrics")
        if options.metrics:
            _write_metrics(options, files["metrics"])
        with progress.shown(f"Writing {options.output.name}", options.progress) as report_progress:
            conversion.convert(
                options.segments,
                options.output,
                format,
                lambda count, of: report_progress(count / of, f"{count}/{of}"),
            )
    for part, path in files.items():
        print(f"{path}: {part}")


def _write_metrics(options: argparse.Namespace, path: Path) -> None:
    """Write the metrics; those of the same segments may be there, of another export of the set."""
    from ..data import hdf5
    from ..export import metrics_table

    metrics_table.check_replaceable(path)
    taken = path.exists() and not options.overwrite
    with neighboring_folder(path) as folder:
        made = folder / "metrics.csv"
        metrics_table.write_metrics(made, hdf5.iterate(options.segments))
        if taken and not filecmp.cmp(made, path, shallow=False):
            raise BadInputError(
                f"{path}: is there already, of other segments; expected a new name (or "
                "--overwrite, or --no-metrics)."
            )
        if not taken:
            try:
                os.replace(made, path)
            except OSError as error:
                raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error


def add_export(commands: Commands) -> None:
    one = command(commands, export, "skullgan export segments.h5 -o segments.nii.gz")
    one.add_argument("segments", type=Path, metavar="SEGMENTS", help="segment set (.h5)")
    add_segments_output(one, converting=True)
