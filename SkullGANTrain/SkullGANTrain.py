"""The module SkullGANTrain: trainings in processes of their own, watched through their run folders.

``SkullGANTrainLogic`` starts, watches and stops trainings, with or without a panel;
``SkullGANTrainWidget`` is the panel. Neither imports torch: that is the children's. What is below
lies in ``SkullGANTrainLib``.
"""

# ruff: noqa: N802, N806, N815 - camel case is what Slicer calls and how its modules read
import time
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util
from SkullGANGui.panel_widget import PanelWidget
from SkullGANTrainLib import parameters
from SkullGANTrainLib.form_view import FormView
from SkullGANTrainLib.logic import SkullGANTrainLogic
from SkullGANTrainLib.run_table import RunTable
from SkullGANTrainLib.run_view import RunView
from SkullGANTrainLib.set_list import SetList
from SkullGANTrainLib.settings_table import SettingsTable
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest

RUNS_MSEC, CATCHING_UP_MSEC = 300, 60
LIST_EVERY_S = 2.0
CURVES_EVERY_S = 1.0


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
            " scene or Slicer is closed; its run folder holds everything about it, and the panel"
            " finds it there again."
        )
        parent.acknowledgementText = _(
            'After the paper <a href="https://arxiv.org/abs/2308.00206">arXiv:2308.00206</a>.'
        )


