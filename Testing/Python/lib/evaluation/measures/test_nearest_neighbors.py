"""Memorization: planted copies are found, however they were disguised, and new segments are not."""

from __future__ import annotations

import numpy as np
import pytest
from marrow_walls import segments_of, shifted, walls
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures import pixel_search, sift_search
from SkullGANLib.evaluation.measures.nearest_neighbors import judge
from SkullGANLib.evaluation.measures.neighbors import Neighbors, aligned
from SkullGANLib.evaluation.measures.pixel_search import nearest_by_mse
from SkullGANLib.evaluation.measures.sift_search import nearest_by_sift

TRAINING, HELD_OUT, NEW = 60, 99, 60


@pytest.fixture(scope="module")
def training() -> SegmentSet:
    return walls(TRAINING, 1)


@pytest.fixture(scope="module")
def held_out() -> SegmentSet:
    return walls(HELD_OUT, 2)


@pytest.fixture(scope="module", params=[nearest_by_mse, nearest_by_sift], ids=["mse", "sift"])
def method(request):
    return request.param


@pytest.fixture(scope="module")
def reference(method, training, held_out) -> Neighbors:
    return method(held_out, training)


def flipped(hu):
    return hu[:, :, ::-1]


def noisy(hu):
    return np.where(hu != 0, hu + np.random.default_rng(0).normal(0, 40, hu.shape), 0)


@pytest.mark.parametrize(
    ("disguise", "turned", "shift"),
    [
        (lambda hu: hu, False, (0, 0)),
        (flipped, True, (0, 0)),
        (shifted, False, (3, 2)),
        (noisy, False, (0, 0)),
        (lambda hu: noisy(shifted(flipped(hu))), True, (3, 2)),
    ],
    ids=["as it is", "flipped", "shifted", "noisy", "all at once"],
)
def test_planted_copies_are_found_among_new_segments(
    method, training, reference, disguise, turned, shift
):
    origin = np.arange(0, TRAINING, 4)
    copies = disguise(training.hu[origin]).astype(np.int16)
    new = walls(NEW, 3)
    found = method(segments_of(np.concatenate([copies, new.hu])), training)
    assert np.array_equal(found.nearest[: len(origin)], origin)
    assert (found.flipped[: len(origin)] == turned).all()
    np.testing.assert_allclose(found.shift_px[: len(origin)], [shift] * len(origin), atol=0.1)
    np.testing.assert_allclose(found.turn_deg[: len(origin)], 0, atol=0.2)
    assert found.rms_hu[: len(origin)].max() < 60 < np.nanmin(found.rms_hu[len(origin) :])
    verdict = judge(found, reference)
    assert set(range(len(origin))) <= set(verdict.suspects.tolist())
    assert verdict.p_value < 1e-5
    if method is nearest_by_mse:
        assert sorted(verdict.copies.tolist()) == list(range(len(origin)))


@pytest.fixture(scope="module")
def of_a_patient(sample_segments) -> tuple[SegmentSet, SegmentSet]:
    """Real segments, three in four to train on, the others held out."""
    real = sample_segments
    held_out = np.arange(len(real)) % 4 == 3
    return real[~held_out], real[held_out]


@pytest.mark.parametrize(
    "disguise",
    [lambda hu: hu, flipped, shifted, noisy, lambda hu: 0.9 * hu],
    ids=["as it is", "flipped", "shifted", "noisy", "less dense"],
)
def test_a_real_segment_that_is_copied_is_found_beside_its_neighbors_of_the_same_head(
    method, of_a_patient, disguise
):
    training, held_out = of_a_patient
    origin = np.arange(0, len(training), 6)
    copies = segments_of(np.rint(disguise(training.hu[origin].astype(float))).astype(np.int16))
    found = method(copies, training)
    verdict = judge(found, method(held_out, training))
    if method is nearest_by_mse:
        assert np.array_equal(found.nearest, origin)
        assert len(verdict.copies) == len(origin)
    else:  # 40 HU of noise hide one of nine from SIFT in this CT's smooth bone
        assert np.sum(found.nearest == origin) >= len(origin) - 1
        assert len(verdict.suspects) >= len(origin) - 1


def test_new_segments_are_suspect_at_the_stated_rate_and_never_copies(method, training, reference):
    verdict = judge(method(walls(NEW, 4), training), reference, rate=0.05)
    assert verdict.rate == pytest.approx(0.05)
    assert verdict.judged == NEW
    assert len(verdict.suspects) <= 9  # 3 are expected; more than 9 once in a thousand
    assert len(verdict.copies) == 0
    assert verdict.p_value > 0.001


