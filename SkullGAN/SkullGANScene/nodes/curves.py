"""Curves of a training in a scene: a table that grows, and a chart each for its parts.

``add_curves`` makes the nodes, ``curves_of`` finds them again (also after a scene was saved and
opened), ``update`` writes the curves into the table, which the charts follow, ``remove`` takes all
away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import slicer
from vtk.util.numpy_support import numpy_to_vtk

from . import hierarchy, tables

_RUN = "SkullGAN.run"
"""Attribute of the table: the run directory."""
_CHART = "SkullGAN.chart."
"""Start of the roles by which the table refers to its charts."""
_X = "Iteration"
_GENERATOR, _DISCRIMINATOR = (0.85, 0.37, 0.01), (0.11, 0.47, 0.71)
"""Orange and blue, which are told apart by everybody."""


@dataclass(frozen=True)
class _Line:
    name: str  # of SkullGANLib.training.monitor.CURVES
    title: str
    color: tuple[float, float, float]


@dataclass(frozen=True)
class _Chart:
    title: str
    y_title: str
    lines: tuple[_Line, _Line]


CHARTS: Mapping[str, _Chart] = {
    "losses": _Chart(
        "Losses",
        "Cross-entropy (no unit)",
        (
            _Line("generator_loss", "Generator loss", _GENERATOR),
            _Line("discriminator_loss", "Discriminator loss", _DISCRIMINATOR),
        ),
    ),
    "realness": _Chart(
        "Realness",
        "Discriminator's output, 0 to 1",
        (
            _Line("realness_fake", "Realness of generated segments", _GENERATOR),
            _Line("realness_real", "Realness of real segments", _DISCRIMINATOR),
        ),
    ),
    "learning rates": _Chart(
        "Learning rates",
        "Learning rate",
        (
            _Line("generator_learning_rate", "Generator learning rate", _GENERATOR),
            _Line("discriminator_learning_rate", "Discriminator learning rate", _DISCRIMINATOR),
        ),
    ),
    "quality": _Chart(
        "Quality",
        "Distance of the snapshots from reals; less is better",
        (
            _Line("quality_distance", "Distance by which the best is kept", _GENERATOR),
            _Line("quality_kernel", "Its part by kernel distance", _DISCRIMINATOR),
        ),
    ),
}
"""The charts by their keys."""


@dataclass(frozen=True, eq=False)
class CurveNodes:
    """What stands for a training's curves in a scene.

    Attributes:
        table: a row per point.
        charts: by the keys of ``CHARTS``.
        folder: subject hierarchy item that holds them.
    """

    table: slicer.vtkMRMLTableNode
    charts: Mapping[str, slicer.vtkMRMLPlotChartNode]
    folder: int


def add_curves(scene: slicer.vtkMRMLScene, run: str, name: str) -> CurveNodes:
    """Add empty curves to a scene, in a folder of their own.

    Args:
        scene: the scene.
        run: the run directory they are of; ``curves_of`` finds them by it.
        name: first part of the nodes' names.
    """
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} curves")
    table.SetAttribute(_RUN, run)
    table.SetUseColumnTitleAsColumnHeader(True)
    folder = hierarchy.add_folder(scene, f"{name} training")
    charts = {}
    # The columns first: a series of a column that is not there is an error.
    _fill(table, {})
    for key, chart in CHARTS.items():
        node = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", f"{name} {chart.title.lower()}")
        node.SetTitle(f"{name}: {chart.title.lower()}")
        node.SetXAxisTitle(_X)
        node.SetYAxisTitle(chart.y_title)
        for line in chart.lines:
            node.AddAndObservePlotSeriesNodeID(_series(scene, table, line).GetID())
        table.SetNodeReferenceID(_CHART + key, node.GetID())
        charts[key] = node
    nodes = CurveNodes(table, charts, folder)
    for node in _every(nodes):
        hierarchy.put_into(node, folder)
    return nodes


def curves_of(scene: slicer.vtkMRMLScene, run: str) -> CurveNodes | None:
    """Find the curves of a run; None where there are none or parts were deleted."""
    kind = "vtkMRMLTableNode"
    for index in range(scene.GetNumberOfNodesByClass(kind)):
        table = scene.GetNthNodeByClass(index, kind)
        if table.GetAttribute(_RUN) == run:
            charts = {key: table.GetNodeReference(_CHART + key) for key in CHARTS}
            if all(charts.values()):
                return CurveNodes(table, charts, hierarchy.folder_of(table))
    return None


def update(nodes: CurveNodes, columns: Mapping[str, np.ndarray]) -> None:
    """Write curves into the table; the charts follow.

    Args:
        nodes: of ``add_curves``.
        columns: float64 of equal length, as ``training.monitor.Curves.columns`` gives them.
    """
    _fill(nodes.table, columns)


def remove(nodes: CurveNodes) -> None:
    """Take the curves out of their scene: table, charts, series and folder."""
    scene = nodes.table.GetScene()
    for node in reversed(_every(nodes)):
        hierarchy.remove(node)
    hierarchy.remove_empty_folder(scene, nodes.folder)


def _every(nodes: CurveNodes) -> list[slicer.vtkMRMLNode]:
    series = [
        chart.GetNthPlotSeriesNode(index)
        for chart in nodes.charts.values()
        for index in range(chart.GetNumberOfPlotSeriesNodes())
    ]
    return [nodes.table, *series, *nodes.charts.values()]


def _fill(table: slicer.vtkMRMLTableNode, columns: Mapping[str, np.ndarray]) -> None:
    """Make a table of curves; names that are not there have no values."""
    lines = [line for chart in CHARTS.values() for line in chart.lines]
    content = table.GetTable()
    before = table.StartModify()
    for name, title in (("iteration", _X), *((line.name, line.title) for line in lines)):
        values = np.asarray(columns.get(name, ()), np.float64)
        column = content.GetColumnByName(title)
        if column is None:
            tables.add_column(table, title, values)
        else:  # in its place, for a series that loses its column is an error
            column.DeepCopy(numpy_to_vtk(values, deep=True))
            column.SetName(title)
            column.Modified()
    content.Modified()
    table.Modified()
    table.EndModify(before)


def _series(
    scene: slicer.vtkMRMLScene, table: slicer.vtkMRMLTableNode, line: _Line
) -> slicer.vtkMRMLPlotSeriesNode:
    node = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", line.title)
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetPlotType(node.PlotTypeScatter)
    node.SetXColumnName(_X)
    node.SetYColumnName(line.title)
    node.SetLineStyle(node.LineStyleSolid)
    node.SetMarkerStyle(node.MarkerStyleNone)
    node.SetLineWidth(2)
    node.SetColor(*line.color)
    return node
