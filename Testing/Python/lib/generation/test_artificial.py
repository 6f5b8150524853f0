"""Artificial segments: no skull to the eye, a skull to the radiological metrics."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import single_ct
from SkullGANLib.generation import artificial
from SkullGANLib.metrics import measure


@pytest.fixture(scope="module")
def real(sample_ct, sample_mask) -> SegmentSet:
    """Segments of the sample head, half of them at 0.7 of their HU: two modes of intensity."""
    found = single_ct.extract(sample_ct, sample_mask, interval_mm=6.2).segments
    hu = found.hu.copy()
    hu[::2] = np.rint(hu[::2] * 0.7)
    return segment_set.without_patient(hu, found.mask, np.arange(len(hu)), kind="real")


@pytest.fixture(scope="module")
def made(real) -> SegmentSet:
    return artificial.make(real, 200, seed=5)


@pytest.fixture(scope="module")
def measured(real, made) -> tuple[dict, dict]:
    return measure(real), measure(made)


def phantoms(*thickness_px: int) -> SegmentSet:
    hu = np.zeros((len(thickness_px), 128, 128), np.int16)
    for one, thickness in zip(hu, thickness_px, strict=True):
        one[10 : 10 + thickness] = 1500
        one[10 + thickness // 3 : 10 + 2 * thickness // 3] = 700
    return segment_set.without_patient(hu, hu > 0, np.zeros(len(hu)), kind="real")


@pytest.mark.parametrize("style", artificial.STYLES)
def test_each_style_follows_the_distributions_of_the_real_set(made, measured, style):
    which = artificial.styles_of(made) == style
    assert which.sum() == 100
    found = artificial.match(measured[0], {name: v[which] for name, v in measured[1].items()})
    assert max(found.ks.values()) < 0.1
    assert set(found.ks) == {"sdr_peaks", "thickness_mm", "mean_intensity_hu"}


def test_both_modes_of_intensity_are_kept(measured):
    assert artificial.match(*measured).modes == (2, 2)


def test_the_metrics_are_drawn_together_not_each_for_itself(measured):
    real, made = (np.corrcoef(each["sdr_peaks"], each["thickness_mm"])[0, 1] for each in measured)
    assert real < -0.7
    assert made == pytest.approx(real, abs=0.1)


def test_every_wall_runs_from_edge_to_edge_and_stands_clear_of_the_top(made):
    assert made.mask.any(axis=1).all()
    assert not made.mask[:, 0].any()
    assert not made.hu[made.mask == 0].any()


def test_an_idealized_segment_is_outer_table_diploe_and_inner_table_in_smooth_arcs(made):
    ideal = made[artificial.styles_of(made) == "idealized"]
    thick = measure(ideal)["thickness_mm"] > 6
    for hu, mask in zip(ideal.hu[thick], ideal.mask[thick], strict=True):
        for column in (10, 64, 120):
            rise = np.sign(np.diff(hu[:, column].astype(float)[mask[:, column] == 1]))
            turns = np.diff(rise[rise != 0])
            assert np.count_nonzero(turns) == 3  # two peaks and the dip between them
        assert np.abs(np.diff(mask.argmax(axis=0), 2)).max() <= 2


def test_an_unrealistic_segment_is_jagged(made):
    styles = artificial.styles_of(made)
    rough = np.abs(np.diff(made.hu.astype(float), axis=2)).sum((1, 2)) / made.mask.sum((1, 2))
    assert np.median(rough[styles == "unrealistic"]) > 2 * np.median(rough[styles == "idealized"])


def test_the_same_seed_gives_the_same_segment_whatever_the_number_made(real, made):
    few = artificial.make(real, 3, style="idealized", seed=7)
    assert np.array_equal(few.hu, made.hu[2:5])
    assert np.array_equal(few.mask, made.mask[2:5])
    assert few.seed.tolist() == [7, 8, 9]


def test_the_set_says_what_it_is(real, made):
    assert made.kind == "artificial"
    assert made.seed.tolist() == list(range(5, 205))
    assert made.source["seeds"] == {"idealized": [5, 104], "unrealistic": [105, 204]}
    assert set(artificial.styles_of(made[::-1])[:100]) == {"unrealistic"}
    assert set(artificial.styles_of(real)) == {""}


@pytest.mark.parametrize("style", artificial.STYLES)
def test_one_real_segment_is_enough_to_follow(style):
    one = phantoms(18)
    wanted, found = (measure(s) for s in (one, artificial.make(one, 4, style=style)))
    np.testing.assert_allclose(found["sdr_peaks"], wanted["sdr_peaks"][0], atol=0.02)
    np.testing.assert_allclose(found["thickness_mm"], wanted["thickness_mm"][0], atol=0.2)
    np.testing.assert_allclose(
        found["mean_intensity_hu"], wanted["mean_intensity_hu"][0], rtol=0.02
    )


def test_real_segments_that_cannot_be_measured_are_not_followed():
    mixed = segment_set.concatenate([phantoms(18), phantoms(0)])
    assert np.isfinite(measure(artificial.make(mixed, 2))["thickness_mm"]).all()
    with pytest.raises(BadInputError, match="None of the 1 segments"):
        artificial.make(phantoms(0), 2)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"count": 0}, "0 artificial"), ({"seed": -1}, "seed -1"), ({"style": "odd"}, "'odd'")],
)
def test_what_cannot_be_made_is_refused(options, sentence):
    with pytest.raises(BadInputError, match=sentence):
        artificial.make(phantoms(18), **({"count": 1} | options))
