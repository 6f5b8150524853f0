"""What a panel did and what its child processes said, line by line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import qt

if TYPE_CHECKING:
    from SkullGANLib.utils.child_process import ChildProcess

_MOST_LINES = 5000


class RunLog:
    """Writes into a ``QPlainTextEdit``, the oldest lines of thousands being forgotten.

    Args:
        widget: the text, which cannot be edited.
    """

    def __init__(self, widget: qt.QPlainTextEdit) -> None:
        self._widget = widget
        self._read: dict[str, tuple[ChildProcess, int]] = {}
        widget.setMaximumBlockCount(_MOST_LINES)

    def say(self, text: str) -> None:
        """Add what happened now; further lines of the text stand below its time."""
        first, *others = text.splitlines() or [""]
        now = time.strftime("%H:%M:%S")
        self._widget.appendPlainText("\n".join([f"{now}  {first}", *(f"    {o}" for o in others)]))

    def follow(self, name: str, child: ChildProcess | None) -> None:
        """Add what a child process wrote since the last time.

        Args:
            name: who it works for; of each the last child is followed to its end.
            child: the process that works now; None if none does.
        """
        before, read = self._read.get(name, (None, 0))
        if before is not None:
            for line in before.output[read:]:
                self._widget.appendPlainText(f"    {line}")
            self._read[name] = (before, len(before.output))
        if child is not before:
            if child is None:
                del self._read[name]
            else:
                self._read[name] = (child, 0)
                self.follow(name, child)

    def clear(self) -> None:
        self._widget.clear()

    @property
    def text(self) -> str:
        """All lines."""
        return self._widget.toPlainText()
