"""The keys of a review: while the table or the strip has the focus, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import qt


class ReviewKeys:
    """Connects keys with what they do.

    Ctrl+Z is Slicer's own key for undo, too; where both could be meant, it is the one of the widget
    that has the focus.

    Args:
        widgets: where the keys hold.
        keep, reject: decide on what is selected.
        move: goes so many rows on, or back.
        undo, redo: take back what was decided last, and decide it again.
    """

    def __init__(
        self,
        widgets: Iterable[qt.QWidget],
        *,
        keep: Callable[[], None],
        reject: Callable[[], None],
        move: Callable[[int], None],
        undo: Callable[[], None],
        redo: Callable[[], None],
    ) -> None:
        meanings: dict[Callable[[], None], tuple[str, ...]] = {
            keep: ("K",),
            reject: ("R", "Del"),
            lambda: move(1): ("N",),
            lambda: move(-1): ("P",),
            undo: ("U", "Ctrl+Z"),
            redo: ("Shift+U", "Ctrl+Shift+Z", "Ctrl+Y"),
        }
        self._shortcuts = [
            self._shortcut(widget, key, done)
            for widget in widgets
            for done, keys in meanings.items()
            for key in keys
        ]

    @staticmethod
    def _shortcut(widget: qt.QWidget, key: str, done: Callable[[], None]) -> qt.QShortcut:
        shortcut = qt.QShortcut(qt.QKeySequence(key), widget)
        shortcut.context = qt.Qt.WidgetWithChildrenShortcut
        for signal in ("activated()", "activatedAmbiguously()"):
            shortcut.connect(signal, done)
        return shortcut
