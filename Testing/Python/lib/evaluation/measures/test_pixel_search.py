"""The nearest by pixel differences is the nearest of all, at every shift."""

from __future__ import annotations

import numpy as np
import pytest
from marrow_walls import shifted, walls
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures.neighbors import aligned
from SkullGANLib.evaluation.measures.pixel_search import best_shifts, nearest_by_mse


@pytest.fixture(scope="module")
def training() -> SegmentSet:
    return walls(20, 1)


def test_the_distance_by_mse_is_the_root_mean_square_of_the_difference_image(training):
    new = walls(10, 2)
    found = nearest_by_mse(new, training)
    shown = aligned(training, found)
    exact = nearest_by_mse(new, training, flip=False, shift_px=0)
    plain = ((new.hu[:, None].astype(float) - training.hu) ** 2).mean((2, 3))
    assert np.array_equal(exact.nearest, plain.argmin(axis=1))
    np.testing.assert_allclose(exact.distance, np.sqrt(plain.min(axis=1)))
    assert (found.distance <= exact.distance + 1e-9).all()
    rows, columns = found.shift_px[0]
    part = np.s_[max(rows, 0) : 128 + min(rows, 0), max(columns, 0) : 128 + min(columns, 0)]
    difference = new.hu[0][part].astype(float) - shown[0][part]
    assert found.distance[0] == pytest.approx(np.sqrt(np.mean(difference**2)))


def test_the_best_shift_is_the_one_that_a_segment_was_moved_by(training):
    hu = training.hu[:3]
    assert best_shifts(shifted(hu), hu, 4).tolist() == [[3, 2]] * 3
    assert best_shifts(hu, shifted(hu), 4).tolist() == [[-3, -2]] * 3


@pytest.mark.parametrize("shift_px", [-1, 33])
def test_a_shift_out_of_range_is_refused(training, shift_px):
    with pytest.raises(BadInputError, match=f"shift_px is {shift_px}: expected 0 to 32"):
        nearest_by_mse(training[:1], training, shift_px=shift_px)


def test_progress_ends_with_all_segments(training):
    steps: list[tuple[int, int]] = []
    nearest_by_mse(training[:3], training, on_progress=lambda part, of: steps.append((part, of)))
    assert steps[-1] == (3, 3)
