"""The tests that our modules bring along, for Slicer's *Self Tests*, *Reload and Test*, CTest."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from SkullGANGui import packages


class ModuleTest(ScriptedLoadableModuleTest):
    """A module's own test: every method that begins with ``test_``.

    Where Python packages are missing, which nobody can agree to here, CTest is told that it is
    skipped; *Self Tests* takes that for a failure, and is told in words.

    Attributes:
        needs: modules to import, of ``packages.PACKAGES``.
    """

    needs: tuple[str, ...] = ()

    def setUp(self) -> None:
        if packages.missing(self.needs):
            self.skipTest(packages.absence(self.needs))

    def runTest(self, **_settings: Any) -> None:
        """Run all of them; called by Slicer, with the time that messages are shown for."""
        if packages.missing(self.needs):
            absence = packages.absence(self.needs)
            self.delayDisplay(_("Not tested: {why}").format(why=absence))
            return
        for name in sorted(name for name in dir(self) if name.startswith("test_")):
            self.setUp()
            getattr(self, name)()
