"""Curves and calibration of scores whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures.scores import calibration, roc


def gaussian(count: int, seed: int, mean: float = 0.0, size: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (count, size))


def test_a_receiver_operating_curve_has_the_area_that_is_known():
    found = roc([0.9, 0.8, 0.4], [0.1, 0.5])
    assert found.auc.value == pytest.approx(5 / 6)
    assert (found.false_positive[0], found.true_positive[-1]) == (0, 1)
    real, fake = gaussian(300, 0, mean=1, size=1)[:, 0].round(1), gaussian(200, 1, size=1)[:, 0]
    expected = roc_auc_score([1] * 300 + [0] * 200, np.concatenate([real, fake]))
    assert roc(real, fake).auc.value == pytest.approx(expected)
    assert roc([0.5] * 4, [0.5] * 3).auc.value == 0.5


def test_scores_that_are_probabilities_are_called_so():
    rng = np.random.default_rng(0)
    scores = rng.random(4000)
    real = rng.random(4000) < scores
    found = calibration(scores[real], scores[~real])
    assert found.is_probability
    np.testing.assert_allclose(found.real, found.score, atol=0.08)
    assert found.brier == pytest.approx(1 / 6, abs=0.01)  # mean of p (1 - p)
    assert found.ece < 0.03


def test_scores_that_are_too_sure_are_not_called_probabilities():
    rng = np.random.default_rng(0)
    truth = rng.random(1000) < 0.5
    sure = np.where(rng.random(1000) < 0.7, truth, ~truth) * 0.98 + 0.01
    found = calibration(sure[truth], sure[~truth])
    assert not found.is_probability
    assert found.ece == pytest.approx(0.29, abs=0.03)  # says 0.99, is right in 0.7


def test_always_one_half_is_calibrated_and_worth_nothing():
    found = calibration(np.full(70, 0.5), np.full(300, 0.5))
    assert (found.brier, found.ece, found.count.tolist()) == (0.25, 0, [140])
    assert found.is_probability


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: roc([], [0.1]), "0 scores of real"),
        (lambda: roc([np.nan], [0.1]), "NaN"),
        (lambda: calibration([1.5], [0.1]), r"0\.1 to 1\.5"),
    ],
)
def test_what_is_no_score_is_refused(call, sentence):
    with pytest.raises(BadInputError, match=sentence):
        call()
