"""Strips stay the same where a segment is turned or moved, but for a shift along the wall."""

from __future__ import annotations

import numpy as np
import pytest
from marrow_walls import walls
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation.measures import disturbances
from SkullGANLib.evaluation.measures.wall_strips import (
    DEPTHS,
    LENGTH,
    lags,
    overlapping,
    smoothed,
    wall_strips,
)


@pytest.fixture(scope="module")
def some() -> SegmentSet:
    return walls(6, 1)


def moved(some: SegmentSet, turn: float, shift: tuple[float, float], mirrored=False) -> SegmentSet:
    count = len(some)
    return disturbances.laid(
        some,
        mirrored=np.full(count, mirrored),
        turn_deg=np.full(count, turn),
        shift_px=np.full((count, 2), shift),
        gain=np.ones(count),
    )


def strips_of(segments: SegmentSet):
    return wall_strips(segments.hu, segments.mask)


def test_a_flat_wall_fills_its_strip_with_its_layers():
    hu = np.zeros((1, 128, 128), np.int16)
    hu[0, 30:50] = 1000
    found = wall_strips(hu, hu > 0)
    assert found.hu.shape == (1, DEPTHS, LENGTH)
    np.testing.assert_allclose(found.hu[0, 1:9], 1000, atol=1)
    assert not found.hu[0, 11:].any()
    np.testing.assert_allclose(found.points[0, :, 1], 30)
    np.testing.assert_allclose(np.diff(found.points[0, :, 0])[1:-1], 2)


@pytest.mark.parametrize(
    ("turn", "shift", "lag"), [(0.0, (5, 8), 4), (0.0, (3, -16), -8), (6.0, (2, 0), None)]
)
def test_a_moved_or_turned_segment_has_its_strip_at_another_lag(some, turn, shift, lag):
    own, other = strips_of(moved(some, turn, shift)), strips_of(some)
    gap, best = lags(own.hu, other.hu, 1)
    elsewhere, _ = lags(own.hu, np.roll(other.hu, 1, axis=0), 1)
    assert (gap < 0.3 * elsewhere).all()
    if lag is not None:
        assert best.tolist() == [lag] * len(some)


def test_the_difference_at_a_lag_is_the_mean_over_what_overlaps(some):
    own, other = strips_of(some[:2]), strips_of(some[2:])
    gap, best = lags(own.hu, other.hu, 2)
    for pair in range(4):
        here, there = overlapping(int(best[pair]))
        one, two = own.hu[pair // 2][:, here], other.hu[pair][:, there]
        assert gap[pair] == pytest.approx(np.mean((one - two) ** 2), rel=1e-3)


def test_a_mirrored_strip_is_that_of_the_mirrored_segment(some):
    seen = strips_of(some).mirrored(np.ones(len(some), bool))
    truly = strips_of(moved(some, 0.0, (0, 0), mirrored=True))
    np.testing.assert_allclose(seen.points, truly.points, atol=1.1)
    assert np.abs(seen.hu - truly.hu).mean() < 60


def test_smoothing_keeps_the_mean_and_the_edges():
    hu = np.full((1, 8, 8), 1500, np.int16)
    assert np.array_equal(smoothed(hu), hu)
    hu[0, 4, 4] = 1516
    assert smoothed(hu)[0, 4, 3:6].tolist() == [1502, 1504, 1502]
