"""What a check of the form finds beforehand: sets, picture, devices, memory, problem."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import qt
from SkullGANGui import packages
from SkullGANGui.fitted_picture import FittedPicture
from slicer.i18n import tr as _

from . import parameters
from .parameters import SkullGANTrainParameterNode

if TYPE_CHECKING:
    from SkullGANGui.protocols import Widgets
    from SkullGANLib.utils.task import Task

    from .logic import SkullGANTrainLogic

SHEET_WIDTH_PX = 400
QUIET_S = 0.7
"""How long the form must be left alone before it is checked."""
_GIB = 2**30


class FormView:
    """Has the form checked, in a child process, once it was left alone, and shows what is found.

    Args:
        ui: the panel's widgets by name.
        logic: the ``SkullGANTrainLogic``.
        onFound: called when something was found.

    Attributes:
        found: what ``skullgan check`` found; None if nothing could be.
    """

    def __init__(self, ui: Widgets, logic: SkullGANTrainLogic, onFound: Callable[[], None]) -> None:
        self.ui, self._logic, self._onFound = ui, logic, onFound
        self.found: dict[str, Any] | None = None
        self._problem = ""
        self._checked: tuple[object, ...] | None = None  # stamp of the form as it was checked
        self._seen: tuple[object, ...] | None = None  # and as it was last
        self._quietSince = 0.0
        self._devices: list[tuple[str, str]] = []
        self._sheet = FittedPicture(ui.sheetLabel, SHEET_WIDTH_PX)
        self._show("")

    def rejection_reason(self, node: SkullGANTrainParameterNode) -> str:
        """Give why the training would refuse the form as it is, as far as it was checked."""
        return self._problem if self._checked == parameters.stamp(node) else ""

    def carryOn(self, node: SkullGANTrainParameterNode) -> None:
        """Take what was found, and check again if the form is another one."""
        checking = self._logic.checking
        if checking and checking.poll() != "running":
            self._logic.checking = None
            self._take(checking, node)
        stamp = parameters.stamp(node)
        if stamp == self._checked:
            return
        if stamp != self._seen:  # it was changed just now
            self._seen, self._quietSince, self._problem = stamp, time.monotonic(), ""
        if time.monotonic() - self._quietSince < QUIET_S:
            return
        self._checked = stamp
        lacking = packages.sentence(packages.MODELS)
        if lacking or not parameters.canBeChecked(node):
            self.found = None
            self._show(lacking)
            self.showDevice(node)
            self._onFound()
            return
        self._logic.checkForm(node)
        if self.found is None:
            self.ui.setsLabel.text = _("Checking the segment sets...")

    def showDevice(self, node: SkullGANTrainParameterNode) -> None:
        """Show the device that was chosen, also one that is not there."""
        names = [name for name, _text in self._devices]
        if node.device not in names:
            text = _("{name} (not found on this machine)").format(name=node.device)
            self._devices.append((node.device, text))
            self.ui.deviceComboBox.addItem(text)
            names.append(node.device)
        self.ui.deviceComboBox.setCurrentIndex(names.index(node.device))

    def device(self, index: int) -> str:
        """Give the device of an entry of the box, as ``--device`` takes it."""
        return self._devices[index][0]

    def _take(self, checking: Task[dict[str, Any]], node: SkullGANTrainParameterNode) -> None:
        if checking.state == "finished":
            self.found, self._problem = checking.result, checking.result["problem"]
        elif checking.state == "failed":
            self.found, self._problem = None, checking.sentence
        else:
            return
        self._show("")
        self.showDevice(node)
        self._onFound()

    def _show(self, sentence: str) -> None:
        found = self.found or {"sets": [], "note": "", "memory": "", "devices": [], "sheet": b""}
        lines = [
            *(one["summary"] for one in found["sets"]),
            found["note"],
            self._problem or sentence,
            *found.get("cautions", []),
        ]
        nothing = _("Tick segment sets of the scene, or add files.")
        self.ui.setsLabel.text = "\n".join(filter(None, lines)) or nothing
        self.ui.memoryLabel.text = found["memory"]
        for label in (self.ui.memoryLabel, self.ui.memorySpaceLabel):
            label.visible = bool(found["memory"])
        sheet = qt.QPixmap()
        there = bool(found["sheet"]) and sheet.loadFromData(found["sheet"])
        if there:
            self._sheet.show(sheet)
        else:
            self._sheet.clear()
        self.ui.sheetLabel.visible = there
        if found["devices"] or not self._devices:
            self._listDevices(found["devices"])

    def _listDevices(self, devices: list[dict[str, Any]]) -> None:
        """Fill the box of devices with those that this machine has and their memory."""
        self._devices = [("auto", _("automatic: a graphics card where there is one"))]
        for one in devices or [{"name": "cpu", "title": _("CPU"), "free_bytes": None}]:
            text = f"{one['name']}: {one['title']}"
            if one["free_bytes"] is not None:
                text += _(", {free:.1f} GiB free").format(free=one["free_bytes"] / _GIB)
                if one["total_bytes"] is not None:
                    text += _(" of {total:.1f}").format(total=one["total_bytes"] / _GIB)
            self._devices.append((one["name"], text))
        self.ui.deviceComboBox.clear()
        for _name, text in self._devices:
            self.ui.deviceComboBox.addItem(text)
