"""Distances of distributions that are known, and of such that differ by chance alone."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures.distributions import compare, groups_of, mean_of


def test_a_set_that_was_moved_is_as_far_as_it_was_moved():
    values = np.arange(20.0)
    one = compare(values, np.append(values + 5, np.nan))
    assert one.difference.value == pytest.approx(5)
    assert one.difference.low < 5 < one.difference.high
    assert one.wasserstein.value == pytest.approx(5)
    assert one.ks == pytest.approx(0.25)
    assert one.measured == (20, 20)


def test_equal_sets_have_no_distance_and_separate_ones_the_whole():
    values = np.repeat(np.arange(5.0), 4)
    same = compare(values, values)
    assert (same.ks, same.wasserstein.value, same.p_value) == (0, 0, 1)
    apart = compare(values, values + 10)
    assert apart.ks == 1
    assert apart.p_value == pytest.approx(1 / 300)


def test_random_halves_of_one_set_are_told_apart_no_more_often_than_the_level_says():
    """40 splits at 5 %: 2 are expected, 6 or more come once in 70 times."""
    rng = np.random.default_rng(1)
    values = rng.gamma(3.0, size=160)
    told, below = 0, 0
    for _ in range(40):
        order = rng.permutation(160)
        one = compare(values[order[:80]], values[order[80:]])
        told += one.p_value < 0.05
        below += one.ks < one.chance_ks
    assert told <= 5
    assert below >= 35


def test_subjects_are_resampled_as_a_whole_where_there_are_several():
    """Two subjects far from each other: the mean is no better known than by two numbers."""
    values = np.repeat([0.0, 10.0], 50)
    subjects = np.repeat(["a", "b"], 50)
    nobody = np.full(100, "")
    alone = mean_of(values, nobody)
    grouped = mean_of(values, subjects)
    assert alone.high - alone.low < 3
    assert (grouped.low, grouped.value, grouped.high) == (0, 5, 10)
    groups, by_subject = groups_of(np.repeat([1, 0], 100), (subjects, nobody))
    assert by_subject
    assert len(set(groups[:100])) == 2
    assert len(set(groups[100:])) == 100
    assert compare(values, values, (subjects, nobody)).by_subject


def test_one_subject_is_resampled_by_its_segments():
    groups, by_subject = groups_of(np.array([1, 1, 0]), (np.array(["a", "a"]), np.array(["b"])))
    assert not by_subject
    assert len(set(groups)) == 3


def test_too_few_numbers_are_refused():
    with pytest.raises(BadInputError, match="Sets of 3 and 9 segments cannot be compared"):
        compare(np.append(np.arange(3.0), np.nan), np.arange(9.0))
    assert np.isnan(mean_of(np.array([np.nan]), np.array([""])).value)
