"""The kernel distance of points: by hand, and near 0 for points of one distribution."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.metrics.kernel_distance import cubic_kernel, squared_kernel_distance


def test_the_kernel_of_two_points_is_the_cube_of_their_mean_product_and_one():
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0, 0.5]])
    assert cubic_kernel(x, y) == pytest.approx((4 / 2 + 1) ** 3)


def test_the_distance_of_two_pairs_is_as_computed_by_hand():
    # On a line: k(0, ·) = 1, k(1, 1) = 8, so within the first 1, within the second 8, across 1.
    x, y = np.zeros((2, 1)), np.ones((2, 1))
    assert squared_kernel_distance(x, y) == pytest.approx(1 + 8 - 2)


def test_points_of_one_distribution_are_near_and_shifted_ones_are_not():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 5)), rng.normal(size=(400, 5))
    assert abs(squared_kernel_distance(x, y)) < 0.05
    assert squared_kernel_distance(x, y + 0.5) > 0.2
