"""Charts of an evaluation as MRML plots: violins, scatters and bars, a color for each set.

Each function makes a chart with its series and, where the numbers are not in a table already, a
hidden table of its own. ``of_report`` makes those of the judges of a report, ``parts_of`` finds all
parts of a chart again, ``remove`` takes them away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import slicer
import slicer.util
from SkullGANLib.evaluation.measures.measure import Chart, Scatter, Violins
from SkullGANLib.evaluation.measures.registry import MEASURES, columns
from SkullGANLib.evaluation.names import COLORS, LABELS
from SkullGANLib.evaluation.report.reader import Report
from SkullGANLib.plots.charts import VIOLIN_REACH, violin

from . import evaluation_tables, hierarchy, tables

DATA_ATTRIBUTE = "SkullGAN.PlotData"
"""Attribute of the tables that were made for a chart and go with it."""
_GUIDE_COLOR = (0.33, 0.33, 0.33)
_INK = (0.2, 0.35, 0.55)
_FIRST = 0.4  # where the axis of violins begins: the first one is at 1
_LEGEND = 0.3  # share of the width that is left free for the legend

Making = Callable[[], slicer.vtkMRMLPlotChartNode]


def of_report(
    scene: slicer.vtkMRMLScene, report: Report, segments: Mapping[str, slicer.vtkMRMLTableNode]
) -> list[Making]:
    """Give what makes the charts of a report, one each: one of thousands takes a moment.

    Args:
        scene: the scene.
        report: whose judges have charts.
        segments: the table of each set (``evaluation_tables.add_segments``).
    """
    charts = [one for measure in MEASURES.values() for one in measure.charts(report.numbers)]
    making = [_making(scene, report, segments, one) for one in charts]
    return [one for one in making if one is not None]


def _making(
    scene: slicer.vtkMRMLScene,
    report: Report,
    segments: Mapping[str, slicer.vtkMRMLTableNode],
    chart: Chart,
) -> Making | None:
    """Give what makes a chart, None if there is nothing to show."""
    if isinstance(chart, Violins):
        values = {
            name: one.columns[chart.column]
            for name, one in report.sets.items()
            if chart.column in one.columns and np.isfinite(one.columns[chart.column]).any()
        }
        add = partial(add_violins, limit=chart.limit, value_range=chart.value_range)
        return partial(add, scene, chart.title, chart.axis, values) if values else None
    if isinstance(chart, Scatter):
        x, y = (columns()[name].title for name in chart.columns)
        shown = {
            name: table
            for name, table in segments.items()
            if table.GetTable().GetColumnByName(x) is not None
        }
        add = partial(add_scatter, label=evaluation_tables.NAME)
        return partial(add, scene, chart.title, shown, (x, y)) if shown else None
    return partial(add_bars, scene, chart.title, chart.axis, chart.values, chart.value_range)


def add_violins(
    scene: slicer.vtkMRMLScene,
    name: str,
    axis: str,
    values: Mapping[str, np.ndarray],
    *,
    limit: tuple[float, str] | None = None,
    value_range: tuple[float, float] | None = None,
) -> slicer.vtkMRMLPlotChartNode:
    """Add a chart with the distribution of one metric in each set.

    A violin is one closed line: the density to both sides of its middle, crossed at the quartiles
    and the median. What is too few for a shape is drawn as points.

    Args:
        scene: the scene.
        name: of the chart.
        axis: what is measured, with its unit.
        values: float (N,) by set, NaN left out; the sets in the order in which they are shown.
        limit: a value to mark with a dashed line, and what the legend says of it.
        value_range: of the axis; follows the values if None.
    """
    table = _add_table(scene, f"{name} data")
    chart = _add_chart(scene, name, "Lines across: quartiles and median", axis)
    lines: dict[str, np.ndarray] = {}
    for place, (one, all_values) in enumerate(values.items(), start=1):
        known = all_values[np.isfinite(all_values)]
        shape = violin(known)
        columns = _columns(lines, one)
        if shape is None:
            lines[columns[0]], lines[columns[1]] = np.full(len(known), float(place)), known
        else:
            lines[columns[0]], lines[columns[1]] = _outline(known, *shape, place)
        # The axis has numbers, which MRML cannot replace by names: the legend has both.
        series = _add_series(chart, table, f"{place} {LABELS[one]} ({len(known):,})", columns)
        series.SetColor(*_rgb(one))
        _draw(series, line=shape is not None, points=shape is None)
    if limit is not None:
        columns = _columns(lines, "limit")
        lines[columns[0]] = np.array([_FIRST, len(values) + 1 - _FIRST])
        lines[columns[1]] = np.full(2, limit[0])
        series = _add_series(chart, table, limit[1], columns)
        series.SetColor(*_GUIDE_COLOR)
        _draw(series, line=True, points=False)
        series.SetLineStyle(series.LineStyleDash)
    _fill(table, lines)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(*_with_room(_FIRST, len(values) + 1 - _FIRST))
    if value_range:
        chart.SetYAxisRangeAuto(False)
        chart.SetYAxisRange(*value_range)
    return chart


def add_scatter(
    scene: slicer.vtkMRMLScene,
    name: str,
    segments: Mapping[str, slicer.vtkMRMLTableNode],
    columns: tuple[str, str],
    label: str,
) -> slicer.vtkMRMLPlotChartNode:
    """Add a chart with a dot for each segment of each set, out of the sets' own tables.

    Args:
        scene: the scene.
        name: of the chart.
        segments: a table a set.
        columns: of the tables, with x and y.
        label: column of texts that name the dots where the mouse rests.
    """
    chart = _add_chart(scene, name, "Dots near each other are alike; axes have no meaning", "")
    x = np.concatenate([slicer.util.arrayFromTableColumn(t, columns[0]) for t in segments.values()])
    chart.SetXAxisRangeAuto(False)
    margin = 0.03 * float(np.nanmax(x) - np.nanmin(x)) or 1.0
    chart.SetXAxisRange(*_with_room(np.nanmin(x) - margin, np.nanmax(x) + margin))
    for one, table in segments.items():
        series = _add_series(chart, table, LABELS[one], columns)
        series.SetLabelColumnName(label)
        series.SetColor(*_rgb(one))
        _draw(series, line=False, points=True)
    return chart


def add_bars(
    scene: slicer.vtkMRMLScene,
    name: str,
    axis: str,
    values: Mapping[str, float],
    value_range: tuple[float, float],
) -> slicer.vtkMRMLPlotChartNode:
    """Add a chart with a bar for each set."""
    table = _add_table(scene, f"{name} data")
    tables.add_column(table, "Set", np.array([LABELS[one] for one in values], np.str_))
    tables.add_column(table, axis, np.array(list(values.values()), float))
    chart = _add_chart(scene, name, "", axis)
    series = _add_series(chart, table, axis, ("", axis))
    series.SetPlotType(series.PlotTypeBar)
    series.SetLabelColumnName("Set")
    series.SetColor(*_INK)
    chart.SetLegendVisibility(False)
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(*value_range)
    return chart


def parts_of(chart: slicer.vtkMRMLPlotChartNode) -> list[slicer.vtkMRMLNode]:
    """Give a chart's series and the tables that were made for it."""
    series = [chart.GetNthPlotSeriesNode(k) for k in range(chart.GetNumberOfPlotSeriesNodes())]
    series = [one for one in series if one is not None]
    owned = {
        one.GetTableNodeID(): one.GetTableNode()
        for one in series
        if one.GetTableNode() is not None and one.GetTableNode().GetAttribute(DATA_ATTRIBUTE)
    }
    return [*series, *owned.values()]


