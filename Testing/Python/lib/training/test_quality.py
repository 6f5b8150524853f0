"""The quality of snapshots: near reals of the same kind, far from what is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import bent_walls
from scipy import ndimage
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.training.quality import DISTANCE, QualityJudge


@pytest.fixture(scope="module")
def judge() -> QualityJudge:
    return QualityJudge(bent_walls(60, 0), 40)


def changed(segments: SegmentSet, hu: np.ndarray) -> SegmentSet:
    return replace(segments, hu=np.where(segments.mask, hu, 0).astype(np.int16))


def test_reals_of_the_same_kind_are_near_and_others_are_farther_the_more_they_differ(judge):
    same = bent_walls(40, 5)
    blurred = [
        changed(same, ndimage.gaussian_filter(same.hu.astype(float), (0, sigma, sigma)))
        for sigma in (0.5, 1.0)
    ]
    distances = [judge.judge(one)[DISTANCE] for one in (same, *blurred)]
    assert distances[0] < 0.5
    assert distances[0] < distances[1] < distances[2]


def test_a_shift_of_the_gray_scale_shows_in_the_intensity_alone(judge):
    same = bent_walls(40, 5)
    before, after = judge.judge(same), judge.judge(changed(same, same.hu + 100))
    assert after["quality_ks_intensity"] > before["quality_ks_intensity"] + 0.3
    assert after["quality_ks_thickness"] < before["quality_ks_thickness"] + 0.1


def test_segments_without_a_wall_are_as_far_as_can_be_and_every_number_is_one(judge):
    nothing = bent_walls(5, 1)
    nothing = replace(nothing, hu=nothing.hu * 0, mask=nothing.mask * 0)
    found = judge.judge(nothing)
    assert found["quality_ks_sdr"] == 1
    assert np.isfinite(list(found.values())).all()
    assert found[DISTANCE] > judge.judge(bent_walls(40, 5))[DISTANCE]


def test_every_subject_is_compared_as_often_as_far_as_it_has_segments():
    reals = bent_walls(60, 0)
    few = reals[np.r_[0:60:3, 1, 2, 4, 5]]  # 20 of one subject, 2 each of two
    assert QualityJudge(few, 9).count == 3 + 2 + 2
    assert QualityJudge(reals, 40).count == 40
