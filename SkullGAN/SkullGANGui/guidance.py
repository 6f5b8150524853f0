"""A line at the top of each section that says what to do next, until that was done once."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

_SETTING = "SkullGAN/hints/{module}/{section}"
_HIDDEN = "hidden"


class Guidance:
    """The lines of one panel. Each goes when its section did what it is for, or by its link.

    Args:
        ui: the panel's widgets.
        module: its name.
        hints: by the section's widget, what to do there and what comes of it.
    """

    def __init__(self, ui: Any, module: str, hints: Mapping[str, str]) -> None:
        self._module = module
        self._labels: dict[str, qt.QLabel] = {}
        for section, text in hints.items():
            label = qt.QLabel()
            label.name = f"{section}Hint"
            label.textFormat = qt.Qt.RichText
            label.wordWrap = True
            label.frameShape = qt.QFrame.StyledPanel
            label.margin = 4
            label.text = f'{text} <a href="hide">{_("Hide")}</a>'
            label.toolTip = _(
                "Goes when it was done once. All come back by a button in the last section."
            )
            label.connect(
                "linkActivated(QString)", lambda link, section=section: self.done(section)
            )
            # In a frame: of its own children a folded section forgets that they were hidden.
            frame = qt.QWidget()
            inner = qt.QVBoxLayout(frame)
            inner.setContentsMargins(0, 0, 0, 0)
            inner.addWidget(label)
            layout = getattr(ui, section).layout()
            if hasattr(layout, "insertRow"):
                layout.insertRow(0, frame)
            else:
                layout.insertWidget(0, frame)
            label.visible = self._isNew(section)
            self._labels[section] = label

    def done(self, section: str) -> None:
        """Hide a section's line, also in the sessions to come."""
        if section in self._labels and self._isNew(section):
            slicer.app.settings().setValue(self._key(section), _HIDDEN)
            self._labels[section].visible = False

    def showAgain(self) -> None:
        """Show all lines again."""
        for section, label in self._labels.items():
            slicer.app.settings().remove(self._key(section))
            label.visible = True

    def _isNew(self, section: str) -> bool:
        return slicer.app.settings().value(self._key(section)) != _HIDDEN

    def _key(self, section: str) -> str:
        return _SETTING.format(module=self._module, section=section)
