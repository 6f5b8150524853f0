"""Evaluate segment sets into a scene, saved as MRB: tables, charts, segments, nearest neighbors.

In Slicer, without its window, or in plain Python with slicer-core:

    Slicer --no-main-window --python-script SkullGANEvaluate/Scripts/evaluate_to_scene.py -- <args>
    python SkullGANEvaluate/Scripts/evaluate_to_scene.py <args>

    --train train.h5 --test test.h5 --synthetic synthetic.h5 -o evaluation.mrb

The report for the browser goes beside the scene. Exit code 0 when done, 1 with one sentence on
stderr when not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# In the repository the library is in the folder of another module, in Slicer beside this one.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SkullGAN"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from SkullGANLib.cli.options import add_output, add_progress
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.names import NAMES
from SkullGANLib.evaluation.report.reader import PAGE, WAYS
from SkullGANLib.utils import atomic_files, progress, resources
from SkullGANScene.jobs import evaluation_jobs
from SkullGANScene.nodes import evaluation, mrb, nearest_neighbors
from SkullGANScene.offscreen import headless
from SkullGANScene.scripting import scripts


def evaluate_to_scene(options: argparse.Namespace) -> None:
    """Evaluate, or take an earlier report, and save the scene.

    Raises:
        BadInputError: if there is nothing to evaluate, or the sets or the model do not go together.
        OutputError: if the report or the scene cannot be written.
    """
    sets = {name: getattr(options, name) for name in NAMES if getattr(options, name)}
    if bool(sets) == bool(options.from_report):
        raise BadInputError("Either segment sets or --from-report are needed, and not both.")
    atomic_files.check_new(options.output, (".mrb",), overwrite=options.overwrite)
    shown = evaluation_jobs.Shown(options.shown, options.pairs, options.nearest_by)
    scene = headless.application_scene()
    if options.from_report:
        folder = options.from_report
        work = evaluation_jobs.add_report(scene, folder, folder.resolve().name, shown=shown)
    else:
        folder = options.report or options.output.with_name(f"{options.output.stem} report")
        model = None if options.no_model else options.model or resources.bundled_model()
        chosen = evaluation_jobs.Chosen(sets, model=model, seed=options.seed, most=options.most)
        work = evaluation_jobs.evaluate(scene, chosen, folder, options.output.stem, shown=shown)
    with progress.shown("Evaluating", options.progress) as report_progress:
        text = scripts.run_job("Evaluating", work, report_progress)
    mrb.save(scene, options.output)
    nodes = evaluation.nodes_of(text)
    for warning in nodes.content["concerns"]:
        print(f"skullgan: WARNING: {warning}", file=sys.stderr)
    for one in nodes.content["answers"]:
        print(" ".join([one["question"], f"{one['short']}.", *one["reasons"]]))
    pairs = len(nodes.pairs) if nodes.pairs is not None else 0
    print(f"{options.output}: {len(nodes.charts)} charts, {pairs} nearest pairs; {folder / PAGE}")


def _parser() -> argparse.ArgumentParser:
    parser = scripts.Parser(
        prog="evaluate_to_scene.py",
        description="An evaluation as a scene for 3D Slicer, and its report for the browser.",
        epilog="Example: evaluate_to_scene.py --train train.h5 --test test.h5 "
        "--synthetic synthetic.h5 -o evaluation.mrb",
    )
    for name in NAMES:
        parser.add_argument(
            f"--{name}", type=Path, nargs="+", default=[], help=f"{name} segment sets (.h5)"
        )
    add_output(parser, "scene to write (.mrb)")
    parser.add_argument(
        "--report", type=Path, help="folder of the report; by default '<scene> report' beside it"
    )
    parser.add_argument(
        "--from-report", type=Path, help="folder of a report that is there, instead of sets"
    )
    parser.add_argument("--model", type=Path, help="whose discriminator judges; the bundled one")
    parser.add_argument("--no-model", action="store_true", help="let no discriminator judge")
    parser.add_argument("--seed", type=int, default=0, help="of all chance (%(default)s)")
    parser.add_argument(
        "--most", type=int, metavar="N", help="segments of each set to compare (4000)"
    )
    parser.add_argument(
        "--shown",
        type=int,
        default=evaluation.MOST_SEGMENTS,
        help="segments of each set in the scene, at most (%(default)s)",
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=nearest_neighbors.MOST_PAIRS,
        help="nearest pairs in the scene, at most (%(default)s)",
    )
    parser.add_argument(
        "--nearest-by",
        choices=list(WAYS),
        default=next(iter(WAYS)),
        help="how they are found (%(default)s)",
    )
    add_progress(parser)
    return parser


if __name__ == "__main__":
    scripts.run(evaluate_to_scene, _parser())
