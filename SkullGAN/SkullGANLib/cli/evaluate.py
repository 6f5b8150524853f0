"""Commands that say what segments are worth: ``evaluate``, ``realness``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import BadInputError
from ..utils import progress
from .options import add_device, add_outputs, add_seed, command


def evaluate(options: argparse.Namespace) -> None:
    """Say whether synthetic segments are like real ones, copies, or of use, in a report."""
    from ..evaluation import evaluation, evaluation_set
    from ..evaluation.report import answers, writer
    from ..utils import atomic_files

    paths = {name: getattr(options, name) for name in evaluation_set.NAMES}
    paths = {name: given for name, given in paths.items() if given}
    if not paths:
        raise BadInputError("No segment set was given, --synthetic and --test are a beginning.")
    if options.seed < 0:
        raise BadInputError(f"--seed is {options.seed}, needed is 0 or more.")
    taken = options.output.exists() and (
        not options.output.is_dir() or any(options.output.iterdir())
    )
    if taken and not options.overwrite:
        raise BadInputError(
            f"{options.output}: is there already, a new name is needed (or --overwrite)."
        )
    writer.check_folder(options.output)
    trained = None
    settings = {"seed": options.seed, "most": options.most, "files": _named_files(paths)}
    if options.model:
        from ..networks import model_file
        from ..networks.dcgan import chosen_device

        trained = model_file.read(options.model, chosen_device(options.device))
        settings |= {
            "model": options.model.name,
            "model_sha256": atomic_files.sha256(options.model),
        }
    network = None
    if options.inception:
        from ..networks import inception
        from ..networks.dcgan import chosen_device

        network = inception.read(options.inception, chosen_device(options.device))
        settings |= {
            "inception": options.inception.name,
            "inception_sha256": atomic_files.sha256(options.inception),
        }
    with progress.shown("Evaluating", options.progress) as report_progress:
        sets = evaluation_set.read(
            paths,
            most=options.most,
            seed=options.seed,
            on_progress=lambda done, of: report_progress(0.1 * done / of, "reading and measuring"),
        )
        concerns = evaluation_set.concerns(sets)
        for one in concerns:
            print(f"skullgan: WARNING: {one}", file=sys.stderr)
        found = evaluation.evaluate(
            sets,
            model=trained,
            network=network,
            seed=options.seed,
            on_progress=lambda share, note: report_progress(0.1 + 0.8 * share, note),
        )
        page = writer.write(
            options.output,
            sets,
            found,
            settings=settings,
            model=options.model,
            on_progress=lambda share: report_progress(0.9 + 0.1 * share, "drawing"),
        )
    for answer in answers.answers(sets, found):
        print(answer)
    for one in found.unsaid:
        print(f"Not said: {one}")
    print(f"{page}: {sum(map(len, sets.values()))} segments, {len(concerns)} warnings")


def _named_files(paths: dict[str, list[Path]]) -> dict[str, list[str]]:
    return {name: [path.name for path in given] for name, given in paths.items()}


def realness(options: argparse.Namespace) -> None:
    """Say where in segments a discriminator's decision comes from."""
    from ..data import hdf5
    from ..mapping import head_maps
    from ..networks import model_file
    from ..networks.dcgan import chosen_device
    from ..utils import resources

    head_maps.check_names(options.output, head_maps.REALNESS_FORMATS, options.overwrite)
    segments = hdf5.read(options.segments)
    path = options.model or resources.bundled_model()
    trained = model_file.read(path, chosen_device(options.device))
    with progress.shown(f"Judging {options.segments.name}", options.progress) as report_progress:
        scores = head_maps.write_realness(
            options.output,
            segments,
            trained,
            method=options.method,
            on_surface=options.map,
            on_progress=report_progress,
        )
    print(
        f"{options.segments}: realness {scores.mean():.2f} ± {scores.std():.2f} of "
        f"{len(scores)} segments by {path.name} (not calibrated: not a probability)"
    )
    for one in options.output:
        print(f"{one}: written")


def add_evaluate(commands: argparse._SubParsersAction) -> None:
    from ..evaluation.evaluation_set import MOST

    one = command(
        commands,
        evaluate,
        "skullgan evaluate --train runs/first/training.h5 --test runs/first/test.h5 --synthetic "
        "out.h5 --model runs/first/model.safetensors -o report. What is missing may stay away: the "
        "report says what then cannot be said",
    )
    for name, meaning in (
        ("train", "real segments that the model learned from"),
        ("test", "real segments of other subjects, which it has never seen"),
        ("synthetic", "what the model made"),
        ("control", "what a weaker model made"),
        ("artificial", "what skullgan artificial made"),
    ):
        one.add_argument(
            f"--{name}",
            nargs="+",
            action="extend",
            default=[],
            type=Path,
            metavar="SEGMENTS",
            help=f"{meaning} (.h5, one or several)",
        )
    one.add_argument(
        "--model", type=Path, metavar="MODEL", help="whose discriminator judges them, too"
    )
    one.add_argument(
        "--inception",
        type=Path,
        metavar="WEIGHTS",
        help="weights of FID's network, pt_inception-2015-12-05 (.pth), for FID and KID; 1,000 "
        "segments take about a minute on two cores",
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
        help="segments of each set to compare, drawn by chance of larger ones; all are measured "
        f"({MOST})",
    )
    add_seed(one, "what all chance follows from: the same sets and seed, the same numbers (0)")
    add_device(one)


def add_realness(commands: argparse._SubParsersAction) -> None:
    from ..mapping.head_maps import REALNESS_FORMATS

    one = command(
        commands,
        realness,
        "skullgan realness segments.h5 --model model.safetensors -o why.nrrd -o scores.csv",
    )
    one.add_argument("segments", type=Path, metavar="SEGMENTS", help="segment set (.h5)")
    one.add_argument(
        "--model", type=Path, metavar="MODEL", help="whose discriminator judges (the one in box)"
    )
    add_outputs(one, REALNESS_FORMATS)
    one.add_argument(
        "--method",
        # As realness.METHODS, which would bring torch.
        choices=("positions", "occlusion"),
        default="positions",
        help="how the score is explained (positions); occlusion is a second opinion and slower",
    )
    one.add_argument(
        "--map",
        type=Path,
        metavar="VTP",
        help="map of the CT that the segments were cut from, to lay their scores on",
    )
    add_device(one)
