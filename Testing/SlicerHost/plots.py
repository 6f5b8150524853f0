"""A plot view: an MRML chart with its series and tables, drawn by VTK's charts as Slicer does.

Selecting points, interaction and fonts other than the default are not here.
"""

# ruff: noqa: N801, N802 - the names are Slicer's
from __future__ import annotations

import slicer
import vtk
from SkullGANScene.offscreen import views

_LEGEND_PX, _TITLE_PX, _AXIS_PX = 12, 16, 13


class qMRMLPlotView:
    """The chart that a plot view node names."""

    def __init__(self, node: slicer.vtkMRMLPlotViewNode) -> None:
        self._node = node
        self._view: views.View | None = None
        self._actor = vtk.vtkContextActor()

    def fitToContent(self) -> None:
        """Charts are drawn from their nodes each time, at the range that these ask for."""

    def repaint(self) -> None:
        """Nobody looks at it between two pictures."""

    def _picture(self, size: tuple[int, int]) -> vtk.vtkImageData:
        if self._view is None:
            self._view = views.View(size)
            self._view.renderer.SetBackground(1, 1, 1)
            self._view.renderer.AddActor(self._actor)
            self._actor.GetScene().SetRenderer(self._view.renderer)
        self._actor.GetScene().ClearItems()
        chart = self._node.GetPlotChartNode()
        if chart is not None:
            self._actor.GetScene().AddItem(drawn_chart(chart))
        self._view.window.SetSize(*size)
        return self._view.image()

    def _close(self) -> None:
        if self._view is not None:
            self._view.close()
            self._view = None


def drawn_chart(node: slicer.vtkMRMLPlotChartNode) -> vtk.vtkChartXY:
    """Make the chart of VTK that shows an MRML chart.

    Raises:
        ValueError: if a series names a table or a column that is not there.
    """
    chart = vtk.vtkChartXY()
    chart.SetTitle(node.GetTitle() or "" if node.GetTitleVisibility() else "")
    chart.GetTitleProperties().SetFontSize(_TITLE_PX)
    chart.SetShowLegend(node.GetLegendVisibility())
    chart.GetLegend().SetLabelSize(_LEGEND_PX)
    for index in range(node.GetNumberOfPlotSeriesNodes()):
        series = node.GetNthPlotSeriesNode(index)
        if series is not None:
            _add_series(chart, series)
    _set_axis(chart.GetAxis(vtk.vtkAxis.BOTTOM), node, "X")
    _set_axis(chart.GetAxis(vtk.vtkAxis.LEFT), node, "Y")
    return chart


def _add_series(chart: vtk.vtkChartXY, series: slicer.vtkMRMLPlotSeriesNode) -> None:
    kind = series.GetPlotType()
    # A line and a bar have the row for x; a scatter plot has a column.
    has_x = kind in (series.PlotTypeScatter, series.PlotTypeScatterBar)
    is_bar = kind in (series.PlotTypeBar, series.PlotTypeScatterBar)
    y = _column(series, series.GetYColumnName())
    x = _column(series, series.GetXColumnName()) if has_x else _rows(y.GetNumberOfTuples())
    table = vtk.vtkTable()
    table.AddColumn(x)
    table.AddColumn(y)
    plot = chart.AddPlot(vtk.vtkChart.BAR if is_bar else vtk.vtkChart.LINE)
    plot.SetInputData(table, 0, 1)
    plot.SetLabel(series.GetName())
    red, green, blue = (round(255 * part) for part in series.GetColor())
    plot.SetColor(red, green, blue, round(255 * series.GetOpacity()))
    if not is_bar:
        plot.SetWidth(series.GetLineWidth())
        plot.GetPen().SetLineType(series.GetLineStyle())  # MRML's numbers are VTK's
        plot.SetMarkerStyle(series.GetMarkerStyle())
        plot.SetMarkerSize(series.GetMarkerSize())
    if series.GetLabelColumnName() and not has_x:
        labels = _column(series, series.GetLabelColumnName())
        chart.GetAxis(vtk.vtkAxis.BOTTOM).SetCustomTickPositions(x, labels)


def _column(series: slicer.vtkMRMLPlotSeriesNode, name: str) -> vtk.vtkAbstractArray:
    node = series.GetTableNode()
    column = node.GetTable().GetColumnByName(name or "") if node is not None else None
    if column is None:
        where = "no table" if node is None else f"the table {node.GetName()}"
        raise ValueError(f"the series {series.GetName()} names the column {name!r} of {where}")
    return column


def _rows(count: int) -> vtk.vtkDoubleArray:
    rows = vtk.vtkDoubleArray()
    rows.SetName("row")
    for row in range(count):
        rows.InsertNextValue(row)
    return rows


def _set_axis(axis: vtk.vtkAxis, node: slicer.vtkMRMLPlotChartNode, letter: str) -> None:
    def of_axis(name: str) -> object:
        return getattr(node, f"Get{letter}Axis{name}")()

    axis.SetTitle(of_axis("Title") or "" if of_axis("TitleVisibility") else "")
    axis.GetTitleProperties().SetFontSize(_AXIS_PX)
    axis.GetLabelProperties().SetFontSize(_AXIS_PX)
    axis.SetGridVisible(node.GetGridVisibility())
    axis.SetLogScale(of_axis("LogScale"))
    if not of_axis("RangeAuto"):
        axis.SetBehavior(vtk.vtkAxis.FIXED)
        axis.SetRange(*of_axis("Range"))
