"""A classifier finds a difference where there is one, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures import c2st
from SkullGANLib.evaluation.measures.c2st import (
    TwoSampleTest,
    can_tell,
    has_twins,
    told_from,
    two_sample_test,
)
from SkullGANLib.evaluation.measures.measure import Inputs, PairFeatures
from SkullGANLib.evaluation.measures.statistics import Estimate


def gaussian(count: int, seed: int, mean: float = 0.0, size: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (count, size))


def test_sets_of_one_distribution_cannot_be_told_apart():
    found = two_sample_test(gaussian(150, 0), gaussian(150, 1))
    assert found.auc.low < 0.5 < found.auc.high
    assert found.accuracy.low < 0.5 < found.accuracy.high
    assert found.accuracy.high - found.accuracy.low < 0.2
    assert (found.folds, found.by_subject, found.compared) == (5, False, (150, 150))


def test_sets_far_apart_are_told_apart_always():
    found = two_sample_test(gaussian(60, 0), gaussian(40, 1, mean=9))
    assert found.accuracy.value == found.auc.value == found.auc.low == 1


def test_the_classifier_comes_close_to_the_best_possible_accuracy():
    """Normal numbers two standard deviations apart: the best rule is right in Φ(1) = 0.841."""
    found = two_sample_test(gaussian(300, 0, size=1), gaussian(300, 1, mean=2, size=1))
    assert found.accuracy.value == pytest.approx(0.841, abs=0.04)
    assert found.auc.value == pytest.approx(0.921, abs=0.04)  # Φ(√2)


def test_what_a_classifier_learned_of_a_subject_does_not_count():
    """Each subject has a mark of its own and nothing tells real from other."""
    rng = np.random.default_rng(0)
    marks = rng.normal(0, 10, (20, 4))
    subject = np.repeat(np.arange(20), 10)
    x = marks[subject] + rng.normal(0, 0.1, (200, 4))
    names = np.char.add("s", subject.astype(str))
    real, other = x[:100], x[100:]
    by_segment = two_sample_test(real, other)
    by_subject = two_sample_test(real, other, subjects=(names[:100], names[100:]))
    assert by_segment.accuracy.value > 0.95
    assert by_subject.by_subject
    assert by_subject.accuracy.low < 0.5 < by_subject.accuracy.high
    assert two_sample_test(real, other, subjects=(["a"] * 100, [""] * 100)).by_subject is False


def test_the_same_seed_gives_the_same_numbers():
    x, y = gaussian(60, 0), gaussian(50, 1, mean=0.5)
    assert two_sample_test(x, y, seed=3) == two_sample_test(x, y, seed=3)
    with pytest.raises(BadInputError, match="cannot be compared: expected at least"):
        two_sample_test(x, y[:1])


def an_outcome(value: float, reach: float) -> TwoSampleTest:
    accuracy = Estimate(value, value - reach, value + reach)
    return TwoSampleTest(accuracy, accuracy, 5, False, (80, 80))


def stated(test: TwoSampleTest):
    inputs = Inputs({"test": None, "synthetic": None}, {}, {}, None, 0, PairFeatures({}))
    return c2st.MEASURE.describe(inputs, {"synthetic": test}).statements[0]


def test_far_less_than_half_is_said_to_be_twins_and_not_likeness():
    """Each segment of one set lies beside one of the other: what is near has the other name."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 6))
    found = two_sample_test(x, x + rng.normal(0, 1e-3, x.shape))
    assert has_twins(found)
    assert not can_tell(found)
    statement = stated(found)
    assert statement.short.startswith("Not known")
    assert "near twins" in statement.reasons[1]


def test_what_could_not_be_told_comes_with_what_could_have_been():
    near_null = an_outcome(0.52, 0.07)
    assert told_from(near_null) == pytest.approx(0.5 + 2.8 * 0.07 / 1.96)
    statement = stated(near_null)
    assert statement.short.startswith("As far as these sets can show")
    assert "an accuracy of 60 % or more" in statement.reasons[1]
    assert len(stated(an_outcome(0.9, 0.05)).reasons) == 1
