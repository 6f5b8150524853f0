"""The command ``study``: a blinded reader study, and what came of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import BadInputError
from .options import Commands, add_seed, command


def study(options: argparse.Namespace) -> None:
    """Make a blinded reader study of real and synthetic segments, or score its answers."""
    if options.score is None:
        _make(options)
    else:
        _score(options)


def _make(options: argparse.Namespace) -> None:
    from ..evaluation.study import study_folder
    from ..evaluation.study.blinded_cases import choose_cases

    missing = [
        f"--{name}" for name in ("real", "synthetic", "output") if not getattr(options, name)
    ]
    if missing or options.answers:
        found = f"lacks {', '.join(missing)}" if missing else "has --answers without --score"
        raise BadInputError(
            f"The command {found}: expected --real, --synthetic and -o for a new study, or --score "
            "for one that was answered."
        )
    folder = options.output
    if (folder / study_folder.KEY).exists() and not options.overwrite:
        raise BadInputError(
            f"{folder}: holds a study already, expected a new folder (or --overwrite, after which "
            "answers to it cannot be scored)."
        )
    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"{folder}: is a file, expected a folder.")
    blinded = choose_cases(options.real, options.synthetic, options.n, seed=options.seed)
    page = study_folder.write_study(folder, blinded, seed=options.seed)
    print(f"{page}: {len(blinded.cases)} segments for readers, study {blinded.study}")
    print(f"{folder / study_folder.KEY}: the truth; keep it from readers")
    print(
        f"Put the files that readers save into {folder / study_folder.ANSWERS}, then: skullgan "
        f"study --score {folder}"
    )


def _score(options: argparse.Namespace) -> None:
    from ..evaluation.study import study_folder

    given = [name for name in ("real", "synthetic", "output") if getattr(options, name)]
    if given:
        raise BadInputError(
            f"--score was given with --{given[0]}: expected --score alone, or with --answers."
        )
    key, found = study_folder.score_folder(options.score, options.answers, seed=options.seed)
    numbers, cases = study_folder.write_scores(options.score, key, found)
    for one in found.readers:
        accuracy = one.rates["accuracy"]
        print(
            f"{one.reader}: {one.answered} of {len(key.cases)} answered, right in "
            f"{100 * accuracy.value:.0f} % ({100 * accuracy.low:.0f} to {100 * accuracy.high:.0f} "
            f"%), unsure in {100 * one.unsure:.0f} %"
        )
    print(f"Can readers tell them apart? {found.short}. {' '.join(found.sentences)}")
    print(f"{numbers}: all numbers")
    print(f"{cases}: what readers made of each segment")


def add_study(commands: Commands) -> None:
    one = command(
        commands,
        study,
        "skullgan study --real test.h5 --synthetic out.h5 -n 40 -o study, and when readers have "
        "answered, skullgan study --score study",
    )
    for name, meaning in (
        ("real", "segments cut from CTs"),
        ("synthetic", "segments that a model made"),
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
        "-n", type=int, default=40, help="segments of each kind that readers are shown (40)"
    )
    one.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="study to write: page and key"
    )
    one.add_argument("--overwrite", action="store_true", help="replace a study that is there")
    one.add_argument(
        "--score", type=Path, metavar="FOLDER", help="score the answers to the study there"
    )
    one.add_argument(
        "--answers",
        nargs="+",
        default=[],
        type=Path,
        metavar="JSON",
        help="answer files to score (all in the study's folder of answers)",
    )
    add_seed(one, "of choice and order, or of the bootstrap (0)")
