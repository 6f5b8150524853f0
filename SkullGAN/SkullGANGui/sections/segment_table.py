"""The table of the segments in a scene: a row for each, with its picture and a box to keep it."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import qt
import slicer
import slicer.util
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from SkullGANGui.picture_table import PictureTable, shown
from SkullGANGui.table_columns import Column

WARNED = "!"


class SegmentTable(PictureTable):
    """The segments of one volume; of each whether it is kept.

    Args:
        widget: the ``QTableWidget``.
        onPicked: called with the number of the segment whose row was picked, -1 for none.
        onKept: called with the number of a segment and whether it is kept, when its box is ticked.
        onArranged: called when other rows are shown, or in another order.

    Attributes:
        columns: of the set that is shown, what ``segment_sets.columns_of`` gave.
        warnings: of each segment what a reviewer should look at, or nothing.
        stacks: of each segment, which slice of which stack it is; empty for single cuts.
    """

    (
        PICTURE,
        KEEP,
        WARNING,
        NUMBER,
        STACK,
        BONE,
        SIDE,
        PLANE,
        SDR,
        THICKNESS,
        REALNESS,
    ) = range(11)
    _TITLES: Mapping[int, tuple[str, str]] = {
        BONE: ("Bone", ""),
        SIDE: ("Side", ""),
        PLANE: ("Plane", ""),
        SDR: ("SDR (peaks)", ".2f"),
        THICKNESS: ("Thickness (mm)", ".1f"),
        REALNESS: ("Realness", ".2f"),
    }

    def __init__(
        self,
        widget: qt.QTableWidget,
        onPicked: Callable[[int], None],
        onKept: Callable[[int, bool], None],
        onArranged: Callable[[], None] = lambda: None,
    ) -> None:
        self._onKept = onKept
        self._volume: vtkMRMLScalarVolumeNode | None = None
        self.columns: dict[str, np.ndarray] = {}
        self.warnings: list[str] = []
        self.stacks: list[str] = []
        self._stackOrder: np.ndarray | None = None
        columns = (
            Column(_("Keep"), _("Only kept segments are saved, exported and trained on"), 38),
            Column(WARNED, _("What to look at; the cell's tooltip says what"), 20),
            Column(_("No."), _("Number of the segment, and of its slice in the volume"), 32),
            Column(_("Stack"), _("Which slice of which stack in depth it is"), 62),
            Column(_("Bone"), _("By its place in the head"), 64),
            Column(_("Side"), _("The patient's left or right"), 36),
            Column(_("Plane"), _("In which it was cut"), 54),
            Column(_("SDR"), _("Skull density ratio (peaks): diploë over tables, 0 to 1"), 38),
            Column(_("mm"), _("Mean thickness of the wall in mm"), 34),
            Column(_("Real"), _("Realness by the discriminator, 0 to 1; not a probability"), 40),
        )
        PictureTable.__init__(self, widget, columns, onPicked, onArranged)
        widget.setColumnHidden(self.STACK, True)
        widget.connect("itemChanged(QTableWidgetItem*)", self._onItem)

    @property
    def volume(self) -> vtkMRMLScalarVolumeNode | None:
        """The segment volume that is shown, None if none is."""
        return self._volume

    def show(self, volume: vtkMRMLScalarVolumeNode | None) -> None:
        """Show the segments of a volume (``SkullGANScene.nodes.segment_sets``), or nothing."""
        self._volume = volume
        if volume is None:
            self.columns, self.warnings, self.stacks = {}, [], []
            self.clear()
            return
        self.look()
        hu = slicer.util.arrayFromVolume(volume)
        self.showRows(hu, range(len(hu)))

    def look(self) -> None:
        """Take what the set's table says from the scene, as after its segments were judged."""
        from SkullGANScene.nodes import segment_sets

        self.columns = segment_sets.columns_of(self._volume)
        self.warnings = segment_sets.segment_cautions_of(self.columns)
        self._lookForStacks()
        for column in (self.BONE, self.SIDE, self.PLANE):
            known = set(self.columns[self._TITLES[column][0]].tolist()) - {"unknown"}
            self.widget.setColumnHidden(column, not known)
        self.widget.setColumnHidden(self.REALNESS, self._values(self.REALNESS) is None)
        self.widget.setColumnHidden(self.WARNING, not any(self.warnings))

    def _lookForStacks(self) -> None:
        from SkullGANScene.nodes import segment_sets

        numbers = segment_sets.stack_numbers(self._volume)
        self.widget.setColumnHidden(self.STACK, numbers is None)
        self._stackOrder, self.stacks = numbers, []
        if numbers is not None:
            slices = np.bincount(numbers)[numbers].tolist()
            places = zip(*(self.columns[name].tolist() for name in ("Stack", "Slice")), strict=True)
            self.stacks = [
                f"{stack}: {place + 1}/{of}" if place >= 0 else ""
                for (stack, place), of in zip(places, slices, strict=True)
            ]

    def sortValues(self, column: int) -> np.ndarray | None:
        if not self.columns:
            return None
        if column in self._TITLES:
            return self._values(column)
        if column == self.STACK:
            return self._stackOrder
        if column == self.WARNING:
            return np.array([not warning for warning in self.warnings])
        if column == self.KEEP:
            return self.kept()
        return np.arange(len(self.warnings))

    def kept(self) -> np.ndarray:
        """Tell of each segment, bool (N,), whether it is kept."""
        return self.columns["Keep"] != 0

    def setKept(self, segment: int, keep: bool) -> None:
        """Tick or untick the box of a segment, as the user would."""
        self.widget.item(self.rowOf(segment), self.KEEP).setCheckState(_state(keep))

    def showKept(self, segments: Iterable[int]) -> None:
        """Show of these segments whether they are kept by now."""
        kept, places = self.kept(), {one: row for row, one in enumerate(self.rows)}
        with self.unheard():
            for segment in segments:
                row = places.get(segment, -1)
                item = self.widget.item(row, self.KEEP) if row >= 0 else None
                if item is not None:  # else it is filled later, with what is so by then
                    item.setCheckState(_state(kept[segment]))

    def fillRow(self, row: int, segment: int) -> None:
        box = qt.QTableWidgetItem()
        box.setCheckState(_state(self.columns["Keep"][segment] != 0))
        self.put(row, self.KEEP, box, checkable=True)
        warning = self.warnings[segment]
        item = qt.QTableWidgetItem(WARNED if warning else "")
        item.setToolTip(warning)
        self.put(row, self.WARNING, item)
        self.put(row, self.NUMBER, str(segment))
        self.put(row, self.STACK, self.stacks[segment] if self.stacks else "")
        for column, (_title, digits) in self._TITLES.items():
            values = self._values(column)
            self.put(row, column, "" if values is None else shown(values[segment], digits))

    def _values(self, column: int) -> np.ndarray | None:
        return self.columns.get(self._TITLES[column][0])

    def _onItem(self, item: qt.QTableWidgetItem) -> None:
        if item.column() == self.KEEP:
            self._onKept(self.rows[item.row()], item.checkState() == qt.Qt.Checked)


