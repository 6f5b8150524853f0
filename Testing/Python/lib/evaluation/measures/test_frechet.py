"""Fréchet's distance of distributions for which it is known."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures.frechet import frechet_distance


def test_frechets_distance_of_normal_distributions_is_the_known_one():
    """Shifted by d: |d|²; each axis stretched by s: (s - 1)² times its variance."""
    x = np.random.default_rng(0).normal(0, [1, 2, 3], (500, 3))
    spread = x.var(axis=0, ddof=1)
    middle = x - x.mean(axis=0)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + np.array([3, 0, 4])) == pytest.approx(25)
    assert frechet_distance(middle, 3 * middle) == pytest.approx(4 * spread.sum())


def test_frechets_distance_of_fewer_segments_than_features_is_that_of_the_matrix_root():
    from scipy import linalg

    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, (6, 9)), rng.normal(0.5, 2, (8, 9))
    first, second = np.cov(one.T), np.cov(other.T)
    root = linalg.sqrtm(first @ second).real
    known = np.sum((one.mean(0) - other.mean(0)) ** 2) + np.trace(first + second - 2 * root)
    assert frechet_distance(one, other) == pytest.approx(known, rel=1e-4)


def test_one_segment_has_no_covariance():
    with pytest.raises(BadInputError, match="expected at least 2"):
        frechet_distance(np.zeros((1, 3)), np.zeros((5, 3)))
