"""The command ``generate``: synthetic segments by a model, in any format."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..export.format import Format
from ..utils.file_lock import writing
from ..utils.output_names import check_places
from .options import (
    Commands,
    add_dask,
    add_device,
    add_seed,
    beside_of,
    command,
    counted,
    signals_noted,
)
from .segment_files import add_segments_output, refuse_taken
from .selection_options import add_selection, asked_of, notes, selection_of

if TYPE_CHECKING:
    from ..data.depth import Depth
    from ..generation.set_file import Generated


def generate(options: argparse.Namespace) -> None:
    """Generate synthetic segments with a model."""
    from ..data import hdf5
    from ..data.depth import depth_of
    from ..export import conversion, metrics_table
    from ..export.registry import format_of
    from ..generation import set_file

    format = format_of(options.output, options.format)
    set_file.check_seeds(options.n, options.seed)
    selection_of(options)
    # Other formats cannot be continued: what they are made of is collected in a segment set.
    collected = options.output
    if not format.reads_back:
        collected = options.output.with_name(f"{options.output.name}.partial.h5")
    files = format.files(options.output)
    _refuse_to_generate(options, format, collected, files.values())
    if options.metrics:
        metrics_table.check_replaceable(files["metrics"])
    with signals_noted() as interrupted, writing(collected):

        def shown(title: str) -> AbstractContextManager[Callable[[int], None]]:
            return counted(title, options, interrupted)

        with shown(f"Generating {options.n} segments") as report_progress:
            made = _generate_into(collected, options, report_progress)
        if options.metrics:
            with shown("Measuring") as report_progress:
                metrics_table.write_metrics(
                    files["metrics"], hdf5.iterate(collected), report_progress
                )
        if options.contact_sheet:
            _write_contact_sheet(options.contact_sheet, collected)
        depth = depth_of(hdf5.read(collected, slice(0)), collected)
        if collected != options.output:
            with shown(f"Writing {options.output.name}") as report_progress:
                conversion.convert(
                    collected, options.output, format, lambda count, of: report_progress(count)
                )
            collected.unlink()
    _print_files(options, files, made, depth)


def _generate_into(
    path: Path, options: argparse.Namespace, on_progress: Callable[[int], None]
) -> Generated:
    from ..generation import set_file
    from ..utils import resources

    model = options.model or resources.bundled_model()
    elsewhere, device, precision = None, options.device, options.precision
    with ExitStack() as stack:
        if options.dask:
            from ..generation.cluster import ClusterGeneration
            from ..utils.dask_cluster import connected

            cluster = ClusterGeneration(
                stack.enter_context(connected(options.dask)),
                model,
                device,
                precision,
                options.batch_statistics,
            )
            elsewhere, device, precision = cluster.batches, cluster.device, cluster.precision
        return set_file.generate_file(
            path,
            model,
            elsewhere=elsewhere,
            count=options.n,
            first_seed=options.seed,
            batch_size=options.batch_size,
            device=device,
            precision=precision,
            batch_statistics=options.batch_statistics,
            selection=selection_of(options),
            asked=asked_of(options),
            resume=options.resume,
            on_progress=on_progress,
            on_note=notes(options),
        )


def _write_contact_sheet(picture: Path, segments: Path) -> None:
    from ..data import hdf5
    from ..data.depth import depth_of
    from ..plots import contact_sheet

    depth = depth_of(hdf5.read(segments, slice(0)), segments)
    slices = depth.slices if depth else 1
    found = hdf5.read(segments, slice(0, 100 // slices * slices))
    columns = slices * max(1, 8 // slices)  # a stack on one line
    contact_sheet.write_contact_sheet(picture, found.hu, columns=columns)


def _print_files(
    options: argparse.Namespace, files: dict[str, Path], made: Generated, depth: Depth | None
) -> None:
    last = options.seed + made.made - 1
    of = f" of {made.made} that were made" if made.provenance.selection else ""
    what = f"synthetic stacks of {depth}" if depth else "synthetic segments"
    print(f"{options.output}: {made.kept} {what}{of}, seeds {options.seed} to {last}")
    if made.likeness:
        print(made.likeness)
    for part, path in files.items():
        if part == "mask" or (part == "metrics" and options.metrics):
            print(f"{path}: their {part}")


def _refuse_to_generate(
    options: argparse.Namespace, format: Format, collected: Path, files: Iterable[Path]
) -> None:
    """Raise if what is there would be lost, or could not be written in the end."""
    from ..export import conversion

    if options.resume and options.overwrite:
        raise BadInputError("--resume and --overwrite were given, expected one of them.")
    apart = collected != options.output
    if apart and collected.exists() and not (options.resume or options.overwrite):
        raise BadInputError(
            f"{collected}: is left of a generation that was interrupted; --resume completes it, "
            "--overwrite begins anew."
        )
    if options.overwrite:
        files = ()
    elif options.resume:  # the files beside the output may be left of the interruption
        # One that was interrupted after it wrote the output has to do no more than tidy up.
        files = (options.output,) if apart and not collected.exists() else ()
    refuse_taken(files)
    conversion.check(options.output, format, options.n)
    check_places([*format.files(options.output).values(), collected, *beside_of(options)])


def add_generate(commands: Commands) -> None:
    from ..networks.precision import INFERENCE_PRECISIONS

    one = command(
        commands, generate, "skullgan generate model.safetensors -n 1000 -o out.h5 --seed 7"
    )
    one.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL",
        help="model (.safetensors; the one that comes with SkullGAN)",
    )
    one.add_argument(
        "-n",
        type=int,
        default=100,
        help="number of segments to make; where some are left out, to keep (100)",
    )
    add_segments_output(one)
    one.add_argument(
        "--resume", action="store_true", help="continue where the same command was interrupted"
    )
    add_seed(one, "seed of the first segment; the others count up (0)")
    add_selection(one)
    one.add_argument(
        "--precision",
        choices=tuple(INFERENCE_PRECISIONS),
        default="auto",
        help="of the arithmetic; auto is the faster one on the device (auto)",
    )
    one.add_argument(
        "--batch-size", type=int, default=64, metavar="N", help="segments made at once (64)"
    )
    one.add_argument(
        "--batch-statistics",
        action="store_true",
        help="normalize by the batch, not by the training; then segments depend on their batch",
    )
    add_device(one, "auto, cpu, cuda, cuda:1, mps, or several GPUs: cuda:0,cuda:1 (auto)")
    add_dask(one)
    one.add_argument(
        "--contact-sheet", type=Path, metavar="PNG", help="picture of the first 100 segments"
    )
