"""The table of known answers says which judges were right."""

from __future__ import annotations

from typing import Any

from SkullGANLib.evaluation.measures.known_answers_table import (
    GENUINE,
    is_right,
    known_answers_table,
)


def case(noticed=(), planted=0, copies=0, right=0, **more) -> dict[str, Any]:
    estimate = {"value": 0.5, "low": 0.4, "high": 0.6}
    tested = {"value": 0.9, "expected": 0.95, "p_value": 0.5}
    return {
        "title": "Something", "noticed": list(noticed), "planted": planted, "copies": copies,
        "copies_right": right, "accuracy": estimate, "precision": tested, "coverage": tested,
        "kernel": tested, "ks": 0.1, "judged_real": None, **more,
    }  # fmt: skip


def test_a_genuine_set_is_judged_rightly_where_nobody_notices_anything():
    assert is_right(GENUINE, case())
    assert not is_right(GENUINE, case(["coverage"]))


def test_a_changed_set_is_judged_rightly_where_anyone_notices_that_it_differs():
    assert is_right("brighter", case(["metrics"]))
    assert not is_right("brighter", case())
    assert not is_right("brighter", case(["copies"]))


def test_copies_are_judged_rightly_where_half_of_them_are_found():
    assert is_right("moved", case(["copies"], planted=6, copies=3, right=3))
    assert not is_right("moved", case(["copies"], planted=6, copies=5, right=2))


def test_the_table_marks_what_was_missed_and_counts_copies():
    cases = {
        GENUINE: case(["classifier"]),
        "brighter": case(["metrics"], judged_real={"value": 0.25, "low": 0.1, "high": 0.5}),
        "blurred_half": case(),
        "moved": case(["copies"], planted=6, copies=7, right=6),
        "turned": case(planted=6),
    }
    [table] = known_answers_table({"known_answers": {"segments": 38, "cases": cases}})
    columns = {column.title: column for column in table.columns}
    verdict = columns["Verdict"]
    assert [verdict.text(row) for row in range(5)] == [
        "FALSE ALARM", "right", "MISSED", "right", "MISSED",
    ]  # fmt: skip
    assert verdict.marked == [0, 2, 4]
    assert columns["Called copies"].text(3) == "6 of 6, 1 wrong"
    assert columns["Classifier (%)"].text(0) == "50"
    assert columns["Judged real (%)"].text(1) == "25"
    assert "precision of 95 %" in table.caption
    assert known_answers_table({}) == known_answers_table({"known_answers": None}) == ()
