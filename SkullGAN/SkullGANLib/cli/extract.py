"""Commands that cut segments: ``extract``, ``skull``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..utils import progress
from .options import add_output, command, refuse_to_overwrite, signals_noted

_SHEET_SEGMENTS = 1000  # more do not fit in a picture that opens


def extract(options: argparse.Namespace) -> None:
    """Cut segments out of head CTs into one segment set."""
    from ..data import hdf5

    if options.subject and len(options.subject) != len(options.ct):
        raise BadInputError(
            f"--subject was given {len(options.subject)} times for {len(options.ct)} CTs, once "
            "for each is needed."
        )
    together = len(options.ct) > 1 or options.jobs is not None
    for name in ("skull_mask", "landmarks"):
        if getattr(options, name) and together:
            raise BadInputError(
                f"--{name.replace('_', '-')} goes with one CT and without --jobs, "
                f"{len(options.ct)} were given; call once for each."
            )
    refuse_to_overwrite(options, going_on=together)
    settings = {
        name: getattr(options, name)
        for name in ("bones", "planes", "interval_mm", "spacing_mm", "threshold_hu")
    }
    failed = 0
    if together:
        failed = _extract_many(options, settings)
    else:
        _extract_one(options, settings)
    if options.output.exists():
        print(f"{options.output}: {hdf5.count(options.output)} segments")
        if options.contact_sheet:
            _write_captioned_sheet(options.contact_sheet, options.output)
    if failed:
        from ..extraction.batch import table_of

        raise BadInputError(
            f"{failed} of {len(options.ct)} CTs failed, {table_of(options.output)} says why."
        )


def _extract_one(options: argparse.Namespace, settings: dict[str, Any]) -> None:
    from ..anatomy import landmarks
    from ..data import hdf5
    from ..extraction import batch

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
    dropped = batch.dropped_text(found.dropped)
    print(f"{path}: {len(found.segments)} segments (dropped: {dropped or 'none'})")
    hdf5.write(options.output, found.segments)


def _extract_many(options: argparse.Namespace, settings: dict[str, Any]) -> int:
    """Cut all CTs and give the number that failed."""
    from ..extraction import batch

    def say(row: batch.Row) -> None:
        if row.state == batch.FAILED:
            print(f"skullgan: {row.reason}", file=sys.stderr)
        else:
            note = row.reason or f"dropped: {row.dropped or 'none'}"
            print(f"{row.ct}: {row.segments} segments ({note})", flush=True)

    with (
        signals_noted() as interrupted,
        progress.shown(f"Cutting {len(options.ct)} CTs", options.progress) as report_progress,
    ):
        rows = batch.run(
            options.ct,
            options.output,
            settings,
            subjects=options.subject or None,
            jobs=1 if options.jobs is None else options.jobs,
            overwrite=options.overwrite,
            on_progress=lambda done, of: report_progress(done / of, f"{done}/{of}"),
            on_row=say,
            should_stop=interrupted.is_set,
        )
    return sum(row.state == batch.FAILED for row in rows)


def _write_captioned_sheet(path: Path, segments: Path) -> None:
    from ..data import hdf5
    from ..plots import contact_sheet

    found = hdf5.read(segments, slice(0, _SHEET_SEGMENTS))
    contact_sheet.write_contact_sheet(
        path,
        found.hu,
        captions=[f"{b} {s}" for b, s in zip(found.bone, found.side, strict=True)],
    )


def skull(options: argparse.Namespace) -> None:
    """Find the skull wall in a head CT, as a mask on its grid."""
    from ..anatomy.cavity import find_cavity
    from ..anatomy.skull import skull_mask, threshold_or_fitted
    from ..ct.volume import IMAGES, read_ct, write_volume
    from ..mapping.head_maps import check_names

    check_names([options.output], {"mask": IMAGES}, options.overwrite)
    with progress.shown(
        f"Looking for the skull in {options.ct.name}", options.progress
    ) as report_progress:
        ct = read_ct(options.ct)
        report_progress(0.2, "read")
        try:
            cavity = find_cavity(ct)
            threshold_hu = threshold_or_fitted(options.threshold_hu, ct, cavity)
            report_progress(0.5, "brain found")
            mask = skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity)
        except BadInputError as error:
            raise BadInputError(f"{options.ct}: {error}") from error
        report_progress(0.9, "skull found")
        write_volume(options.output, mask, ct.ijk_to_ras, compress=not options.raw)
        if options.frame:
            cavity.frame.write(options.frame, threshold_hu=threshold_hu)
    milliliters = mask.sum() * ct.spacing_mm.prod() / 1000
    print(f"{options.output}: {milliliters:.0f} ml of skull, bone from {threshold_hu:.0f} HU")


def add_extract(commands: argparse._SubParsersAction) -> None:
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
    one.add_argument("--jobs", type=int, metavar="N", help="CTs at a time, 1.1 GiB each (1)")
    one.add_argument("--contact-sheet", type=Path, metavar="PNG", help="picture of the first 1000")


def add_where(one: argparse.ArgumentParser) -> None:
    """Add the options that say where segments are cut."""
    one.add_argument(
        "--bones",
        type=lambda text: text.split(","),
        default=["temporal", "parietal"],
        metavar="BONE,BONE",
        help="which to cut (temporal,parietal)",
    )
    one.add_argument(
        "--planes",
        type=lambda text: text.split(","),
        default=["axial", "coronal", "sagittal"],
        metavar="PLANE,PLANE",
        help="in which to cut (axial,coronal,sagittal)",
    )
    one.add_argument(
        "--interval-mm", type=float, default=3.1, metavar="MM", help="between planes (3.1)"
    )


def add_skull(commands: argparse._SubParsersAction) -> None:
    one = command(commands, skull, "skullgan skull head.dicom.zip -o skull.nrrd")
    one.add_argument("ct", type=Path, metavar="CT", help="DICOM folder or zip, NRRD, NIfTI, MHA")
    add_output(one, "mask to write (.nrrd, .nii.gz, .mha), for extract --skull-mask")
    one.add_argument(
        "--threshold-hu", type=float, metavar="HU", help="where bone begins (fitted to the CT)"
    )
    one.add_argument(
        "--frame", type=Path, metavar="JSON", help="where right, front and top of the head are"
    )
    one.add_argument("--raw", action="store_true", help="do not compress the mask")
