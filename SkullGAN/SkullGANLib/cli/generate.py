"""Commands that make segments or rewrite them: ``generate``, ``export``, ``artificial``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from ..errors import BadInputError
from ..utils import progress
from .options import (
    add_device,
    add_output,
    add_seed,
    command,
    counted,
    refuse_to_overwrite,
    signals_noted,
)


def generate(options: argparse.Namespace) -> None:
    """Generate synthetic segments with a model."""
    from ..data import hdf5
    from ..export import formats
    from ..plots import contact_sheet

    format = formats.format_of(options.output, options.format)
    if options.n < 1 or not 0 <= options.seed <= 2**63 - options.n:
        raise BadInputError(
            f"-n is {options.n} and --seed {options.seed}, at least 1 segment and seeds from 0 to "
            "2**63 - 1 are needed."
        )
    # Other formats cannot be continued: what they are made of is collected in a segment set.
    collected = options.output
    if format != "h5":
        collected = options.output.with_name(f"{options.output.name}.partial.h5")
    files = formats.files_of(options.output, format)
    _refuse_to_generate(options, format, collected, files.values())
    with signals_noted() as interrupted:

        def shown(title: str) -> AbstractContextManager[Callable[[int], None]]:
            return counted(title, options, interrupted)

        with shown(f"Generating {options.n} segments") as report_progress:
            _generate_into(collected, options, report_progress)
        if options.metrics:
            with shown("Measuring") as report_progress:
                formats.write_metrics(
                    files["metrics"], hdf5.iterate(collected), report_progress
                )
        if options.contact_sheet:
            first = hdf5.read(collected, slice(0, 100))
            contact_sheet.write_contact_sheet(options.contact_sheet, first.hu)
        if collected != options.output:
            with shown(f"Writing {options.output.name}") as report_progress:
                formats.convert(
                    collected, options.output, format, lambda done, of: report_progress(done)
                )
            collected.unlink()
    last = options.seed + options.n - 1
    print(f"{options.output}: {options.n} synthetic segments, seeds {options.seed} to {last}")
    for part, path in files.items():
        if part == "mask" or (part == "metrics" and options.metrics):
            print(f"{path}: their {part}")


def export(options: argparse.Namespace) -> None:
    """Write a segment set in a format that other programs read."""
    from ..data import hdf5
    from ..export import formats

    format = formats.format_of(options.output, options.format)
    files = formats.files_of(options.output, format)
    formats.check(options.output, format, hdf5.count(options.segments))
    for one in files.values():
        if one.exists() and not options.overwrite and not (one.is_dir() and not any(one.iterdir())):
            raise BadInputError(f"{one}: is there already, a new name is needed (or --overwrite).")
    with progress.shown(f"Writing {options.output.name}", options.progress) as report_progress:
        formats.convert(
            options.segments,
            options.output,
            format,
            lambda done, of: report_progress(done / of, f"{done}/{of}"),
        )
    if options.metrics:
        formats.write_metrics(files["metrics"], hdf5.iterate(options.segments))
    for part, path in files.items():
        if part != "metrics" or options.metrics:
            print(f"{path}: {part}")


def artificial(options: argparse.Namespace) -> None:
    """Make segments that are no skull but measure as real ones do, as a control for evaluation."""
    import numpy as np

    from ..data import hdf5
    from ..generation import artificial
    from ..metrics import measure
    from ..plots import contact_sheet

    refuse_to_overwrite(options)
    if options.output.exists() and options.output.samefile(options.like):
        raise BadInputError(
            f"{options.output}: is the real set that is to be followed, another name is needed."
        )
    like = hdf5.read(options.like)
    measured = []
    with (
        progress.shown(f"Making {options.n} segments", options.progress) as report_progress,
        hdf5.Writer(
            options.output,
            kind="artificial",
            pixel_spacing_mm=like.pixel_spacing_mm,
            hu_range=like.hu_range,
            commit_every_s=None,
        ) as writer,
    ):
        for batch in artificial.batches(
            like,
            options.n,
            style=options.kind,
            seed=options.seed,
            on_progress=lambda done, of: report_progress(done / of, f"{done}/{of}"),
        ):
            writer.append(batch)
            measured.append(measure(batch))
    found = artificial.match(
        measure(like),
        {name: np.concatenate([each[name] for each in measured]) for name in artificial.METRICS},
    )
    statistics = ", ".join(f"{name} {value:.3f}" for name, value in found.ks.items())
    print(
        f"{options.output}: {options.n} artificial segments; Kolmogorov-Smirnov statistic against "
        f"{options.like}: {statistics}; modes of intensity: {found.modes[0]} there, "
        f"{found.modes[1]} here"
    )
    if options.n < len(like):
        print(f"Fewer than the {len(like)} segments of {options.like} follow them less closely.")
    if options.contact_sheet:
        shown = hdf5.read(options.output, slice(0, 1000))
        contact_sheet.write_contact_sheet(
            options.contact_sheet, shown.hu, captions=artificial.styles_of(shown).tolist()
        )


def _generate_into(
    path: Path, options: argparse.Namespace, on_progress: Callable[[int], None]
) -> None:
    """Make the segments that a segment set does not hold yet."""
    import numpy as np

    from ..data import hdf5
    from ..generation import from_seeds
    from ..networks import model_file
    from ..networks.dcgan import chosen_device
    from ..networks.fast_generator import chosen_precision
    from ..utils import atomic_files, resources

    device = chosen_device(options.device)
    model_path = options.model or resources.bundled_model()
    trained = model_file.read(model_path, device)
    precision = chosen_precision(options.precision, device, trained.generator.width)
    if options.batch_statistics and options.precision == "auto":
        precision = "fp32"
    # All that the segments follow from; batches and devices round differently.
    origin = {
        "model_sha256": atomic_files.sha256(model_path),
        "first_seed": options.seed,
        "segments": options.n,
        "batch_size": options.batch_size,
        "batch_statistics": options.batch_statistics,
        "precision": precision,
        "device": device.type,
    }
    with hdf5.Writer(
        path,
        kind="synthetic",
        pixel_spacing_mm=trained.pixel_spacing_mm,
        hu_range=trained.hu_range,
        resume=options.resume,
    ) as writer:
        for name, needed in origin.items():
            found = writer.source.get(name)
            if len(writer) and found != needed:
                raise BadInputError(
                    f"{path}: was begun with {name} {found}, {needed} was given now; the same "
                    "model and options are needed to resume it."
                )
        seeds = options.seed + np.arange(len(writer), options.n, dtype=np.int64)
        if not len(seeds):
            return
        for batch in from_seeds.generate(
            trained,
            seeds,
            batch_size=options.batch_size,
            precision=precision,
            batch_statistics=options.batch_statistics,
        ):
            writer.append(replace(batch, source={**batch.source, **origin}))
            on_progress(len(writer))


def _refuse_to_generate(
    options: argparse.Namespace, format: str, collected: Path, files: Iterable[Path]
) -> None:
    """Raise if what is there would be lost, or could not be written in the end."""
    from ..export import formats

    if options.resume and options.overwrite:
        raise BadInputError("--resume and --overwrite were given, one of them is needed.")
    apart = collected != options.output
    if apart and collected.exists() and not (options.resume or options.overwrite):
        raise BadInputError(
            f"{collected}: is left of a generation that was interrupted; --resume completes it, "
            "--overwrite begins anew."
        )
    if options.overwrite:
        files = ()
    elif options.resume:  # the files beside the output may be left of the interruption
        files = (options.output,) if apart else ()
    for one in files:
        if one.exists() and not (one.is_dir() and not any(one.iterdir())):
            raise BadInputError(f"{one}: is there already, a new name is needed (or --overwrite).")
    formats.check(options.output, format, options.n)


def add_generate(commands: argparse._SubParsersAction) -> None:
    from ..export.formats import FOLDERS, FORMATS

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
    one.add_argument("-n", type=int, default=100, help="number of segments (100)")
    endings = ", ".join(FORMATS[f][0] for f in FORMATS if f not in FOLDERS)
    add_output(one, f"file to write ({endings}), or a folder (with --format)")
    one.add_argument(
        "--format", choices=FORMATS, help="of what is written (by the ending of the file's name)"
    )
    one.add_argument(
        "--resume", action="store_true", help="go on where the same command was interrupted"
    )
    add_seed(one, "seed of the first segment; the others count up (0)")
    one.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
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
    add_device(one)
    one.add_argument(
        "--no-metrics",
        dest="metrics",
        action="store_false",
        help="do without the CSV of SDR, thickness and intensity beside the output",
    )
    one.add_argument(
        "--contact-sheet", type=Path, metavar="PNG", help="picture of the first 100 segments"
    )


def add_export(commands: argparse._SubParsersAction) -> None:
    from ..export.formats import FOLDERS, FORMATS

    one = command(commands, export, "skullgan export segments.h5 -o segments.nii.gz")
    one.add_argument("segments", type=Path, metavar="SEGMENTS", help="segment set (.h5)")
    endings = ", ".join(FORMATS[f][0] for f in FORMATS if f not in FOLDERS and f != "h5")
    add_output(one, f"file to write ({endings}), or a folder (with --format)")
    one.add_argument(
        "--format", choices=FORMATS, help="of what is written (by the ending of the file's name)"
    )
    one.add_argument(
        "--no-metrics",
        dest="metrics",
        action="store_false",
        help="do without the CSV of SDR, thickness and intensity beside the output",
    )


def add_artificial(commands: argparse._SubParsersAction) -> None:
    from ..generation.artificial import STYLES

    one = command(
        commands, artificial, "skullgan artificial -n 1000 --like segments.h5 -o artificial.h5"
    )
    one.add_argument("-n", type=int, default=1000, help="number of segments (1000)")
    one.add_argument(
        "--like", type=Path, required=True, metavar="SEGMENTS", help="real set to follow (.h5)"
    )
    add_output(one, "segment set to write (.h5)")
    one.add_argument(
        "--kind", choices=(*STYLES, "both"), default="both", help="what they look like (both)"
    )
    add_seed(one, "seed of the first segment; the others count up (0)")
    one.add_argument("--contact-sheet", type=Path, metavar="PNG", help="picture of all segments")
