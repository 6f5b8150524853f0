"""The kernel distance is the unbiased estimate, and none of equal distributions."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures.mmd import kernel_distance


def gaussian(count: int, seed: int, mean: float = 0.0, size: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (count, size))


def test_the_kernel_distance_of_one_distribution_is_none():
    found = kernel_distance(gaussian(300, 0), gaussian(200, 1)).mmd2
    assert found.low < 0 < found.high
    assert abs(found.value) < 0.05


def test_the_kernel_distance_is_the_unbiased_estimate():
    x, y = gaussian(5, 0), gaussian(4, 1, mean=1)

    def kernel(a, b):
        return (a @ b / 6 + 1) ** 3

    def pairs(a):
        return np.mean([kernel(p, q) for i, p in enumerate(a) for j, q in enumerate(a) if i != j])

    expected = pairs(x) + pairs(y) - 2 * np.mean([kernel(p, q) for p in x for q in y])
    assert kernel_distance(x, y).mmd2.value == pytest.approx(expected)
    far = kernel_distance(gaussian(100, 0), gaussian(100, 1, mean=3)).mmd2
    assert far.low > 1


def test_the_same_seed_gives_the_same_numbers():
    x, y = gaussian(60, 0), gaussian(50, 1, mean=0.5)
    assert kernel_distance(x, y, seed=3) == kernel_distance(x, y, seed=3)
    with pytest.raises(BadInputError, match="cannot be compared: expected at least"):
        kernel_distance(x, y[:1])
