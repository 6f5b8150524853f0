"""Generate synthetic skull segments into a scene: volume, masks and table of metrics, as MRB.

In Slicer, without its window, or in plain Python with slicer-core:

    Slicer --no-main-window --python-script SkullGAN/Scripts/generate_to_scene.py -- <arguments>
    python SkullGAN/Scripts/generate_to_scene.py <arguments>

    -n 50 --seed 7 --sdr 0.4,1 --thickness-mm 4,10 -o scene.mrb

Without ``--model`` it is the one that comes with SkullGAN. The same model and seed give the same
segments. Within limits, whole, like a real set or diverse, segments are made until so many are
kept. In Slicer they come into the scene that is open.

Exit code 0 when done, 1 with one sentence on stderr when not, 2 when it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

# Slicer runs the script by its path: the libraries stand beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from SkullGANLib.cli.options import add_output, add_progress, add_seed
from SkullGANLib.cli.selection_options import add_selection, asked_of, selection_of
from SkullGANLib.utils import atomic_files, progress
from SkullGANScene.jobs import segment_jobs
from SkullGANScene.nodes import mrb
from SkullGANScene.offscreen import headless
from SkullGANScene.scripting import scripts

NAME = "Synthetic skull segments"


def work(options: argparse.Namespace) -> None:
    """Do what the command line asks for.

    Raises:
        BadInputError: if an argument makes no sense, the model cannot be used, or too few segments
            fit the selection.
        OutputError: if the scene cannot be written.
    """
    atomic_files.check_new(options.output, (".mrb",), overwrite=options.overwrite)
    selection = selection_of(options)
    scene = headless.application_scene()
    with (
        tempfile.TemporaryDirectory(prefix="skullgan-generate-") as folder,
        progress.shown(f"Generating {options.n} segments", options.progress) as report_progress,
    ):
        generation = segment_jobs.generate(
            scene,
            Path(folder),
            count=options.n,
            first_seed=options.seed,
            name=NAME,
            model=options.model,
            selection=selection,
            asked=asked_of(options),
        )
        made = scripts.run_job(f"Generating {options.n} segments", generation, report_progress)
    mrb.save(scene, options.output)
    kept = made.metrics.GetNumberOfRows()
    print(f"{options.output}: {kept} synthetic segments, with masks and metrics")


def _parser() -> argparse.ArgumentParser:
    parser = scripts.Parser(
        prog="generate_to_scene.py",
        description="Synthetic skull segments as a scene for 3D Slicer.",
        epilog="Example: generate_to_scene.py -n 50 -o scene.mrb",
    )
    parser.add_argument("-n", type=int, default=100, help="number of segments, 2000 at most (100)")
    add_output(parser, "scene to write (.mrb)")
    parser.add_argument(
        "--model", type=Path, help="model (.safetensors; the one that comes with SkullGAN)"
    )
    add_seed(parser, "of the first segment; the others count up (0)")
    add_selection(parser)
    add_progress(parser)
    return parser


if __name__ == "__main__":
    scripts.run(work, _parser())
