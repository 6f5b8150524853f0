"""A map in numbers, and what must be known beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.mapping.codes import MEASURED
from SkullGANLib.mapping.map_summary import caveats, statistics, summary
from SkullGANLib.metrics import METRICS


def test_the_summary_says_what_the_values_are(plain):
    rows = {(r["bone"], r["side"], r["metric"]): r for r in summary(plain.found)}
    assert len(rows) == (1 + 2 * len(cut_plan.BONES)) * len(METRICS)
    left = (plain.found.bone == "parietal") & (plain.found.side == "left")
    values = plain.found.values["sdr_peaks"][left & (plain.found.code == MEASURED)]
    row = rows["parietal", "left", "sdr_peaks"]
    assert row["count"] == len(values)
    assert row["mean"] == pytest.approx(values.mean())
    assert row["sd"] == pytest.approx(values.std())
    assert row["q50"] == pytest.approx(np.median(values))
    assert row["share_below_0.40"] == pytest.approx((values < 0.4).mean())
    assert rows["all", "all", "thickness_mm"]["share_below_0.40"] is None
    counts = [
        rows[bone, side, "sdr_peaks"]["count"] for bone in cut_plan.BONES for side in cut_plan.SIDES
    ]
    assert sum(counts) == rows["all", "all", "sdr_peaks"]["count"]


def test_statistics_of_nothing_are_none():
    empty = statistics(np.array([np.nan]))
    assert empty["count"] == 0
    assert {value for name, value in empty.items() if name != "count"} == {None}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"kernel": "BONEPLUS", "slice_thickness_mm": 0.625}, []),
        ({"kernel": "STANDARD"}, ["is soft", "must not be held against 0.40"]),
        ({"kernel": "XYZ"}, ["XYZ is not known here"]),
        ({}, ["names no kernel"]),
        ({"kernel": "H60s", "slice_thickness_mm": 3.0}, ["3 mm thick"]),
        ({"kernel": "H60s", "voxel_mm": [0.5, 0.5, 3.0]}, ["0.5 x 0.5 x 3 mm"]),
    ],
)
def test_kernel_and_slices_that_spoil_an_sdr_are_mentioned(source, words):
    text = " ".join(caveats(source))
    assert bool(text) == bool(words)
    assert all(word in text for word in words)


def test_the_share_below_a_limit_is_that_of_metrics_that_have_it():
    values = np.array([0.3, 0.5, np.nan, 0.2])
    assert statistics(values, METRICS["sdr_central"])["share_below_0.40"] == pytest.approx(2 / 3)
    assert statistics(values, METRICS["thickness_mm"])["share_below_0.40"] is None
    assert statistics(values)["share_below_0.40"] is None


def test_a_map_of_another_version_is_summarized_with_the_metrics_that_it_has(plain):
    values = {"thickness_mm": plain.found.values["thickness_mm"], "unheard_of": np.zeros(3)}
    bone = np.where(plain.found.bone == "temporal", "ethmoid", plain.found.bone)
    rows = summary(replace(plain.found, values=values, bone=bone))
    assert {row["metric"] for row in rows} == {"thickness_mm"}
    counts = {row["bone"]: row["count"] for row in rows if row["side"] == "left"}
    assert counts["ethmoid"] > 0
    assert counts["temporal"] == 0
