"""One place for each metric: what is registered is measured, and nothing else is needed."""

import numpy as np
import pytest
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import METRICS, Metric, measure, registered
from SkullGANLib.metrics.registry import checked_metric, compared, register
from walls import layered

OUTER_PEAK = Metric(
    name="outer_peak_hu",
    quantity="Outer peak",
    unit="HU",
    digits=0,
    digits_of_means=0,
    color_range=(500.0, 2500.0),
    of_profiles=lambda profiles: profiles.dip.outer,
)


def test_the_order_of_metrics_is_that_of_tables_and_files():
    assert tuple(METRICS) == (
        "sdr_peaks",
        "sdr_outer_peak",
        "sdr_central",
        "sdr_literal",
        "thickness_mm",
        "mean_intensity_hu",
        "thickness_literal_mm",
    )
    assert all(name == metric.name for name, metric in METRICS.items())


def test_one_place_a_metric_that_is_registered_is_measured_in_segments():
    hu = np.concatenate(
        [layered((1200, 4), (480, 4), (1600, 4)), np.zeros((1, 128, 128), np.int16)]
    )
    segments = segment_set.without_patient(hu, hu != 0, np.arange(2))

    with registered(OUTER_PEAK):
        found = measure(segments)

    assert list(found)[-1] == "outer_peak_hu"
    np.testing.assert_array_equal(found["outer_peak_hu"], [1200, np.nan])
    assert "outer_peak_hu" not in METRICS


def test_evaluations_compare_one_definition_of_each_quantity():
    assert compared() == ("sdr_peaks", "thickness_mm", "mean_intensity_hu")


def test_a_second_metric_of_one_name_is_refused():
    with pytest.raises(BadInputError, match="'sdr_peaks'"):
        register(METRICS["sdr_peaks"])


def test_an_unknown_name_is_refused_with_those_that_are_known():
    assert checked_metric("thickness_mm") is METRICS["thickness_mm"]
    with pytest.raises(BadInputError, match=r"sdr_peaks.*'roughness'"):
        checked_metric("roughness")
