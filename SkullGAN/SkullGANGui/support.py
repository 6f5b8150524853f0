"""What every panel has at its end: its log, the versions of all that works here, the packages."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from SkullGANGui import packages
from SkullGANGui.run_log import RunLog
from SkullGANGui.table_columns import Column, setColumns

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from SkullGANLib.utils.child_process import ChildProcess

_POLL_MSEC = 100
_UI = Path(__file__).resolve().parents[1] / "Resources" / "UI" / "SkullGANSupport.ui"


class Support:
    """The section "Log, versions and packages", which comes from a ``.ui`` file of its own.

    Versions and devices are asked for in a child process when the section is opened first: torch,
    which knows the devices, takes seconds to import.

    Args:
        shownErrors: of the panel.

    Attributes:
        widget: to be put into the panel.
        ui: its widgets by name.
        log: the ``RunLog``.
    """

    def __init__(self, shownErrors: Callable[[str], AbstractContextManager[None]]) -> None:
        self.widget = slicer.util.loadUI(str(_UI))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.log = RunLog(self.ui.logText)
        self._shownErrors = shownErrors
        self._child: ChildProcess | None = None
        self._looked = False
        self._system = ""
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MSEC)
        self._timer.connect("timeout()", self._poll)
        self._makeTable()
        ui = self.ui
        for button, slot in (
            (ui.copyLogButton, self.onCopy),
            (ui.clearLogButton, self.log.clear),
            (ui.versionsButton, self.look),
            (ui.installPackageButton, self.onInstall),
            (ui.removePackageButton, self.onRemove),
        ):
            button.connect("clicked()", slot)
        ui.packagesTable.connect("itemSelectionChanged()", self._allow)
        ui.supportSection.connect("contentsCollapsed(bool)", self._onFolded)

    def stop(self) -> None:
        """End the child process, if one still looks for devices."""
        self._timer.stop()
        if self._child is not None:
            self._child.end()
            self._child = None

    # Versions and devices.

    def look(self) -> None:
        """Look for versions and devices, and which packages are installed by now."""
        from SkullGANLib.errors import SkullGANError
        from SkullGANLib.utils.child_process import ChildProcess, command_line

        self._looked = True
        self._fillTable()
        if self._child is not None:
            return
        self.ui.versionsText.setPlainText(
            "\n".join([*_ofSlicer(), _("Looking for the devices...")])
        )
        try:
            self._child = ChildProcess(command_line(["info", "--system"]))
        except SkullGANError as error:
            self.ui.versionsText.setPlainText("\n".join([*_ofSlicer(), str(error)]))
            return
        self._timer.start()

    def _poll(self) -> None:
        child = self._child
        state = child.poll() if child else "finished"
        if state == "running":
            return
        self._timer.stop()
        self._child = None
        if child is not None:
            said = child.output if state == "finished" else [child.sentence]
            self._system = "\n".join([*_ofSlicer(), *said])
            self.ui.versionsText.setPlainText(self._system)

    def onCopy(self) -> None:
        """Copy what a report of a problem needs."""
        system = self._system or "\n".join(_ofSlicer())
        slicer.app.clipboard().setText(f"{system}\n\n{self.log.text}\n")

    def _onFolded(self, collapsed: bool) -> None:
        if not collapsed and not self._looked:
            self.look()

    # Packages.

    def onInstall(self) -> None:
        package = self._picked()
        if package is None:
            return
        with self._shownErrors(_("The package was not installed.")):
            packages.reinstall(package)
        self.log.say(_("{package} was installed.").format(package=package.requirement))
        self._fillTable()

    def onRemove(self) -> None:
        package = self._picked()
        if package is None:
            return
        with self._shownErrors(_("The package was not removed.")):
            if packages.remove(package):
                self.log.say(_("{package} was removed.").format(package=package.requirement))
        self._fillTable()

    def _makeTable(self) -> None:
        table = self.ui.packagesTable
        titles = (
            Column(_("Package"), _("As pip calls it"), 170),
            Column(_("Version"), _("That is installed"), 90),
            Column(_("Size"), _("Of the download"), 110),
        )
        setColumns(table, titles)
        table.horizontalHeader().setStretchLastSection(True)
        table.setRowCount(len(packages.PACKAGES))
        self._fillTable()

    def _fillTable(self) -> None:
        for row, package in enumerate(packages.PACKAGES.values()):
            version = packages.version(package) or _("not installed")
            for column, text in enumerate((package.requirement, version, package.size)):
                item = qt.QTableWidgetItem(text)
                item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
                self.ui.packagesTable.setItem(row, column, item)
        self._allow()

    def _picked(self) -> packages.Package | None:
        row = self.ui.packagesTable.currentRow()
        every = list(packages.PACKAGES.values())
        return every[row] if 0 <= row < len(every) else None

    def _allow(self) -> None:
        package = self._picked()
        none = _("Pick a package in the list first.") if package is None else ""
        for button, reason, use in (
            (
                self.ui.installPackageButton,
                none or packages.reinstallObjection(package),
                _("Download and install the package again; you are asked first."),
            ),
            (
                self.ui.removePackageButton,
                none or packages.removeObjection(package),
                _("Remove the package from Slicer's Python; you are asked first."),
            ),
        ):
            button.enabled = not reason
            button.toolTip = reason or use


def _ofSlicer() -> list[str]:
    """What is known at once: of Slicer itself."""
    app = slicer.app
    version = app.applicationVersion or f"{app.majorVersion}.{app.minorVersion}"
    revision = getattr(app, "revision", "")
    return [_("Slicer: {version}").format(version=f"{version} {revision}".strip())]
