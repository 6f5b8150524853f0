"""How nearest training segments lie over others, and what is left between them."""

from __future__ import annotations

import numpy as np
import pytest
from marrow_walls import segments_of, shifted, walls
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation.measures.neighbors import (
    aligned,
    differences,
    overlap,
    ratio_of,
    turned,
)
from SkullGANLib.evaluation.measures.pixel_search import nearest_by_mse


@pytest.fixture(scope="module")
def training() -> SegmentSet:
    return walls(20, 1)


def test_a_disguised_copy_is_laid_over_its_original(training):
    copy = segments_of(shifted(training.hu[7:8, :, ::-1]))
    shown = aligned(training, nearest_by_mse(copy, training))
    assert np.array_equal(shown[:, 3:, 2:], copy.hu[:, 3:, 2:])


def test_a_difference_is_of_what_overlaps_and_nan_elsewhere():
    one, other = np.full((1, 128, 128), 30_000, np.int16), np.full((1, 128, 128), -10_000, np.int16)
    found = differences(one, other, np.array([[2, -1]]))
    assert np.isnan(found[0, :2]).all()
    assert np.isnan(found[0, :, -1]).all()
    assert (found[0, 2:, :-1] == 40_000).all()  # beyond int16


@pytest.mark.parametrize(
    ("shift", "to", "source"),
    [(0, (0, 128), (0, 128)), (3, (3, 128), (0, 125)), (-2, (0, 126), (2, 128))],
)
def test_a_moved_line_lands_where_it_was_moved_to(shift, to, source):
    assert overlap(shift) == (slice(*to), slice(*source))


def test_only_what_is_flipped_is_turned():
    hu = np.arange(2 * 2 * 3).reshape(2, 2, 3)
    found = turned(hu, np.array([False, True]))
    assert np.array_equal(found[0], hu[0])
    assert np.array_equal(found[1], hu[1, :, ::-1])


def test_the_ratio_of_nothing_to_nothing_is_one():
    assert ratio_of(np.array([0.0, 0.0, 1.0]), np.array([0.0, 2.0, 4.0])).tolist() == [1, 0, 0.25]
