"""``skullgan pretrain``: a first training on pictures, for another one to begin with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..utils import progress
from ..utils.output_names import check_places
from .options import Commands, command
from .recipe_options import add_recipe, add_run, recipe_of
from .run_training import print_once, run_training

_SKIPPED_NAMED = 20


def pretrain(options: argparse.Namespace) -> None:
    """Train a SkullGAN on pictures; skullgan train --pretrained begins with what it has learned."""
    from ..training import pictures

    check_places([options.output / "recipe.json"])
    recipe = recipe_of(options, epochs=10, samples_per_epoch=0, snapshot_every=1)
    with progress.shown("Reading pictures", options.progress) as report_progress:
        found = pictures.read_pictures(
            options.pictures,
            # An epoch with a length of its own shows fewer than a batch again and again.
            least=1 if recipe.samples_per_epoch else recipe.batch_size,
            limit=options.limit,
            seed=options.seed,
            on_progress=lambda count, of: report_progress(count / of, f"{count}/{of}"),
        )
    named = found.skipped[:_SKIPPED_NAMED]
    more = len(found.skipped) - len(named)
    for what in (*named, *([f"{more} more"] if more else ())):
        print_once(f"skullgan: skipped {what}", sys.stderr)
    print_once(f"To learn from: {len(found)} pictures, {len(found.skipped)} skipped.")
    run_training(options, recipe, found)


def add_pretrain(commands: Commands) -> None:
    one = command(
        commands,
        pretrain,
        "skullgan pretrain img_align_celeba.zip -o runs/faces --limit 100000. Then skullgan train "
        "segments.h5 -o runs/skulls --pretrained runs/faces/model.safetensors",
    )
    one.add_argument(
        "pictures",
        type=Path,
        metavar="PICTURES",
        help="folder or zip of pictures; the middle of each is used, gray, 128 x 128",
    )
    one.add_argument("--limit", type=int, metavar="N", help="pictures to use, by chance (all)")
    add_run(one)
    add_recipe(one, epochs="10")
