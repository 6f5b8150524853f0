"""What an evaluation says in words: a short answer to each question, and the reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .measures.measure import QUESTIONS, Result, Statement


@dataclass(frozen=True)
class Answer:
    """Plain text: the question, the answer in a few words, and the sentences it rests on."""

    question: str
    short: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([self.question, f"{self.short}.", *self.reasons])


def answers_of(results: Iterable[Result]) -> list[Answer]:
    """Join what judges state into an answer to each question, those of ``QUESTIONS`` first.

    Example:
        >>> one = Result(statements=(Statement("Are they bright?", "Yes", ("They shine.",)),))
        >>> [str(answer) for answer in answers_of([one])]
        ['Are they bright? Yes. They shine.']
    """
    statements = [one for result in results for one in result.statements]
    asked = {one.question for one in statements}
    others = dict.fromkeys(one.question for one in statements)
    questions = [one for one in QUESTIONS if one in asked]
    questions += [one for one in others if one not in QUESTIONS]
    return [_joined(question, statements) for question in questions]


def _joined(question: str, statements: Iterable[Statement]) -> Answer:
    its = [one for one in statements if one.question == question]
    short = next((one.short for one in its if one.short), "Not known")
    return Answer(question, short, tuple(reason for one in its for reason in one.reasons))
