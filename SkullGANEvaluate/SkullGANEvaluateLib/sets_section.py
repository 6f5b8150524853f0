"""Sets: which are compared, and as what."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import qt
import slicer
from SkullGANGui import last_places, packages
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from . import sets_table
from .parameters import ChosenSet, keepSets
from .section import Section

if TYPE_CHECKING:
    from .section import EvaluatePanel


class SetsSection(Section):
    """Chooses the sets that are compared.

    Args:
        panel: the panel.
        onChanged: called when other sets were chosen.

    Attributes:
        table: the ``SetsTable``.
    """

    def __init__(self, panel: EvaluatePanel, onChanged: Callable[[], None]) -> None:
        Section.__init__(self, panel)
        self._onChanged = onChanged
        self.table = sets_table.SetsTable(self.ui.setsTable, self.choose)
        for button, slot in (
            (self.ui.addFilesButton, self.onAddFiles),
            (self.ui.addSceneButton, self.onAddFromScene),
            (self.ui.removeSetButton, self.table.removeSelected),
        ):
            button.connect("clicked()", slot)
        self.ui.setsTable.connect("itemSelectionChanged()", panel.updateButtons)

    def show(self) -> None:
        self.table.show(self.logic.chosenSets(self.node))
        self.ui.setsLabel.text = self._hint()
        self.ui.setsLabel.visible = bool(self.ui.setsLabel.text)

    def update(self, busy: str) -> None:
        there = bool(_setsInScene()) if self.node else False
        self.panel.allow(
            self.ui.addSceneButton,
            ""
            if there
            else _("There is no segment set in the scene; the module SkullGAN makes them."),
            _("Compare the kept segments of a set in the scene."),
        )
        picked = self.ui.setsTable.currentRow() >= 0
        self.panel.allow(
            self.ui.removeSetButton,
            "" if picked else _("Pick a set in the list first."),
            _("Take the picked set off this list; its file or volume stays."),
        )

    def choose(self, sets: Iterable[ChosenSet]) -> None:
        """Compare these sets from now on."""
        if self.node:
            self.node.files = keepSets(self.node.parameterNode, sets)
            self._onChanged()

    def onAddFiles(self) -> None:
        paths = qt.QFileDialog.getOpenFileNames(
            self.ui.addFilesButton,
            _("Segment sets to compare"),
            last_places.folder(),
            _("Segment sets (*.h5)"),
        )
        if not paths:
            return
        last_places.keep(Path(paths[0]).parent)
        with self.panel.shownErrors(_("Not every file could be added.")):
            packages.ensure(packages.SEGMENTS, _("Reading segment sets"))
            for path in paths:
                name = sets_table.guessed(path)
                self.choose([*self.table.sets, ChosenSet(name, path=path)])

    def onAddFromScene(self) -> None:
        menu = qt.QMenu()
        actions = [(menu.addAction(volume.GetName()), volume) for volume in _setsInScene()]
        place = qt.QPoint(0, self.ui.addSceneButton.height)
        picked = menu.exec_(self.ui.addSceneButton.mapToGlobal(place))
        for action, volume in actions:
            if picked is not None and picked == action:
                name = sets_table.guessedVolume(volume)
                self.choose([*self.table.sets, ChosenSet(name, volume=volume)])
                return

    def _hint(self) -> str:
        """Say what the chosen sets are too few for."""
        names = {one.name for one in self.table.sets}
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


def _setsInScene() -> list[vtkMRMLScalarVolumeNode]:
    from SkullGANScene.nodes import segment_sets

    return segment_sets.in_scene(slicer.mrmlScene)
