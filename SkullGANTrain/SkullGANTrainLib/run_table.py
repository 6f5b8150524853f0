"""The runs of a folder in a table: name, state, how far, when it reported last."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import qt
from SkullGANGui.table_columns import ROW_PX, Column, setColumns
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SkullGANLib.training.monitor import RunState

_MOST_ROWS_SHOWN = 6
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def stateText(run: RunState) -> tuple[str, str]:
    """Give the state of a run in a word or two, and in a sentence."""
    return {
        "starting": (_("starting"), _("It has just been started and has not reported yet.")),
        "running": (_("running"), _("A process trains there now.")),
        "finished": (_("finished"), _("It came to its end; the model is there.")),
        "cancelled": (_("stopped"), _("It was stopped; what it had learned by then was saved.")),
        "failed": (_("failed"), _("It ended with an error.")),
        "died": (
            _("left for dead"),
            _("It was killed or crashed: it runs by its status, but no process trains there."),
        ),
        "damaged": (_("damaged"), run.problem),
        "gone": (_("gone"), _("Its folder was deleted.")),
    }[run.state]


def ago(seconds: float | None) -> str:
    """Write roughly how long something is past."""
    if seconds is None:
        return ""
    if seconds < _MINUTE_S:
        return _("just now")
    if seconds < _HOUR_S:
        return _("{n} min ago").format(n=int(seconds // _MINUTE_S))
    if seconds < _DAY_S:
        return _("{n} h ago").format(n=int(seconds // _HOUR_S))
    return _("{n} d ago").format(n=int(seconds // _DAY_S))


class RunTable:
    """Shows runs in a ``QTableWidget``.

    Args:
        widget: the ``QTableWidget``.
        onPicked: called with the folder of the run whose row was picked.
    """

    NAME, STATE, DONE, REPORTED = range(4)

    def __init__(self, widget: qt.QTableWidget, onPicked: Callable[[Path], None]) -> None:
        self.widget = widget
        self._onPicked = onPicked
        self._folders: list[Path] = []
        self._filling = False
        titles = (
            Column(_("Training"), _("Name of its folder"), 150),
            Column(_("State"), _("Found out from its process, whoever started it"), 92),
            Column(_("Done"), _("Share of the iterations, in per cent"), 50),
            Column(_("Last report"), _("When it reported last")),
        )
        setColumns(widget, titles)
        widget.horizontalHeader().setStretchLastSection(True)
        widget.connect("currentCellChanged(int,int,int,int)", self._onCurrentCell)

    def show(self, states: Sequence[RunState], watched: Path | None) -> None:
        """Show runs; the row of the watched one is picked."""
        self._filling = True
        try:
            self._folders = [one.run.path for one in states]
            self.widget.setRowCount(len(states))
            for row, one in enumerate(states):
                self._fill(row, one)
            picked = self._folders.index(watched) if watched in self._folders else -1
            if picked != self.widget.currentRow():
                self.widget.setCurrentCell(picked, self.NAME)
        finally:
            self._filling = False
        rows = min(max(len(states), 1), _MOST_ROWS_SHOWN)
        self.widget.setFixedHeight(ROW_PX * (rows + 1) + 6)

    def pick(self, folder: Path) -> None:
        """Pick the row of a run, as a click on it would."""
        self.widget.setCurrentCell(self._folders.index(Path(folder)), self.NAME)

    def texts(self, folder: Path) -> list[str]:
        """Give the texts in the row of a run."""
        row = self._folders.index(Path(folder))
        return [self.widget.item(row, column).text() for column in range(4)]

    def _fill(self, row: int, run: RunState) -> None:
        state, sentence = stateText(run)
        progress = f"{run.status.progress:.0%}" if run.status else ""
        for column, text, tip in (
            (self.NAME, run.run.path.name, str(run.run.path)),
            (self.STATE, state, sentence),
            (self.DONE, progress, run.status.message if run.status else ""),
            (self.REPORTED, ago(run.silent_s), ""),
        ):
            item = self.widget.item(row, column)
            if item is None:
                item = qt.QTableWidgetItem()
                item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
                self.widget.setItem(row, column, item)
            item.setText(text)
            item.setToolTip(tip)

    def _onCurrentCell(self, row: int, column: int, rowBefore: int, columnBefore: int) -> None:
        if not self._filling and row != rowBefore and 0 <= row < len(self._folders):
            self._onPicked(self._folders[row])
