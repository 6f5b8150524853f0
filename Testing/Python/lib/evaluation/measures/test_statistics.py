"""Areas, intervals and subsamples with answers that a reader can check."""

from __future__ import annotations

import numpy as np
from SkullGANLib.evaluation.measures.statistics import (
    area_under_curve,
    proportion,
    proportion_by,
    subsample,
)


def test_the_curve_of_a_classifier_compares_what_one_fold_judged():
    """In the second fold all scores are higher; within each, every real one beats every fake."""
    scores = np.array([1.0, 0.0, 11.0, 10.0])
    y, fold = np.array([1, 0, 1, 0]), np.array([0, 0, 1, 1])
    all_weights = np.ones((2, 4))
    assert area_under_curve(scores, y, all_weights).tolist() == [0.75, 0.75]
    assert area_under_curve(scores, y, all_weights, fold).tolist() == [1.0, 1.0]


def test_a_subsample_is_in_order_without_repeats_and_follows_from_the_seed():
    assert subsample(3, 5, 0).tolist() == [0, 1, 2]
    some = subsample(100, 10, 1)
    assert len(set(some.tolist())) == 10
    assert (np.diff(some) > 0).all()
    assert np.array_equal(some, subsample(100, 10, 1))


def test_a_share_of_like_segments_is_as_uncertain_as_their_groups_are_few():
    hits = np.repeat([True, False, True, False], 10)
    alone, by_four = proportion_by(hits, np.arange(40)), proportion_by(hits, np.arange(40) // 10)
    assert alone == proportion(20, 40)
    assert by_four.high - by_four.low > 0.6 > alone.high - alone.low
    mixed = proportion_by(np.tile([True, False], 20), np.arange(40) // 10)
    assert mixed.high - mixed.low < 0.32  # groups that are like the whole cost nothing


def test_a_share_of_all_or_none_counts_groups_and_one_group_counts_its_members():
    assert proportion_by(np.ones(50, bool), np.arange(50) // 10).low == proportion(5, 5).low
    assert proportion_by(np.ones(50, bool), np.zeros(50)).low == proportion(50, 50).low
