"""The module SkullGANEvaluate: a report that compares real and synthetic segments.

``SkullGANEvaluateLogic`` is what a script uses, ``SkullGANEvaluateWidget`` is the panel. The
report is written in a child process by ``Scripts/write_report.py``.
"""

# ruff: noqa: N802, N803, N806, N815 - camel case is what Slicer calls and how its modules read
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

POLL_MSEC = 100
SCRIPT = Path(__file__).parent / "Scripts" / "write_report.py"


class SkullGANEvaluate(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("SkullGAN Evaluate")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
        parent.dependencies = ["SkullGAN"]
        parent.contributors = ["The SkullGAN for 3D Slicer developers"]
        parent.helpText = _(
            "Compares real and synthetic skull segments: how they look, their skull density ratio,"
            " thickness and intensity, and how the training went, as a page for the browser."
        )
        parent.acknowledgementText = _(
            'After the paper <a href="https://arxiv.org/abs/2308.00206">arXiv:2308.00206</a>.'
        )


@parameterNodeWrapper
class SkullGANEvaluateParameterNode:
    """What the panel remembers in the scene.

    realSets, syntheticSets: paths of segment sets, one a line.
    runFolder: of a training to show, or empty.
    reportFolder: where the report goes.
    """

    realSets: str = ""
    syntheticSets: str = ""
    runFolder: str = ""
    reportFolder: str = ""


class SkullGANEvaluateLogic(ScriptedLoadableModuleLogic):
    """Reports, one at a time, without a panel.

    Example::

        logic = SkullGANEvaluateLogic()
        logic.start(["real.h5"], ["synthetic.h5"], "report")
        while logic.poll() == "running":
            slicer.app.processEvents()
        page = logic.takeReport()
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.child: Any = None
        self._folder = Path()

    def getParameterNode(self) -> SkullGANEvaluateParameterNode:
        return SkullGANEvaluateParameterNode(super().getParameterNode())

    def start(
        self, real: list[str], synthetic: list[str], reportFolder: str, runFolder: str = ""
    ) -> None:
        """Begin to write a report; raises ``SkullGANError`` if it cannot be."""
        from SkullGANLib.process import ChildProcess, script_line

        arguments = ["-o", reportFolder, "--progress", "lines"]
        arguments += ["--real", *real] if real else []
        arguments += ["--synthetic", *synthetic] if synthetic else []
        arguments += ["--run", runFolder] if runFolder else []
        self.child = ChildProcess(script_line(SCRIPT, arguments))
        self._folder = Path(reportFolder)

    def poll(self) -> str:
        """Carry on; give ``idle``, ``running``, ``finished``, ``cancelled`` or ``failed``."""
        return self.child.poll() if self.child else "idle"

    def takeReport(self) -> Path | None:
        """Give the page that a finished child wrote, None if it was cancelled.

        Raises:
            SkullGANError: with the child's sentence if it failed.
        """
        from SkullGANLib.errors import SkullGANError

        child, self.child = self.child, None
        if child.state == "failed":
            raise SkullGANError(child.sentence)
        return self._folder / "report.html" if child.state == "finished" else None

    def close(self) -> None:
        """End what is being written."""
        if self.child:
            self.child.end()
            self.child = None


class SkullGANEvaluateWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: SkullGANEvaluateLogic | None = None
        self._parameterNode: SkullGANEvaluateParameterNode | None = None
        self._guiTag: int | None = None

    def setup(self) -> None:
        """Build the panel, when it is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SkullGANEvaluate.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        self._uiWidget = uiWidget
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SkullGANEvaluateLogic()
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MSEC)
        self.timer.connect("timeout()", self.onTimer)

        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.ui.addRealButton.connect("clicked(bool)", lambda: self.onAdd("realSets"))
        self.ui.addSyntheticButton.connect("clicked(bool)", lambda: self.onAdd("syntheticSets"))
        self.ui.writeButton.connect("clicked(bool)", self.onWrite)
        self.ui.openButton.connect("clicked(bool)", self.onOpen)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancel)
        self.ui.realEdit.connect("textChanged()", self.onRealSets)
        self.ui.syntheticEdit.connect("textChanged()", self.onSyntheticSets)
        self.ui.runFolder.connect("currentPathChanged(QString)", self.onRunFolder)
        self.ui.reportFolder.connect("currentPathChanged(QString)", self.onReportFolder)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module goes: with it goes a report that is being written."""
        self.timer.stop()
        self.setParameterNode(None)
        self.removeObservers()
        self.logic.close()

    def enter(self) -> None:
        """Called whenever the user comes to the panel."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """Called whenever the user leaves the panel; work goes on."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller: Any, event: Any) -> None:
        self.setParameterNode(None)  # a report belongs to no scene: it is finished

    def onSceneEndClose(self, caller: Any, event: Any) -> None:
        self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, node: SkullGANEvaluateParameterNode | None) -> None:
        """Show the parameters of a node, and no longer those of the one before."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(
                self._parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameters
            )
        self._parameterNode = node
        if node:
            # Not connectGui, which gives no tag to disconnect by (Slicer/Slicer#7547).
            self._guiTag = node.connectParametersToGui(self._namedWidgets())
            self.addObserver(node.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameters)
            self.onParameters()

    def _namedWidgets(self) -> dict[str, Any]:
        """The widgets that name a parameter, by its name."""
        named = "SlicerParameterName"
        widgets = slicer.util.findChildren(self._uiWidget)
        return {w.property(named): w for w in widgets if w.property(named)}

    def onParameters(self, caller: Any = None, event: Any = None) -> None:
        """Show what the parameter node holds and allow what it allows."""
        node = self._parameterNode
        # Texts are not left to connectGui, which would move the cursor of who is typing.
        for edit, text in (
            (self.ui.realEdit, node.realSets),
            (self.ui.syntheticEdit, node.syntheticSets),
        ):
            if edit.toPlainText() != text:
                edit.setPlainText(text)
        for edit, path in (
            (self.ui.runFolder, node.runFolder),
            (self.ui.reportFolder, node.reportFolder),
        ):
            if edit.currentPath != path:
                edit.currentPath = path
        self.updateButtons()

    def onRealSets(self) -> None:
        if self._parameterNode:
            self._parameterNode.realSets = self.ui.realEdit.toPlainText()

    def onSyntheticSets(self) -> None:
        if self._parameterNode:
            self._parameterNode.syntheticSets = self.ui.syntheticEdit.toPlainText()

    def onRunFolder(self, path: str) -> None:
        if self._parameterNode:
            self._parameterNode.runFolder = path

    def onReportFolder(self, path: str) -> None:
        if self._parameterNode:
            self._parameterNode.reportFolder = path

    def updateButtons(self) -> None:
        """Enable what can be done; a button that cannot be pressed says why."""
        working = self.logic.child is not None
        node = self._parameterNode
        if node:
            self._allow(
                self.ui.writeButton, self._objection(), _("Write the report and open it, in 10 s.")
            )
            page = Path(node.reportFolder) / "report.html"
            self._allow(
                self.ui.openButton,
                "" if node.reportFolder and page.is_file() else _("There is no report here yet."),
                _("Open the report of this folder in the browser."),
            )
        self._allow(
            self.ui.cancelButton,
            "" if working else _("Nothing is being done."),
            _("End the work; files that are written already stay."),
        )

    def _objection(self) -> str:
        node = self._parameterNode
        if self.logic.child is not None:
            return _("Wait until the report below is written, or cancel it.")
        if not self._paths("realSets") and not self._paths("syntheticSets"):
            return _("Choose at least one segment set first.")
        if not node.reportFolder:
            return _("Choose a report folder first.")
        return ""

    @staticmethod
    def _allow(button: Any, objection: str, use: str) -> None:
        button.enabled = not objection
        button.toolTip = objection or use

    def onAdd(self, name: str) -> None:
        chosen = qt.QFileDialog.getOpenFileNames(
            None, _("Segment sets to compare"), "", _("Segment sets (*.h5)")
        )
        setattr(self._parameterNode, name, "\n".join([*self._paths(name), *chosen]))

    def onWrite(self) -> None:
        node = self._parameterNode
        with self._shownErrors(_("No report was written.")):
            self.logic.start(
                self._paths("realSets"),
                self._paths("syntheticSets"),
                node.reportFolder,
                node.runFolder,
            )
            self.ui.progressBar.value = 0
            self.ui.statusLabel.text = _("Writing the report...")
            self.timer.start()
        self.updateButtons()

    def onCancel(self) -> None:
        if self.logic.child:
            self.logic.child.cancel()
            self.ui.statusLabel.text = _("Cancelling...")

    def onOpen(self) -> None:
        page = Path(self._parameterNode.reportFolder) / "report.html"
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page)))

    def onTimer(self) -> None:
        """Show how far the child is; open the report when it is written."""
        state = self.logic.poll()
        self.ui.progressBar.value = round(100 * self.logic.child.share)
        if state == "running":
            return
        self.timer.stop()
        with self._shownErrors(_("No report was written.")):
            page = self.logic.takeReport()
            if page is None:
                self.ui.statusLabel.text = _("Cancelled.")
            else:
                self.ui.statusLabel.text = _("Written: {page}").format(page=page)
                qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page)))
        self.updateButtons()

    def _paths(self, name: str) -> list[str]:
        lines = getattr(self._parameterNode, name).splitlines()
        return [line.strip() for line in lines if line.strip()]

    @contextmanager
    def _shownErrors(self, message: str) -> Iterator[None]:
        """Show what a user can mend as a sentence; the rest is a bug and keeps its traceback."""
        from SkullGANLib.errors import SkullGANError

        problem = None
        with slicer.util.tryWithErrorDisplay(message, waitCursor=True):
            try:
                yield
            except SkullGANError as error:
                problem = error
        if problem:
            self.ui.progressBar.value = 0
            self.ui.statusLabel.text = str(problem)
            self.updateButtons()
            slicer.util.errorDisplay(f"{message}\n\n{problem}")


class SkullGANEvaluateTest(ScriptedLoadableModuleTest):
    """Runs in Slicer's self tests: sets that are not there are named."""

    def runTest(self) -> None:
        self.test_a_set_that_is_not_there_is_named()

    def test_a_set_that_is_not_there_is_named(self) -> None:
        from SkullGANLib.errors import SkullGANError

        logic = SkullGANEvaluateLogic()
        logic.start(["nowhere.h5"], [], slicer.app.temporaryPath)
        while logic.poll() == "running":
            slicer.app.processEvents()
        self.assertRaisesRegex(SkullGANError, "nowhere.h5", logic.takeReport)  # noqa: PT027
        self.delayDisplay("A set that is not there is named")
