"""How far held-out cuts lie from training cuts, and whether that shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import arches
from SkullGANLib.evaluation.measures.leakage import distances_mm, in_words, leakage
from SkullGANLib.evaluation.measures.neighbors import Neighbors


def placed(heights_mm, subject="A"):
    """Flat cuts of a head at heights above each other, all of one picture."""
    count = len(heights_mm)
    matrices = np.tile(np.diag([0.45, -0.45, 1.0, 1.0]), (count, 1, 1))
    matrices[:, 2, 3] = heights_mm
    one = arches(1)[np.zeros(count, int)]
    return replace(one, pixel_to_ras=matrices, subject=np.full(count, subject))


def neighbors(ratio):
    zeros = np.zeros(len(ratio))
    places = np.arange(len(ratio))
    return Neighbors(
        places, places, ratio, ratio, zeros > 0, np.zeros((len(ratio), 2)), 1, zeros, zeros, zeros
    )


def test_distances_are_those_from_the_nearest_cut_of_the_same_head():
    test, training = placed([0.0, 7.0, 30.0]), placed([1.0, 10.0])
    np.testing.assert_allclose(distances_mm(test, training), [1, 3, 20], atol=0.01)
    assert np.isnan(distances_mm(test, placed([1.0], "B"))).all()
    nowhere = replace(training, pixel_to_ras=np.full((2, 4, 4), np.nan))
    assert np.isnan(distances_mm(test, nowhere)).all()


def test_neighboring_cuts_that_are_nearer_in_pictures_are_said_to_leak():
    heights = np.linspace(0.5, 18, 40)
    found = leakage(placed([0.0]), placed(heights), neighbors(0.3 + heights / 30))
    assert found is not None
    assert found.rank_correlation == pytest.approx(1)
    assert [(band.from_mm, band.count > 0) for band in found.bands] == [
        (0, True), (2, True), (5, True), (10, True),
    ]  # fmt: skip
    assert (found.shared, found.of) == (40, 40)
    assert "neighboring cuts leak" in in_words(found)


def test_where_nearness_does_not_follow_from_the_place_no_leak_is_seen():
    heights, rng = np.linspace(0.5, 18, 40), np.random.default_rng(0)
    found = leakage(placed([0.0]), placed(heights), neighbors(rng.uniform(0.5, 1, 40)))
    assert found is not None
    assert "no leak is seen" in in_words(found)


def test_other_heads_leak_nothing():
    assert leakage(placed([0.0], "B"), placed([1.0]), neighbors(np.array([0.5]))) is None
