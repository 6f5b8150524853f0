"""``skullgan train``: a SkullGAN from segment sets."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import BadInputError
from .options import Commands, command
from .recipe_options import add_recipe, add_run, add_split, recipe_of
from .run_training import print_once, run_training


def train(options: argparse.Namespace) -> None:
    """Train a SkullGAN on segment sets, in a run directory."""
    from ..training import cautions, datasets

    if not options.segments:
        _resume(options)
        return
    recipe = recipe_of(options)
    segments = datasets.read_segments(options.segments, any_kind=options.any_kind)
    for one in cautions.of_files(options.segments):
        print_once(f"WARNING: {one}")
    parts = datasets.split(
        segments,
        by=options.split,
        test_share=options.test_share,
        seed=options.seed,
    )
    print_once(parts.note)
    run_training(options, recipe, parts.training, parts.test)


def _resume(options: argparse.Namespace) -> None:
    """Resume a run as it was begun, with its segments and its recipe."""
    from ..data import hdf5
    from ..training.run_directory import Run

    if not options.resume:
        raise BadInputError("Expected at least one segment set (or --resume), found none.")
    run = Run.open(options.output)
    if not run.training_path.is_file():
        raise BadInputError(
            f"{run.path}: holds no {run.training_path.name}; to resume it, give the segment sets "
            "that it was begun with."
        )
    run_training(options, run.recipe(), hdf5.read(run.training_path))


def add_train(commands: Commands) -> None:
    one = command(
        commands,
        train,
        "skullgan train segments.h5 -o runs/first --recipe demo --set epochs=50. Then skullgan "
        "evaluate --train runs/first/training.h5 --test runs/first/test.h5 ...",
    )
    one.add_argument(
        "segments",
        nargs="*",
        type=Path,
        metavar="SEGMENTS",
        help="segment sets (.h5); with --resume, none takes the run's own and its recipe",
    )
    add_split(one)
    add_run(one)
    add_recipe(one, epochs="the recipe's")
