"""The options of commands that train or check a training: recipe, device, held-out part."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_device, add_seed, setting

if TYPE_CHECKING:
    from ..training.recipe import Recipe


def recipe_of(options: argparse.Namespace, **defaults: object) -> Recipe:
    """Give the recipe of the options; ``defaults`` stand above the recipe's own settings."""
    from ..training.presets import named
    from ..training.recipe import current_names

    settings = {name: str(value) for name, value in defaults.items()}
    settings |= current_names(dict(setting(text) for text in options.set))
    for name in ("epochs", "batch_size"):
        if getattr(options, name) is not None:
            settings[name] = str(getattr(options, name))
    return named(options.recipe).with_settings(settings)


def add_recipe(one: argparse.ArgumentParser, *, epochs: str) -> None:
    """Add the options that ``recipe_of`` reads, and those of model, device and seed.

    Args:
        one: the command.
        epochs: how many there are by default, for the help.
    """
    from ..training.presets import DEFAULT, PRESETS

    one.add_argument(
        "--recipe",
        default=DEFAULT,
        metavar="NAME",
        help=" ".join(f"{name}: {preset.description}" for name, preset in PRESETS.items())
        + f" ({DEFAULT})",
    )
    one.add_argument(
        "--pretrained",
        type=Path,
        metavar="MODEL",
        help="model to begin with, of skullgan pretrain or skullgan import-weights",
    )
    one.add_argument("--epochs", type=int, help=f"passes over the set ({epochs})")
    one.add_argument("--batch-size", type=int, help="segments a step (the recipe's)")
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other setting of the recipe",
    )
    add_device(one)
    add_seed(one, "what all random numbers of the training follow from (0)")


def add_run(one: argparse.ArgumentParser) -> None:
    """Add the options of the run directory."""
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="run directory to make"
    )
    one.add_argument("--resume", action="store_true", help="resume from the last checkpoint")


def add_split(one: argparse.ArgumentParser) -> None:
    """Add the options of the segments that are held out."""
    from ..training.datasets import LARGEST_TEST_SHARE, SPLITS, TEST_SHARE

    one.add_argument(
        "--any-kind", action="store_true", help="learn from segments that are not real, too"
    )
    one.add_argument(
        "--split",
        choices=SPLITS,
        default="subjects",
        help="how the test part is held out, which test.h5 in the run directory then holds: "
        + "; ".join(f"{by}: {meaning}" for by, meaning in SPLITS.items())
        + " (subjects)",
    )
    one.add_argument(
        "--test-share",
        type=float,
        default=TEST_SHARE,
        metavar="SHARE",
        help=f"share of the segments to hold out, 0 to {LARGEST_TEST_SHARE} ({TEST_SHARE})",
    )
