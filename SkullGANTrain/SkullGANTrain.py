"""The module SkullGANTrain: trainings in processes of their own, watched through their run folders.

``SkullGANTrainLogic`` starts, watches and stops trainings, with or without a panel;
``SkullGANTrainWidget`` is the panel. Neither imports torch: that is the children's. What is below
lies in ``SkullGANTrainLib``.
"""

# ruff: noqa: N802, N806, N815 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
import slicer.util
from SkullGANGui import documentation, last_places
from SkullGANGui.module_test import ModuleTest
from SkullGANGui.panel_widget import PanelWidget
from SkullGANTrainLib.logic import SkullGANTrainLogic
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

if TYPE_CHECKING:
    from SkullGANTrainLib.logic import Ended
    from SkullGANTrainLib.parameters import SkullGANTrainParameterNode

RUNS_MSEC, CATCHING_UP_MSEC = 300, 60


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
        parent.helpText += documentation.link("panels.md")
        parent.acknowledgementText = _(
            'After the paper <a href="https://arxiv.org/abs/2308.00206">arXiv:2308.00206</a>.'
        )


class SkullGANTrainWidget(PanelWidget):
    """The panel: a form for the next training, the trainings of a folder, and one of them.

    Attributes:
        form: the ``FormSection``.
        runs: the ``RunsSection``.
        watched: the ``WatchSection``.
    """

    logicClass = SkullGANTrainLogic
    logic: SkullGANTrainLogic
    node: SkullGANTrainParameterNode | None

    def connectWidgets(self) -> None:
        # With them comes the library, which Slicer does not wait for when it starts.
        from SkullGANTrainLib.form_section import FormSection
        from SkullGANTrainLib.runs_section import RunsSection
        from SkullGANTrainLib.watch_section import WatchSection

        self.runs = RunsSection(self)
        self.form = FormSection(self, onStarted=lambda _folder: self.runs.listAgain())
        self.watched = WatchSection(self)
        self.sections = (self.runs, self.form, self.watched)
        self.runTimer = qt.QTimer()
        self.runTimer.setInterval(RUNS_MSEC)
        self.runTimer.connect("timeout()", self.onRunTimer)

    def hints(self) -> dict[str, str]:
        return {
            "dataSection": _(
                "Tick sets of the scene, or add files that SkullGAN saved: real segments, the more"
                " people the better. Keep some people out, to test on them."
            ),
            "trainSection": _(
                "Choose a recipe (demo tries it out, cpu and fast are for real) and start. What"
                " would be refused is said beforehand."
            ),
            "runsSection": _("Pick a training to watch, stop, resume or generate with it."),
            "watchSection": _(
                "Look at the samples: they should become skull. Show the curves in a plot view; the"
                " model is of use once it has finished."
            ),
        }

    def cleanup(self) -> None:
        """Called when the module goes; trainings go on, unless the user wants otherwise.

        Slicer unloads its modules before ``aboutToQuit()`` reaches any slot of theirs.
        """
        self._askWhetherToGoOn(_("Slicer is closing this panel."))
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
        if self.node and not self.node.runsFolder:
            kept = self.runs.lastFolder or last_places.folder(last_places.RUNS)
            self.node.runsFolder = kept or str(Path.home() / "SkullGAN runs")

    def onRunTimer(self) -> None:
        """Look after trainings, the list of runs, the run that is watched and the form."""
        log = self.support.log
        for folder, child in self.logic.trainings.items():
            log.follow(folder.name, child)
        for ended in self.logic.pollTrainings():
            log.follow(ended.folder.name, None)
            self.runs.listAgain()
            self._reportEnded(ended)
        if self.node is None:
            if not self._entered and not self.logic.trainings:
                self.runTimer.stop()
            return
        self.watched.carryOn()
        if self.runs.carryOn():
            self.form.showWhatIsThere()
        self.form.view.carryOn(self.node)
        self.updateButtons()
        self.runTimer.setInterval(CATCHING_UP_MSEC if self.watched.isBehind else RUNS_MSEC)

    def _reportEnded(self, ended: Ended) -> None:
        message = {
            "finished": _("{name}: the training has come to its end."),
            "cancelled": _("{name}: the training was stopped."),
            "failed": _("{name}: the training failed."),
        }[ended.state].format(name=ended.folder.name)
        self.ui.statusLabel.text = f"{message} {ended.sentence}".strip()
        self.support.log.say(self.ui.statusLabel.text)
        if ended.state == "failed":
            self.watched.carryOn()
            slicer.util.errorDisplay(f"{message}\n\n{ended.sentence}")

    def updateButtons(self) -> None:
        """Enable what can be done; what cannot says why."""
        working, ui = self.logic.isWorking(), self.ui
        for widget in (ui.progressBar, ui.cancelButton):
            widget.visible = working
        ui.statusLabel.visible = bool(ui.statusLabel.text)
        reason = "" if working else _("Nothing is being done.")
        self.allow(ui.cancelButton, reason, _("Cancel."))
        busy = _("Wait until the work above has ended, or cancel it.") if working else ""
        for section in self.sections:
            section.update(busy)

    # Closing.

    def sceneStartsClosing(self) -> None:
        PanelWidget.sceneStartsClosing(self)
        self._askWhetherToGoOn(_("The scene is being closed."))

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


class SkullGANTrainTest(ModuleTest):
    """Runs in Slicer's self tests, without training: a folder that holds no run says nothing."""

    def test_a_folder_without_a_run_is_gone(self) -> None:
        logic = SkullGANTrainLogic()
        logic.follow(slicer.app.temporaryPath)
        assert logic.runState(slicer.app.temporaryPath).state == "gone"
        assert logic.samples() == []
        logic.close()
        self.delayDisplay("A folder without a run is not taken for one")
