"""The folder of a study: the page for readers, the key kept apart, answers and their scores."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from ...errors import BadInputError
from ...utils.atomic_files import written_aside
from ..report.set_description import finite
from .answer_files import read_answers, read_json
from .blinded_cases import REAL, SYNTHETIC, BlindedCases, Case
from .scoring import Score, score
from .study_page import study_page

PAGE = Path("for-readers") / "study.html"
KEY = Path("key.json")
ANSWERS = Path("answers")
SCORES = Path("scores.json")
CASES = Path("cases.csv")

_FORMAT = "skullgan-study-key"
_FORMAT_VERSION = 1


@dataclass(frozen=True)
class Key:
    """What tells which case is what.

    Attributes:
        study: name of the study.
        cases: with their truth and origin.
    """

    study: str
    cases: tuple[Case, ...]

    @property
    def truth(self) -> dict[str, str]:
        """``REAL`` or ``SYNTHETIC`` by the name of the case."""
        return {one.name: one.truth for one in self.cases}


def write_study(folder: str | Path, blinded: BlindedCases, *, seed: int = 0) -> Path:
    """Write page and key, and make the folder for answers.

    Args:
        folder: made if it is not there; a page and a key in it are replaced.
        blinded: the cases.
        seed: that they were chosen with, for the key.

    Returns:
        The path of the page.

    Raises:
        OutputError: if something cannot be written.
    """
    folder = Path(folder)
    page = study_page(blinded)
    key = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "created_by": f"skullgan {__version__}",
        "study": blinded.study,
        "seed": seed,
        "cases": [asdict(one) for one in blinded.cases],
    }
    for path, text in ((KEY, json.dumps(key, indent=1) + "\n"), (PAGE, page)):
        with written_aside(folder / path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    (folder / ANSWERS).mkdir(exist_ok=True)
    return folder / PAGE


def read_key(folder: str | Path) -> Key:
    """Read the key of a study.

    Raises:
        BadInputError: if there is none, or it is none of ours.
    """
    path = Path(folder) / KEY
    found = read_json(path, _FORMAT, _FORMAT_VERSION, "the key that skullgan study wrote")
    try:
        cases = tuple(
            Case(
                name=str(one["name"]),
                truth=str(one["truth"]),
                file=str(one["file"]),
                place=int(one["place"]),
                digest=str(one["digest"]),
            )
            for one in found["cases"]
        )
        if not cases or {one.truth for one in cases} - {REAL, SYNTHETIC}:
            raise ValueError("no cases, or of another truth")
        return Key(str(found["study"]), cases)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"{path}: lacks cases with their truth, expected a whole key."
        ) from error


def score_folder(
    folder: str | Path, answers: Sequence[str | Path] = (), *, seed: int = 0
) -> tuple[Key, Score]:
    """Score the answers to a study.

    Args:
        folder: of the study.
        answers: answer files; none is all in the study's own folder of answers.
        seed: of the bootstrap.

    Raises:
        BadInputError: if key or answers cannot be read, there are no answers, or two of one reader.
    """
    folder = Path(folder)
    key = read_key(folder)
    paths = [Path(one) for one in answers] or sorted((folder / ANSWERS).glob("*.json"))
    if not paths:
        raise BadInputError(
            f"{folder / ANSWERS}: holds no answer file (.json), expected what readers saved."
        )
    truth = key.truth
    given = [read_answers(path, key.study, truth.keys()) for path in paths]
    return key, score(truth, given, seed=seed)


def score_numbers(key: Key, found: Score) -> dict[str, Any]:
    """Give what came of a study as JSON holds it."""
    numbers: dict[str, Any] = finite(
        {
            "study": key.study,
            "real": found.real,
            "synthetic": found.synthetic,
            "short": found.short,
            "sentences": list(found.sentences),
            "rates": {name: asdict(one) for name, one in found.rates.items()},
            "kappa": None if found.kappa is None else asdict(found.kappa),
            "readers": [
                asdict(one) | {"roc": [list(point) for point in one.roc]} for one in found.readers
            ],
        }
    )
    return numbers


def write_scores(folder: str | Path, key: Key, found: Score) -> tuple[Path, Path]:
    """Write what came of a study: all numbers as JSON, and a line for each case.

    Raises:
        OutputError: if a file cannot be written.
    """
    numbers, cases = Path(folder) / SCORES, Path(folder) / CASES
    with written_aside(numbers) as temporary:
        temporary.write_text(
            json.dumps(score_numbers(key, found), indent=1) + "\n", encoding="utf-8"
        )
    with (
        written_aside(cases) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        lines = csv.writer(file, lineterminator="\n")
        counts = ("called_real", "called_synthetic", "unsure", "mean_synthetic")
        lines.writerow(("case", "truth", "file", "place", *counts))
        for case, one in zip(key.cases, found.cases, strict=True):
            mean = "" if one.mean_synthetic is None else f"{one.mean_synthetic:.3g}"
            called = (one.called_real, one.called_synthetic, one.unsure)
            lines.writerow((case.name, case.truth, case.file, case.place, *called, mean))
    return numbers, cases
