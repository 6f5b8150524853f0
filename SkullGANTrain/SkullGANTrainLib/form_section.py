"""The form of the next training: segment sets, recipe, settings, *Start* and *Copy command*."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import qt
import slicer
from SkullGANGui import last_places, packages
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from . import parameters
from .form_view import FormView
from .section import Section
from .set_list import SetList
from .settings_table import SettingsTable

if TYPE_CHECKING:
    from .section import TrainPanel


class FormSection(Section):
    """Takes what is to be trained, and starts it or writes its command.

    Args:
        panel: the panel.
        onStarted: called with the folder of a training that was started.

    Attributes:
        sets: the list of segment sets.
        view: what a check of the form found.
        settings: the table of the recipe's settings.
    """

    def __init__(self, panel: TrainPanel, onStarted: Callable[[Path], None]) -> None:
        from SkullGANLib.training.presets import PRESETS

        Section.__init__(self, panel)
        ui = self.ui
        self._onStarted = onStarted
        self.sets = SetList(ui.setsList, self.onSetsTicked)
        self.view = FormView(ui, self.logic, panel.updateButtons)
        self.settings = SettingsTable(ui.settingsTable, self.onSettings)
        ui.setsList.connect("itemSelectionChanged()", panel.updateButtons)
        for button, slot in (
            (ui.addButton, self.onAdd),
            (ui.removeButton, self.onRemove),
            (ui.resetButton, lambda: self.onSettings({})),
            (ui.startButton, self.onStart),
            (ui.copyButton, self.onCopy),
        ):
            button.connect("clicked()", slot)
        ui.deviceComboBox.connect("activated(int)", self.onDevice)
        panel.keepChoice(ui.recipeComboBox, "recipe", {name: name for name in PRESETS})
        parts = {"subjects": _("subjects"), "segments": _("segments"), "none": _("none")}
        panel.keepChoice(ui.splitComboBox, "split", parts)
        panel.keepPath(ui.pretrainedPath, "pretrained")
        panel.keepText(ui.runNameEdit, "runName")

    def show(self) -> None:
        from SkullGANLib.training.presets import PRESETS

        node, preset = self.node, PRESETS[self.node.recipe]
        self.settings.show(node.recipe, parameters.settings(node))
        self.ui.recipeLabel.text = preset.description
        self.ui.recipeComboBox.toolTip = _(
            "Settings to train with; {name} takes {epochs} epochs in batches of {batch} segments."
        ).format(name=node.recipe, epochs=preset.recipe.epochs, batch=preset.recipe.batch_size)
        self.showWhatIsThere()
        self.view.showDevice(node)

    def showWhatIsThere(self) -> None:
        """Show the sets of the scene, which may have got new ones, and the next free name."""
        self.sets.show(self.node)
        self.ui.runNameEdit.placeholderText = parameters.freeName(self.node)

    def update(self, busy: str) -> None:
        if self.node is None:
            return
        node, ui, allow = self.node, self.ui, self.panel.allow
        reason = parameters.rejection_reason(node)
        allow(
            ui.startButton,
            busy or reason or self.view.rejection_reason(node),
            _("Train in the background; Slicer stays usable and may be closed."),
        )
        allow(
            ui.copyButton,
            busy or reason,
            _(
                "Copy the command that does this training in a terminal, here or on another machine"
                " (with the paths changed); sets of the scene are saved as files first."
            ),
        )
        allow(
            ui.resetButton,
            "" if node.settings.strip() else _("Nothing differs from the recipe."),
            _("Take all settings from the recipe."),
        )
        picked = self.sets.pickedFiles()
        allow(
            ui.removeButton,
            "" if picked else _("Pick files in the list first; sets of the scene are unticked."),
            _("Take the picked files out of the list; they stay on the disk."),
        )

    def onAdd(self) -> None:
        chosen = qt.QFileDialog.getOpenFileNames(
            None,
            _("Segment sets to learn from"),
            last_places.folder(),
            _("Segment sets (*.h5 *.hdf5)"),
        )
        if chosen:
            last_places.keep(Path(chosen[0]).parent)
        there = parameters.paths(self.node)
        new = [path for path in chosen if path not in there]
        self.node.segmentSets = "\n".join([*there, *new])

    def onRemove(self) -> None:
        gone = self.sets.pickedFiles()
        left = [path for path in parameters.paths(self.node) if path not in gone]
        self.node.segmentSets = "\n".join(left)

    def onSetsTicked(self, volumes: list[vtkMRMLScalarVolumeNode]) -> None:
        if self.node:
            parameters.chooseSceneSets(self.node, volumes)

    def onDevice(self, index: int) -> None:
        if self.node:
            self.node.device = self.view.device(index)

    def onSettings(self, settings: dict[str, str]) -> None:
        if self.node:
            self.node.settings = "\n".join(f"{name}={text}" for name, text in settings.items())

    def onStart(self) -> None:
        with self.panel.shownErrors(_("The training was not started.")):
            packages.ensure(packages.MODELS, _("Training"))
            task = self.logic.startTraining(self.node)
            last_places.keep(self.node.runsFolder, last_places.RUNS)
            for field in (self.ui.runsFolder, self.ui.pretrainedPath):
                field.addCurrentPathToHistory()
            self.panel.run(task, on_done=self._started, cancelled=_("Cancelled."))

    def _started(self, folder: Path) -> str:
        for section in ("dataSection", "trainSection"):
            self.panel.guidance.done(section)
        if self.node:  # the user may have left the panel meanwhile
            self.node.runName = ""
            self.node.watched = str(folder)
        self._onStarted(folder)
        return _("{name} is being trained in the background; Slicer may be closed.").format(
            name=folder.name
        )

    def onCopy(self) -> None:
        with self.panel.shownErrors(_("The command was not copied.")):
            if parameters.sceneSets(self.node):
                packages.ensure(packages.SEGMENTS, _("Saving the scene's sets"))
            task = self.logic.startCommand(self.node)
            self.panel.run(task, on_done=self._copied, cancelled=_("Cancelled."))

    def _copied(self, line: str) -> str:
        slicer.app.clipboard().setText(line)
        return _("Copied: {command}").format(command=line)
