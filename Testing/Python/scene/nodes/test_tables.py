"""Tables of metrics and of other columns, with values a reader can check by head."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util
from examples import in_stacks
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import METRICS, Metric, measure, registered
from SkullGANScene.nodes import tables


def segments(count: int) -> segment_set.SegmentSet:
    mask = np.zeros((count, 128, 128), np.uint8)
    mask[:, 40:50] = 1
    hu = np.where(mask, 1000, 0).astype(np.int16)
    return segment_set.without_patient(hu, mask, 100 + np.arange(count))


def column(node, title: str) -> list[float]:
    return slicer.util.arrayFromTableColumn(node, title).tolist()


def test_the_table_has_a_row_per_segment_and_units_in_its_columns(scene):
    metrics = {
        "sdr_peaks": np.array([0.5, 0.75]),
        "thickness_mm": np.array([4.5, 6.25]),
        "mean_intensity_hu": np.array([900.0, np.nan]),
    }
    node = tables.add_metrics(scene, segments(2), metrics, "Metrics")
    titles = [node.GetColumnName(k) for k in range(node.GetNumberOfColumns())]
    assert titles == [
        *("Segment", "Keep", "Bone", "Side", "Plane", "Seed"),
        *("SDR (peaks)", "Thickness (mm)", "Mean intensity (HU)"),
    ]
    assert slicer.util.arrayFromTableColumn(node, "Segment").tolist() == [0, 1]
    assert slicer.util.arrayFromTableColumn(node, "Seed").tolist() == [100, 101]
    assert slicer.util.arrayFromTableColumn(node, "Thickness (mm)").tolist() == [4.5, 6.25]
    intensity = slicer.util.arrayFromTableColumn(node, "Mean intensity (HU)")
    assert np.array_equal(intensity, [900.0, np.nan], equal_nan=True)
    assert node.GetColumnUnitLabel("Thickness (mm)") == "mm"


def test_one_place_a_metric_that_is_registered_has_its_column_in_the_table(scene):
    toy = Metric(
        name="outer_peak_hu",
        quantity="Outer peak",
        unit="HU",
        color_range=(500.0, 2500.0),
        description="Highest HU outside the diploë",
        of_profiles=lambda profiles: profiles.dip.outer,
    )
    with registered(toy):
        node = tables.add_metrics(scene, segments(2), measure(segments(2)), "Metrics")
    titles = [node.GetColumnName(k) for k in range(node.GetNumberOfColumns())]
    assert titles[6:] == [*(metric.title for metric in METRICS.values()), "Outer peak (HU)"]
    assert node.GetColumnUnitLabel("Outer peak (HU)") == "HU"


def test_rows_are_appended_and_what_was_decided_before_stays(scene):
    metrics = {"thickness_mm": np.array([4.5, 6.25])}
    node = tables.add_metrics(scene, segments(2), metrics, "Metrics")
    node.GetTable().GetColumnByName(tables.KEEP).SetValue(1, 0)
    tables.set_column(node, tables.REALNESS, np.array([0.25, 0.75]))
    tables.append_metrics(node, segments(1), {"thickness_mm": np.array([5.0])})
    assert column(node, "Segment") == [0, 1, 2]
    assert column(node, tables.KEEP) == [1, 0, 1]
    assert column(node, "Thickness (mm)") == [4.5, 6.25, 5.0]
    realness = slicer.util.arrayFromTableColumn(node, tables.REALNESS)
    assert np.array_equal(realness, [0.25, 0.75, np.nan], equal_nan=True)


def test_rows_of_other_segments_are_refused_and_none_is_added(scene):
    node = tables.add_metrics(scene, segments(2), {"thickness_mm": np.ones(2)}, "Metrics")
    with pytest.raises(BadInputError, match=r"Expected thickness_mm of 1 segments, found \(2,\)"):
        tables.append_metrics(node, segments(1), {"thickness_mm": np.ones(2)})
    assert node.GetNumberOfRows() == 2


def test_a_column_that_is_set_again_replaces_the_one_of_its_title(scene):
    node = tables.add_columns(scene, {"Depth": np.array([1.0, 2.0])}, "Table")
    tables.set_column(node, "Depth", np.array([3, 4]), "Below the scalp")
    assert node.GetNumberOfColumns() == 1
    assert column(node, "Depth") == [3.0, 4.0]
    assert node.GetColumnDescription("Depth") == "Below the scalp"


def test_texts_and_numbers_stand_in_the_order_of_their_names(scene):
    node = tables.add_columns(scene, {"b": np.array(["ö", ""]), "a": np.array([2, 1])}, "Table")
    assert [node.GetColumnName(k) for k in range(2)] == ["b", "a"]
    assert [node.GetTable().GetColumn(0).GetValue(k) for k in range(2)] == ["ö", ""]
    assert column(node, "a") == [2, 1]


def test_slices_of_stacks_say_of_which_and_cuts_that_are_added_are_of_none(scene):
    stacks = in_stacks(segments(4), 2)
    node = tables.add_metrics(scene, stacks, {}, "Metrics")
    tables.append_metrics(node, segments(1), {})
    assert column(node, "Stack") == [0, 0, 1, 1, -1]
    assert column(node, "Slice") == [0, 1, 0, 1, -1]
