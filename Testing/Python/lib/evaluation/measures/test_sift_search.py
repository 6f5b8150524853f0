"""The nearest by SIFT is the same piece of bone, also in a mirror; of nothing there is none."""

from __future__ import annotations

import numpy as np
import pytest
from marrow_walls import segments_of, walls
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation.measures.sift_search import nearest_by_sift


@pytest.fixture(scope="module")
def training() -> SegmentSet:
    return walls(20, 1)


def test_a_segment_and_its_mirror_image_are_nearest_to_themselves(training):
    as_it_is = nearest_by_sift(training, training)
    mirrored = nearest_by_sift(segments_of(training.hu[:, :, ::-1].copy()), training)
    for found, flipped in ((as_it_is, False), (mirrored, True)):
        assert found.nearest.tolist() == list(range(len(training)))
        assert (found.flipped == flipped).all()
    assert np.allclose(as_it_is.distance, 0, atol=1e-3)


def test_a_segment_without_bone_has_no_neighbor(training):
    found = nearest_by_sift(segments_of(np.zeros((2, 128, 128), np.int16)), training)
    assert found.nearest.tolist() == [-1, -1]
    assert np.isnan(found.ratio).all()
    among_nothing = nearest_by_sift(training[:1], segments_of(np.zeros((2, 128, 128), np.int16)))
    assert among_nothing.nearest.tolist() == [-1]
