"""Answers are joined out of what the judges state."""

from __future__ import annotations

from SkullGANLib.evaluation.answers import answers_of
from SkullGANLib.evaluation.measures.measure import COPYING, LIKENESS, Result, Statement


def test_reasons_of_several_judges_stand_under_one_question_in_their_order():
    first = Result(statements=(Statement(LIKENESS, "Yes", ("One.",)), Statement("Else?", "No")))
    second = Result(statements=(Statement(LIKENESS, reasons=("Two.", "Three.")),))
    third = Result(statements=(Statement(COPYING, "None", ("Four.",)),))
    like, copies, other = answers_of([first, second, third])
    assert str(like) == f"{LIKENESS} Yes. One. Two. Three."
    assert (copies.question, other.question) == (COPYING, "Else?")


def test_a_question_that_no_judge_answers_shortly_is_not_known():
    (one,) = answers_of([Result(statements=(Statement(LIKENESS, reasons=("Hm.",)),))])
    assert (one.short, one.reasons) == ("Not known", ("Hm.",))
