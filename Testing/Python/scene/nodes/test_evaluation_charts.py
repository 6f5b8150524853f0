"""Charts of an evaluation: violins that say where the quartiles are, bars, charts of judges."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util
from SkullGANScene.nodes import evaluation_charts


def column(table, name):
    return slicer.util.arrayFromTableColumn(table, name)


def test_a_violin_is_crossed_at_median_and_quartiles_and_even_to_both_sides(scene):
    values = np.random.default_rng(0).normal(5, 1, 400)
    chart = evaluation_charts.add_violins(scene, "T", "mm", {"train": values, "test": values + 1})
    series = chart.GetNthPlotSeriesNode(1)
    assert series.GetName() == "2 Test (400)"
    x = column(series.GetTableNode(), series.GetXColumnName()) - 2
    y = column(series.GetTableNode(), series.GetYColumnName())
    for level in np.quantile(values + 1, (0.25, 0.5, 0.75)):
        across = x[np.isclose(y, level)]
        assert across.min() == pytest.approx(-across.max())
        assert across.max() > 0.1
    assert y.min() == pytest.approx(values.min() + 1)
    assert abs(x).max() == pytest.approx(0.38, abs=0.01)


def test_values_that_are_too_few_for_a_violin_are_points_and_gaps_are_left_out(scene):
    chart = evaluation_charts.add_violins(scene, "T", "mm", {"test": np.array([1.0, np.nan, 3.0])})
    series = chart.GetNthPlotSeriesNode(0)
    assert column(series.GetTableNode(), "test y").tolist() == [1.0, 3.0]
    assert series.GetMarkerStyle() == series.MarkerStyleCircle
    assert series.GetLineStyle() == series.LineStyleNone
    empty = evaluation_charts.add_violins(scene, "E", "mm", {"test": np.array([np.nan])})
    assert empty.GetNthPlotSeriesNode(0).GetName() == "1 Test (0)"


def test_bars_have_a_value_for_each_set(scene):
    shares = {"train": 90.0, "synthetic": 40.0}
    chart = evaluation_charts.add_bars(scene, "Real", "Real (%)", shares, (0.0, 100.0))
    series = chart.GetNthPlotSeriesNode(0)
    assert column(series.GetTableNode(), "Real (%)").tolist() == [90, 40]
    assert chart.GetYAxisRange() == (0, 100)


def test_a_chart_is_removed_with_all_that_was_made_for_it(scene):
    before = scene.GetNumberOfNodes()
    chart = evaluation_charts.add_violins(scene, "T", "mm", {"test": np.arange(30.0)})
    evaluation_charts.remove(chart)
    assert scene.GetNumberOfNodes() == before