class SkullGANTrainWidget(PanelWidget):
    """The panel: a form for the next training, the trainings of a folder, and one of them."""

    logicClass = SkullGANTrainLogic

    def __init__(self, parent: Any = None) -> None:
        PanelWidget.__init__(self, parent)
        self._listing: Any = None
        self._listed = self._curved = 0.0
        self._sight: Any = None
        self._lastFolder = ""

    # Set-up.

    def connectWidgets(self) -> None:
        ui = self.ui
        self.sets = SetList(ui.setsList, self.onSetsTicked)
        self.form = FormView(ui, self.logic, self.updateButtons)
        self.settings = SettingsTable(ui.settingsTable, self.onSettings)
        self.runs = RunTable(ui.runsTable, self.onRunPicked)
        self.view = RunView(ui, self.logic)
        ui.setsList.connect("itemSelectionChanged()", self.updateButtons)
        for button, slot in (
            (ui.addButton, self.onAdd),
            (ui.removeButton, self.onRemove),
            (ui.resetButton, lambda: self.onSettings({})),
            (ui.startButton, self.onStart),
            (ui.copyButton, self.onCopy),
            (ui.stopButton, self.onStop),
            (ui.resumeButton, self.onResume),
            (ui.generateButton, self.onGenerate),
            (ui.openButton, self.onOpenFolder),
            (ui.curvesButton, self.onShowCurves),
            (ui.removeCurvesButton, self.onRemoveCurves),
        ):
            button.connect("clicked()", slot)
        ui.deviceComboBox.connect("activated(int)", self.onDevice)
        self.keepPath(ui.runsFolder, "runsFolder")
        self.keepPath(ui.pretrainedPath, "pretrained")
        self.keepText(ui.runNameEdit, "runName")
        self.runTimer = qt.QTimer()
        self.runTimer.setInterval(RUNS_MSEC)
        self.runTimer.connect("timeout()", self.onRunTimer)
        slicer.app.connect("aboutToQuit()", self.onAboutToQuit)

    def cleanup(self) -> None:
        """Called when the module goes; trainings go on."""
        slicer.app.disconnect("aboutToQuit()", self.onAboutToQuit)
        self.runTimer.stop()
        PanelWidget.cleanup(self)

    def enter(self) -> None:
        PanelWidget.enter(self)
        self.runTimer.start()

    def exit(self) -> None:
        PanelWidget.exit(self)
        if not self.logic.trainings:
            self.runTimer.stop()

    def parametersChosen(self) -> None:
        if not self.node.runsFolder:
            self.node.runsFolder = self._lastFolder or str(Path.home() / "SkullGAN runs")

    def showParameters(self) -> None:
        from SkullGANLib.training.recipe import RECIPES

        node, chosen = self.node, RECIPES[self.node.recipe]
        if node.runsFolder and node.runsFolder != self._lastFolder:
            self._lastFolder = node.runsFolder
            self._listing, self._listed = None, 0.0
        self.settings.show(node.recipe, parameters.settings(node))
        self.ui.recipeLabel.text = _recipeSentence(node.recipe)
        self.ui.recipeComboBox.toolTip = _(
            "Settings to train with; {name} takes {epochs} epochs in batches of {batch} segments."
        ).format(name=node.recipe, epochs=chosen.epochs, batch=chosen.batch_size)
        self.ui.runNameEdit.placeholderText = parameters.freeName(node)
        self.sets.show(node)
        self.form.showDevice(node)
        watched = Path(node.watched) if node.watched else None
        if watched != (self.logic.follower.run.path if self.logic.follower else None):
            self._watchRun(node.watched)

    # The form.

    def onAdd(self) -> None:
        chosen = qt.QFileDialog.getOpenFileNames(
            None, _("Segment sets to learn from"), "", _("Segment sets (*.h5 *.hdf5)")
        )
        there = parameters.paths(self.node)
        new = [path for path in chosen if path not in there]
        self.node.segmentSets = "\n".join([*there, *new])

    def onRemove(self) -> None:
        gone = self.sets.pickedFiles()
        left = [path for path in parameters.paths(self.node) if path not in gone]
        self.node.segmentSets = "\n".join(left)

    def onSetsTicked(self, volumes: list[Any]) -> None:
        if self.node:
            parameters.chooseSceneSets(self.node, volumes)

    def onDevice(self, index: int) -> None:
        if self.node:
            self.node.device = self.form.device(index)

    def onSettings(self, settings: dict[str, str]) -> None:
        if self.node:
            self.node.settings = "\n".join(f"{name}={text}" for name, text in settings.items())

    # Starting and copying.

    def onStart(self) -> None:
        from SkullGANGui import packages

        with self.shownErrors(_("The training was not started.")):
            packages.ensure(packages.MODELS, _("Training"))
            self.run(
                self.logic.startTraining(self.node),
                on_done=self._started,
                cancelled=_("Cancelled."),
            )

    def _started(self, folder: Path) -> str:
        if self.node:  # the user may have left the panel meanwhile
            self.node.runName = ""
            self.node.watched = str(folder)
        self._listed = 0.0
        return _("{name} is being trained in the background; Slicer may be closed.").format(
            name=folder.name
        )

    def onCopy(self) -> None:
        from SkullGANGui import packages

        with self.shownErrors(_("The command was not copied.")):
            if parameters.sceneSets(self.node):
                packages.ensure(packages.SEGMENTS, _("Saving the scene's sets"))
            self.run(
                self.logic.startCommand(self.node),
                on_done=self._copied,
                cancelled=_("Cancelled."),
            )

    def _copied(self, line: str) -> str:
        slicer.app.clipboard().setText(line)
        return _("Copied: {command}").format(command=line)

    # The runs.

    def onRunTimer(self) -> None:
        """Look after trainings, the list of runs, the run that is watched and the form."""
        for ended in self.logic.pollTrainings():
            self._listed = 0.0
            self._sayEnded(ended)
        if self.node is None:
            if not self._entered and not self.logic.trainings:
                self.runTimer.stop()
            return
        self._showWatched()
        self._listRuns()
        self.form.carryOn(self.node)
        self.updateButtons()
        behind = bool(self.logic.follower and self.logic.follower.behind > 0.01)
        self.runTimer.setInterval(CATCHING_UP_MSEC if behind else RUNS_MSEC)

    def _sayEnded(self, ended: Any) -> None:
        message = {
            "finished": _("{name}: the training has come to its end."),
            "cancelled": _("{name}: the training was stopped."),
            "failed": _("{name}: the training failed."),
        }[ended.state].format(name=ended.folder.name)
        self.ui.statusLabel.text = f"{message} {ended.sentence}".strip()
        if ended.state == "failed":
            self._showWatched()
            slicer.util.errorDisplay(f"{message}\n\n{ended.sentence}")

    def _listRuns(self) -> None:
        """Carry on with listing the folder for a moment."""
        if self._listing is None:
            if time.monotonic() - self._listed < LIST_EVERY_S:
                return
            self._listing = self.logic.runsIn(self.node.runsFolder.strip())
        sights = next(self._listing)
        if sights is None:
            return
        self._listing, self._listed = None, time.monotonic()
        if not self.node.watched and sights and sights[0].goes_on:
            self.node.watched = str(sights[0].run.path)
        watched = Path(self.node.watched) if self.node.watched else None
        self.runs.show(sights, watched)
        self.ui.runsLabel.visible = not sights
        self.sets.show(self.node)  # the scene may have got new ones
        self.ui.runNameEdit.placeholderText = parameters.freeName(self.node)

    def onRunPicked(self, folder: Path) -> None:
        if self.node:
            self.node.watched = str(folder)

    def _watchRun(self, folder: str) -> None:
        self.logic.follow(folder)
        self.ui.watchSection.collapsed = not folder
        self._sight = None
        self.view.clear()
        self._showWatched()

    def _showWatched(self) -> None:
        follower = self.logic.follower
        if follower is None:
            self._sight = None
            return
        folder = follower.run.path
        grown = follower.read()
        self._sight = self.logic.look(folder)
        stopping = self._sight.goes_on and self.logic.isStopping(folder)
        self.view.show(
            self._sight, _("Stopping: the model so far is being saved...") if stopping else ""
        )
        due = time.monotonic() - self._curved > CURVES_EVERY_S
        if self.node and len(follower.curves) and (due or not follower.behind) and grown:
            self._curved = time.monotonic()
            self.logic.updateCurves(folder)

    def _watched(self) -> Path:
        return self.logic.follower.run.path

    def onStop(self) -> None:
        with self.shownErrors(_("The training was not stopped.")):
            self.logic.stop(self._watched())
        self._showWatched()
        self.updateButtons()

    def onResume(self) -> None:
        from SkullGANGui import packages

        with self.shownErrors(_("The training does not go on.")):
            packages.ensure(packages.MODELS, _("Training"))
            self.logic.resume(self._watched(), self.node.device)
            self.ui.runLabel.text = _("Starting, which takes some seconds...")
        self.updateButtons()

    def onOpenFolder(self) -> None:
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self._watched())))

    def onGenerate(self) -> None:
        with self.shownErrors(_("The module SkullGAN did not take the model.")):
            self.logic.offerToGenerate(self._watched())

    def onShowCurves(self) -> None:
        with self.shownErrors(_("The curves were not shown.")):
            self.logic.showCurves(self._watched(), self.node.chart)
        self.updateButtons()

    def onRemoveCurves(self) -> None:
        self.logic.removeCurves(self._watched())
        self.updateButtons()

    # What can be done.

    def updateButtons(self) -> None:
        """Enable what can be done; what cannot says why."""
        busy = _("Wait until the work above has ended, or cancel it.")
        working = busy if self.logic.isWorking() else ""
        node, ui = self.node, self.ui
        for widget in (ui.progressBar, ui.cancelButton):
            widget.visible = bool(working)
        ui.statusLabel.visible = bool(ui.statusLabel.text)
        if node is None:
            return
        form = parameters.rejection_reason(node)
        self.allow(
            ui.startButton,
            working or form or self.form.rejection_reason(node),
            _("Train in the background; Slicer stays usable and may be closed."),
        )
        self.allow(
            ui.copyButton,
            working or form,
            _(
                "Copy the command that does this training in a terminal, here or on another machine"
                " (with the paths changed); sets of the scene are saved as files first."
            ),
        )
        self.allow(
            ui.resetButton,
            "" if node.settings.strip() else _("Nothing differs from the recipe."),
            _("Take all settings from the recipe."),
        )
        picked = self.sets.pickedFiles()
        self.allow(
            ui.removeButton,
            "" if picked else _("Pick files in the list first; sets of the scene are unticked."),
            _("Take the picked files out of the list; they stay on the disk."),
        )
        self.allow(ui.cancelButton, "" if working else _("Nothing is being done."), _("Cancel."))
        self._updateRunButtons()

    def _updateRunButtons(self) -> None:
        ui, sight = self.ui, self._sight
        none = _("Start a training, or pick one in the list.") if sight is None else ""
        goesOn = bool(sight and (sight.goes_on or self._watched() in self.logic.trainings))
        ending = goesOn and self.logic.isStopping(self._watched())
        ui.stopButton.text = _("End now") if ending else _("Stop")
        self.allow(
            ui.stopButton,
            none or ("" if goesOn else _("It does not run.")),
            _("End at once, without saving, with all it started.")
            if ending
            else _("Save the model so far and end; it can be gone on with."),
        )
        lacking = _("It left no segments to go on with; start it anew.")
        if goesOn or (sight and sight.state == "finished"):
            lacking = _("It runs.") if goesOn else _("It came to its end.")
        resumable = bool(sight and sight.can_resume and not goesOn)
        self.allow(
            ui.resumeButton,
            none or ("" if resumable else lacking),
            _("Go on from the last checkpoint, on the device chosen above."),
        )
        hasModel = bool(sight and sight.run.model_path.is_file())
        self.allow(
            ui.generateButton,
            none or ("" if hasModel else _("There is no model yet; it is saved at the end.")),
            _("Choose this model in the module SkullGAN and go there."),
        )
        there = bool(sight and sight.state != "gone")
        self.allow(
            ui.openButton, none or ("" if there else _("It is gone.")), _("Show the run folder.")
        )
        follower = self.logic.follower
        reported = bool(follower and len(follower.curves))
        self.allow(
            ui.curvesButton,
            none or ("" if reported else _("It has reported nothing yet.")),
            _(
                "Put the curves into the scene and show them in a plot view, which changes the"
                " layout; they grow with the training."
            ),
        )
        inScene = bool(sight and self.logic.hasCurves(self._watched()))
        self.allow(
            ui.removeCurvesButton,
            "" if inScene else _("Its curves are not in the scene."),
            _("Take the curves out of the scene."),
        )

    # Closing.

    def sceneStartsClosing(self) -> None:
        self._askWhetherToGoOn(_("The scene is being closed."))

    def onAboutToQuit(self) -> None:
        if self.logic:
            self._askWhetherToGoOn(_("Slicer is being closed."))

    def _askWhetherToGoOn(self, why: str) -> None:
        """Ask whether trainings that we started go on; "No" lets them save and end."""
        self.logic.pollTrainings()
        running = [folder for folder in self.logic.trainings if not self.logic.isStopping(folder)]
        if not running:
            return
        names = ", ".join(folder.name for folder in running)
        goOn = slicer.util.confirmYesNoDisplay(
            _(
                "{why} These trainings run in the background: {names}.\n\nShall they go on? With No"
                " they save the model so far and end."
            ).format(why=why, names=names),
            windowTitle=_("Trainings go on?"),
        )
        if not goOn:
            self.logic.askAllToStop()


def _recipeSentence(name: str) -> str:
    return {
        "demo": _("Small and short, to try out: minutes on a computer without graphics card."),
        "fast": _("The paper's networks, steadied for small sets; wants a graphics card."),
        "paper": _("The paper to the letter; its update gate may stop the generator."),
        "published": _("As the authors' published code; wants a graphics card."),
    }.get(name, "")


class SkullGANTrainTest(ScriptedLoadableModuleTest):
    """Runs in Slicer's self tests, without training: a folder that holds no run says nothing."""

    def runTest(self) -> None:
        self.test_a_folder_without_a_run_is_gone()

    def test_a_folder_without_a_run_is_gone(self) -> None:
        logic = SkullGANTrainLogic()
        logic.follow(slicer.app.temporaryPath)
        assert logic.look(slicer.app.temporaryPath).state == "gone"
        assert logic.samples() == []
        logic.close()
        self.delayDisplay("A folder without a run is not taken for one")
