"""Precision, recall, density and coverage of sets that are known to cover each other, or not."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures.prdc import balls, equal_sizes, fidelity


def gaussian(count: int, seed: int, mean: float = 0.0, size: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (count, size))


def test_sets_of_one_distribution_cover_each_other():
    found = fidelity(gaussian(400, 0), gaussian(400, 1))
    assert found.coverage.value == pytest.approx(1 - 2**-5, abs=0.03)
    assert found.density.value == pytest.approx(1, abs=0.1)
    assert min(found.precision.value, found.recall.value) > 0.85
    assert found.precision.low <= found.precision.value <= found.precision.high


def test_disjoint_sets_do_not_cover_each_other():
    found = fidelity(gaussian(50, 0), gaussian(50, 1, mean=30))
    for name in ("precision", "recall", "density", "coverage"):
        estimate = getattr(found, name)
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)


def test_a_few_segments_again_and_again_are_precise_and_recall_little():
    real = gaussian(300, 0)
    found = fidelity(real, np.repeat(real[:10], 30, axis=0) + gaussian(300, 1) * 1e-3)
    assert found.precision.value == 1
    assert found.recall.value < 0.1
    assert found.coverage.value < 0.4


def test_balls_of_points_on_a_line_are_counted_by_hand():
    """Real at 0, 1, 2, 10 reach 1, 1, 1, 8 with k = 1; others at 0.5, 5 and 5.5 reach 4.5, .5, .5.

    0.5 lies in the balls of 0 and 1, 5 and 5.5 in that of 10. Of the reals 0, 1 and 2 lie in the
    ball of 0.5.
    """
    real, other = np.array([0.0, 1, 2, 10]), np.array([0.5, 5, 5.5])
    within, beside, between = (
        abs(one[:, None] - two) for one, two in ((real, real), (other, other), (real, other))
    )
    found = balls(within, beside, between, k=1)
    assert found.precision.all()
    assert found.recall.tolist() == [True, True, True, False]
    assert found.density.mean() == pytest.approx(4 / 3)
    assert found.coverage.tolist() == [True, True, False, True]


def test_sets_are_drawn_to_the_same_size_and_what_to_expect_is_said():
    """Of one distribution, coverage of unequal sets would be 0.84 here and 1.00 there."""
    for sizes in ((500, 200), (57, 400)):
        found = fidelity(gaussian(sizes[0], 0), gaussian(sizes[1], 1))
        assert found.compared == (min(sizes), min(sizes))
        assert found.coverage.value == pytest.approx(found.expected.coverage, abs=0.06)
        assert found.precision.value == pytest.approx(found.expected.precision, abs=0.12)
    assert found.expected.density == 1
    assert found.expected.coverage == pytest.approx(
        0.9728, abs=1e-4
    )  # 1 - (56 ... 52) / (113 ... 109)


def test_the_larger_set_is_drawn_from_by_chance_and_in_order():
    x = np.arange(40.0)[:, None]
    one, other = equal_sizes(x, x[:9], seed=1)
    assert len(one) == 9
    assert (np.diff(one[:, 0]) > 0).all()
    assert np.array_equal(other, x[:9])
    assert [len(each) for each in equal_sizes(x, x, most=7)] == [7, 7]


def test_the_same_seed_gives_the_same_numbers():
    x, y = gaussian(60, 0), gaussian(50, 1, mean=0.5)
    assert fidelity(x, y, seed=3) == fidelity(x, y, seed=3)
    with pytest.raises(BadInputError, match="cannot be compared: expected at least"):
        fidelity(x, y[:1])


def test_no_neighbor_to_reach_is_refused():
    with pytest.raises(BadInputError, match="k is 0"):
        fidelity(gaussian(9, 0), gaussian(9, 1), k=0)
