"""The segment sets to learn from in a list: those of the scene to tick, and files."""

# ruff: noqa: N802, N803, N815 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import qt
import slicer
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from . import parameters
from .parameters import SkullGANTrainParameterNode


class _Entry(NamedTuple):
    inScene: bool
    what: str  # node ID or path
    name: str
    chosen: bool


class SetList:
    """Shows segment sets in a ``QListWidget`` and takes what the user ticks.

    Args:
        widget: the ``QListWidget``.
        onTicked: called with the volumes of the scene that are ticked by now.
    """

    def __init__(
        self, widget: qt.QListWidget, onTicked: Callable[[list[vtkMRMLScalarVolumeNode]], None]
    ) -> None:
        self.widget = widget
        self._onTicked = onTicked
        self._entries: list[_Entry] = []
        self._filling = False
        widget.connect("itemChanged(QListWidgetItem*)", self._onItem)

    def show(self, node: SkullGANTrainParameterNode) -> None:
        """List the sets of the scene and the files of a parameter node."""
        from SkullGANScene.nodes import segment_sets

        chosen = {volume.GetID() for volume in parameters.sceneSets(node)}
        entries = [
            _Entry(True, volume.GetID(), volume.GetName(), volume.GetID() in chosen)
            for volume in segment_sets.in_scene(slicer.mrmlScene)
        ]
        entries += [_Entry(False, path, Path(path).name, True) for path in parameters.paths(node)]
        if entries == self._entries:
            return
        self._entries = entries
        self._filling = True
        try:
            self.widget.clear()
            for entry in entries:
                self.widget.addItem(self._item(entry))
        finally:
            self._filling = False

    def pickedFiles(self) -> list[str]:
        """Give the files whose rows are picked."""
        rows = [self.widget.row(item) for item in self.widget.selectedItems()]
        return [self._entries[row].what for row in rows if not self._entries[row].inScene]

    @staticmethod
    def _item(entry: _Entry) -> qt.QListWidgetItem:
        if not entry.inScene:
            item = qt.QListWidgetItem(entry.name)
            item.setToolTip(entry.what)
            return item
        item = qt.QListWidgetItem(_("{name} (scene)").format(name=entry.name))
        item.setToolTip(_("Segments in the scene; only kept ones are learned from."))
        item.setCheckState(qt.Qt.Checked if entry.chosen else qt.Qt.Unchecked)
        return item

    def _onItem(self, item: qt.QListWidgetItem) -> None:
        if self._filling:
            return
        ticked = [
            slicer.mrmlScene.GetNodeByID(entry.what)
            for row, entry in enumerate(self._entries)
            if entry.inScene and self.widget.item(row).checkState() == qt.Qt.Checked
        ]
        self._onTicked([volume for volume in ticked if volume is not None])
