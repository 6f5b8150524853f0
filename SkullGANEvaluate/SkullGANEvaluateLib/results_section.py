"""Results: the report that is shown, in words, charts and a table."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from SkullGANGui import warning_colors
from slicer.i18n import tr as _

from .neighbors_section import NeighborsSection
from .section import Section
from .segments_section import SegmentsSection
from .shown_report import nodesOf

if TYPE_CHECKING:
    from .section import EvaluatePanel


class ResultsSection(Section):
    """Shows a report, and lets the sections of its segments and neighbors show their part.

    Args:
        panel: the panel.
        segments: its ``SegmentsSection``.
        neighbors: its ``NeighborsSection``.
    """

    def __init__(
        self, panel: EvaluatePanel, segments: SegmentsSection, neighbors: NeighborsSection
    ) -> None:
        Section.__init__(self, panel)
        self._parts = (segments, neighbors)
        self._shownReport: str | None = None
        ui = self.ui
        ui.reportBox.addAttribute("vtkMRMLTextNode", "SkullGAN.Evaluation", "1")
        for button, slot in (
            (ui.browserButton, self.onBrowser),
            (ui.removeReportButton, self.onRemoveReport),
            (ui.chartButton, self.onChart),
            (ui.tableButton, self.onTable),
        ):
            button.connect("clicked()", slot)
        ui.chartBox.connect("currentTextChanged(QString)", lambda text: self._keep("chart", text))
        ui.tableBox.connect("currentTextChanged(QString)", lambda text: self._keep("table", text))

    def show(self) -> None:
        shown = self.node.report.GetID() if self.node.report is not None else ""
        if shown != self._shownReport:
            self._shownReport = shown
            self._showReport()

    def forget(self) -> None:
        self._shownReport = None

    def update(self, busy: str) -> None:
        ui, nodes, allow = self.ui, nodesOf(self.node), self.panel.allow
        none = "" if nodes else _("There is no report in the scene yet.")
        gone = none or ("" if self._page() else _("The report's folder is no longer there."))
        charts = none or ("" if nodes and nodes.charts else _("The charts were deleted."))
        tables = none or ("" if nodes and nodes.findings else _("The tables were deleted."))
        where = str(nodes.report) if nodes else ""
        allow(ui.browserButton, gone, _("Open {folder} in the browser.").format(folder=where))
        allow(
            ui.removeReportButton,
            none or busy,
            _("Take this report out of the scene; its folder stays."),
        )
        allow(ui.chartButton, charts, _("Show this chart in the layout's plot view."))
        allow(ui.chartBox, charts, _("Charts of this report."))
        allow(ui.tableButton, tables, _("Show this table in the layout's table view."))
        allow(ui.tableBox, tables, _("Tables of this report: what was found, and how sure it is."))

    def onBrowser(self) -> None:
        page = self._page()
        if page is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page)))

    def onRemoveReport(self) -> None:
        from SkullGANScene.nodes import evaluation

        text = self.node.report
        self.node.report = None
        for part in self._parts:
            part.forget()
        evaluation.remove(text)
        self.panel.updateButtons()

    def onChart(self) -> None:
        nodes = nodesOf(self.node)
        charts = list(nodes.charts.values()) if nodes else []
        index = self.ui.chartBox.currentIndex
        if 0 <= index < len(charts):
            slicer.modules.plots.logic().ShowChartInLayout(charts[index])

    def onTable(self) -> None:
        nodes = nodesOf(self.node)
        tables = list(nodes.findings.values()) if nodes else []
        index = self.ui.tableBox.currentIndex
        if not 0 <= index < len(tables):
            return
        layout = slicer.app.layoutManager().layout
        with_table = slicer.modules.tables.logic().GetLayoutWithTable(layout)
        slicer.app.layoutManager().setLayout(with_table)
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetActiveTableID(tables[index].GetID())
        slicer.app.applicationLogic().PropagateTableSelection()

    def _showReport(self) -> None:
        """Fill words, charts and tables for another report, or for none; then its parts."""
        nodes = nodesOf(self.node)
        red = warning_colors.problem(self.ui.answersBrowser.palette)
        self.ui.answersBrowser.setHtml(_inWords(nodes.content, red) if nodes else "")
        for box, titles, wanted in (
            (self.ui.chartBox, nodes.charts if nodes else (), self.node.chart),
            (self.ui.tableBox, nodes.findings if nodes else (), self.node.table),
        ):
            box.blockSignals(True)
            box.clear()
            box.addItems(list(titles))
            box.setCurrentIndex(list(titles).index(wanted) if wanted in titles else 0)
            box.blockSignals(False)
        for part in self._parts:
            part.showReport(nodes)

    def _keep(self, field: str, title: str) -> None:
        if self.node:
            setattr(self.node, field, title)

    def _page(self) -> Path | None:
        """Give the page of the report that is shown, if it is where it was written."""
        from SkullGANLib.evaluation.report.reader import PAGE

        nodes = nodesOf(self.node)
        page = nodes.report / PAGE if nodes else None
        return page if page is not None and page.is_file() else None


def _inWords(content: Mapping[str, Any], red: str) -> str:
    """Give what a report says as HTML: warnings, questions and answers, what cannot be said."""
    warnings = "".join(f"<p style='color:{red}'>{escape(one)}</p>" for one in content["concerns"])
    answers = "".join(
        f"<p><b>{escape(one['question'])} {escape(one['short'])}.</b><br>"
        f"{escape(' '.join(one['reasons']))}</p>"
        for one in content["answers"]
    )
    limits = "".join(f"<li>{escape(one)}</li>" for one in content["limitations"])
    heading = escape(_("What cannot be said"))
    return warnings + answers + (f"<p><b>{heading}</b></p><ul>{limits}</ul>" if limits else "")
