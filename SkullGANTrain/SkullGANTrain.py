"""The module SkullGANTrain: a training in a process of its own, watched through its run folder.

``SkullGANTrainLogic`` starts, watches and stops a training, with or without a panel;
``SkullGANTrainWidget`` is the panel. Neither imports torch: that is the child's.
"""

# ruff: noqa: N802, N803, N806, N815 - camel case is what Slicer calls and how its modules read
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import qt
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

POLL_MSEC = 300
PATIENCE_S = 60.0
"""How long a training may take to save before it is ended, on the first press of Stop."""
SAMPLES_WIDTH_PX = 400


class SkullGANTrain(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("SkullGAN Train")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
        parent.dependencies = ["SkullGAN"]
        parent.contributors = ["The SkullGAN for 3D Slicer developers"]
        parent.helpText = _(
            "Trains a SkullGAN on segment sets in the background. The training goes on when the"
            " scene or Slicer is closed; its run folder holds everything about it."
        )
        parent.acknowledgementText = _(
            'After the paper <a href="https://arxiv.org/abs/2308.00206">arXiv:2308.00206</a>.'
        )


@parameterNodeWrapper
class SkullGANTrainParameterNode:
    """What the panel remembers in the scene.

    segmentSets: paths, one a line.
    recipe: name of a recipe of ``SkullGANLib.recipe``.
    device: where to compute.
    runFolder: the run directory to make.
    settings: what differs from the recipe, as ``name=value`` with spaces between.
    """

    segmentSets: str = ""
    recipe: Annotated[str, Choice(["demo", "fast", "paper", "published"])] = "demo"
    device: Annotated[str, Choice(["auto", "cpu", "cuda", "mps"])] = "auto"
    runFolder: str = ""
    settings: str = ""


class SkullGANTrainLogic(ScriptedLoadableModuleLogic):
    """One training at a time: start it, look at its run folder, stop it.

    Example::

        logic = SkullGANTrainLogic()
        logic.start(["segments.h5"], "runs/first", recipe="demo")
        while logic.poll() == "running":
            slicer.app.processEvents()
        print(logic.status().message)
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.child: Any = None
        self.folder: Path | None = None
        self._offset = 0
        self._lastEvent: dict[str, Any] = {}

    def getParameterNode(self) -> SkullGANTrainParameterNode:
        return SkullGANTrainParameterNode(super().getParameterNode())

    def start(
        self,
        segmentSets: list[str],
        runFolder: str,
        recipe: str = "paper",
        device: str = "auto",
        settings: str = "",
    ) -> None:
        """Start a training; raises ``SkullGANError`` if it cannot be."""
        from SkullGANLib.process import ChildProcess, command_line

        arguments = ["train", *segmentSets, "-o", runFolder, "--recipe", recipe]
        arguments += ["--device", device, "--progress", "lines"]
        for setting in settings.split():
            arguments += ["--set", setting]
        self.child = ChildProcess(command_line(arguments), run_directory=runFolder)
        self.watch(runFolder)

    def watch(self, runFolder: str) -> None:
        """Look at a run folder from now on, whoever trains there."""
        self.folder = Path(runFolder) if runFolder else None
        self._offset, self._lastEvent = 0, {}

    def poll(self) -> str:
        """Carry on; give ``idle``, ``running``, ``finished``, ``cancelled`` or ``failed``."""
        if self.child:
            return self.child.poll()
        status = self.status()
        return status.state if status else "idle"

    def stop(self, patienceS: float = PATIENCE_S) -> None:
        """Ask the training to save and end; our own is ended when the patience is over."""
        run = self._run()
        if self.child:
            self.child.cancel(ask_s=patienceS)
        elif run:
            run.request_stop()

    def status(self) -> Any:
        """The ``SkullGANLib.run.Status`` of the run folder, None if there is none yet."""
        run = self._run()
        return run.status() if run else None

    def lastEvent(self) -> dict[str, Any]:
        """The newest report; only what is new in the file is read."""
        run = self._run()
        if run:
            events, self._offset = run.events(self._offset)
            self._lastEvent = events[-1] if events else self._lastEvent
        return self._lastEvent

    def newestSamples(self) -> Path | None:
        """The newest picture of synthetic segments."""
        run = self._run()
        samples = run.samples() if run else []
        return samples[-1] if samples else None

    def letGo(self) -> None:
        """Leave the training to itself."""
        if self.child and self.child.poll() == "running":
            self.child.let_go()
        self.child = None

    def _run(self) -> Any:
        from SkullGANLib.run import Run

        run = Run(self.folder) if self.folder else None
        return run if run and run.recipe_path.is_file() else None


class SkullGANTrainWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: SkullGANTrainLogic | None = None
        self._parameterNode: SkullGANTrainParameterNode | None = None
        self._guiTag: int | None = None
        self._shownSamples: Path | None = None
        self._state = "idle"

    def setup(self) -> None:
        """Build the panel, when it is opened for the first time."""
        from SkullGANLib.recipe import RECIPES

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SkullGANTrain.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        self._uiWidget = uiWidget
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SkullGANTrainLogic()
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MSEC)
        self.timer.connect("timeout()", self.onTimer)
        self._lengths = {name: recipe.epochs for name, recipe in RECIPES.items()}

        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.ui.addButton.connect("clicked(bool)", self.onAdd)
        self.ui.startButton.connect("clicked(bool)", self.onStart)
        self.ui.stopButton.connect("clicked(bool)", self.onStop)
        self.ui.segmentSetsEdit.connect("textChanged()", self.onSegmentSets)
        self.ui.runFolder.connect("currentPathChanged(QString)", self.onRunFolder)
        self.ui.settingsEdit.connect("textChanged(QString)", self.onSettings)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module goes; a training goes on."""
        self.timer.stop()
        self.setParameterNode(None)
        self.removeObservers()
        self.logic.letGo()

    def enter(self) -> None:
        """Called whenever the user comes to the panel."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """Called whenever the user leaves the panel; a training goes on."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller: Any, event: Any) -> None:
        self.setParameterNode(None)  # a training belongs to no scene: it goes on

    def onSceneEndClose(self, caller: Any, event: Any) -> None:
        self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, node: SkullGANTrainParameterNode | None) -> None:
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
        """Show what the parameter node holds; look at the run in its folder, if there is one."""
        node = self._parameterNode
        # Texts are not left to connectGui, which would move the cursor of who is typing.
        if self.ui.segmentSetsEdit.toPlainText() != node.segmentSets:
            self.ui.segmentSetsEdit.setPlainText(node.segmentSets)
        if self.ui.runFolder.currentPath != node.runFolder:
            self.ui.runFolder.currentPath = node.runFolder
        if self.ui.settingsEdit.text != node.settings:
            self.ui.settingsEdit.text = node.settings
        if not self.logic.child and str(self.logic.folder or "") != node.runFolder:
            self.logic.watch(node.runFolder)
            self.timer.start()
        self.ui.recipeComboBox.toolTip = _(
            "Settings to train with. {name} takes {epochs} epochs; demo is for trying out on a"
            " computer without graphics card, paper and published need one."
        ).format(name=node.recipe, epochs=self._lengths[node.recipe])
        self.updateButtons()

    def onSegmentSets(self) -> None:
        if self._parameterNode:
            self._parameterNode.segmentSets = self.ui.segmentSetsEdit.toPlainText()

    def onRunFolder(self, path: str) -> None:
        if self._parameterNode:
            self._parameterNode.runFolder = path

    def onSettings(self, settings: str) -> None:
        if self._parameterNode:
            self._parameterNode.settings = settings

    def updateButtons(self) -> None:
        """Enable what can be done; a button that cannot be pressed says why."""
        if self._parameterNode is None:
            return
        objection = self._objection()
        self.ui.startButton.enabled = not objection
        self.ui.startButton.toolTip = objection or _(
            "Train in the background; Slicer stays usable and may be closed."
        )
        running = self._state == "running"
        ending = running and self.logic.child is not None and self.logic.child.cancelling
        self.ui.stopButton.enabled = running
        self.ui.stopButton.text = _("End now") if ending else _("Stop")
        self.ui.stopButton.toolTip = (
            (_("End at once, without saving.") if ending else _("Save the model so far and end."))
            if running
            else _("No training is running here.")
        )

    def _objection(self) -> str:
        node = self._parameterNode
        if self._state == "running":
            return _("A training is running here; stop it or wait.")
        if not self._paths():
            return _("Choose at least one segment set first.")
        if not node.runFolder:
            return _("Choose a run folder first.")
        if (Path(node.runFolder) / "recipe.json").is_file():
            return _("This run folder holds a training already; choose a new one.")
        return ""

    def onAdd(self) -> None:
        chosen = qt.QFileDialog.getOpenFileNames(
            None, _("Segment sets to learn from"), "", _("Segment sets (*.h5)")
        )
        self._parameterNode.segmentSets = "\n".join([*self._paths(), *chosen])

    def onStart(self) -> None:
        node = self._parameterNode
        with self._shownErrors(_("The training was not started.")):
            self.logic.start(self._paths(), node.runFolder, node.recipe, node.device, node.settings)
            self._state = "running"
            self._showSamples(None)
            self.ui.progressBar.value = 0
            self.ui.lossLabel.text = ""
            self.ui.statusLabel.text = _("Starting, which takes some seconds...")
            self.timer.start()
        self.updateButtons()

    def onStop(self) -> None:
        again = self.logic.child is not None and self.logic.child.cancelling
        with self._shownErrors(_("The training was not stopped.")):
            self.logic.stop(0.0 if again else PATIENCE_S)
        self.ui.statusLabel.text = _("Stopping: the model so far is being saved...")
        self.updateButtons()

    def onTimer(self) -> None:
        """Show what the run folder says."""
        from SkullGANLib.errors import SkullGANError

        try:
            self._state = self.logic.poll()
            self._showRun()
        except SkullGANError as error:  # in the panel alone: a box would come back with the timer
            self._state = self.logic.child.state if self.logic.child else "idle"
            self.ui.statusLabel.text = str(error)
        if self._state != "running":
            self.timer.stop()
            ended, self.logic.child = self.logic.child, None
            if ended and self._state == "failed":
                self.ui.statusLabel.text = ended.sentence
                message = _("The training failed.")
                slicer.util.errorDisplay(f"{message}\n\n{ended.sentence}")
        self.updateButtons()

    def _showRun(self) -> None:
        status, event = self.logic.status(), self.logic.lastEvent()
        self._showSamples(self.logic.newestSamples())
        if event:
            self.ui.lossLabel.text = _(
                "Loss: generator {generator:.2f}, discriminator {discriminator:.2f};"
                " {speed:.0f} segments per second"
            ).format(
                generator=event["generator_loss"],
                discriminator=event["discriminator_loss"],
                speed=event["images_per_s"],
            )
        if status is None:
            return
        self.ui.progressBar.value = round(100 * status.progress)
        done = _("Epoch {epoch}, iteration {iteration} of {iterations}").format(
            epoch=status.epoch, iteration=status.iteration, iterations=status.iterations
        )
        if self.logic.child and self.logic.child.cancelling and self._state == "running":
            return
        left = _(", {s:.0f} s left").format(s=status.eta_s) if status.eta_s else ""
        said = f"{done}{left}" if self._state == "running" else status.message
        if self._state == "finished":
            model = self.logic.folder / "model.safetensors"
            said += " " + _("The model to generate with is {path}").format(path=model)
        self.ui.statusLabel.text = said or done

    def _showSamples(self, path: Path | None) -> None:
        if path == self._shownSamples:
            return
        self._shownSamples = path
        picture = qt.QPixmap(str(path)) if path else None
        if picture is None or picture.isNull():
            self.ui.samplesLabel.clear()
            return
        self.ui.samplesLabel.setPixmap(
            picture.scaledToWidth(SAMPLES_WIDTH_PX, qt.Qt.SmoothTransformation)
        )

    def _paths(self) -> list[str]:
        lines = self._parameterNode.segmentSets.splitlines()
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
            self.ui.statusLabel.text = str(problem)
            self.updateButtons()
            slicer.util.errorDisplay(f"{message}\n\n{problem}")


class SkullGANTrainTest(ScriptedLoadableModuleTest):
    """Runs in Slicer's self tests, without training: a folder that holds no run says nothing."""

    def runTest(self) -> None:
        self.test_a_folder_without_a_run_is_idle()

    def test_a_folder_without_a_run_is_idle(self) -> None:
        logic = SkullGANTrainLogic()
        logic.watch(slicer.app.temporaryPath)
        assert logic.poll() == "idle"
        assert logic.newestSamples() is None
        self.delayDisplay("A folder without a run is idle")
