"""What is done to segments is what its name says."""

from __future__ import annotations

import numpy as np
import pytest
from examples import arches, bent_walls, straight_walls
from SkullGANLib.evaluation.measures import disturbances
from SkullGANLib.metrics import measure


def laid(segments, *, mirrored=False, turn=0.0, shift=(0.0, 0.0), gain=1.0):
    count = len(segments)
    return disturbances.laid(
        segments,
        mirrored=np.full(count, mirrored),
        turn_deg=np.full(count, turn),
        shift_px=np.full((count, 2), shift),
        gain=np.full(count, gain),
    )


def test_moves_by_whole_pixels_and_mirrors_change_no_value():
    one = arches(3)
    moved = laid(one, shift=(3, -2))
    assert np.array_equal(moved.hu[:, 3:, :-2], one.hu[:, :-3, 2:])
    assert np.array_equal(moved.mask[:, 3:, :-2], one.mask[:, :-3, 2:])
    mirrored = laid(one, mirrored=True)
    assert np.array_equal(mirrored.hu, one.hu[:, :, ::-1])
    both = laid(one, mirrored=True, shift=(1, 4))
    assert np.array_equal(both.hu[:, 1:, 4:], one.hu[:, :-1, ::-1][:, :, :-4])


def test_augmentation_is_what_moving_by_whole_pixels_gives():
    one = bent_walls(12, 0)
    rng = np.random.default_rng(3)
    mirrored, shift = rng.random(12) < 0.5, rng.integers(-3, 4, (12, 2)).astype(float)
    expected = disturbances.laid(
        one, mirrored=mirrored, turn_deg=np.zeros(12), shift_px=shift, gain=np.ones(12)
    )
    found = disturbances.augmented(one, seed=3)
    assert np.array_equal(found.hu, expected.hu)
    assert np.array_equal(found.mask, expected.mask)


def test_a_wall_that_is_turned_stands_higher_on_the_right():
    turned = laid(straight_walls(1, 0, row=40), turn=5.0)
    slope = np.polyfit(np.arange(128), turned.mask[0].argmax(axis=0), 1)[0]
    assert slope == pytest.approx(-np.tan(np.deg2rad(5)), abs=0.01)


def test_brighter_denser_and_noisy_walls_measure_so():
    one = arches(4)
    inside = one.mask > 0
    assert (disturbances.brighter(one, 50).hu[inside] == one.hu[inside] + 50).all()
    assert not disturbances.brighter(one, 50).hu[~inside].any()
    np.testing.assert_allclose(laid(one, gain=0.9).hu[inside], 0.9 * one.hu[inside], atol=0.5)
    noise = disturbances.noisy(one, 40).hu[inside] - one.hu[inside]
    assert noise.std() == pytest.approx(40, rel=0.05)


def test_a_blur_smooths_within_the_wall_and_leaves_its_mean():
    one = bent_walls(4, 0)
    blurred = disturbances.blurred(one, 1.0)
    assert np.array_equal(blurred.mask, one.mask)
    assert not blurred.hu[one.mask == 0].any()
    inside = one.mask > 0
    assert blurred.hu[inside].mean() == pytest.approx(one.hu[inside].mean(), rel=0.01)
    assert blurred.hu[inside].std() < 0.9 * one.hu[inside].std()
    flat = disturbances.brighter(disturbances.blurred(arches(1), 50.0), 0)
    assert np.ptp(flat.hu[flat.mask > 0]) < 700  # nothing from outside comes in


def test_one_segment_again_and_again_is_one_segment():
    same = disturbances.repeated(arches(5), 2)
    assert len(same) == 5
    assert (same.hu == arches(5).hu[2]).all()


def test_augmented_segments_measure_like_those_they_come_from():
    one = bent_walls(30, 0)
    changed = disturbances.augmented(one, seed=1)
    assert (changed.hu != one.hu).any()
    before, after = (measure(each)["thickness_mm"] for each in (one, changed))
    np.testing.assert_allclose(after, before, rtol=0.1)
    assert np.array_equal(disturbances.augmented(one, seed=1).hu, changed.hu)
