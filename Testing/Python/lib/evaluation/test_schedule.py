"""Parts of an evaluation: all are run, errors and progress are reported, a cancel ends it."""

from __future__ import annotations

import time

import pytest
from SkullGANLib.errors import BadInputError, CancelledError
from SkullGANLib.evaluation.schedule import Part, run_parts


def noted(shares: list[float]):
    return lambda share, note: shares.append(share)


def test_results_come_in_the_order_given_whichever_ends_first():
    shares: list[float] = []
    outcome = run_parts(
        {("first", ""): Part(1, lambda report_progress: 0)},
        {
            ("slow", "a"): Part(1, lambda report_progress: time.sleep(0.05) or 1),
            ("quick", "b"): Part(1, lambda report_progress: 2),
        },
        noted(shares),
    )
    found = outcome.found
    assert found == {("first", ""): 0, ("slow", "a"): 1, ("quick", "b"): 2}
    assert list(found) == [("first", ""), ("slow", "a"), ("quick", "b")]
    assert set(outcome.seconds) == {"first", "slow a", "quick b"}
    assert outcome.failed == ()
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_what_too_few_segments_prevent_is_reported_and_the_rest_is_run():
    def fails(report_progress) -> None:
        raise BadInputError("2 segments, 4 are needed.")

    outcome = run_parts({}, {("t-SNE", "pixels"): Part(2, fails), ("b", ""): Part(1, str)})
    assert list(outcome.found) == [("b", "")]
    assert outcome.failed == ("T-SNE pixels: 2 segments, 4 are needed.",)


def test_progress_moves_while_a_part_reports_and_while_one_reports_nothing():
    shares: list[float] = []

    def reports(report_progress) -> None:
        report_progress(0.5)
        time.sleep(0.4)

    silent = Part(1, lambda _: time.sleep(0.6))
    run_parts({}, {("reports", ""): Part(3, reports), ("silent", ""): silent}, noted(shares))
    assert any(0.375 < share < 0.75 for share in shares)  # half of 3 in 4, and some by the clock
    assert shares == sorted(shares)


def test_a_cancel_from_the_progress_begins_no_further_part():
    begun: list[int] = []

    def cancel(share: float, note: str) -> None:
        raise CancelledError("asked to")

    def work(number: int):
        return lambda _: begun.append(number) or time.sleep(0.5)

    with pytest.raises(CancelledError):
        run_parts({}, {("part", str(number)): Part(1, work(number)) for number in range(6)}, cancel)
    assert sorted(begun) == [0, 1]
