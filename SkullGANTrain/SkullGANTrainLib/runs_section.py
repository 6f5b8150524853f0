"""The runs of a folder, whoever began them: listed piece by piece, every few seconds."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .run_table import RunTable
from .section import Section

if TYPE_CHECKING:
    from SkullGANLib.training.monitor import RunState

    from .section import TrainPanel

LIST_EVERY_S = 2.0


class RunsSection(Section):
    """Lists the runs of the chosen folder; the one that is picked is watched.

    Args:
        panel: the panel.

    Attributes:
        table: what is listed.
    """

    def __init__(self, panel: TrainPanel) -> None:
        Section.__init__(self, panel)
        self.table = RunTable(self.ui.runsTable, self.onRunPicked)
        self.lastFolder = ""
        self._listing: Iterator[list[RunState] | None] | None = None
        self._listed = 0.0
        panel.keepPath(self.ui.runsFolder, "runsFolder")

    def show(self) -> None:
        if self.node.runsFolder and self.node.runsFolder != self.lastFolder:
            self.lastFolder = self.node.runsFolder
            self._listing = None
            self.listAgain()

    def listAgain(self) -> None:
        """Let the next ``carryOn`` list the folder, however little time has passed."""
        self._listed = 0.0

    def carryOn(self) -> bool:
        """Carry on with listing the folder for a moment; tell whether the list is new."""
        if self._listing is None:
            if time.monotonic() - self._listed < LIST_EVERY_S:
                return False
            self._listing = self.logic.runsIn(self.node.runsFolder.strip())
        states = next(self._listing)
        if states is None:
            return False
        self._listing, self._listed = None, time.monotonic()
        if not self.node.watched and states and states[0].goes_on:
            self.node.watched = str(states[0].run.path)
        self.table.show(states, Path(self.node.watched) if self.node.watched else None)
        self.ui.runsLabel.visible = not states
        return True

    def onRunPicked(self, folder: Path) -> None:
        if self.node:
            self.node.watched = str(folder)