def summary(
    columns: Mapping[str, np.ndarray], shown: int | None = None, stacks: np.ndarray | None = None
) -> str:
    """Say how many segments of a set are kept and what they measure; empty for no set.

    Args:
        columns: what ``segment_sets.columns_of`` gave.
        shown: how many rows the table shows, if that is not all.
        stacks: number of each segment's stack; None for single cuts.
    """
    if not columns:
        return ""
    kept = columns["Keep"] != 0
    counts = _("{n} of {of} kept").format(n=int(kept.sum()), of=len(kept))
    if stacks is not None:
        of = int(stacks.max(initial=-1)) + 1
        whole = of - len(np.unique(stacks[~kept]))
        counts += _(", {n} of {of} stacks").format(n=whole, of=of)
    if shown is not None and shown != len(kept):
        counts += _(", {n} shown").format(n=shown)
    medians = []
    for name, text in (("SDR (peaks)", _("SDR {:.2f}")), ("Thickness (mm)", _("{:.1f} mm"))):
        values = columns[name][kept]
        values = values[np.isfinite(values)]
        if values.size:
            medians.append(text.format(float(np.median(values))))
    return counts + (_("; medians: ") + ", ".join(medians) if medians else "")


def _state(keep: bool) -> int:
    return qt.Qt.Checked if keep else qt.Qt.Unchecked
