"""What readers answered, as their pages saved it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import BadInputError
from .study_page import FORMAT, FORMAT_VERSION

ANSWERS = ("real", "synthetic", "unsure")
SUREST = 3
"""Confidences go from 1, a guess, to this."""
_LARGEST = 8_000_000


@dataclass(frozen=True)
class Answer:
    """What a reader said of a case.

    Attributes:
        answer: one of ``ANSWERS``.
        confidence: 1 to ``SUREST``; 0 of one who was unsure.
        seconds: that the case was looked at; None where that is not known.
    """

    answer: str
    confidence: int
    seconds: float | None = None

    @property
    def synthetic(self) -> int:
        """How sure the reader was that it is synthetic: -3 surely real, 0 unsure, 3 surely not."""
        return {"real": -1, "synthetic": 1, "unsure": 0}[self.answer] * self.confidence


@dataclass(frozen=True)
class Answers:
    """What one reader said.

    Attributes:
        reader: the name that he gave himself.
        by_case: by the name of the case; what was not answered is missing.
    """

    reader: str
    by_case: Mapping[str, Answer]


def read_answers(path: str | Path, study: str, cases: Collection[str]) -> Answers:
    """Read an answer file.

    Args:
        path: what the page saved (.json).
        study: which study it must be of.
        cases: the names of its cases.

    Raises:
        BadInputError: if it cannot be read, is no answer file, or of another study.
    """
    path = Path(path)
    found = read_json(path, FORMAT, FORMAT_VERSION, "an answer file that the study's page saved")
    if found.get("study") != study:
        raise BadInputError(
            f"{path}: is of study {found.get('study')}, expected answers to study {study}."
        )
    given = found.get("answers")
    reader = " ".join(str(found.get("reader", "")).split())
    if not isinstance(given, dict) or not reader:
        raise BadInputError(f"{path}: names no reader or no answers, expected both.")
    by_case = {}
    for name, one in given.items():
        if name not in cases:
            raise BadInputError(f"{path}: answers case {name!r}, expected those of study {study}.")
        by_case[name] = _answer(path, name, one)
    if not by_case:
        raise BadInputError(f"{path}: {reader} answered no case, expected at least one.")
    return Answers(reader, by_case)


def read_json(path: Path, format: str, version: int, expected: str) -> dict[str, Any]:
    """Read a JSON file of ours.

    Raises:
        BadInputError: if it cannot be read, or is of another format or a later version.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInputError(f"{path}: is larger than {_LARGEST:,} bytes, expected {expected}.")
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{path}: is no JSON text, expected {expected}.") from error
    if not isinstance(found, dict) or found.get("format") != format:
        raise BadInputError(f"{path}: is of another format, expected {expected}.")
    if found.get("format_version") != version:
        raise BadInputError(
            f"{path}: is of version {found.get('format_version')}, expected version {version}."
        )
    return found


def _answer(path: Path, name: str, one: Any) -> Answer:
    answer = one.get("answer") if isinstance(one, dict) else None
    confidence = one.get("confidence") if isinstance(one, dict) else None
    fits = {"unsure": (0,)}.get(str(answer), tuple(range(1, SUREST + 1)))
    if answer not in ANSWERS or isinstance(confidence, bool) or confidence not in fits:
        raise BadInputError(
            f"{path}: the answer to case {name} is {answer!r} with confidence {confidence!r}, "
            f"expected one of {', '.join(ANSWERS)} with 1 to {SUREST} (0 for unsure)."
        )
    seconds = one.get("seconds")
    known = isinstance(seconds, (int, float)) and 0 <= seconds < float("inf")
    return Answer(str(answer), int(confidence), float(seconds) if known else None)
