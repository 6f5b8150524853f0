"""``skullgan check``: a training checked before it is begun."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import BadInputError
from .options import Commands, command
from .recipe_options import add_recipe, add_split, recipe_of
from .run_training import print_once


def check(options: argparse.Namespace) -> None:
    """Check a training beforehand: its segments, and whether device and memory suffice."""
    from ..training import check

    found = check.check_training(
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
    for line in found.format_lines():
        print_once(line)
    if found.problem:
        raise BadInputError(found.problem)
    if options.output and options.output.exists():
        raise BadInputError(
            f"{options.output}: is there already, expected a new run directory (or skullgan train "
            "--resume)."
        )


def add_check(commands: Commands) -> None:
    one = command(commands, check, "skullgan check segments.h5 --recipe fast --device cuda")
    one.add_argument(
        "segments", nargs="+", type=Path, metavar="SEGMENTS", help="segment sets (.h5)"
    )
    add_split(one)
    add_recipe(one, epochs="the recipe's")
    one.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="RUN",
        help="where the run would go, as for skullgan train; nothing is made there",
    )
    one.add_argument("--json", type=Path, metavar="FILE", help="write what was found as JSON")
    one.add_argument(
        "--contact-sheet", type=Path, metavar="PNG", help="write a picture of a few segments"
    )
