"""Scores of answers whose worth is worked out by hand, and of readers who guess."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.study.answer_files import Answer, Answers
from SkullGANLib.evaluation.study.scoring import cohens_kappa, score

TRUTH = {"1": "synthetic", "2": "synthetic", "3": "real", "4": "real"}


def reader(name: str, *synthetic: int | None) -> Answers:
    """How surely each case was called synthetic: -3 to 3, None for one that was left out."""
    words = {-1: "real", 0: "unsure", 1: "synthetic"}
    return Answers(
        name,
        {
            str(number + 1): Answer(words[int(np.sign(one))], abs(one), 2.0 * number)
            for number, one in enumerate(synthetic)
            if one is not None
        },
    )


def test_one_reader_is_worth_what_is_counted_by_hand():
    """Right, unsure, right, wrong: (1 + 1/2 + 1 + 0) / 4; 3 of 4 pairs stand right, one half."""
    found = score(TRUTH, [reader("a", 3, 0, -2, 1)])

    values = {name: one.value for name, one in found.rates.items()}
    assert values == {"accuracy": 0.625, "sensitivity": 0.75, "specificity": 0.5, "auc": 0.75}
    (one,) = found.readers
    assert (one.answered, one.unsure, one.decided, one.seconds) == (4, 0.25, 2 / 3, 3.0)
    assert one.roc == ((0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1))
    assert found.kappa is None
    assert [case.called_synthetic for case in found.cases] == [1, 0, 0, 1]
    assert found.cases[3].mean_synthetic == 1
    assert "With one reader" in found.sentences[-1]


def test_means_over_readers_and_their_agreement():
    """One is always right, one never: half; they never agree, where chance would half the time."""
    found = score(TRUTH, [reader("a", 3, 3, -3, -3), reader("b", -1, -1, 1, 1)])
    assert found.rates["accuracy"].value == 0.5
    assert (found.rates["accuracy"].low, found.rates["accuracy"].high) == (0, 1)
    assert found.rates["auc"].value == 0.5
    assert found.kappa is not None
    assert found.kappa.value == -1
    assert found.short == "As far as these answers can show, no"
    assert "could have told an accuracy of about 100 %" in found.sentences[3]


def test_cases_that_were_left_out_do_not_count_for_that_reader():
    found = score(TRUTH, [reader("a", 3, None, None, None), reader("b", 1, -1, -1, -1)])
    assert found.readers[0].answered == 1
    assert found.readers[0].rates["accuracy"].value == 1
    assert np.isnan(found.readers[0].rates["specificity"].value)
    assert found.rates["accuracy"].value == pytest.approx((1 + 0.75) / 2)
    assert found.rates["specificity"].value == 1  # of the one reader who answered any


def test_kappa_is_that_of_cohens_table():
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: (0.7 - 0.5) / (1 - 0.5)."""
    one = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    other = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert cohens_kappa(one, other, np.ones((1, 50))) == pytest.approx([0.4])
    assert np.isnan(cohens_kappa(one * 0, one * 0, np.ones((1, 50)))).all()
    counted = np.array([[20, 5, 10, 15]])
    assert cohens_kappa(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]), counted) == pytest.approx(
        [0.4]
    )


def test_readers_who_guess_are_not_said_to_tell_more_often_than_the_level_says():
    """40 studies of 4 guessing readers: at 5 %, of which half is upwards, 1 is expected."""
    rng = np.random.default_rng(3)
    truth = {str(n): "synthetic" if n % 2 else "real" for n in range(30)}
    told = 0
    for _ in range(40):
        answers = [
            Answers(
                name,
                {
                    case: Answer(str(rng.choice(["real", "synthetic"])), int(rng.integers(1, 4)))
                    for case in truth
                },
            )
            for name in "abcd"
        ]
        told += score(truth, answers).short.startswith("Yes")
    assert told <= 4


def test_readers_who_can_tell_are_said_to():
    answers = [reader("a", 3, 2, -1, -3), reader("b", 3, 1, -2, -1), reader("c", 2, 2, -2, -2)]
    found = score(TRUTH, answers)
    assert found.short == "Yes, more often than by guessing"
    assert found.sentences[0].startswith("3 readers were right in 100 %")
    assert found.kappa is not None
    assert found.kappa.value == 1


def test_no_reader_and_two_files_of_one_reader_are_refused():
    with pytest.raises(BadInputError, match="No answers were given"):
        score(TRUTH, [])
    with pytest.raises(BadInputError, match="Two answer files are of reader a"):
        score(TRUTH, [reader("a", 1, 1, 1, 1), reader("a", 1, 1, 1, 1)])
