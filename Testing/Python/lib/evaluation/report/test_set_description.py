"""What a set is and how it measures, against numbers worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation.report import set_description
from SkullGANLib.metrics import measure


def describe(segments: SegmentSet) -> dict:
    return set_description.describe_set(segments, measure(segments))


def test_a_description_holds_the_numbers_worked_out_by_hand(real, synthetic):
    described = describe(real)

    assert (described["segments"], described["subjects"]) == (10, 2)
    assert described["bones"] == {"parietal": 4, "temporal": 6}
    sdr = described["metrics"]["sdr_peaks"]
    assert sdr["n"] == 10
    assert sdr["mean"] == pytest.approx(0.39)
    assert sdr["sd"] == pytest.approx(0.02 * np.sqrt(82.5 / 9))  # of 0, 1, ..., 9 steps of 0.02
    assert sdr["quantiles"]["0.5"] == pytest.approx(0.39)
    assert described["metrics"]["thickness_mm"]["mean"] == pytest.approx(5.4)
    assert described["metrics"]["thickness_mm"]["sd"] == pytest.approx(0)
    assert describe(synthetic)["metrics"]["sdr_peaks"]["mean"] == pytest.approx(0.59)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_sets_of_hardly_any_segment_are_described(synthetic, count):
    few = describe(synthetic[:count])["metrics"]["sdr_peaks"]

    assert few["n"] == count
    assert (few["sd"] is None) == (count < 2)
    assert (few["mean"] is None) == (count < 1)


def test_a_summary_leaves_out_what_is_not_a_number():
    found = set_description.summarize(np.array([1.0, np.nan, 2.0, 3.0, np.inf]))

    assert found == {
        "n": 3, "mean": 2.0, "sd": 1.0, "minimum": 1.0, "maximum": 3.0,
        "quantiles": {"0.05": 1.1, "0.25": 1.5, "0.5": 2.0, "0.75": 2.5, "0.95": 2.9},
    }  # fmt: skip


def test_real_segments_of_one_sharp_kernel_need_no_caution(real, synthetic):
    assert set_description.cautions({"Heads": describe(real), "Made": describe(synthetic)}) == []


def test_soft_kernels_and_unlike_pixels_are_warned_of(real, synthetic):
    soft = replace(real, source={"kernel": ["BONEPLUS", "STANDARD"]}, pixel_spacing_mm=0.5)

    kernel, pixels = set_description.cautions({"Soft": describe(soft), "Made": describe(synthetic)})

    assert kernel.startswith("Soft comes from the soft kernel STANDARD,")
    assert "differ in pixel size" in pixels


def test_segments_that_cannot_be_measured_are_counted(real):
    hu = real.hu.copy()
    hu[3] = 0

    (sentence,) = set_description.cautions({"Heads": describe(replace(real, hu=hu))})

    assert sentence.startswith("1 of 10 segments of Heads have no column of bone")


def test_a_ct_is_described_by_what_its_sdr_depends_on(real, synthetic):
    known = "kernel BONEPLUS, 0.625 mm slices, voxels of unknown size, pixel 0.45 mm"

    assert set_description.describe_ct(describe(real)) == known
    assert set_description.describe_ct(describe(synthetic)) == f"learned from {known}"
    unknown = set_description.describe_ct(describe(replace(real, source={})))
    assert (
        unknown
        == "CT kernel and slice thickness not recorded, voxels of unknown size, pixel 0.45 mm"
    )


def test_what_json_cannot_hold_becomes_null():
    given = {"loss": float("nan"), "rates": (1.0, float("inf")), "name": "paper"}

    found = set_description.finite(given)

    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "loss": None, "rates": [1.0, None], "name": "paper",
    }  # fmt: skip
