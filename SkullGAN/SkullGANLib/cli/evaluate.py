"""The command ``evaluate``: are synthetic segments like real ones, copies, or of use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..evaluation.names import NAMES
from ..utils import progress
from .options import Commands, add_device, add_seed, command

if TYPE_CHECKING:
    from ..networks.model_file import Model

_MEANINGS = {
    "train": "real segments that the model learned from",
    "test": "real segments of other subjects, which it has never seen",
    "synthetic": "what the model made",
    "control": "what a weaker model made",
    "artificial": "what skullgan artificial made",
}


def evaluate(options: argparse.Namespace) -> None:
    """Say whether synthetic segments are like real ones, copies, or of use, in a report."""
    from ..evaluation import evaluation, evaluation_set
    from ..evaluation.measures.acoustic import AcousticSettings
    from ..evaluation.report import writer

    paths = _checked_paths(options)
    writer.check_folder(options.output)
    acoustic = AcousticSettings(options.acoustic_medium, options.acoustic_frequency_khz)
    model = _model(options)
    with progress.shown("Evaluating", options.progress) as report_progress:
        sets = evaluation_set.read(
            paths,
            most=options.most,
            seed=options.seed,
            on_progress=lambda part, of: report_progress(0.1 * part / of, "reading and measuring"),
        )
        found = evaluation.evaluate(
            sets,
            model=model,
            seed=options.seed,
            settings={"acoustic": acoustic},
            on_progress=lambda share, note: report_progress(0.1 + 0.8 * share, note),
        )
        page = writer.write(
            options.output,
            sets,
            found,
            settings=_settings(options, paths),
            model=options.model,
            run=options.run,
            study=options.study,
            paper=options.figures == "paper",
            on_progress=lambda share: report_progress(0.9 + 0.1 * share, "drawing"),
        )
    for one in found.concerns:
        print(f"skullgan: WARNING: {one}", file=sys.stderr)
    for answer in found.answers:
        print(answer)
    for one in found.limitations:
        print(f"Limitation: {one}")
    print(f"{page}: {sum(map(len, sets.values()))} segments, {len(found.concerns)} warnings")


def add_evaluate(commands: Commands) -> None:
    from ..evaluation.evaluation_set import MOST

    one = command(
        commands,
        evaluate,
        "skullgan evaluate --train runs/first/training.h5 --test runs/first/test.h5 --synthetic "
        "out.h5 --model runs/first/model.safetensors -o report. What is missing may stay away: the "
        "report says what then cannot be said",
    )
    for name in NAMES:
        one.add_argument(
            f"--{name}",
            nargs="+",
            action="extend",
            default=[],
            type=Path,
            metavar="SEGMENTS",
            help=f"{_MEANINGS[name]} (.h5, one or several)",
        )
    one.add_argument(
        "--model", type=Path, metavar="MODEL", help="whose discriminator judges them, too"
    )
    one.add_argument(
        "--run",
        type=Path,
        metavar="RUN",
        help="training that made the model, whose curves and last samples the report then shows",
    )
    one.add_argument(
        "--study",
        type=Path,
        metavar="FOLDER",
        help="reader study (skullgan study) with its answers, for a section of its own",
    )
    one.add_argument(
        "--figures",
        choices=("report", "paper"),
        default="report",
        help="paper: write the paper's Figures 5, 6, 7a, 7b and 7c of these sets, too, into "
        "figures/paper (report)",
    )
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="report to write"
    )
    one.add_argument("--overwrite", action="store_true", help="replace a report that is there")
    one.add_argument(
        "--most",
        type=int,
        default=MOST,
        metavar="N",
        help="segments of each set to compare, taken by chance of larger ones; all are measured "
        f"({MOST})",
    )
    add_acoustic(one)
    add_seed(one, "what all chance follows from: the same sets and seed, the same numbers (0)")
    add_device(one)


def add_acoustic(one: argparse.ArgumentParser) -> None:
    """Add how the plane wave of the acoustic judge is sent."""
    from ..acoustics.convention import FREQUENCY_KHZ
    from ..acoustics.registry import CONVENTIONS

    one.add_argument(
        "--acoustic-medium",
        choices=tuple(CONVENTIONS),
        default="k-plan",
        help="how HU become density, speed and attenuation for the plane wave that is sent through "
        "the segments (k-plan)",
    )
    one.add_argument(
        "--acoustic-frequency-khz",
        type=float,
        default=FREQUENCY_KHZ,
        metavar="KHZ",
        help=f"frequency of that wave ({FREQUENCY_KHZ:g})",
    )


def _checked_paths(options: argparse.Namespace) -> dict[str, list[Path]]:
    """Give the files of the sets, once nothing speaks against the options."""
    paths = {name: getattr(options, name) for name in NAMES}
    paths = {name: given for name, given in paths.items() if given}
    if not paths:
        raise BadInputError("No segment set was given: expected --synthetic and --test, to begin.")
    if options.seed < 0:
        raise BadInputError(f"--seed is {options.seed}: expected 0 or more.")
    taken = options.output.exists() and (
        not options.output.is_dir() or any(options.output.iterdir())
    )
    if taken and not options.overwrite:
        raise BadInputError(
            f"{options.output}: is there already: expected a new name (or --overwrite)."
        )
    if options.run:
        from ..training.run_directory import Run

        Run.open(options.run)
    if options.study:
        from ..evaluation.study.study_folder import score_folder

        score_folder(options.study)
    return paths


def _model(options: argparse.Namespace) -> Model | None:
    if not options.model:
        return None
    from ..networks import model_file
    from ..networks.devices import chosen_device

    return model_file.read(options.model, chosen_device(options.device))


def _settings(options: argparse.Namespace, paths: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """Give what the report notes of how it was made."""
    from ..utils import atomic_files

    settings: dict[str, Any] = {
        "seed": options.seed,
        "most": options.most,
        "files": {name: [path.name for path in given] for name, given in paths.items()},
    }
    if options.model:
        settings["model"] = options.model.name
        settings["model_sha256"] = atomic_files.sha256(options.model)
    return settings
