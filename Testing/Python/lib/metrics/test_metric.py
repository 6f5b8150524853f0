"""The words of a metric's record."""

import pytest
from SkullGANLib.metrics import METRICS, Metric


@pytest.mark.parametrize(
    ("name", "label", "title", "axis_label"),
    [
        ("sdr_peaks", "SDR, peaks", "SDR (peaks)", "Skull density ratio (peaks)"),
        ("sdr_central", "SDR, central", "SDR (central)", "Skull density ratio (central)"),
        ("thickness_mm", "Thickness, mm", "Thickness (mm)", "Thickness (mm)"),
        ("mean_intensity_hu", "Mean intensity, HU", "Mean intensity (HU)", "Mean intensity (HU)"),
    ],
)  # fmt: skip
def test_a_metric_is_called_by_its_quantity_its_definition_and_its_unit(
    name, label, title, axis_label
):
    metric = METRICS[name]

    assert (metric.label, metric.title, metric.axis_label) == (label, title, axis_label)


def test_a_value_is_written_with_its_digits_and_its_unit():
    assert METRICS["thickness_mm"].text(5.26) == "5.3 mm"
    assert METRICS["thickness_mm"].text(5.26, digits=2) == "5.26 mm"
    assert METRICS["sdr_peaks"].text(0.4) == "0.40"


def test_a_metric_without_definition_or_unit_is_called_by_its_quantity_alone():
    metric = Metric(
        name="roughness",
        quantity="Roughness",
        color_range=(0.0, 1.0),
        of_profiles=lambda profiles: profiles.hu.std(axis=1),
    )

    assert metric.short == metric.label == metric.title == metric.axis_label == "Roughness"
