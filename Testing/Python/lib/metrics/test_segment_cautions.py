"""What a reviewer should look at of each segment."""

from __future__ import annotations

import numpy as np
from SkullGANLib.metrics import segment_cautions

PARIETAL = np.array(["parietal"] * 10)


def test_nothing_is_said_of_segments_that_are_alike():
    metrics = {"sdr_peaks": np.full(10, 0.5), "thickness_mm": np.linspace(5.8, 6.2, 10)}
    assert segment_cautions.of_segments(metrics, PARIETAL) == [""] * 10


def test_a_segment_without_an_sdr_or_without_diploe_is_named_unless_it_is_temporal():
    sdr = np.array([np.nan, 0.9, 0.9])
    bone = np.array(["temporal", "parietal", "temporal"])
    found = segment_cautions.of_segments({"sdr_peaks": sdr}, bone)
    assert found == [
        "No column of it shows bone without air: SDR is not known.",
        "Hardly any diploë (SDR 0.90).",
        "",
    ]


def test_a_thickness_is_compared_with_the_segments_of_its_bone_alone():
    thickness = np.r_[np.linspace(5.8, 6.2, 10), np.linspace(1.8, 2.2, 10)]
    bone = np.array(["parietal"] * 10 + ["temporal"] * 10)
    assert not any(segment_cautions.of_segments({"thickness_mm": thickness}, bone))
    thickness[12] = 6.0
    found = segment_cautions.of_segments({"thickness_mm": thickness}, bone)
    assert [place for place, text in enumerate(found) if text] == [12]
    assert found[12] == "Thickness 6.0 mm, unlike the 2.0 mm of most temporal segments here."


def test_too_few_to_say_what_is_usual_are_not_compared():
    thickness = np.array([6.0, 6.1, 20.0])
    found = segment_cautions.of_segments({"thickness_mm": thickness}, np.array(["parietal"] * 3))
    assert not any(found)


def test_metrics_that_are_not_known_are_no_outliers():
    intensity = np.r_[np.linspace(1100, 1200, 9), np.nan]
    assert not any(segment_cautions.of_segments({"mean_intensity_hu": intensity}, PARIETAL))
