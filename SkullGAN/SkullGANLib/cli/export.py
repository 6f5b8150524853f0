"""The command ``export``: a segment set in a format that other programs read."""

from __future__ import annotations

import argparse
import filecmp
import os
import sys
from pathlib import Path

from ..errors import BadInputError, OutputError
from ..export.format import Format
from ..export.staging import neighboring_folder
from ..utils import progress
from ..utils.file_lock import writing
from ..utils.output_names import check_places
from .acoustic_options import acoustic_format, add_medium, asked_for, medium_settings
from .options import Commands, command
from .segment_files import add_segments_output, refuse_taken

_SEGMENT_SETS = (".h5", ".hdf5")
_ACOUSTIC = "acoustic"


def export(options: argparse.Namespace) -> None:
    """Write a segment set in a format that other programs read, or a CT's acoustic medium."""
    from ..export.acoustic import check_media
    from ..export.registry import format_of
    from ..export.segment_stack import SegmentStack

    format = format_of(options.output, options.format)
    given = asked_for(options)
    if given and format.name != _ACOUSTIC:
        raise BadInputError(
            f"{given[0]} was given for the format {format.name}: expected --format {_ACOUSTIC}."
        )
    if format.name == _ACOUSTIC:
        format = acoustic_format(options)
        if options.segments.suffix.lower() not in _SEGMENT_SETS:
            _export_ct(options)
            return
        check_media(SegmentStack(options.segments), options.output, medium_settings(options))
    elif options.skull_mask:
        raise BadInputError("--skull-mask was given for segments: expected it for a CT alone.")
    _export_segments(options, format)


def _export_segments(options: argparse.Namespace, format: Format) -> None:
    from ..data import hdf5
    from ..export import conversion

    files = format.files(options.output)
    if not options.metrics:
        del files["metrics"]
    conversion.check(options.output, format, hdf5.count(options.segments))
    if options.output.exists() and options.output.samefile(options.segments):
        raise BadInputError(f"{options.output}: is what is read, expected another name.")
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
    if format.name == _ACOUSTIC:
        from ..export.media_files import read_notes

        _print_warnings(read_notes(options.output)["warnings"])


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


def _export_ct(options: argparse.Namespace) -> None:
    from ..ct.volume import read_ct, read_mask
    from ..export.acoustic_volume import calvaria_medium, write_calvaria

    if not options.overwrite:
        refuse_taken([options.output])
    settings = medium_settings(options)
    with progress.shown(f"Writing {options.output.name}", options.progress) as report_progress:
        ct = read_ct(options.segments)
        mask = read_mask(options.skull_mask, ct) if options.skull_mask else None
        try:
            made = calvaria_medium(
                ct,
                settings,
                mask=mask,
                name=options.segments,
                on_progress=lambda share: report_progress(0.1 + 0.6 * share),
            )
        except BadInputError as error:
            if str(options.segments) in str(error):
                raise
            raise BadInputError(f"{options.segments}: {error}") from error
        write_calvaria(options.output, made)
    points = " x ".join(map(str, made.medium.density.shape[::-1]))
    spacing = " x ".join(f"{mm:.3g}" for mm in made.medium.spacing_mm[::-1])
    print(f"{options.output}: calvaria of {options.segments}, {points} points of {spacing} mm")
    _print_warnings(made.notes["warnings"])


def _print_warnings(warnings: list[str]) -> None:
    for one in warnings:
        print(f"skullgan: WARNING: {one}", file=sys.stderr)


def add_export(commands: Commands) -> None:
    one = command(
        commands,
        export,
        "skullgan export segments.h5 -o segments.nii.gz, or skullgan export segments.h5 -o "
        "media.h5 --format acoustic --medium k-wave --points-per-wavelength 8",
    )
    one.add_argument(
        "segments",
        type=Path,
        metavar="SEGMENTS",
        help="segment set (.h5); for acoustic media also a head CT, whose calvaria is written",
    )
    add_segments_output(one, converting=True)
    add_medium(one)
    one.add_argument(
        "--skull-mask",
        type=Path,
        metavar="FILE",
        help="mask of a CT's calvaria, on its grid (found)",
    )
