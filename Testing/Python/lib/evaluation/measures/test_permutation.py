"""Permutation tests are sure of what is there, and of nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.evaluation.measures.mmd import kernel_distance
from SkullGANLib.evaluation.measures.permutation import permuted
from SkullGANLib.evaluation.measures.prdc import fidelity


def gaussian(count: int, seed: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (count, 6))


def test_the_numbers_are_those_of_the_judges():
    one, other = gaussian(40, 0), gaussian(40, 1, mean=0.5)
    found, cover = permuted(one, other), fidelity(one, other)
    assert found["precision"].value == pytest.approx(cover.precision.value)
    assert found["coverage"].value == pytest.approx(cover.coverage.value)
    assert found["kernel"].value == pytest.approx(kernel_distance(one, other).mmd2.value)


def test_sets_far_apart_are_surely_two():
    found = permuted(gaussian(30, 0), gaussian(30, 1, mean=5))
    assert [one.p_value for one in found.values()] == [0.01] * 3


def test_sets_of_one_distribution_are_called_two_no_more_often_than_chance_has():
    p_values = np.array(
        [[one.p_value for one in permuted(gaussian(20, s), gaussian(20, s + 99), s).values()]
         for s in range(40)]
    )  # fmt: skip
    assert (p_values <= 0.05).mean(axis=0).max() <= 0.15  # 6 of 40: less than once in 100
    assert 0.35 < p_values.mean() < 0.75
