"""The command ``extract``: the segments of head CTs."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..utils import progress
from ..utils.file_lock import writing
from .options import Commands, add_dask, add_output, command, refuse_to_overwrite, signals_noted

if TYPE_CHECKING:
    from ..data.depth import Depth
    from ..extraction.batch import CutSettings
    from ..extraction.batch_table import Row

_SHEET_SEGMENTS = 1000  # more do not fit in a picture that opens


def extract(options: argparse.Namespace) -> None:
    """Cut segments out of head CTs into one segment set."""
    from ..data import hdf5
    from ..extraction.batch_table import table_of
    from ..extraction.outcomes import raise_for_failed

    together = len(options.ct) > 1 or options.jobs is not None or options.dask is not None
    _check(options, together)
    refuse_to_overwrite(options, going_on=together)
    settings: CutSettings = {
        "bones": options.bones,
        "planes": options.planes,
        "interval_mm": options.interval_mm,
        "spacing_mm": options.spacing_mm,
        "threshold_hu": options.threshold_hu,
    }
    depth = _depth(options)
    if depth is not None:
        settings["depth_slices"], settings["depth_step_mm"] = depth.slices, depth.step_mm
    with writing(options.output):  # one that begins while another works is told so at once
        rows = _extract_many(options, settings) if together else [_extract_one(options, settings)]
    if options.output.exists():
        count = hdf5.count(options.output)
        in_depth = f", {count // depth.slices} stacks of {depth}" if depth else ""
        print(f"{options.output}: {count} segments{in_depth}")
        if options.contact_sheet:
            _write_captioned_sheet(options.contact_sheet, options.output, depth)
    if together:
        table = table_of(options.output)
        print(f"{table}: what became of each CT; it holds the names of their files")
    raise_for_failed(rows, options.output)


def _check(options: argparse.Namespace, together: bool) -> None:
    """Raise where options do not go together."""
    if options.subject and len(options.subject) != len(options.ct):
        raise BadInputError(
            f"--subject was given {len(options.subject)} times for {len(options.ct)} CTs, expected "
            "once for each."
        )
    for name in ("skull_mask", "landmarks"):
        if getattr(options, name) and together:
            raise BadInputError(
                f"--{name.replace('_', '-')} goes with one CT and without --jobs and --dask, "
                f"{len(options.ct)} were given; call once for each."
            )


def _depth(options: argparse.Namespace) -> Depth | None:
    """Give the depth that was asked for; raises where it makes no sense."""
    from ..data.depth import STEP_MM, Depth

    if options.depth is None:
        if options.depth_step_mm is not None:
            raise BadInputError("--depth-step-mm was given without --depth, expected both.")
        return None
    return Depth(options.depth, STEP_MM if options.depth_step_mm is None else options.depth_step_mm)


def _extract_one(options: argparse.Namespace, settings: CutSettings) -> Row:
    from ..anatomy import landmarks
    from ..data import hdf5
    from ..extraction import batch
    from ..extraction.batch_table import Row

    (path,) = options.ct
    points = landmarks.read(options.landmarks) if options.landmarks else None
    with progress.shown(f"Cutting {path.name}", options.progress) as report_progress:
        found = batch.cut(
            path,
            skull_mask=options.skull_mask,
            landmarks=points,
            subject=options.subject[0] if options.subject else None,
            on_progress=report_progress,
            **settings,
        )
    row = Row(str(path)).completed(found.segments)
    print(row.sentence)
    _warn(row)
    hdf5.write(options.output, found.segments)
    return row


def _extract_many(options: argparse.Namespace, settings: CutSettings) -> list[Row]:
    from ..extraction import batch
    from ..extraction.batch_table import FAILED

    def show(row: Row) -> None:
        if row.state != FAILED:
            print(row.sentence, flush=True)
            _warn(row)
        elif len(options.ct) > 1:
            print(f"skullgan: {row.sentence}", file=sys.stderr)

    with (
        ExitStack() as stack,
        signals_noted() as interrupted,
        progress.shown(f"Cutting {len(options.ct)} CTs", options.progress) as report_progress,
    ):
        executor = None
        if options.dask:
            from ..utils.dask_cluster import connected

            executor = stack.enter_context(connected(options.dask)).get_executor(pure=False)
        return batch.run(
            # Workers have folders of their own to begin from.
            [path.absolute() for path in options.ct] if executor else options.ct,
            options.output,
            settings,
            subjects=options.subject or None,
            jobs=1 if options.jobs is None else options.jobs,
            executor=executor,
            overwrite=options.overwrite,
            on_progress=lambda ready, of: report_progress(ready / of, f"{ready}/{of}"),
            on_row=show,
            should_stop=interrupted.is_set,
        )


def _warn(row: Row) -> None:
    """Say what must be known of the segments of a CT."""
    if row.cautions:
        print(f"skullgan: WARNING: {row.ct}: {row.cautions}", file=sys.stderr, flush=True)


def _write_captioned_sheet(path: Path, segments: Path, depth: Depth | None) -> None:
    from ..data import hdf5
    from ..plots import contact_sheet

    found = hdf5.read(segments, slice(0, _SHEET_SEGMENTS))
    contact_sheet.write_contact_sheet(
        path,
        found.hu,
        columns=depth.slices * max(1, 8 // depth.slices) if depth else 8,  # a stack on one line
        captions=[f"{b} {s}" for b, s in zip(found.bone, found.side, strict=True)],
    )


def add_extract(commands: Commands) -> None:
    from ..data.depth import STEP_MM
    from ..data.segment_set import PIXEL_SPACING_MM

    one = command(
        commands,
        extract,
        "skullgan extract head.dicom.zip more/ -o segments.h5 --jobs 2. Several CTs, or --jobs, "
        "make a batch: segments.csv says what became of each CT, and the same command again does "
        "what is left",
    )
    one.add_argument(
        "ct", nargs="+", type=Path, metavar="CT", help="DICOM folder or zip, NRRD, NIfTI, MHA"
    )
    add_output(one, "segment set to write (.h5)")
    add_where(one)
    one.add_argument(
        "--spacing-mm",
        type=float,
        default=PIXEL_SPACING_MM,
        metavar="MM",
        help=f"size of a pixel ({PIXEL_SPACING_MM})",
    )
    one.add_argument(
        "--depth",
        type=int,
        metavar="N",
        help="cut stacks of N neighboring parallel slices, each around a segment (single cuts)",
    )
    one.add_argument(
        "--depth-step-mm",
        type=float,
        metavar="MM",
        help=f"from a slice of a stack to the next ({STEP_MM})",
    )
    one.add_argument(
        "--threshold-hu",
        type=float,
        metavar="HU",
        help="where bone begins (fitted to each CT)",
    )
    one.add_argument(
        "--subject",
        action="append",
        default=[],
        metavar="NAME",
        help="pseudonym of a CT's subject, once per CT (a hash of the voxels)",
    )
    one.add_argument(
        "--skull-mask", type=Path, metavar="FILE", help="your own mask, on the CT's grid"
    )
    one.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="nasion, inion, left and right porion (.mrk.json, .fcsv), to lay the head frame by",
    )
    one.add_argument("--jobs", type=int, metavar="N", help="CTs at a time, 0.5 GiB each (1)")
    add_dask(one)
    one.add_argument("--contact-sheet", type=Path, metavar="PNG", help="picture of the first 1000")


def add_where(one: argparse.ArgumentParser) -> None:
    """Add the options that say where segments are cut."""
    from ..anatomy import cut_plan

    for name, use, known, default in (
        ("bone", "which bones", cut_plan.BONES, cut_plan.DEFAULT_BONES),
        ("plane", "in which planes", cut_plan.PLANES, cut_plan.DEFAULT_PLANES),
    ):
        one.add_argument(
            f"--{name}s",
            type=lambda text: text.split(","),
            default=list(default),
            metavar=f"{name.upper()},{name.upper()}",
            help=f"{use} to cut, of {','.join(known)} ({','.join(default)})",
        )
    one.add_argument(
        "--interval-mm",
        type=float,
        default=cut_plan.INTERVAL_MM,
        metavar="MM",
        help=f"between planes ({cut_plan.INTERVAL_MM})",
    )
