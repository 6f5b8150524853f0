"""The nearest by pixel differences is found wherever it is turned, moved, mirrored or scaled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from marrow_walls import walls
from scipy import ndimage
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation.measures import disturbances
from SkullGANLib.evaluation.measures.neighbors import aligned, differences
from SkullGANLib.evaluation.measures.pixel_search import nearest_by_mse


@pytest.fixture(scope="module")
def training() -> SegmentSet:
    return walls(40, 1)


def disguised(of: SegmentSet, mirrored=False, turn=0.0, shift=(0.0, 0.0), gain=1.0) -> SegmentSet:
    count = len(of)
    return disturbances.laid(
        of,
        mirrored=np.full(count, mirrored),
        turn_deg=np.full(count, turn),
        shift_px=np.full((count, 2), shift),
        gain=np.full(count, gain),
    )


@pytest.mark.parametrize(
    "disguise",
    [
        {"shift": (6, 16)},
        {"shift": (4, -16)},
        {"turn": 6.0, "shift": (2, 0)},
        {"turn": -6.0, "mirrored": True, "shift": (2, 0)},
        {"shift": (0.5, 0.5)},
        {"mirrored": True, "turn": 4.0, "shift": (3.3, 7.6), "gain": 0.85},
    ],
    ids=["right", "left", "turned", "turned and mirrored", "half a pixel", "all at once"],
)
def test_a_copy_is_found_and_laid_over_however_it_lies(training, disguise):
    which = np.arange(0, 40, 5)
    copies = disguised(training[which], **disguise)
    found = nearest_by_mse(copies, training)
    assert np.array_equal(found.nearest, which)
    assert (found.flipped == disguise.get("mirrored", False)).all()
    np.testing.assert_allclose(found.turn_deg, disguise.get("turn", 0), atol=0.2)
    np.testing.assert_allclose(found.shift_px, [disguise.get("shift", (0, 0))] * 8, atol=0.3)
    np.testing.assert_allclose(found.gain, disguise.get("gain", 1), atol=0.02)
    # Edges of 1700 HU that are cut anew where the segment is turned.
    assert found.rms_hu.max() < 140
    assert found.ratio.max() < 0.3


def test_copies_of_a_real_head_are_found_among_its_other_cuts(sample_segments):
    real = sample_segments
    copies = disguised(real, mirrored=True, turn=5.0, shift=(2.4, 9.7))
    found = nearest_by_mse(copies, real)
    assert np.array_equal(found.nearest, np.arange(len(real)))
    assert found.ratio.max() < 0.3
    others = nearest_by_mse(real[::2], real[1::2])
    assert others.ratio.min() > found.ratio.max()


def test_the_distance_is_the_difference_that_is_shown(training):
    new = walls(6, 2)
    found = nearest_by_mse(new, training)
    shown = differences(new.hu, aligned(training, found))
    around = ndimage.maximum_filter(new.mask > 0, (1, 3, 3))
    for one, wall, distance in zip(shown, around, found.distance, strict=True):
        assert np.sqrt(np.nanmean(one[wall] ** 2)) == pytest.approx(distance, rel=0.1)


def test_without_flip_a_mirrored_copy_is_taken_for_new(training):
    copies = disguised(training[:4], mirrored=True)
    assert nearest_by_mse(copies, training, flip=False).ratio.min() > 0.5
    assert nearest_by_mse(copies, training).ratio.max() < 0.1


def test_empty_segments_and_specks_are_compared_without_complaint(training):
    hu, mask = training.hu[:3].copy(), training.mask[:3].copy()
    hu[0], mask[0] = 0, 0
    hu[1], mask[1] = 0, 0
    hu[1, 60, 60], mask[1, 60, 60] = 900, 1
    found = nearest_by_mse(replace(training[:3], hu=hu, mask=mask), training)
    assert np.isfinite(found.ratio).all()
    assert found.nearest[2] == 2


def test_progress_ends_with_all_segments(training):
    steps: list[tuple[int, int]] = []
    nearest_by_mse(training[:3], training, on_progress=lambda part, of: steps.append((part, of)))
    assert steps[-1] == (3, 3)
