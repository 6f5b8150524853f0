"""A regressor from sums is the one from the segments themselves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from SkullGANLib.evaluation.measures.regressor import Fit, Regressor


@pytest.fixture(scope="module")
def learned() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 40)) * np.linspace(3, 0.1, 40)
    first = x[:, 0]
    return x, np.column_stack([first + 0.5 * first**2, x[:, 1]]) + rng.normal(0, 0.1, (120, 2))


def test_predictions_are_those_of_ridge_regression(learned):
    x, y = learned
    features = Regressor(x, 0).expanded(x)
    found = Fit(features, y).predicted(features, np.array([3.0, 30.0]))
    for column, penalty in enumerate((3.0, 30.0)):
        plain = Ridge(penalty).fit(features, y[:, column]).predict(features)
        np.testing.assert_allclose(found[:, column], plain, rtol=1e-6, atol=1e-8)


def test_joined_training_sets_are_one(learned):
    x, y = learned
    regressor = Regressor(x, 0)
    features, penalty = regressor.expanded(x), np.array([1.0, 1.0])
    joined = Fit(features[:50], y[:50]) + Fit(features[50:], y[50:])
    whole = Fit(features, y)
    assert joined.count == 120
    np.testing.assert_allclose(
        joined.predicted(features, penalty), whole.predicted(features, penalty), rtol=1e-6
    )
    np.testing.assert_array_equal(regressor.penalty(joined), regressor.penalty(whole))


def test_a_quadratic_is_learned_and_noise_is_held_back(learned):
    x, y = learned
    regressor = Regressor(x, 0)
    fit = Fit(regressor.expanded(x), y)
    found = fit.predicted(regressor.expanded(x), regressor.penalty(fit))
    assert np.abs(found - y).mean() < 0.3
    nothing = np.random.default_rng(1).normal(size=(120, 2))
    assert (regressor.penalty(Fit(regressor.expanded(x), nothing)) >= 1000).all()


def test_resampled_sets_have_as_many_and_differ(learned):
    x, y = learned
    fit = Fit(Regressor(x, 0).expanded(x), y)
    one, other = (fit.resampled(np.random.default_rng(seed)) for seed in (0, 1))
    assert one.count == other.count == 120
    assert (one.mean != other.mean).all()
