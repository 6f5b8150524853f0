"""The run that is watched: shown as it grows, stopped, resumed, taken to where it is used."""

# ruff: noqa: N802, N806 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import qt
from SkullGANGui import packages
from slicer.i18n import tr as _

from .run_view import RunView
from .section import Section

if TYPE_CHECKING:
    from SkullGANLib.training.monitor import Follower, RunState

    from .section import TrainPanel

CURVES_EVERY_S = 1.0


class WatchSection(Section):
    """Follows the run that the parameter node names, and offers what can be done with it.

    Args:
        panel: the panel.
    """

    def __init__(self, panel: TrainPanel) -> None:
        Section.__init__(self, panel)
        ui = self.ui
        self._view = RunView(ui, self.logic)
        self._state: RunState | None = None
        self._curved = 0.0
        charts = {
            "losses": _("losses"),
            "realness": _("realness"),
            "learning rates": _("learning rates"),
            "quality": _("quality"),
        }
        panel.keepChoice(ui.chartComboBox, "chart", charts)
        for button, slot in (
            (ui.stopButton, self.onStop),
            (ui.resumeButton, self.onResume),
            (ui.generateButton, self.onGenerate),
            (ui.openButton, self.onOpenFolder),
            (ui.curvesButton, self.onShowCurves),
            (ui.removeCurvesButton, self.onRemoveCurves),
        ):
            button.connect("clicked()", slot)

    def show(self) -> None:
        follower = self.logic.follower
        watched = Path(self.node.watched) if self.node.watched else None
        if watched != (follower.run.path if follower else None):
            self.logic.follow(self.node.watched)
            self.ui.watchSection.collapsed = watched is None
            self._state = None
            self._view.clear()
            self.carryOn()

    @property
    def isBehind(self) -> bool:
        """Whether there are many reports that were not read yet."""
        return bool(self.logic.follower and self.logic.follower.behind > 0.01)

    def carryOn(self) -> None:
        """Read for a moment what is new, and show it."""
        follower = self.logic.follower
        if follower is None:
            self._state = None
            return
        folder = follower.run.path
        grown = follower.read()
        self._state = self.logic.runState(folder)
        stopping = self._state.goes_on and self.logic.isStopping(folder)
        self._view.show(
            self._state, _("Stopping: the model so far is being saved...") if stopping else ""
        )
        due = time.monotonic() - self._curved > CURVES_EVERY_S
        if self.node and len(follower.curves) and (due or not follower.behind) and grown:
            self._curved = time.monotonic()
            self.logic.updateCurves(folder)

    def onStop(self) -> None:
        with self.panel.shownErrors(_("The training was not stopped.")):
            self.logic.stop(self._follower().run.path)
        self.carryOn()
        self.panel.updateButtons()

    def onResume(self) -> None:
        with self.panel.shownErrors(_("The training was not resumed.")):
            packages.ensure(packages.MODELS, _("Training"))
            self.logic.resume(self._follower().run.path, self.node.device)
            self.ui.runLabel.text = _("Starting, which takes some seconds...")
        self.panel.updateButtons()

    def onOpenFolder(self) -> None:
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self._follower().run.path)))

    def onGenerate(self) -> None:
        with self.panel.shownErrors(_("The module SkullGAN did not take the model.")):
            self.logic.offerToGenerate(self._follower().run.path)

    def onShowCurves(self) -> None:
        with self.panel.shownErrors(_("The curves were not shown.")):
            self.logic.showCurves(self._follower().run.path, self.node.chart)
        self.panel.updateButtons()

    def onRemoveCurves(self) -> None:
        self.logic.removeCurves(self._follower().run.path)
        self.panel.updateButtons()

    def _follower(self) -> Follower:
        follower = self.logic.follower
        assert follower is not None, "a button for a run is enabled without one"
        return follower

    def update(self, busy: str) -> None:
        """Enable what can be done with the run, which goes on whatever else is being done."""
        if self.node is None:
            return
        ui, allow, state, follower = self.ui, self.panel.allow, self._state, self.logic.follower
        if state is None or follower is None:
            none = _("Start a training, or pick one in the list.")
            ui.stopButton.text = _("Stop")
            for button in (ui.stopButton, ui.resumeButton, ui.generateButton, ui.openButton):
                allow(button, none, "")
            allow(ui.curvesButton, none, "")
            allow(ui.removeCurvesButton, _("Its curves are not in the scene."), "")
            return
        self._updateStopAndResume(state, state.run.path)
        hasModel = state.run.model_path.is_file()
        allow(
            ui.generateButton,
            "" if hasModel else _("There is no model yet; it is saved at the end."),
            _("Choose this model in the module SkullGAN and go there."),
        )
        gone = _("It is gone.") if state.state == "gone" else ""
        allow(ui.openButton, gone, _("Show the run folder."))
        allow(
            ui.curvesButton,
            "" if len(follower.curves) else _("It has reported nothing yet."),
            _(
                "Put the curves into the scene and show them in a plot view, which changes the"
                " layout; they grow with the training."
            ),
        )
        inScene = self.logic.hasCurves(state.run.path)
        allow(
            ui.removeCurvesButton,
            "" if inScene else _("Its curves are not in the scene."),
            _("Take the curves out of the scene."),
        )

    def _updateStopAndResume(self, state: RunState, folder: Path) -> None:
        ui, allow = self.ui, self.panel.allow
        goesOn = state.goes_on or folder in self.logic.trainings
        ending = goesOn and self.logic.isStopping(folder)
        ui.stopButton.text = _("End now") if ending else _("Stop")
        allow(
            ui.stopButton,
            "" if goesOn else _("It does not run."),
            _("End at once, without saving, with all it started.")
            if ending
            else _("Save the model so far and end; it can be resumed."),
        )
        reason = ""
        if goesOn:
            reason = _("It runs.")
        elif state.state == "finished":
            reason = _("It came to its end.")
        elif not state.can_resume:
            reason = _("It left no segments to resume with; start it anew.")
        allow(
            ui.resumeButton,
            reason,
            _("Resume from the last checkpoint, on the device chosen above."),
        )
