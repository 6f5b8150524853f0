"""How nearest training segments lie over others, and what is left between them."""

from __future__ import annotations

import numpy as np
import pytest
from marrow_walls import segments_of, shifted, walls
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation.measures.neighbors import aligned, differences, laid_over, ratio_of
from SkullGANLib.evaluation.measures.pixel_search import nearest_by_mse


@pytest.fixture(scope="module")
def training() -> SegmentSet:
    return walls(20, 1)


def test_a_disguised_copy_is_laid_over_its_original(training):
    copy = segments_of(shifted(training.hu[7:8, :, ::-1]))
    gap = differences(copy.hu, aligned(training, nearest_by_mse(copy, training)))
    assert np.nanmax(np.abs(gap[:, 4:, 4:-4])) < 60  # edges of 1700 HU, moved by 0.03 px


def test_a_segment_is_moved_by_whole_pixels_without_a_change():
    hu = np.arange(128 * 128).reshape(128, 128)
    moved = laid_over(hu, 0.0, np.array([2, -1]))
    assert np.isnan(moved[:2]).all()
    assert np.isnan(moved[:, -1]).all()
    assert np.array_equal(moved[2:, :-1], hu[:-2, 1:])


def test_a_turn_is_counterclockwise_about_the_middle():
    hu = np.zeros((128, 128))
    hu[63:65, 100:102] = 900  # to the right of the middle
    turned = laid_over(hu, 90.0, np.zeros(2))
    assert np.unravel_index(np.nanargmax(turned), turned.shape)[0] in (26, 27)  # above it
    np.testing.assert_allclose(turned[26:28, 63:65], 900, atol=1)


def test_a_difference_is_of_what_overlaps_and_nan_elsewhere():
    one, other = np.full((1, 128, 128), 30_000, np.int16), np.full((1, 128, 128), -10_000.0)
    other[0, :2] = np.nan
    found = differences(one, other.astype(np.float32))
    assert np.isnan(found[0, :2]).all()
    assert (found[0, 2:] == 40_000).all()  # beyond int16


def test_rows_of_neighbors_are_taken_in_the_order_given(training):
    found = nearest_by_mse(training[:4], training)
    taken = found[np.array([2, 0])]
    assert taken.nearest.tolist() == [2, 0]
    assert taken.searched == found.searched


def test_the_ratio_of_nothing_to_nothing_is_one():
    assert ratio_of(np.array([0.0, 0.0, 1.0]), np.array([0.0, 2.0, 4.0])).tolist() == [1, 0, 0.25]
