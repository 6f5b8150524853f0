"""Commands that train: ``pretrain``, ``train``, ``check``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..errors import BadInputError
from ..utils import progress
from .options import add_device, add_seed, command, setting, signals_noted

if TYPE_CHECKING:
    from ..data.segment_set import SegmentSet
    from ..training.datasets import Pictures
    from ..training.recipe import Recipe

_SKIPPED_NAMED = 20


def pretrain(options: argparse.Namespace) -> None:
    """Train a SkullGAN on pictures; skullgan train --pretrained begins with what it has learned."""
    from ..training import datasets

    chosen = recipe_of(options, epochs=10, epoch_segments=0, snapshot_every=1)
    with progress.shown("Reading pictures", options.progress) as report_progress:
        pictures = datasets.read_pictures(
            options.pictures,
            # An epoch with a length of its own shows fewer than a batch again and again.
            least=1 if chosen.epoch_segments else chosen.batch_size,
            limit=options.limit,
            seed=options.seed,
            on_progress=lambda done, of: report_progress(done / of, f"{done}/{of}"),
        )
    named = pictures.skipped[:_SKIPPED_NAMED]
    more = len(pictures.skipped) - len(named)
    for what in (*named, *([f"{more} more"] if more else ())):
        _say(f"skullgan: skipped {what}", sys.stderr)
    _say(f"To learn from: {len(pictures)} pictures, {len(pictures.skipped)} skipped.")
    _train(options, chosen, pictures)


def train(options: argparse.Namespace) -> None:
    """Train a SkullGAN on segment sets, in a run directory."""
    from ..training import datasets

    if not options.segments:
        _train_on(options)
        return
    chosen = recipe_of(options)
    parts = datasets.split(
        datasets.read_segments(options.segments, any_kind=options.any_kind),
        by=options.split,
        test_share=options.test_share,
        seed=options.seed,
    )
    _say(parts.note)
    kept = {"training.h5": parts.training}
    if parts.test is not None:
        kept["test.h5"] = parts.test
    _train(options, chosen, parts.training, kept)


def _train_on(options: argparse.Namespace) -> None:
    """Go on with a run as it was begun: its segments and its recipe."""
    from ..data import hdf5
    from ..training.run_directory import Run

    if not options.resume:
        raise BadInputError("No segment set was given, at least one is needed (or --resume).")
    run = Run.open(options.output)
    if not run.training_path.is_file():
        raise BadInputError(
            f"{run.path}: holds no {run.training_path.name}, the segment sets that it was begun "
            "with are needed to resume it."
        )
    _train(options, run.recipe(), hdf5.read(run.training_path))


def check(options: argparse.Namespace) -> None:
    """Look at a training beforehand: its segments, and whether device and memory suffice."""
    from ..training import check

    found = check.look(
        options.segments,
        recipe_of(options),
        device=options.device,
        pretrained=options.pretrained,
        split=options.split,
        test_share=options.test_share,
        seed=options.seed,
        any_kind=options.any_kind,
    )
    if options.contact_sheet:
        check.write_sheet(options.contact_sheet, found.sets)
    if options.json:
        check.write(options.json, found)
    for line in found.lines():
        _say(line)
    if found.problem:
        raise BadInputError(found.problem)


def recipe_of(options: argparse.Namespace, **defaults: object) -> Recipe:
    """The recipe of the options; ``defaults`` stand above the recipe's own settings."""
    from ..training.recipe import named

    settings = {name: str(value) for name, value in defaults.items()}
    settings |= dict(setting(text) for text in options.set)
    for name in ("epochs", "batch_size"):
        if getattr(options, name) is not None:
            settings[name] = str(getattr(options, name))
    return named(options.recipe).with_settings(settings)


def _train(
    options: argparse.Namespace,
    chosen: Recipe,
    data: SegmentSet | Pictures,
    kept: Mapping[str, SegmentSet] | None = None,
) -> None:
    """Train; ``kept`` are parts of the data by the names they have in the run directory."""
    from ..data import hdf5, segment_set
    from ..networks import model_file
    from ..training import loop

    pretrained = model_file.read(options.pretrained) if options.pretrained else None
    # For evaluate and --resume; once the training goes, for only then is the directory ours.
    parts = dict(kept or {})
    with (
        signals_noted() as interrupted,
        progress.shown(
            f"Training {options.output.name}", options.progress if _is_first() else "none"
        ) as report_progress,
    ):

        def on_progress(done: int, of: int) -> None:
            while parts and _is_first():
                name, part = parts.popitem()
                hdf5.write(options.output / name, part)
            report_progress(done / of, f"{done}/{of}")

        loop.train(
            data,
            options.output,
            chosen,
            device=options.device,
            seed=options.seed,
            pretrained=pretrained,
            on_progress=on_progress,
            should_stop=interrupted.is_set,
            resume=options.resume,
            allowed_kinds=(data.kind,),
        )
    what = "segments" if isinstance(data, segment_set.SegmentSet) else data.kind
    _say(f"{options.output / 'model.safetensors'}: trained on {len(data)} {what}")


def _say(line: str, where: TextIO | None = None) -> None:
    """Print a line; of the processes that torchrun started the first one does."""
    if _is_first():
        print(line, file=where or sys.stdout, flush=True)


def _is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def add_pretrain(commands: argparse._SubParsersAction) -> None:
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
    _add_training(one, epochs="10")


def add_train(commands: argparse._SubParsersAction) -> None:
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
        help="segment sets (.h5); with --resume, none goes on with the run's own and its recipe",
    )
    _add_split(one)
    _add_training(one, epochs="the recipe's")


def add_check(commands: argparse._SubParsersAction) -> None:
    one = command(commands, check, "skullgan check segments.h5 --recipe fast --device cuda")
    one.add_argument(
        "segments", nargs="+", type=Path, metavar="SEGMENTS", help="segment sets (.h5)"
    )
    _add_split(one)
    _add_game(one, epochs="the recipe's")
    one.add_argument("--json", type=Path, metavar="FILE", help="write what was found as JSON")
    one.add_argument(
        "--contact-sheet", type=Path, metavar="PNG", help="write a picture of a few segments"
    )


def _add_split(one: argparse.ArgumentParser) -> None:
    from ..training.datasets import SPLITS, TEST_SHARE

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
        help=f"share of the segments to hold out, 0 to 0.9 ({TEST_SHARE})",
    )


def _add_training(one: argparse.ArgumentParser, *, epochs: str) -> None:
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="run directory to make"
    )
    _add_game(one, epochs=epochs)
    one.add_argument("--resume", action="store_true", help="go on from the last checkpoint")


def _add_game(one: argparse.ArgumentParser, *, epochs: str) -> None:
    from ..training.recipe import RECIPES

    # Not "paper": its update gate, taken literally, stops the generator (see RECIPES).
    one.add_argument("--recipe", default="published", help=f"{', '.join(RECIPES)} (published)")
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
    add_seed(one, "what all chance of the training follows from (0)")
