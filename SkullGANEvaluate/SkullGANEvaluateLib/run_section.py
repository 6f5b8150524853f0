"""Evaluation: what judges, where the report goes, and the report that comes of it."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import qt
from SkullGANGui import last_places, packages
from SkullGANGui.model_list import ModelList
from slicer import vtkMRMLTextNode
from slicer.i18n import tr as _

from .parameters import PIXELS, SIFT
from .section import Section
from .sets_section import SetsSection

if TYPE_CHECKING:
    from .section import EvaluatePanel


class RunSection(Section):
    """Evaluates the chosen sets, or reads an earlier report.

    Args:
        panel: the panel.
        sets: its ``SetsSection``.

    Attributes:
        models: the ``ModelList``.
    """

    def __init__(self, panel: EvaluatePanel, sets: SetsSection) -> None:
        Section.__init__(self, panel)
        self._sets = sets
        self.ui.evaluateButton.connect("clicked()", self.onEvaluate)
        self.ui.loadButton.connect("clicked()", self.onLoad)
        ways = {PIXELS: _("Pixel differences"), SIFT: _("SIFT features")}
        panel.keepChoice(self.ui.wayBox, "way", ways)
        panel.keepPath(self.ui.modelPath, "modelPath")
        panel.keepPath(self.ui.reportsFolder, "reportsFolder")
        self.models = ModelList(self.ui.modelsFrame, self.onModel)

    def show(self) -> None:
        node = self.node
        self.ui.modelLabel.visible = node.useModel and not node.modelPath
        self.ui.modelsFrame.visible = node.useModel
        if node.useModel:
            self.models.show(node.modelPath)

    def forget(self) -> None:
        self.models.stop()

    def onModel(self, path: str) -> None:
        """Take the model that was clicked on."""
        if self.node:
            self.node.modelPath = path

    def update(self, busy: str) -> None:
        busy = busy or ("" if self.node else _("The panel is not open."))
        self.panel.allow(
            self.ui.evaluateButton,
            busy or self._rejectionReason(),
            _("Evaluate in the background: some seconds to a few minutes, by the sets' size."),
        )
        self.panel.allow(self.ui.loadButton, busy, _("Bring an earlier report into the scene."))

    def onEvaluate(self) -> None:
        node = self.node
        with self.panel.shownErrors(_("The evaluation could not begin.")):
            packages.ensure(packages.EVALUATION, _("An evaluation"))
            task = self.logic.startEvaluation(
                self.logic.chosenSets(node),
                node.reportsFolder,
                model=self.logic.modelOf(node),
                seed=node.seed,
                most=node.most,
                shown=self.logic.shownOf(node),
            )
            last_places.keep(node.reportsFolder, last_places.REPORTS)
            for field in (self.ui.reportsFolder, self.ui.modelPath):
                field.addCurrentPathToHistory()
            self.panel.run(task, on_done=self._reportCame)

    def onLoad(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(
            self.ui.loadButton,
            _("Folder of a report"),
            self.node.reportsFolder or last_places.folder(last_places.REPORTS),
        )
        if folder:
            last_places.keep(Path(folder).parent, last_places.REPORTS)
            with self.panel.shownErrors(_("The report could not be read.")):
                packages.ensure(packages.SEGMENTS, _("Reading a report"))
                task = self.logic.startReport(folder, shown=self.logic.shownOf(self.node))
                self.panel.run(task, on_done=self._reportCame)

    def _reportCame(self, text: vtkMRMLTextNode | None) -> str:
        for section in ("setsSection", "runSection"):
            self.panel.guidance.done(section)
        folder = self.logic.reportFolder
        if text is None:
            return _("The scene was closed meanwhile; the report is in {folder}.").format(
                folder=folder
            )
        if self.node:
            self.node.report = text
            self.ui.resultsSection.collapsed = False
        return _("Done: {name}, in {folder}").format(name=text.GetName(), folder=folder)

    def _rejectionReason(self) -> str:
        """Say why no evaluation can begin, or nothing."""
        node = self.node
        if not self._sets.table.sets:
            return _("Add segment sets first.")
        if node.useModel and node.modelPath and not Path(node.modelPath).is_file():
            return _("The model {path} is not there.").format(path=node.modelPath)
        if not node.reportsFolder:
            return _("Choose a folder for reports first.")
        return ""
