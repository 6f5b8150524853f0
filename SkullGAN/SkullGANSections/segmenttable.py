"""The table of the segments in a scene: a row for each, with its picture and a box to keep it."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import qt
import slicer
import slicer.util
from SkullGANPanel import thumbnails
from slicer.i18n import tr as _

ROW_PX = 34
_WIDTHS_PX = (84, 32, 62, 42, 62, 40, 34, 40)
"""Of the columns, for a panel of 480 pixels."""
_AT_ONCE_S = 0.05
_MOST_ROWS = 2000


class SegmentTable:
    """Fills and reads a ``QTableWidget`` with the segments of one volume.

    Rows come in pieces, so that thousands of them never hold Slicer up.

    Args:
        widget: the ``QTableWidget``.
        onPicked: called with the number of the segment whose row was picked, -1 for none.
        onKept: called with the number of a segment and whether it is kept.
    """

    PICTURE, NUMBER, BONE, SIDE, PLANE, SDR, THICKNESS, KEEP = range(8)

    def __init__(
        self, widget: Any, onPicked: Callable[[int], None], onKept: Callable[[int, bool], None]
    ) -> None:
        self.widget = widget
        self._onPicked, self._onKept = onPicked, onKept
        self._volume: Any = None
        self._rows: Sequence[int] = ()
        self._next = 0
        self._filling = False
        titles = (
            (_("Segment"), _("The cut: outer table up, 57.6 mm across")),
            (_("No."), _("Number of the segment, and of its slice in the volume")),
            (_("Bone"), _("By its place in the head")),
            (_("Side"), _("The patient's left or right")),
            (_("Plane"), _("In which it was cut")),
            (_("SDR"), _("Skull density ratio (peaks): diploë over tables, 0 to 1")),
            (_("mm"), _("Mean thickness of the wall in mm")),
            (_("Keep"), _("Only kept segments are saved, exported and trained on")),
        )
        widget.setColumnCount(len(titles))
        for column, (title, tip) in enumerate(titles):
            head = qt.QTableWidgetItem(title)
            head.setToolTip(tip)
            widget.setHorizontalHeaderItem(column, head)
        widget.setIconSize(qt.QSize(_WIDTHS_PX[0] - 8, ROW_PX - 2))
        widget.verticalHeader().setVisible(False)
        widget.verticalHeader().setDefaultSectionSize(ROW_PX)
        widget.horizontalHeader().setMinimumSectionSize(24)
        for column, width in enumerate(_WIDTHS_PX):
            widget.setColumnWidth(column, width)
        widget.connect("currentCellChanged(int,int,int,int)", self._onCurrentCell)
        widget.connect("itemChanged(QTableWidgetItem*)", self._onItem)
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._fillOn)

    @property
    def volume(self) -> Any:
        """The segment volume that is shown, None if none is."""
        return self._volume

    def show(self, volume: Any, rows: Sequence[int] | None = None) -> None:
        """Show the segments of a volume (``SkullGANScene.segmentsets``), or nothing.

        Args:
            volume: the volume node or None.
            rows: which segments, in which order; None is all.
        """
        from SkullGANScene import segmentsets

        self._timer.stop()
        self._filling = True
        self.widget.setRowCount(0)
        self._filling = False
        self._volume, self._rows, self._next = volume, (), 0
        if volume is None:
            return
        nodes = segmentsets.nodes_of(volume)
        self._hu = slicer.util.arrayFromVolume(volume)
        sample = self._hu[:: max(1, len(self._hu) // 32)]
        self._crop = thumbnails.used_rows(sample)
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
        self._kept = segmentsets.kept(volume)
        for column in (self.BONE, self.SIDE, self.PLANE):
            values = self._columns[column]
            known = {values.GetValue(k) for k in range(values.GetNumberOfValues())} - {"unknown"}
            self.widget.setColumnHidden(column, not known)
        self._rows = list(range(len(self._hu)) if rows is None else rows)[:_MOST_ROWS]
        self.widget.setRowCount(len(self._rows))
        self._fillOn()

    def isFilling(self) -> bool:
        return self._next < len(self._rows)

    def pick(self, segment: int) -> None:
        """Pick the row of a segment, as a click on it would."""
        row = list(self._rows).index(segment)
        while self._next <= row:
            self._fillOn()
        self.widget.setCurrentCell(row, self.NUMBER)
        self.widget.scrollToItem(self.widget.item(row, self.NUMBER))

    def picked(self) -> int:
        """The number of the segment whose row is picked, -1 for none."""
        row = self.widget.currentRow()
        return self._rows[row] if 0 <= row < len(self._rows) else -1

    def setKept(self, segment: int, keep: bool) -> None:
        """Tick or untick the box of a segment, as the user would."""
        row = list(self._rows).index(segment)
        while self._next <= row:
            self._fillOn()
        self.widget.item(row, self.KEEP).setCheckState(_state(keep))

    def _fillOn(self) -> None:
        """Fill rows for a few hundredths of a second; the timer goes on with the rest."""
        deadline = time.monotonic() + _AT_ONCE_S
        self._filling = True
        try:
            while self.isFilling() and time.monotonic() < deadline:
                self._fill(self._next)
                self._next += 1
        finally:
            self._filling = False
        if self.isFilling():
            self._timer.start()
        else:
            self._timer.stop()

    def _fill(self, row: int) -> None:
        segment = self._rows[row]
        picture = qt.QTableWidgetItem()
        picture.setIcon(qt.QIcon(thumbnails.pixmap(self._hu[segment], rows=self._crop)))
        self._put(row, self.PICTURE, picture)
        self._put(row, self.NUMBER, qt.QTableWidgetItem(str(segment)))
        for column, values in self._columns.items():
            value = values.GetValue(segment)
            digits = {self.SDR: ".2f", self.THICKNESS: ".1f"}.get(column)
            text = format(float(value), digits) if digits else str(value)
            if text in ("nan", "unknown"):
                text = "-"
            self._put(row, column, qt.QTableWidgetItem(text))
        box = qt.QTableWidgetItem()
        box.setCheckState(_state(self._kept[segment]))
        self._put(row, self.KEEP, box)

    def _put(self, row: int, column: int, item: Any) -> None:
        flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
        item.setFlags(flags | qt.Qt.ItemIsUserCheckable if column == self.KEEP else flags)
        self.widget.setItem(row, column, item)

    def _onCurrentCell(self, row: int, column: int, rowBefore: int, columnBefore: int) -> None:
        if not self._filling and row != rowBefore:
            self._onPicked(self.picked())

    def _onItem(self, item: Any) -> None:
        if not self._filling and item.column() == self.KEEP:
            self._onKept(self._rows[item.row()], item.checkState() == qt.Qt.Checked)


def summary(volume: Any) -> str:
    """Say how many segments of a volume are kept and what they measure; empty for no volume."""
    from SkullGANScene import segmentsets

    if volume is None:
        return ""
    nodes = segmentsets.nodes_of(volume)
    kept = segmentsets.kept(volume)
    said = _("{n} of {of} kept").format(n=int(kept.sum()), of=len(kept))
    medians = []
    for name, text in (("SDR (peaks)", _("SDR {:.2f}")), ("Thickness (mm)", _("{:.1f} mm"))):
        values = slicer.util.arrayFromTableColumn(nodes.metrics, name)[kept]
        values = values[np.isfinite(values)]
        if values.size:
            medians.append(text.format(float(np.median(values))))
    return said + (_("; medians: ") + ", ".join(medians) if medians else "")


def _state(keep: bool) -> int:
    return qt.Qt.Checked if keep else qt.Qt.Unchecked