def test_a_threshold_is_the_kth_smallest_of_the_held_out_ratios():
    def neighbors(ratio, rms_hu=300.0):
        n = len(ratio)
        zeros, ratio = np.zeros(n, int), np.array(ratio)
        rms = np.full(n, rms_hu)
        shift = np.zeros((n, 2))
        return Neighbors(
            np.arange(n), zeros, ratio, ratio, zeros > 0, shift, 1, zeros, zeros + 1, rms
        )

    held_out = neighbors(np.linspace(0.61, 0.99, 39))  # 0.61, 0.62, ...
    verdict = judge(neighbors([0.9, 0.615, 0.2, np.nan]), held_out, rate=0.05)
    assert verdict.rate == pytest.approx(2 / 40)
    assert verdict.threshold == pytest.approx(0.62)
    assert verdict.suspects.tolist() == [2, 1]
    assert verdict.copies.tolist() == [2]
    assert verdict.judged == 3
    assert verdict.p_value == pytest.approx(
        0.01028, abs=1e-5
    )  # 3 B(4, 39) + B(5, 38) over B(2, 38)
    assert (verdict.copy_ratio, verdict.least_copies, verdict.held_out) == (0.5, 1, 39)
    # One alone may be chance, unless it differs by no more than the noise.
    alone = neighbors([0.9, 0.3])
    assert judge(alone, held_out, level=0.025).copies.tolist() == []
    alone.rms_hu[1] = 25
    assert judge(alone, held_out, level=0.025).copies.tolist() == []
    assert judge(alone, held_out, level=0.025, noise_hu=30).copies.tolist() == [1]
    # A held-out segment as near as that says that noise is no copy here.
    near = neighbors(np.linspace(0.61, 0.99, 39), rms_hu=40.0)
    assert judge(alone, near, level=0.025, noise_hu=30).copies.tolist() == []
    assert judge(neighbors([0.9]), held_out, rate=0.001).rate == pytest.approx(1 / 40)
    assert judge(neighbors([0.9]), held_out).p_value == pytest.approx(1.0)


def test_a_training_set_of_one_segment_still_finds_its_copy(method, training):
    found = method(training[:2], training[:1])
    assert found.nearest.tolist() == [0, 0]
    assert found.ratio[0] < 0.01 < 0.1 < found.ratio[1]


def test_ratios_above_that_of_a_held_out_segment_are_no_copies(method, training, reference):
    """Suspects more often than chance has, but none nearer than a held-out one came."""
    found = method(walls(NEW, 4), training)
    low = np.sort(reference.ratio)
    found.ratio[:20] = (low[0] + low[1]) / 2
    found.rms_hu[:] = 500
    verdict = judge(found, reference, rate=0.02)
    assert len(verdict.suspects) >= 20
    assert verdict.p_value < 1e-6
    assert verdict.copies.tolist() == []


def test_what_has_nothing_to_compare_is_left_out_of_the_verdict(training, held_out):
    blank = segments_of(np.zeros((2, 128, 128), np.int16))
    found = nearest_by_sift(blank, training)
    assert found.nearest.tolist() == [-1, -1]
    assert not aligned(training, found).any()
    assert judge(found, nearest_by_sift(held_out[:20], training)).judged == 0
    with pytest.raises(BadInputError, match="No held-out segment has a neighbor"):
        judge(found, found)
    assert np.isfinite(nearest_by_mse(blank, training).ratio).all()


def test_of_large_sets_a_sample_is_compared(method, training, held_out, monkeypatch):
    monkeypatch.setattr(pixel_search, "MOST_SEGMENTS", 8)
    monkeypatch.setattr(pixel_search, "MOST_TRAINING", 30)
    monkeypatch.setattr(sift_search, "MOST_BY_SIFT", 8)
    one, other = (method(held_out, training, seed=5) for _ in range(2))
    assert len(one.segment) == len(set(one.segment.tolist())) == 8
    assert one.searched == (30 if method is nearest_by_mse else 8)
    assert np.array_equal(one.segment, other.segment)
    assert np.array_equal(one.ratio, other.ratio)


def test_sets_that_cannot_be_compared_are_refused(method, training):
    with pytest.raises(BadInputError, match="0 segments cannot be compared with 60"):
        method(training[:0], training)
    finer = segment_set.without_patient(
        training.hu, training.mask, training.seed, pixel_spacing_mm=0.3
    )
    with pytest.raises(BadInputError, match=r"0\.3 mm pixels .* training set of 0\.45 mm"):
        method(finer, training)
