"""The module SkullGANEvaluate: are synthetic segments like real ones, copies, of use?

``SkullGANEvaluateLogic`` is what a script uses; ``SkullGANEvaluateWidget`` is the panel, which only
shows and asks. The evaluation is done by ``SkullGANLib`` in a child process; what comes of it in
the scene is the matter of ``SkullGANScene``.
"""

# ruff: noqa: N802, N806, N815 - camel case is what Slicer calls and how its modules read
from html import escape
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util
from SkullGANEvaluateLib import segment_list, sets_table
from SkullGANEvaluateLib.logic import SkullGANEvaluateLogic
from SkullGANEvaluateLib.parameters import ChosenSet, SkullGANEvaluateParameterNode, keepSets
from SkullGANGui.panel_widget import PanelWidget
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLTextNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest

__all__ = [
    "ChosenSet",
    "SkullGANEvaluate",
    "SkullGANEvaluateLogic",
    "SkullGANEvaluateParameterNode",
    "SkullGANEvaluateTest",
    "SkullGANEvaluateWidget",
]


class SkullGANEvaluate(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("SkullGAN Evaluate")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
        parent.dependencies = ["SkullGAN"]
        parent.contributors = ["The SkullGAN for 3D Slicer developers"]
        parent.helpText = _(
            "Says of synthetic skull segments whether they are like real ones, whether they are"
            " copies, whether the discriminator can be trusted and whether they are worth learning"
            " from: as charts, tables and nearest neighbors in the scene, and as a report for the"
            " browser."
        )
        parent.acknowledgementText = _(
            'After the paper <a href="https://arxiv.org/abs/2308.00206">arXiv:2308.00206</a>.'
        )


class SkullGANEvaluateWidget(PanelWidget):
    """The panel: choose sets, evaluate, look at the results."""

    logicClass = SkullGANEvaluateLogic

    def connectWidgets(self) -> None:
        ui = self.ui
        self.setsTable = sets_table.SetsTable(ui.setsTable, self.onSets)
        self.segments = segment_list.SegmentList(ui.segmentsTable, self.onSegmentPicked)
        ui.orderBox.addItems(segment_list.orders())
        ui.reportBox.addAttribute("vtkMRMLTextNode", "SkullGAN.Evaluation", "1")
        for button, do in (
            (ui.addFilesButton, self.onAddFiles),
            (ui.addSceneButton, self.onAddFromScene),
            (ui.removeSetButton, self.setsTable.removeSelected),
            (ui.evaluateButton, self.onEvaluate),
            (ui.loadButton, self.onLoad),
            (ui.browserButton, self.onBrowser),
            (ui.removeReportButton, self.onRemoveReport),
            (ui.chartButton, self.onChart),
            (ui.summaryButton, self.onSummary),
            (ui.besideButton, self.onBeside),
        ):
            button.connect("clicked()", do)
        ui.setsTable.connect("itemSelectionChanged()", self.updateButtons)
        ui.setBox.connect("currentIndexChanged(int)", self.onListChanged)
        ui.orderBox.connect("currentIndexChanged(int)", self.onListChanged)
        ui.pairSlider.connect("valueChanged(double)", self.onPair)
        ui.overlayCheckBox.connect("clicked(bool)", self.onOverlay)
        ui.methodBox.connect("activated(int)", self.onOverlay)
        self.keepPath(ui.modelPath, "modelPath")
        self.keepPath(ui.reportsFolder, "reportsFolder")
        self._shownReport: str | None = None
        self._sliceTags: list[tuple[Any, Any]] = []
        self._turning = False

    # What is chosen.

    def showParameters(self) -> None:
        self.setsTable.show(self.logic.chosenSets(self.node))
        self.ui.setsLabel.text = self._unsaid()
        self.ui.setsLabel.visible = bool(self.ui.setsLabel.text)
        self.ui.modelLabel.visible = self.node.useModel and not self.node.modelPath
        shown = self.node.report.GetID() if self.node.report is not None else ""
        if shown != self._shownReport:
            self._shownReport = shown
            self._showReport()

    def sceneStartsClosing(self) -> None:
        self.logic.leaveScene()
        self._followSlices([])
        self._shownReport = None

    def cleanup(self) -> None:
        self._followSlices([])
        PanelWidget.cleanup(self)

    def onSets(self, sets: list[ChosenSet]) -> None:
        if self.node:
            files = keepSets(self.node.parameterNode, sets)
            self.node.files = files
            self.onParameters()

    def onAddFiles(self) -> None:
        paths = qt.QFileDialog.getOpenFileNames(
            self.ui.addFilesButton, _("Segment sets to compare"), "", _("Segment sets (*.h5)")
        )
        if not paths:
            return
        from SkullGANGui import packages

        with self.shownErrors(_("Not every file could be added.")):
            packages.ensure(packages.SEGMENTS, _("Reading segment sets"))
            for path in paths:
                name = sets_table.guessed(path)
                self.onSets([*self.setsTable.sets, ChosenSet(name, path=path)])

    def onAddFromScene(self) -> None:
        menu = qt.QMenu()
        actions = [(menu.addAction(volume.GetName()), volume) for volume in self._setsInScene()]
        place = qt.QPoint(0, self.ui.addSceneButton.height)
        picked = menu.exec_(self.ui.addSceneButton.mapToGlobal(place))
        for action, volume in actions:
            if picked is not None and picked == action:
                name = sets_table.guessedVolume(volume)
                self.onSets([*self.setsTable.sets, ChosenSet(name, volume=volume)])
                return

    def _setsInScene(self) -> list[Any]:
        from SkullGANScene.nodes import segment_sets

        return segment_sets.in_scene(slicer.mrmlScene)

    def _unsaid(self) -> str:
        """Say what the chosen sets are too few for."""
        names = {one.name for one in self.setsTable.sets}
        if not names:
            return _(
                "Add the sets to compare: real segments that the model learned from and others that"
                " it did not, and synthetic ones."
            )
        for name, sentence in (
            ("synthetic", _("Without a synthetic set, real segments are only compared.")),
            ("test", _("Without a test set, nobody can say whether synthetic ones are copies.")),
            ("train", _("Without a training set, no nearest real neighbors can be found.")),
        ):
            if name not in names:
                return sentence
        return ""

    # Evaluating.

    def onEvaluate(self) -> None:
        from SkullGANGui import packages

        node = self.node
        with self.shownErrors(_("The evaluation could not begin.")):
            packages.ensure(packages.EVALUATION, _("An evaluation"))
            task = self.logic.startEvaluation(
                self.logic.chosenSets(node),
                node.reportsFolder,
                model=self.logic.modelOf(node),
                seed=node.seed,
                most=node.most,
                shown=self.logic.shownOf(node),
            )
            self.run(task, on_done=self._reportCame)

    def onLoad(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(
            self.ui.loadButton, _("Folder of a report"), self.node.reportsFolder
        )
        if folder:
            from SkullGANGui import packages

            with self.shownErrors(_("The report could not be read.")):
                packages.ensure(packages.SEGMENTS, _("Reading a report"))
                task = self.logic.startReport(folder, shown=self.logic.shownOf(self.node))
                self.run(task, on_done=self._reportCame)

    def _reportCame(self, text: vtkMRMLTextNode | None) -> str:
        folder = self.logic.reportFolder
        if text is None:
            return _("The scene was closed meanwhile; the report is in {folder}.").format(
                folder=folder
            )
        if self.node:
            self.node.report = text
            self.ui.resultsSection.collapsed = False
        return _("Done: {name}, in {folder}").format(name=text.GetName(), folder=folder)

    # Results.

    def _nodes(self) -> Any:
        """Give the nodes of the report that is shown (``evaluation.EvaluationNodes``), or None."""
        from SkullGANScene.nodes import evaluation

        text = self.node.report if self.node else None
        if text is None or not text.GetAttribute(evaluation.ATTRIBUTE):
            return None
        return evaluation.nodes_of(text)

    def _showReport(self) -> None:
        """Fill charts, sets, words and pairs for another report, or for none."""
        nodes, ui = self._nodes(), self.ui
        ui.answersBrowser.setHtml(_inWords(nodes.said) if nodes else "")
        for box, entries in (
            (ui.chartBox, list(nodes.charts) if nodes else []),
            (ui.setBox, [sets_table.title(name) for name in nodes.tables] if nodes else []),
        ):
            box.blockSignals(True)
            box.clear()
            box.addItems(entries)
            box.blockSignals(False)
        if nodes and "synthetic" in nodes.tables:
            ui.setBox.setCurrentIndex(list(nodes.tables).index("synthetic"))
        self._showSegments(nodes)
        pairs = nodes.pairs if nodes else None
        ui.pairSlider.maximum = max(len(pairs), 1) if pairs else 1
        ui.pairSlider.minimum = 1
        ui.pairSlider.value = 1
        self._showPair(nodes)

    def onBrowser(self) -> None:
        page = self._page()
        if page is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page)))

    def _page(self) -> Path | None:
        """Give the page of the report that is shown, if it is where it was written."""
        from SkullGANLib.evaluation.report.reader import PAGE

        nodes = self._nodes()
        page = nodes.report / PAGE if nodes else None
        return page if page is not None and page.is_file() else None

    def onRemoveReport(self) -> None:
        from SkullGANScene.nodes import evaluation

        text = self.node.report
        self.node.report = None
        self._followSlices([])
        evaluation.remove(text)
        self.updateButtons()

    def onChart(self) -> None:
        nodes = self._nodes()
        charts = list(nodes.charts.values()) if nodes else []
        index = self.ui.chartBox.currentIndex
        if 0 <= index < len(charts):
            slicer.modules.plots.logic().ShowChartInLayout(charts[index])

    def onSummary(self) -> None:
        nodes = self._nodes()
        if nodes is None or nodes.summary is None:
            return
        layout = slicer.app.layoutManager().layout
        withTable = slicer.modules.tables.logic().GetLayoutWithTable(layout)
        slicer.app.layoutManager().setLayout(withTable)
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetActiveTableID(nodes.summary.GetID())
        slicer.app.applicationLogic().PropagateTableSelection()

    # Segments.

    def onListChanged(self, index: int) -> None:
        self._showSegments(self._nodes())

    def _showSegments(self, nodes: Any) -> None:
        name = self._listedSet(nodes)
        volume = nodes.volumes.get(name) if name else None
        table = nodes.tables[name] if name else None
        self.segments.show(volume, table, self.ui.orderBox.currentIndex)

    def _listedSet(self, nodes: Any) -> str:
        names = list(nodes.tables) if nodes else []
        index = self.ui.setBox.currentIndex
        return names[index] if 0 <= index < len(names) else ""

    def onSegmentPicked(self, index: int) -> None:
        self._showPicked(self._nodes())

    def _showPicked(self, nodes: Any) -> None:
        """Show the picked segment, with its realness map if that is wanted and known."""
        from SkullGANScene.nodes import evaluation
        from SkullGANScene.views import slice_views

        volume = nodes.volumes.get(self._listedSet(nodes)) if nodes else None
        index = self.segments.picked()
        if index < 0 or volume is None:
            return
        wanted = self.node.overlay
        over = evaluation.overlay_of(volume, self.logic.methodOf(self.node)) if wanted else None
        slice_views.look_at(slice_views.free_view(slicer.mrmlScene), volume, index, over)

    def onOverlay(self, value: Any) -> None:
        """Show the realness map over the picked segment; it is made first where there is none."""
        from SkullGANScene.nodes import evaluation

        nodes = self._nodes()
        volume = nodes.volumes.get(self._listedSet(nodes)) if nodes else None
        if volume is None or not self.node.overlay:
            self._showPicked(nodes)
            return
        if self.segments.picked() < 0 and self.segments.rows:
            self.segments.pick(self.segments.rows[0])
        method = self.logic.methodOf(self.node)
        if evaluation.overlay_of(volume, method) is not None:
            self._showPicked(nodes)
            return
        with self.shownErrors(_("There is no realness map.")):
            from SkullGANGui import packages

            packages.ensure(packages.MODELS, _("A realness map"))
            task = self.logic.startOverlay(
                volume, self._judge(nodes), method, nodes.said.get("realness", "")
            )
            self.run(task, on_done=self._overlayMade)

    def _overlayMade(self, overlay: vtkMRMLScalarVolumeNode) -> str:
        self._showPicked(self._nodes())
        return _("Done: orange speaks for real, blue for made.")

    def _judge(self, nodes: Any) -> Path:
        """Give the model that judged for a report, else the one that is chosen or came along."""
        from SkullGANLib.utils import resources

        judged = nodes.said["model"]
        if judged and Path(judged).is_file():
            return Path(judged)
        return self.logic.modelOf(self.node) or resources.bundled_model()

    # Nearest real neighbors.

    def onBeside(self) -> None:
        from SkullGANScene.nodes import color_tables
        from SkullGANScene.views import slice_views

        nodes = self._nodes()
        pairs = nodes.pairs if nodes else None
        if pairs is not None:
            titles = (_("Synthetic"), _("Nearest real"), _("Difference"))
            views = slice_views.arrange(slicer.mrmlScene, titles)
            slicer.app.processEvents()  # the views take their size, which pairs are fitted to
            color_tables.renew_legend(pairs.difference)  # new views know of no older one
            self._showPair(nodes)
            self._followSlices(views)

    def onPair(self, value: float) -> None:
        self._showPair(self._nodes())

    def _pair(self) -> int:
        return round(self.ui.pairSlider.value) - 1

    def _showPair(self, nodes: Any) -> None:
        from SkullGANScene.nodes import nearest_neighbors
        from SkullGANScene.views import slice_views

        pairs = nodes.pairs if nodes else None
        if pairs is None or not 0 <= self._pair() < len(pairs):
            self.ui.pairLabel.text = ""
            return
        self.ui.pairLabel.text = _aboutPair(nearest_neighbors.described(pairs, self._pair()))
        self._turning = True
        stacks = (pairs.segments, pairs.nearest, pairs.difference)
        for view, stack in zip(slice_views.beside_views(slicer.mrmlScene), stacks, strict=False):
            if view.IsMappedInLayout():
                slice_views.look_at(view, stack, self._pair())
        self._turning = False

    def _followSlices(self, views: list[Any]) -> None:
        """Let the slider follow who turns the slices in these views, and no others."""
        for view, tag in self._sliceTags:
            view.RemoveObserver(tag)
        self._sliceTags = [
            (view, view.AddObserver("ModifiedEvent", self.onSliceTurned)) for view in views
        ]

    def onSliceTurned(self, view: Any, event: Any) -> None:
        from SkullGANScene.views import slice_views

        index = slice_views.index_in(view)
        within = 0 <= index < self.ui.pairSlider.maximum
        if within and index != self._pair() and not self._turning and view.IsMappedInLayout():
            self.ui.pairSlider.value = index + 1

    # What can be done.

    def updateButtons(self) -> None:
        ui = self.ui
        working = self.logic.isWorking()
        busy = _("Wait until the work below has ended, or cancel it.") if working else ""
        nothing = "" if self.node else _("The panel is not open.")
        rejection_reason = nothing or busy or (self._objection() if self.node else "")
        self.allow(
            ui.evaluateButton,
            rejection_reason,
            _("Evaluate in the background: some seconds to a few minutes, by the sets' size."),
        )
        self.allow(ui.loadButton, nothing or busy, _("Bring an earlier report into the scene."))
        sets = self._setsInScene() if self.node else []
        self.allow(
            ui.addSceneButton,
            ""
            if sets
            else _("There is no segment set in the scene; the module SkullGAN makes them."),
            _("Compare the kept segments of a set in the scene."),
        )
        picked = ui.setsTable.currentRow() >= 0
        self.allow(
            ui.removeSetButton,
            "" if picked else _("Pick a set in the list first."),
            _("Take the picked set off this list; its file or volume stays."),
        )
        self.allow(
            ui.cancelButton,
            "" if working else _("Nothing is being done."),
            _("End the work; the scene stays as it was and no report is left."),
        )
        self._updateResults(busy)

    def _objection(self) -> str:
        """Say why no evaluation can begin, or nothing."""
        node = self.node
        if not self.setsTable.sets:
            return _("Add segment sets first.")
        if node.useModel and node.modelPath and not Path(node.modelPath).is_file():
            return _("The model {path} is not there.").format(path=node.modelPath)
        if not node.reportsFolder:
            return _("Choose a folder for reports first.")
        return ""

    def _updateResults(self, busy: str) -> None:
        ui, nodes = self.ui, self._nodes()
        none = "" if nodes else _("There is no report in the scene yet.")
        gone = none or ("" if self._page() else _("The report's folder is no longer there."))
        where = str(nodes.report) if nodes else ""
        charts = none or ("" if nodes.charts else _("The charts were deleted."))
        summary = none or ("" if nodes.summary is not None else _("The table was deleted."))
        pairs = none or (
            ""
            if nodes.pairs is not None
            else _("No neighbors are known: a synthetic and a training set are needed.")
        )
        self.allow(ui.browserButton, gone, _("Open {folder} in the browser.").format(folder=where))
        self.allow(
            ui.removeReportButton,
            none or busy,
            _("Take this report out of the scene; its folder stays."),
        )
        self.allow(ui.chartButton, charts, _("Show this chart in the layout's plot view."))
        self.allow(ui.chartBox, charts, _("Charts of this report."))
        self.allow(
            ui.summaryButton, summary, _("Show the numbers of each set in the layout's table view.")
        )
        self.allow(
            ui.besideButton,
            pairs,
            _(
                "Change the layout to three linked views: synthetic segment, nearest real one,"
                " difference in HU (blue: less dense than real, red: denser)."
            ),
        )
        self.allow(ui.pairSlider, pairs, _("Which pair; those most like copies come first."))
        self.allow(
            ui.overlayCheckBox,
            none or busy,
            _(
                "Lay over the picked segment where the discriminator's decision comes from: orange"
                " speaks for real, blue for made. It is worked out once for the whole set."
            ),
        )
        self.allow(
            ui.methodBox,
            none or busy,
            _(
                "What each place of the image adds to the score, or what the score loses where the"
                " wall is smoothed: a second opinion, and slower."
            ),
        )
        for box in (ui.setBox, ui.orderBox):
            self.allow(box, none, _("Which segments are listed, and in which order."))


