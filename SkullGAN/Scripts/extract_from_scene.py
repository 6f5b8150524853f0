"""Cut the skull segments of many head CTs, of files and of scenes, into one segment set.

In Slicer, without its window, or in plain Python with slicer-core:

    Slicer --no-main-window --python-script SkullGAN/Scripts/extract_from_scene.py -- <arguments>
    python SkullGAN/Scripts/extract_from_scene.py <arguments>

    --ct heads/ --ct patient.mrb -o segments.h5

``--ct`` takes what skullgan extract takes, a folder of such files, or a scene (.mrb), whose CTs are
all cut where their linear transforms put them, and with the skull that the scene has for them, as
it was edited. Without ``--ct``, Slicer's open scene is taken. One CT that fails does not stop the
others: segments.csv, beside the set, says what became of each.

Exit code 0 when done, 1 with one sentence on stderr when not or when a CT failed, 2 when it was
interrupted; what was cut before is kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Slicer runs the script by its path: the libraries stand beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from SkullGANLib.cli.extract import add_where
from SkullGANLib.cli.options import add_output, add_progress
from SkullGANLib.data import hdf5
from SkullGANLib.data.segment_set import PIXEL_SPACING_MM, SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import batch_table, outcomes, single_ct
from SkullGANLib.extraction.batch_table import DONE, Book, Row
from SkullGANLib.utils import atomic_files, progress
from SkullGANLib.utils.file_lock import writing
from SkullGANLib.utils.task import Running, Work
from SkullGANScene.jobs import steps
from SkullGANScene.offscreen import headless
from SkullGANScene.scripting import head_files, scripts
from SkullGANScene.scripting.head_files import HeadFile


def work(options: argparse.Namespace) -> None:
    """Do what the command line asks for.

    Raises:
        BadInputError: if there is no CT, an argument makes no sense or a CT failed.
        OutputError: if the set cannot be written.
    """
    atomic_files.check_new(options.output, (".h5", ".hdf5"), overwrite=options.overwrite)
    table = batch_table.table_of(options.output)
    if table.exists() and not options.overwrite:
        # Of CTs that all failed; another table is not ours to replace.
        batch_table.read_table(table)
    settings = {name: getattr(options, name) for name in ("bones", "planes", "interval_mm")}
    single_ct.check_settings(**settings, spacing_mm=PIXEL_SPACING_MM)
    with (
        writing(options.output),
        tempfile.TemporaryDirectory(prefix="skullgan-heads-") as folder,
    ):
        heads = found_heads(options.ct, Path(folder))
        rows = cut_all(heads, options.output, settings, Path(folder), options.progress)
    if options.output.exists():
        good = sum(row.segments > 0 for row in rows)
        of = f"{good} CT{'s' if good > 1 else ''}"
        print(f"{options.output}: {hdf5.count(options.output)} segments of {of}")
    print(f"{table}: what became of each CT; it holds the names of their files and nodes")
    outcomes.raise_for_failed(rows, options.output)


def found_heads(paths: Sequence[Path], folder: Path) -> list[HeadFile]:
    """Find the CTs of the command line, or of the scene that is open in Slicer.

    Raises:
        BadInputError: if there is none.
    """
    scene = headless.application_scene()
    if paths:
        return head_files.of_paths(scene, paths, folder)
    if not headless.inside_slicer():
        raise BadInputError("No CT was named, expected --ct (--help shows an example).")
    return head_files.of_scene(scene, folder)


def cut_all(
    heads: Sequence[HeadFile],
    output: Path,
    settings: dict[str, Any],
    folder: Path,
    style: str = "auto",
) -> list[Row]:
    """Cut CTs one after the other into a segment set, with a table beside it.

    Args:
        heads: the CTs.
        output: the set (.h5); one that is there is replaced.
        settings: ``bones``, ``planes`` and ``interval_mm`` of ``skullgan extract``.
        folder: for files between the processes.
        style: of the progress, one of ``progress.STYLES``.

    Returns:
        What became of each CT.
    """
    noted = batch_table.settings_text(
        {**settings, "spacing_mm": PIXEL_SPACING_MM, "threshold_hu": None}
    )
    rows = {head.name: Row(head.name, settings=noted) for head in heads}
    works = [(rows[head.name], _cutting(head, settings, folder)) for head in heads]
    batch_table.remove(output)
    with (
        Book(output, rows, {}, PIXEL_SPACING_MM) as book,
        progress.shown(f"Cutting {len(heads)} CTs", style) as report_progress,
    ):

        def enter(outcome: outcomes.Outcome) -> None:
            row = book.enter(outcome.row, outcome.segments)
            if row.state == DONE:
                print(row.sentence, flush=True)
            elif len(heads) > 1:
                print(row.sentence, file=sys.stderr, flush=True)

        def report(share: float) -> None:
            number = min(int(share * len(heads)) + 1, len(heads))
            report_progress(share, f"{number}/{len(heads)}")

        scripts.run_job(f"Cutting {len(heads)} CTs", outcomes.cut_each(works, enter), report)
    return list(rows.values())


def _cutting(head: HeadFile, settings: dict[str, Any], folder: Path) -> Work[SegmentSet]:
    """Cut one CT in a child process."""
    if head.problem:
        raise BadInputError(head.problem)
    with tempfile.TemporaryDirectory(dir=folder) as room:
        output = Path(room) / "segments.h5"
        shown = {str(head.skull_mask): f"The skull of {head.name}", str(head.path): head.name}
        child = steps.extraction(head.path, output, mask_path=head.skull_mask, **settings)
        yield Running(child, 0.0, 1.0, shown)
        return hdf5.read(output)


def _parser() -> argparse.ArgumentParser:
    parser = scripts.Parser(
        prog="extract_from_scene.py",
        description="The skull segments of head CTs, of files and scenes, as one segment set.",
        epilog="Example: extract_from_scene.py --ct heads/ --ct patient.mrb -o segments.h5",
    )
    parser.add_argument(
        "--ct",
        type=Path,
        action="append",
        default=[],
        help="DICOM folder or zip, NRRD, NIfTI, MHA, a folder of such files, or a scene (.mrb); "
        "may be given again (the scene that is open in Slicer)",
    )
    add_output(parser, "segment set to write (.h5)")
    add_where(parser)
    add_progress(parser)
    return parser


if __name__ == "__main__":
    scripts.run(work, _parser())
