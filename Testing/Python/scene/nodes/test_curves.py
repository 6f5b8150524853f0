"""A training's curves in a scene: they grow, are found again and go without a trace."""

from __future__ import annotations

import numpy as np
import slicer.util
from SkullGANLib.training.monitor import CURVES
from SkullGANScene.nodes import curves, mrb


def columns(count: int) -> dict[str, np.ndarray]:
    """Straight lines, each column with a slope of its own."""
    steps = np.arange(1.0, count + 1)
    return {"iteration": steps} | {name: steps * (k + 2) for k, name in enumerate(CURVES)}


def test_the_curves_are_those_that_the_library_keeps():
    shown = [line.name for chart in curves.CHARTS.values() for line in chart.lines]
    assert sorted(shown) == sorted(CURVES)


def test_curves_grow_in_their_place(scene):
    nodes = curves.add_curves(scene, "/runs/first", "first")
    series = nodes.charts["losses"].GetNthPlotSeriesNode(0)
    changes = []
    series.AddObserver("ModifiedEvent", lambda *_: changes.append(1))
    for count in (3, 5):
        curves.update(nodes, columns(count))
        assert nodes.table.GetNumberOfRows() == count
        found = slicer.util.arrayFromTableColumn(nodes.table, series.GetYColumnName())
        assert found.tolist() == (2 * np.arange(1.0, count + 1)).tolist()
    assert nodes.table.GetNumberOfColumns() == 1 + len(CURVES)
    assert series.GetTableNode() is nodes.table


def test_each_chart_shows_both_networks_in_colors_of_their_own(scene):
    nodes = curves.add_curves(scene, "/runs/first", "first")
    for chart in nodes.charts.values():
        assert chart.GetNumberOfPlotSeriesNodes() == 2
        colors = [chart.GetNthPlotSeriesNode(k).GetColor() for k in range(2)]
        assert colors[0] != colors[1]
        assert "first" in chart.GetTitle()
        assert chart.GetYAxisTitle()


def test_curves_are_found_after_saving_and_opening(scene, tmp_path):
    nodes = curves.add_curves(scene, "/läufe/first run", "first")
    curves.update(nodes, columns(4))
    curves.add_curves(scene, "/runs/other", "other")
    mrb.save(scene, tmp_path / "scene.mrb")
    scene.Clear(0)
    mrb.open_bundle(scene, tmp_path / "scene.mrb")
    found = curves.curves_of(scene, "/läufe/first run")
    assert found.table.GetName() == "first curves"
    assert found.table.GetNumberOfRows() == 4
    assert curves.curves_of(scene, "/runs/none") is None
    curves.update(found, columns(6))
    assert (
        found.charts["learning rates"].GetNthPlotSeriesNode(1).GetTableNode().GetNumberOfRows() == 6
    )


def test_removing_curves_leaves_the_scene_as_it_was(scene):
    before = scene.GetNumberOfNodes()
    curves.remove(curves.add_curves(scene, "/runs/first", "first"))
    assert scene.GetNumberOfNodes() == before


def test_curves_that_were_deleted_in_part_are_not_found(scene):
    nodes = curves.add_curves(scene, "/runs/first", "first")
    scene.RemoveNode(nodes.charts["losses"])
    assert curves.curves_of(scene, "/runs/first") is None
