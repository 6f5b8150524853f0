"""A table with a segment's picture in each row, filled piece by piece, sorted by its headings."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import qt
from slicer.i18n import tr as _

from SkullGANGui import thumbnails
from SkullGANGui.table_columns import Column, setColumns

ROW_PX = 34
PICTURE_PX = 84
_AT_ONCE_S = 0.04
_MOST_ROWS = 2000
_AROUND = 8
_FLAGS = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
_CHECKABLE = _FLAGS | qt.Qt.ItemIsUserCheckable


class PictureTable:
    """Fills and reads a ``QTableWidget`` with a row for each of some segments.

    Rows come in pieces, so that thousands of them never hold Slicer up. A click on a heading sorts
    by it, a second one the other way round, a third one as the rows were given. A subclass fills
    the columns after the picture in ``fillRow`` with ``put``, and gives what a column is sorted by
    in ``sortValues``.

    Args:
        widget: the ``QTableWidget``, which selects rows.
        columns: those after the picture's.
        onPicked: called with the number of the segment whose row was picked, -1 for none.
        onArranged: called when other rows are shown, or in another order.
    """

    PICTURE = 0

    def __init__(
        self,
        widget: qt.QTableWidget,
        columns: Sequence[Column],
        onPicked: Callable[[int], None],
        onArranged: Callable[[], None] = lambda: None,
    ) -> None:
        self.widget = widget
        self._onPicked, self._onArranged = onPicked, onArranged
        self._given: list[int] = []
        self._rows: list[int] = []
        self._filled: set[int] = set()
        self._next = 0
        self._icons: dict[int, qt.QIcon] = {}
        self._sortedBy, self._descending = -1, False
        tip = _("The segment: outer table up, 57.6 mm across")
        columns = [Column(_("Segment"), tip, PICTURE_PX), *columns]
        widget.setIconSize(qt.QSize(PICTURE_PX - 8, ROW_PX - 2))
        widget.horizontalHeader().setMinimumSectionSize(20)
        setColumns(widget, columns, ROW_PX)
        widget.horizontalHeader().setSectionsClickable(True)
        widget.horizontalHeader().connect("sectionClicked(int)", self.sortBy)
        widget.connect("currentCellChanged(int,int,int,int)", self._onCurrentCell)
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._fillOn)

    def fillRow(self, row: int, segment: int) -> None:
        """Fill the columns of a row but for its picture."""

    def sortValues(self, column: int) -> Sequence[float] | Sequence[str] | np.ndarray | None:
        """Give what a column is sorted by, a value for every segment of the set; None for none."""
        return None

    def clear(self) -> None:
        """Show no row."""
        self._forget()
        self._onArranged()

    def showRows(self, hu: np.ndarray, rows: Sequence[int]) -> None:
        """Show segments in this order, the first few hundredths of a second's worth at once.

        Args:
            hu: int16 (N, 128, 128), the segments.
            rows: which of them.
        """
        self._forget()
        self._hu = hu
        self._crop = thumbnails.used_rows(hu[:: max(1, len(hu) // 32)])
        self.arrange(rows)

    def arrange(self, rows: Sequence[int]) -> None:
        """Show other rows of the same segments; what was picked and selected stays so."""
        self._given = list(rows)[:_MOST_ROWS]
        picked, selected = self.picked(), self.selected()
        self._show(self._ordered(self._given))
        places = {segment: row for row, segment in enumerate(self._rows)}
        self._select([places[one] for one in selected if one in places], places.get(picked, -1))
        self._onArranged()

    def sortBy(self, column: int) -> None:
        """Sort by a column, or the other way round, or no longer: as a click on its heading."""
        if self.sortValues(column) is None:
            return
        if column != self._sortedBy:
            self._sortedBy, self._descending = column, False
        elif not self._descending:
            self._descending = True
        else:
            self._sortedBy = -1
        self.arrange(self._given)

    @property
    def rows(self) -> Sequence[int]:
        """The numbers of the segments, in the order of their rows."""
        return self._rows

    def isFilling(self) -> bool:
        return self._next < len(self._rows)

    def rowOf(self, segment: int) -> int:
        """The row of a segment, filled now if it is not yet; raises ``ValueError`` for none."""
        row = self._rows.index(segment)
        # Those around it are seen with it.
        for near in range(max(0, row - _AROUND), min(len(self._rows), row + _AROUND)):
            self._fill(near)
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

    def selected(self) -> list[int]:
        """The numbers of the segments whose rows are selected, in their order."""
        rows = sorted(index.row() for index in self.widget.selectionModel().selectedRows())
        return [self._rows[row] for row in rows if row < len(self._rows)]

    def put(
        self, row: int, column: int, item: qt.QTableWidgetItem | str, checkable: bool = False
    ) -> None:
        """Put an item or a text into a cell."""
        if isinstance(item, str):
            item = qt.QTableWidgetItem(item)
        item.setFlags(_CHECKABLE if checkable else _FLAGS)
        self.widget.setItem(row, column, item)

    def _forget(self) -> None:
        self._sortedBy = -1
        self._show([])
        self._given, self._icons = [], {}

    def _show(self, rows: list[int]) -> None:
        """Show these rows, filled from the first one on."""
        self._timer.stop()
        with self.unheard():
            self.widget.setRowCount(0)
            self.widget.setRowCount(len(rows))
        self._rows, self._next, self._filled = rows, 0, set()
        header = self.widget.horizontalHeader()
        header.setSortIndicatorShown(self._sortedBy >= 0)
        if self._sortedBy >= 0:
            down = self._descending
            header.setSortIndicator(
                self._sortedBy, qt.Qt.DescendingOrder if down else qt.Qt.AscendingOrder
            )
        if rows:
            self._fillOn()

    def _ordered(self, rows: list[int]) -> list[int]:
        values = self.sortValues(self._sortedBy) if self._sortedBy >= 0 else None
        if values is None or not rows:
            return list(rows)
        keys = np.asarray(values)[rows]
        if keys.dtype.kind == "U":
            keys = np.unique(keys, return_inverse=True)[1]
        # What is not known goes last, whatever the direction.
        order = np.argsort(-keys.astype(float) if self._descending else keys, kind="stable")
        return [rows[place] for place in order.tolist()]

    def _select(self, rows: Iterable[int], current: int) -> None:
        """Select rows again after they moved; nobody is told, for nothing else was picked."""
        if current >= 0:
            self._fill(current)
        how = qt.QItemSelectionModel.Select | qt.QItemSelectionModel.Rows
        with self.unheard():
            if current >= 0:
                self.widget.setCurrentCell(current, self.PICTURE + 1)
                self.widget.scrollToItem(self.widget.item(current, self.PICTURE + 1))
            for row in rows:
                index = self.widget.model().index(row, 0)
                self.widget.selectionModel().select(index, how)

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Change cells without a signal for each, of which a full table has thousands."""
        before = self.widget.blockSignals(True)
        try:
            yield
        finally:
            self.widget.blockSignals(before)

    def _fillOn(self) -> None:
        """Fill rows for a few hundredths of a second; the timer goes on with the rest."""
        deadline = time.monotonic() + _AT_ONCE_S
        while self.isFilling() and time.monotonic() < deadline:
            self._fill(self._next)
            self._next += 1
        if self.isFilling():
            self._timer.start()
        else:
            self._timer.stop()

    def _fill(self, row: int) -> None:
        """Fill a row, if it is not yet."""
        if row in self._filled:
            return
        self._filled.add(row)
        segment = self._rows[row]
        if segment not in self._icons:
            picture = thumbnails.pixmap(self._hu[segment], rows=self._crop)
            self._icons[segment] = thumbnails.icon(picture)
        with self.unheard():
            picture = qt.QTableWidgetItem()
            picture.setIcon(self._icons[segment])
            self.put(row, self.PICTURE, picture)
            self.fillRow(row, segment)

    def _onCurrentCell(self, row: int, column: int, rowBefore: int, columnBefore: int) -> None:
        if row != rowBefore:
            self._onPicked(self.picked())


def shown(value: float | str, digits: str = "") -> str:
    """Give a value as a cell shows it: numbers to a format, a dash for what is not known."""
    text = format(float(value), digits) if digits else str(value)
    return "-" if text in ("nan", "unknown", "") else text
