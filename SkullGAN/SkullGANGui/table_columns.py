"""Columns of tables: titles with tool tips, widths, and rows of one height."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import qt

ROW_PX = 22
"""Height of a row of text."""


class Column(NamedTuple):
    """A column of a table: its title, what it is, and its width in pixels (0: as it comes)."""

    title: str
    tip: str
    width: int = 0


def setColumns(
    widget: qt.QTableWidget, columns: Sequence[Column], rowHeight: int | None = ROW_PX
) -> None:
    """Give a table its columns; rows have no titles.

    Args:
        widget: the table.
        columns: from left to right.
        rowHeight: of every row, in pixels; as it comes if None.
    """
    widget.setColumnCount(len(columns))
    widget.verticalHeader().setVisible(False)
    if rowHeight is not None:
        widget.verticalHeader().setDefaultSectionSize(rowHeight)
    for number, column in enumerate(columns):
        head = qt.QTableWidgetItem(column.title)
        head.setToolTip(column.tip)
        widget.setHorizontalHeaderItem(number, head)
        if column.width:
            widget.setColumnWidth(number, column.width)
