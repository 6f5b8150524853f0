"""Which segments a table shows: by bone, side, plane, metrics, warnings and what was decided."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import qt
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SkullGANGui.protocols import Widgets

ALL, KEPT, REJECTED, WARNED = range(4)
_LATER_MSEC = 120
"""Dragging a slider sends many changes: rows follow once for all that came in so long a time."""


class SegmentFilter:
    """Reads the boxes of the filter.

    Args:
        ui: the panel's widgets.
        onChanged: called when other segments are to be shown.
    """

    def __init__(self, ui: Widgets, onChanged: Callable[[], None]) -> None:
        self._texts = {
            "Bone": (ui.boneFilterBox, _("All bones")),
            "Side": (ui.sideFilterBox, _("All sides")),
            "Plane": (ui.planeFilterBox, _("All planes")),
        }
        self._decided = ui.decidedFilterBox
        self._ranges = {
            "SDR (peaks)": (ui.sdrFilter, ui.sdrFilterLabel),
            "Thickness (mm)": (ui.thicknessFilter, ui.thicknessFilterLabel),
            "Realness": (ui.realnessFilter, ui.realnessFilterLabel),
        }
        self._group = ui.filterGroup
        self._title = self._group.title
        self._offering = False
        self._decided.addItems([_("All"), _("Kept"), _("Rejected"), _("With warnings")])
        for box in (*(box for box, _all in self._texts.values()), self._decided):
            box.connect("currentIndexChanged(int)", self._onBox)
        for widget, _label in self._ranges.values():
            widget.connect("valuesChanged(double,double)", self._onRange)
        ui.filterResetButton.connect("clicked(bool)", lambda checked: self.reset())
        self._onChanged = onChanged
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LATER_MSEC)
        self._timer.connect("timeout()", self._changed)

    def offer(self, columns: Mapping[str, np.ndarray]) -> None:
        """Offer what there is of a set, and let all of it through."""
        self._offering = True
        try:
            for name, (box, every) in self._texts.items():
                box.clear()
                box.addItem(every, "")
                for text in np.unique(columns.get(name, np.array([], str))).tolist():
                    box.addItem(_(text), text)
                box.enabled = box.count > 2
            for name, (widget, label) in self._ranges.items():
                self._offerRange(widget, label, columns.get(name))
            self._decided.setCurrentIndex(ALL)
        finally:
            self._offering = False
        self._showActive()

    def reset(self) -> None:
        """Let all through again."""
        self._offering = True
        try:
            for box in (*(box for box, _all in self._texts.values()), self._decided):
                box.setCurrentIndex(0)
            for widget, _label in self._ranges.values():
                widget.reset()
        finally:
            self._offering = False
        self._changed()

    def rows(self, columns: Mapping[str, np.ndarray], warnings: Sequence[str]) -> list[int]:
        """Give the numbers of the segments that are let through."""
        through = np.ones(len(warnings), bool)
        for name, (box, _all) in self._texts.items():
            wanted = box.itemData(box.currentIndex)
            if wanted:
                through &= columns[name] == wanted
        for name, (widget, _label) in self._ranges.items():
            if name in columns and self._isNarrowed(widget):
                # What is not known lies in no range.
                low, high = widget.minimumValue, widget.maximumValue
                through &= (columns[name] >= low - 1e-9) & (columns[name] <= high + 1e-9)
        decided = self._decided.currentIndex
        if decided in (KEPT, REJECTED):
            through &= (columns["Keep"] != 0) == (decided == KEPT)
        elif decided == WARNED:
            through &= np.array([bool(warning) for warning in warnings], bool)
        return np.flatnonzero(through).tolist()

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._timer.stop()

    def _offerRange(self, widget: qt.QWidget, label: qt.QLabel, values: np.ndarray | None) -> None:
        known = values[np.isfinite(values)] if values is not None else np.array([])
        for one in (widget, label):
            one.visible = bool(known.size)
        if known.size:
            step = widget.singleStep
            low = np.floor(known.min() / step) * step
            high = max(np.ceil(known.max() / step) * step, low + step)
            # The upper end first: a range is never empty on the way.
            widget.maximum = float(max(high, widget.minimum))
            widget.minimum = float(low)
            widget.maximum = float(high)
            widget.setValues(float(low), float(high))

    def _isNarrowed(self, widget: qt.QWidget) -> bool:
        half = widget.singleStep / 2
        return (
            widget.minimumValue > widget.minimum + half
            or widget.maximumValue < widget.maximum - half
        )

    def isActive(self) -> bool:
        """Tell whether something may be held back."""
        boxes = (*(box for box, _all in self._texts.values()), self._decided)
        ranges = (widget for widget, label in self._ranges.values() if not label.isHidden())
        return any(box.currentIndex > 0 for box in boxes) or any(map(self._isNarrowed, ranges))

    def _showActive(self) -> None:
        """Say in the title that rows are held back: folded, nothing else does."""
        self._group.title = (
            _("{filter} (on)").format(filter=self._title) if self.isActive() else (self._title)
        )

    def _onBox(self, index: int) -> None:
        if not self._offering:
            self._changed()

    def _onRange(self, low: float, high: float) -> None:
        if not self._offering:
            self._timer.start()

    def _changed(self) -> None:
        self._showActive()
        self._onChanged()