def remove(chart: slicer.vtkMRMLPlotChartNode) -> None:
    """Take a chart out of its scene, with what was made for it."""
    for node in (*parts_of(chart), chart):
        hierarchy.remove(node)


def _outline(
    values: np.ndarray, grid: np.ndarray, widths: np.ndarray, place: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give x and y of a line around a violin that crosses it at quartiles and median."""
    x, y = [], []
    reach = VIOLIN_REACH * widths
    start = 0
    for level in np.quantile(values, (0.25, 0.5, 0.75)):
        end = int(np.searchsorted(grid, level))
        across = float(np.interp(level, grid, reach))
        x += [*(place + reach[start:end]), place + across, place - across, place + across]
        y += [*grid[start:end], level, level, level]
        start = end
    x += [*(place + reach[start:]), *(place - reach[::-1]), place + reach[0]]
    y += [*grid[start:], *grid[::-1], grid[0]]
    return np.array(x), np.array(y)


def _with_room(low: float, high: float) -> tuple[float, float]:
    """Give the range of an axis that leaves the right for the legend, which lies in the plot."""
    return float(low), float(low + (high - low) / (1 - _LEGEND))


def _columns(lines: Mapping[str, np.ndarray], name: str) -> tuple[str, str]:
    return f"{name} x", f"{name} y"


def _fill(table: slicer.vtkMRMLTableNode, lines: Mapping[str, np.ndarray]) -> None:
    """Fill a table with columns of one length: shorter lines stay at their last point."""
    longest = max(map(len, lines.values()), default=0)
    for title, values in lines.items():
        last = values[-1] if len(values) else np.nan
        rest = np.full(longest - len(values), last)
        tables.add_column(table, title, np.concatenate([values, rest]).astype(float))


def _add_table(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLTableNode:
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    table.SetAttribute(DATA_ATTRIBUTE, "1")
    table.SetHideFromEditors(True)
    return table


def _add_chart(
    scene: slicer.vtkMRMLScene, name: str, x_axis: str, y_axis: str
) -> slicer.vtkMRMLPlotChartNode:
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    chart.SetTitle(name)
    chart.SetXAxisTitle(x_axis)
    chart.SetYAxisTitle(y_axis)
    hierarchy.item_of(chart)
    return chart


def _add_series(
    chart: slicer.vtkMRMLPlotChartNode,
    table: slicer.vtkMRMLTableNode,
    name: str,
    columns: tuple[str, str],
) -> slicer.vtkMRMLPlotSeriesNode:
    series = chart.GetScene().AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
    series.SetPlotType(series.PlotTypeScatter)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(columns[0])
    series.SetYColumnName(columns[1])
    series.SetHideFromEditors(True)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return series


def _draw(series: slicer.vtkMRMLPlotSeriesNode, *, line: bool, points: bool) -> None:
    series.SetLineStyle(series.LineStyleSolid if line else series.LineStyleNone)
    series.SetLineWidth(2.0)
    series.SetMarkerStyle(series.MarkerStyleCircle if points else series.MarkerStyleNone)
    series.SetMarkerSize(7.0)


def _rgb(one: str) -> tuple[float, float, float]:
    code = COLORS[one].lstrip("#")
    red, green, blue = (int(code[k : k + 2], 16) / 255 for k in (0, 2, 4))
    return red, green, blue
