"""Rows of check boxes that are made from a list, so that what is added to it can be ticked."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SkullGANLib.anatomy.cut_plan import Choice


_A_ROW = 2


class CheckBoxes:
    """One check box a choice, in the order of the list.

    Args:
        frame: widget with a grid, for the boxes: two a row, which fit into a narrow panel.
        choices: what can be ticked.
        onTicked: called with the names of what is ticked once the user has changed it.

    Example::

        self.bones = CheckBoxes(ui.bonesFrame, cut_plan.BONE_CHOICES, self.onBones)
        self.bones["temporal"].checked
    """

    def __init__(
        self,
        frame: qt.QWidget,
        choices: Iterable[Choice],
        onTicked: Callable[[list[str]], None],
    ) -> None:
        self._boxes: dict[str, qt.QCheckBox] = {}
        self._onTicked = onTicked
        self._showing = False
        for number, choice in enumerate(choices):
            box = qt.QCheckBox(_(choice.name))
            box.toolTip = _(choice.meaning)
            box.connect("toggled(bool)", self._onToggled)
            frame.layout().addWidget(box, number // _A_ROW, number % _A_ROW)
            self._boxes[choice.name] = box

    def __getitem__(self, name: str) -> qt.QCheckBox:
        return self._boxes[name]

    def show(self, names: Iterable[str]) -> None:
        """Tick the boxes of these names and no others."""
        ticked = set(names)
        self._showing = True
        try:
            for name, box in self._boxes.items():
                box.checked = name in ticked
        finally:
            self._showing = False

    def ticked(self) -> list[str]:
        """The names of what is ticked."""
        return [name for name, box in self._boxes.items() if box.checked]

    def _onToggled(self, checked: bool) -> None:
        if not self._showing:
            self._onTicked(self.ticked())
