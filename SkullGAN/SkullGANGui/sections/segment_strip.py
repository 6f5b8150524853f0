"""A strip of segments, large enough to judge them, in the order of the table above it."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import qt
from slicer.i18n import tr as _

from SkullGANGui import thumbnails

PICTURE_PX = 192
_GAP_PX, _TEXT_PX, _BAR_PX = 10, 24, 22
_BESIDE = 2
"""Pictures are made for what is seen and so many to either side; thousands would fill memory."""
_FEWEST_SEEN, _MOST_PICTURES = 8, 60  # the panel may become wider than it is
_REJECTED = 0.35
_CROSS = (214, 80, 70)


class SegmentStrip:
    """Shows the rows of a table in a ``QListWidget``, side by side.

    Args:
        widget: the list.
        onPicked: called with the number of a segment that was picked here.
        describe: gives the line below a segment.
        kept: gives of each segment, bool (N,), whether it is kept.
    """

    def __init__(
        self,
        widget: qt.QListWidget,
        onPicked: Callable[[int], None],
        describe: Callable[[int], str],
        kept: Callable[[], np.ndarray],
    ) -> None:
        self.widget = widget
        self._onPicked, self._describe, self._kept = onPicked, describe, kept
        self._rows: list[int] = []
        self._picked = -1
        self._hu = np.zeros((0, 128, 128), np.int16)
        self._crop = slice(None)
        self._made: dict[int, None] = {}  # rows with pictures, the one made last at the end
        self._showing = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._fill)
        widget.setViewMode(qt.QListView.IconMode)
        widget.setFlow(qt.QListView.LeftToRight)
        widget.setMovement(qt.QListView.Static)
        widget.setWrapping(False)
        widget.setUniformItemSizes(True)
        widget.setHorizontalScrollMode(qt.QAbstractItemView.ScrollPerPixel)
        widget.setVerticalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        widget.connect("currentRowChanged(int)", self._onCurrentRow)
        widget.horizontalScrollBar().connect("valueChanged(int)", lambda value: self._draw())
        widget.visible = False

    def show(self, hu: np.ndarray, rows: Sequence[int]) -> None:
        """Show segments in this order, as soon as Slicer comes to it.

        Args:
            hu: int16 (N, 128, 128), the segments.
            rows: which of them.
        """
        if hu is not self._hu:
            self._hu = hu
            self._crop = thumbnails.used_rows(hu[:: max(1, len(hu) // 32)]) if len(hu) else slice(0)
        self._rows = list(rows)
        self._timer.start()

    def _fill(self) -> None:
        self._made = {}
        crop = self._crop.indices(128)
        height = round((crop[1] - crop[0]) * PICTURE_PX / 128)
        size = qt.QSize(PICTURE_PX + _GAP_PX, height + _TEXT_PX)
        self._showing = True
        try:
            self.widget.clear()
            self.widget.horizontalScrollBar().value = 0
            self.widget.setIconSize(qt.QSize(PICTURE_PX, height))
            self.widget.setGridSize(size)
            self.widget.addItems([self._describe(segment) for segment in self._rows])
            for row in range(len(self._rows)):  # else all are as high as a text without its picture
                self.widget.item(row).setSizeHint(size)
            self.widget.setFixedHeight(height + _TEXT_PX + _BAR_PX)
        finally:
            self._showing = False
        self.widget.visible = bool(self._rows)
        self.follow(self._picked)
        self._draw()

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._timer.stop()

    def follow(self, segment: int) -> None:
        """Go to a segment that was picked elsewhere; -1 for none."""
        self._picked = segment
        if self._timer.active:
            return  # it is gone to once the segments are there
        row = self._rows.index(segment) if segment in self._rows else -1
        if row == self.widget.currentRow:
            return
        self._showing = True
        self.widget.setCurrentRow(row)
        self._showing = False
        if row >= 0:
            item = self.widget.item(row)
            self.widget.scrollToItem(item, qt.QAbstractItemView.PositionAtCenter)
            self.widget.verticalScrollBar().value = 0
        self._draw()

    def renew(self, segments: Sequence[int]) -> None:
        """Draw these segments anew, for what was decided of them changed."""
        if self._timer.active:
            return
        gone = set(segments)
        for row in [row for row in self._made if self._rows[row] in gone]:
            del self._made[row]
        self._draw()

    def clear(self) -> None:
        """Show nothing."""
        self.show(np.zeros((0, 128, 128), np.int16), [])

    def _draw(self) -> None:
        """Make the pictures of what is seen."""
        if self._showing or self._timer.active:
            return  # the list still holds the rows of before
        step = max(1, self.widget.gridSize.width())
        first = self.widget.horizontalScrollBar().value // step
        seen = max(_FEWEST_SEEN, self.widget.viewport().width // step + 1)
        kept = self._kept() if self._rows else np.zeros(0, bool)
        for row in range(max(0, first - _BESIDE), min(len(self._rows), first + seen + _BESIDE)):
            if row not in self._made:
                picture = self._picture(self._rows[row], bool(kept[self._rows[row]]))
                self.widget.item(row).setIcon(thumbnails.icon(picture))
            self._made.pop(row, None)
            self._made[row] = None
        for row in list(self._made)[:-_MOST_PICTURES]:
            del self._made[row]
            self.widget.item(row).setIcon(qt.QIcon())

    def _picture(self, segment: int, keep: bool) -> qt.QPixmap:
        """A segment; a rejected one is darkened and crossed out."""
        gray = thumbnails.gray(self._hu[segment, self._crop])
        if keep:
            picture = thumbnails.colored(np.repeat(gray[..., None], 3, axis=2))
        else:
            rgb = np.repeat((gray * _REJECTED).astype(np.uint8)[..., None], 3, axis=2)
            rows, columns = np.indices(gray.shape)
            side = min(gray.shape) / 2
            down = np.abs(rows - gray.shape[0] / 2 + 0.5)
            across = np.abs(columns - gray.shape[1] / 2 + 0.5)
            rgb[(np.abs(down - across) < 1.2) & (down < 0.7 * side)] = _CROSS
            picture = thumbnails.colored(rgb)
        return picture.scaledToWidth(PICTURE_PX, qt.Qt.SmoothTransformation)

    def _onCurrentRow(self, row: int) -> None:
        if not self._showing and row >= 0:
            self._onPicked(self._rows[row])


def described(number: int, sdr: float, thickness_mm: float, stack: str = "") -> str:
    """Give the line below a segment; a slice of a stack says of which instead of its number."""
    parts = [stack or str(number)]
    if np.isfinite(sdr):
        parts.append(_("SDR {sdr:.2f}").format(sdr=sdr))
    if np.isfinite(thickness_mm):
        parts.append(_("{mm:.1f} mm").format(mm=thickness_mm))
    return ", ".join(parts)
