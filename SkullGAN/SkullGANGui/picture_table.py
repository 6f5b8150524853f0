"""A table with a picture of a segment in each row, filled piece by piece."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import qt
from slicer.i18n import tr as _

from SkullGANGui import thumbnails

ROW_PX = 34
PICTURE_PX = 84
_AT_ONCE_S = 0.05
_MOST_ROWS = 2000


class Column(NamedTuple):
    """A column of the table: its title, what it is, and its width in pixels."""

    title: str
    tip: str
    width: int


class PictureTable:
    """Fills and reads a ``QTableWidget`` with a row for each of some segments.

    Rows come in pieces, so that thousands of them never hold Slicer up. A subclass fills the
    columns after the picture in ``fillRow`` with ``put``.

    Args:
        widget: the ``QTableWidget``.
        columns: those after the picture's.
        onPicked: called with the number of the segment whose row was picked, -1 for none.
    """

    PICTURE = 0

    def __init__(
        self, widget: qt.QTableWidget, columns: Sequence[Column], onPicked: Callable[[int], None]
    ) -> None:
        self.widget = widget
        self._onPicked = onPicked
        self._rows: Sequence[int] = ()
        self._next = 0
        self._filling = False
        tip = _("The segment: outer table up, 57.6 mm across")
        columns = [Column(_("Segment"), tip, PICTURE_PX), *columns]
        widget.setColumnCount(len(columns))
        widget.setIconSize(qt.QSize(PICTURE_PX - 8, ROW_PX - 2))
        widget.verticalHeader().setVisible(False)
        widget.verticalHeader().setDefaultSectionSize(ROW_PX)
        widget.horizontalHeader().setMinimumSectionSize(24)
        for number, column in enumerate(columns):
            head = qt.QTableWidgetItem(column.title)
            head.setToolTip(column.tip)
            widget.setHorizontalHeaderItem(number, head)
            widget.setColumnWidth(number, column.width)
        widget.connect("currentCellChanged(int,int,int,int)", self._onCurrentCell)
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._fillOn)

    def fillRow(self, row: int, segment: int) -> None:
        """Fill the columns of a row but for its picture."""

    def clear(self) -> None:
        """Show no row."""
        self._timer.stop()
        self._filling = True
        self.widget.setRowCount(0)
        self._filling = False
        self._rows, self._next = (), 0

    def showRows(self, hu: np.ndarray, rows: Sequence[int]) -> None:
        """Show segments in this order, the first few hundredths of a second's worth at once.

        Args:
            hu: int16 (N, 128, 128), the segments.
            rows: which of them.
        """
        self.clear()
        self._hu = hu
        self._crop = thumbnails.used_rows(hu[:: max(1, len(hu) // 32)])
        self._rows = list(rows)[:_MOST_ROWS]
        self.widget.setRowCount(len(self._rows))
        self._fillOn()

    @property
    def rows(self) -> Sequence[int]:
        """The numbers of the segments, in the order of their rows."""
        return self._rows

    def isFilling(self) -> bool:
        return self._next < len(self._rows)

    def rowOf(self, segment: int) -> int:
        """The row of a segment, filled now if it is not yet; raises ``ValueError`` for none."""
        row = list(self._rows).index(segment)
        while self._next <= row:
            self._fillOn()
        return row

    def pick(self, segment: int) -> None:
        """Pick the row of a segment, as a click on it would."""
        row = self.rowOf(segment)
        self.widget.setCurrentCell(row, self.PICTURE + 1)
        self.widget.scrollToItem(self.widget.item(row, self.PICTURE + 1))

    def picked(self) -> int:
        """The number of the segment whose row is picked, -1 for none."""
        row = self.widget.currentRow()
        return self._rows[row] if 0 <= row < len(self._rows) else -1

    def put(
        self, row: int, column: int, item: qt.QTableWidgetItem | str, checkable: bool = False
    ) -> None:
        """Put an item or a text into a cell."""
        if isinstance(item, str):
            item = qt.QTableWidgetItem(item)
        flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
        item.setFlags(flags | qt.Qt.ItemIsUserCheckable if checkable else flags)
        self.widget.setItem(row, column, item)

    def _fillOn(self) -> None:
        """Fill rows for a few hundredths of a second; the timer goes on with the rest."""
        deadline = time.monotonic() + _AT_ONCE_S
        self._filling = True
        try:
            while self.isFilling() and time.monotonic() < deadline:
                segment = self._rows[self._next]
                picture = qt.QTableWidgetItem()
                picture.setIcon(qt.QIcon(thumbnails.pixmap(self._hu[segment], rows=self._crop)))
                self.put(self._next, self.PICTURE, picture)
                self.fillRow(self._next, segment)
                self._next += 1
        finally:
            self._filling = False
        if self.isFilling():
            self._timer.start()
        else:
            self._timer.stop()

    def _onCurrentCell(self, row: int, column: int, rowBefore: int, columnBefore: int) -> None:
        if not self._filling and row != rowBefore:
            self._onPicked(self.picked())


def shown(value: float | str, digits: str = "") -> str:
    """Give a value as a cell shows it: numbers to a format, a dash for what is not known."""
    text = format(float(value), digits) if digits else str(value)
    return "-" if text in ("nan", "unknown", "") else text
