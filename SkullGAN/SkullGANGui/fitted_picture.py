"""A picture in a panel that becomes narrower with it."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import qt

_LEAST_PX = 40


class FittedPicture(qt.QObject):
    """Shows a picture in a label, as wide as the label is but no wider than it is meant to be.

    A ``QLabel`` would hold the whole panel at the width of its picture.

    Args:
        label: it must outlive this object.
        mostPx: width where there is room.
    """

    def __init__(self, label: qt.QLabel, mostPx: int) -> None:
        qt.QObject.__init__(self)
        self._label, self._mostPx = label, mostPx
        self._picture: qt.QPixmap | None = None
        self._shownPx = 0
        label.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)
        label.installEventFilter(self)

    def show(self, picture: qt.QPixmap) -> None:
        """Show another picture."""
        self._picture, self._shownPx = picture, 0
        self._fit()

    def clear(self) -> None:
        """Show none."""
        self._picture = None
        self._label.clear()

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:
        if event.type() == qt.QEvent.Resize:
            self._fit()
        return False

    def _fit(self) -> None:
        if self._picture is None:
            return
        width = max(_LEAST_PX, min(self._mostPx, self._label.width))
        if width != self._shownPx:
            self._shownPx = width
            self._label.setPixmap(self._picture.scaledToWidth(width, qt.Qt.SmoothTransformation))