def _inWords(said: Any) -> str:
    """Give what a report says as HTML: warnings, questions and answers, what cannot be said."""
    warnings = "".join(f"<p style='color:#b00020'>{escape(one)}</p>" for one in said["concerns"])
    answers = "".join(
        f"<p><b>{escape(one['question'])} {escape(one['short'])}.</b><br>"
        f"{escape(' '.join(one['reasons']))}</p>"
        for one in said["answers"]
    )
    unsaid = "".join(f"<li>{escape(one)}</li>" for one in said["unsaid"])
    heading = escape(_("What cannot be said"))
    return warnings + answers + (f"<p><b>{heading}</b></p><ul>{unsaid}</ul>" if unsaid else "")


def _aboutPair(row: Any) -> str:
    """Say in words what is known of a pair of nearest segments."""
    moved = [_("left and right swapped")] if int(row["Flipped"]) else []
    for column, back, forth in (
        ("Rows down", _("{px} px up"), _("{px} px down")),
        ("Columns right", _("{px} px to the left"), _("{px} px to the right")),
    ):
        px = int(row[column])
        if px:
            moved.append((forth if px > 0 else back).format(px=abs(px)))
    text = _(
        "Synthetic {synthetic}, nearest training segment {training} by {way}{moved}. Likeness ratio"
        " {ratio:.2f} (1: as like as others are, 0: a copy)."
    ).format(
        synthetic=row["Synthetic"],
        training=row["Training"],
        way=row["Way"],
        moved=f" ({', '.join(moved)})" if moved else "",
        ratio=float(row["Likeness ratio"]),
    )
    return (
        f"{text} {_('Verdict: {verdict}.').format(verdict=row['Verdict'])}"
        if row["Verdict"]
        else text
    )


class SkullGANEvaluateTest(ScriptedLoadableModuleTest):
    """Runs in Slicer's self tests: sets that are not there are named."""

    def runTest(self) -> None:
        self.test_a_set_that_is_not_there_is_named()

    def test_a_set_that_is_not_there_is_named(self) -> None:
        from SkullGANGui import packages
        from SkullGANLib.errors import SkullGANError

        if packages.missing(packages.SEGMENTS):
            self.skipTest(packages.absence(packages.SEGMENTS))
        logic = SkullGANEvaluateLogic()
        gone = [ChosenSet("test", path="nowhere.h5")]
        logic.startEvaluation(gone, slicer.app.temporaryPath)
        while logic.poll() == "running":
            slicer.app.processEvents()
        self.assertRaisesRegex(SkullGANError, "nowhere.h5", logic.takeResult)  # noqa: PT027
        self.delayDisplay("A set that is not there is named")
