"""The command ``export``: a segment set in a format that other programs read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import BadInputError
from ..export.format import Format
from ..utils import progress
from .acoustic_options import acoustic_format, add_medium, asked_for, medium_settings
from .options import Commands, command
from .segment_files import add_segments_output, refuse_taken

_SEGMENT_SETS = (".h5", ".hdf5")
_ACOUSTIC = "acoustic"


def export(options: argparse.Namespace) -> None:
    """Write a segment set in a format that other programs read, or a CT's acoustic medium."""
    from ..export.registry import format_of

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
    elif options.skull_mask:
        raise BadInputError("--skull-mask was given for segments: expected it for a CT alone.")
    _export_segments(options, format)


def _export_segments(options: argparse.Namespace, format: Format) -> None:
    from ..data import hdf5
    from ..export import conversion, metrics_table

    files = format.files(options.output)
    conversion.check(options.output, format, hdf5.count(options.segments))
    if options.output.exists() and options.output.samefile(options.segments):
        raise BadInputError(f"{options.output}: is what is read, expected another name.")
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
    if format.name == _ACOUSTIC:
        from ..export.media_files import read_notes

        _print_warnings(read_notes(options.output)["warnings"])


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
