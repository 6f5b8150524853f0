"""The table of the segments of one set of a report, with what the evaluation says of each."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import qt
import slicer
import slicer.util
from SkullGANGui.picture_table import PictureTable, shown
from SkullGANGui.table_columns import Column
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLTableNode
from slicer.i18n import tr as _

AS_IN_SET, LEAST_REAL, MOST_REAL, LIKE_COPIES = range(4)
"""Orders in which segments can be listed, by number: ``parameters.ORDERS`` in words."""


class SegmentList(PictureTable):
    """A ``PictureTable`` of the segments of one set of a report.

    Args:
        widget: the ``QTableWidget``.
        onPicked: called with the slice of the segment whose row was picked, -1 for none.
    """

    PICTURE, NAME, REALNESS, SDR, THICKNESS, RATIO = range(6)

    def __init__(self, widget: qt.QTableWidget, onPicked: Callable[[int], None]) -> None:
        columns = (
            Column(_("Name"), _("Set, and place in it from 0"), 86),
            Column(_("Realness"), _("Of the discriminator, from 0 (made) to 1 (real)"), 68),
            Column(_("SDR"), _("Skull density ratio (peaks): diploë over tables, 0 to 1"), 40),
            Column(_("mm"), _("Mean thickness of the wall in mm"), 36),
            Column(
                _("Likeness"),
                _("Distance to the nearest training segment over that to the next: 0 for a copy"),
                62,
            ),
        )
        PictureTable.__init__(self, widget, columns, onPicked)
        widget.horizontalHeader().setStretchLastSection(True)
        self._numbers: dict[int, tuple[np.ndarray | None, str]] = {}
        self._shown: tuple[str | int, ...] = ()

    def show(
        self,
        volume: vtkMRMLScalarVolumeNode | None,
        table: vtkMRMLTableNode | None,
        order: int,
    ) -> None:
        """Show the segments of a volume with their table (``SkullGANScene.nodes.evaluation``).

        Args:
            volume: the stack of segments, or None for nothing.
            table: row k is about slice k.
            order: one of ``AS_IN_SET``, ``LEAST_REAL``, ``MOST_REAL`` and ``LIKE_COPIES``.
        """
        which = () if volume is None or table is None else (volume.GetID(), table.GetID(), order)
        if which == self._shown:
            return
        self._shown = which
        self.clear()
        if volume is None or table is None:
            return
        from SkullGANLib.metrics import METRICS
        from SkullGANScene.nodes import evaluation

        self._names = table.GetTable().GetColumnByName(evaluation.NAME)
        self._numbers = {
            self.REALNESS: (_column(table, evaluation.REALNESS), ".2f"),
            self.SDR: (_column(table, METRICS["sdr_peaks"].title), ".2f"),
            self.THICKNESS: (_column(table, METRICS["thickness_mm"].title), ".1f"),
            self.RATIO: (_column(table, "Likeness ratio (MSE)"), ".2f"),
        }
        self.showRows(slicer.util.arrayFromVolume(volume), self._listed(order, table))

    def sortValues(self, column: int) -> np.ndarray | None:
        if column == self.NAME:
            return np.arange(self._names.GetNumberOfValues())
        return self._numbers[column][0] if column in self._numbers else None

    def fillRow(self, row: int, segment: int) -> None:
        self.put(row, self.NAME, self._names.GetValue(segment))
        for column, (values, digits) in self._numbers.items():
            self.put(row, column, "-" if values is None else shown(values[segment], digits))

    def _listed(self, order: int, table: vtkMRMLTableNode) -> list[int]:
        by = {
            LEAST_REAL: (self.REALNESS, 1),
            MOST_REAL: (self.REALNESS, -1),
            LIKE_COPIES: (self.RATIO, 1),
        }
        column, sign = by.get(order, (self.REALNESS, 0))
        values = self._numbers[column][0]
        if not sign or values is None:
            return list(range(table.GetNumberOfRows()))
        return np.argsort(sign * values, kind="stable").tolist()  # what is not known goes last


def _column(table: vtkMRMLTableNode, name: str) -> np.ndarray | None:
    if table.GetTable().GetColumnByName(name) is None:
        return None
    return slicer.util.arrayFromTableColumn(table, name)
