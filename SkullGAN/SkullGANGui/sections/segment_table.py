"""The table of the segments in a scene: a row for each, with its picture and a box to keep it."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import qt
import slicer
import slicer.util
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from SkullGANGui.picture_table import Column, PictureTable, shown


class SegmentTable(PictureTable):
    """The segments of one volume; of each whether it is kept.

    Args:
        widget: the ``QTableWidget``.
        onPicked: called with the number of the segment whose row was picked, -1 for none.
        onKept: called with the number of a segment and whether it is kept.
    """

    PICTURE, NUMBER, BONE, SIDE, PLANE, SDR, THICKNESS, KEEP = range(8)

    def __init__(
        self,
        widget: qt.QTableWidget,
        onPicked: Callable[[int], None],
        onKept: Callable[[int, bool], None],
    ) -> None:
        columns = (
            Column(_("No."), _("Number of the segment, and of its slice in the volume"), 32),
            Column(_("Bone"), _("By its place in the head"), 62),
            Column(_("Side"), _("The patient's left or right"), 42),
            Column(_("Plane"), _("In which it was cut"), 62),
            Column(_("SDR"), _("Skull density ratio (peaks): diploë over tables, 0 to 1"), 40),
            Column(_("mm"), _("Mean thickness of the wall in mm"), 34),
            Column(_("Keep"), _("Only kept segments are saved, exported and trained on"), 40),
        )
        PictureTable.__init__(self, widget, columns, onPicked)
        self._onKept = onKept
        self._volume: vtkMRMLScalarVolumeNode | None = None
        widget.connect("itemChanged(QTableWidgetItem*)", self._onItem)

    @property
    def volume(self) -> vtkMRMLScalarVolumeNode | None:
        """The segment volume that is shown, None if none is."""
        return self._volume

    def show(
        self, volume: vtkMRMLScalarVolumeNode | None, rows: Sequence[int] | None = None
    ) -> None:
        """Show the segments of a volume (``SkullGANScene.nodes.segment_sets``), or nothing.

        Args:
            volume: the volume node or None.
            rows: which segments, in which order; None is all.
        """
        from SkullGANScene.nodes import segment_sets

        self.clear()
        self._volume = volume
        if volume is None:
            return
        nodes = segment_sets.nodes_of(volume)
        self._columns = {
            column: nodes.metrics.GetTable().GetColumnByName(name)
            for column, name in (
                (self.BONE, "Bone"),
                (self.SIDE, "Side"),
                (self.PLANE, "Plane"),
                (self.SDR, "SDR (peaks)"),
                (self.THICKNESS, "Thickness (mm)"),
            )
        }
        self._kept = segment_sets.kept(volume)
        for column in (self.BONE, self.SIDE, self.PLANE):
            values = self._columns[column]
            known = {values.GetValue(k) for k in range(values.GetNumberOfValues())} - {"unknown"}
            self.widget.setColumnHidden(column, not known)
        hu = slicer.util.arrayFromVolume(volume)
        self.showRows(hu, range(len(hu)) if rows is None else rows)

    def setKept(self, segment: int, keep: bool) -> None:
        """Tick or untick the box of a segment, as the user would."""
        self.widget.item(self.rowOf(segment), self.KEEP).setCheckState(_state(keep))

    def fillRow(self, row: int, segment: int) -> None:
        self.put(row, self.NUMBER, str(segment))
        for column, values in self._columns.items():
            digits = {self.SDR: ".2f", self.THICKNESS: ".1f"}.get(column, "")
            self.put(row, column, shown(values.GetValue(segment), digits))
        box = qt.QTableWidgetItem()
        box.setCheckState(_state(self._kept[segment]))
        self.put(row, self.KEEP, box, checkable=True)

    def _onItem(self, item: qt.QTableWidgetItem) -> None:
        if not self._filling and item.column() == self.KEEP:
            self._onKept(self.rows[item.row()], item.checkState() == qt.Qt.Checked)


def summary(volume: vtkMRMLScalarVolumeNode | None) -> str:
    """Say how many segments of a volume are kept and what they measure; empty for no volume."""
    from SkullGANScene.nodes import segment_sets

    if volume is None:
        return ""
    nodes = segment_sets.nodes_of(volume)
    kept = segment_sets.kept(volume)
    counts = _("{n} of {of} kept").format(n=int(kept.sum()), of=len(kept))
    medians = []
    for name, text in (("SDR (peaks)", _("SDR {:.2f}")), ("Thickness (mm)", _("{:.1f} mm"))):
        values = slicer.util.arrayFromTableColumn(nodes.metrics, name)[kept]
        values = values[np.isfinite(values)]
        if values.size:
            medians.append(text.format(float(np.median(values))))
    return counts + (_("; medians: ") + ", ".join(medians) if medians else "")


def _state(keep: bool) -> int:
    return qt.Qt.Checked if keep else qt.Qt.Unchecked
