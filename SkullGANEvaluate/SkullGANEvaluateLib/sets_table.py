"""The table of the segment sets that are to be compared."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import qt
from SkullGANGui import packages
from SkullGANGui.table_columns import Column, setColumns
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from .parameters import NAMES, ChosenSet


def title(name: str) -> str:
    """Say as what a set is compared."""
    return {
        "train": _("Training"),
        "test": _("Test"),
        "synthetic": _("Synthetic"),
        "control": _("Control"),
        "artificial": _("Artificial"),
    }[name]


class SetsTable:
    """Shows the chosen sets in a ``QTableWidget``, with a box each to say as what it is compared.

    Args:
        widget: the ``QTableWidget``.
        onChanged: called with the list of ``ChosenSet`` when the user changed one.
    """

    _NAME, _SOURCE, _COUNT = range(3)

    def __init__(
        self, widget: qt.QTableWidget, onChanged: Callable[[list[ChosenSet]], None]
    ) -> None:
        self.widget = widget
        self._onChanged = onChanged
        self._sets: list[ChosenSet] = []
        self._counts: dict[tuple[str, int], str] = {}
        titles = (
            Column(
                _("Compared as"),
                _("Real: training (the model learned from it) or test (it did not)"),
                104,
            ),
            Column(_("Set"), _("File, or volume in the scene"), 200),
            Column(_("Segments"), _("How many there are; of a volume, the kept ones")),
        )
        setColumns(widget, titles, rowHeight=None)
        widget.horizontalHeader().setStretchLastSection(True)

    @property
    def sets(self) -> list[ChosenSet]:
        return list(self._sets)

    def show(self, sets: list[ChosenSet]) -> None:
        """Show these sets; rows are made anew only if they are others than before."""
        if sets == self._sets:
            for row, one in enumerate(sets):
                self._fill(row, one)
            return
        self._sets = list(sets)
        self.widget.setRowCount(0)
        self.widget.setRowCount(len(sets))
        for row, one in enumerate(sets):
            box = qt.QComboBox()
            box.addItems([title(name) for name in NAMES])
            box.setCurrentIndex(NAMES.index(one.name))
            box.setToolTip(
                _("Training: the model learned from it. Test: real, kept out of training.")
            )
            box.connect("currentIndexChanged(int)", lambda index, row=row: self._rename(row, index))
            self.widget.setCellWidget(row, self._NAME, box)
            self._fill(row, one)

    def removeSelected(self) -> None:
        """Take the selected row off the list."""
        row = self.widget.currentRow()
        if 0 <= row < len(self._sets):
            self._onChanged([one for place, one in enumerate(self._sets) if place != row])

    def _rename(self, row: int, index: int) -> None:
        self._sets[row] = replace(self._sets[row], name=NAMES[index])
        self._onChanged(self.sets)

    def _fill(self, row: int, one: ChosenSet) -> None:
        if one.volume is not None:
            self._put(row, self._SOURCE, one.volume.GetName(), _("A volume in the scene"))
            self._put(row, self._COUNT, _keptIn(one.volume), "")
        else:
            self._put(row, self._SOURCE, Path(one.path).name, one.path)
            count = self._countIn(one.path)
            self._put(row, self._COUNT, count, "" if count.isdigit() else one.path)

    def _countIn(self, path: str) -> str:
        """Give how many segments a file has, looked up again only if the file changed."""
        from SkullGANLib.data import hdf5
        from SkullGANLib.errors import SkullGANError

        try:
            key = (path, Path(path).stat().st_mtime_ns)
        except OSError:
            return _("not there")
        if packages.missing(packages.SEGMENTS):
            return "?"  # files of a scene that was opened where nobody was asked for them yet
        if key not in self._counts:
            try:
                self._counts[key] = str(hdf5.count(path))
            except SkullGANError:
                self._counts[key] = _("no set")
        return self._counts[key]

    def _put(self, row: int, column: int, text: str, tip: str) -> None:
        item = self.widget.item(row, column)
        if item is not None and item.text() == text:
            return
        item = qt.QTableWidgetItem(text)
        item.setToolTip(tip)
        self.widget.setItem(row, column, item)


def guessed(path: str) -> str:
    """Say as what a file is probably compared; raises ``BadInputError`` if it is no segment set."""
    from SkullGANLib.data import hdf5

    kind = hdf5.read(path, slice(0)).kind
    if kind != "real":
        return kind
    return "test" if "test" in Path(path).stem.lower() else "train"


def guessedVolume(volume: vtkMRMLScalarVolumeNode) -> str:
    """Say as what a volume of segments is probably compared."""
    from SkullGANScene.nodes.volumes import KIND_ATTRIBUTE

    kind = volume.GetAttribute(KIND_ATTRIBUTE)
    return kind if kind in NAMES else "test"


def _keptIn(volume: vtkMRMLScalarVolumeNode) -> str:
    """Give how many segments of a volume are kept, if its masks and metrics are still there."""
    from SkullGANScene.nodes import segment_sets

    if volume not in segment_sets.in_scene(volume.GetScene()):
        return _("incomplete")
    return str(int(segment_sets.kept(volume).sum()))
