"""TSTR: segments that teach what real ones teach, and segments that teach nothing."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures import tstr


def walls(count: int, seed: int, *, row: int = 20) -> SegmentSet:
    """Straight walls of 1500 HU, a third of them diploë of 300 to 1200 HU, 12 to 30 rows thick."""
    rng = np.random.default_rng(seed)
    hu = np.zeros((count, 128, 128), np.int16)
    for one in hu:
        third = rng.integers(4, 11)
        one[row : row + 3 * third] = 1500
        one[row + third : row + 2 * third] = rng.integers(300, 1200)
    return segment_set.without_patient(hu, hu != 0, np.arange(count))


def test_segments_of_one_distribution_are_worth_the_same():
    found = tstr.compare(walls(80, 0), walls(100, 1), walls(60, 2))

    for one in found.values():
        assert 0.4 < one.ratio.value < 2.5
        assert one.error["real"].value < 0.5 * one.error["guess"].value
        assert (one.trained_on, one.tested_on) == (80, 60)


def test_segments_that_belie_what_they_show_teach_nothing():
    """All of the synthetic walls are one wall: what it looks like says nothing of another."""
    one = walls(1, 1)
    same = one[np.zeros(80, int)]

    found = tstr.compare(walls(80, 0), same, walls(60, 2))

    assert found["thickness_mm"].ratio.low > 2
    assert found["sdr_peaks"].ratio.low > 2


def test_the_errors_follow_from_the_seed_alone():
    sets = walls(40, 0), walls(50, 1), walls(30, 2)
    assert tstr.compare(*sets, seed=3) == tstr.compare(*sets, seed=3)


def test_too_few_segments_are_refused():
    with pytest.raises(BadInputError, match="at least 20 of each"):
        tstr.compare(walls(40, 0), walls(19, 1), walls(30, 2))
