"""``slicer.packaging`` and ``slicer.util.pip_install``, which here install nothing.

Slicer 5.12 has the former; 5.10 has only the latter. A test says which packages are missing and
finds what was asked for.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import types
from collections.abc import Callable
from typing import Any

import slicer.util
from packaging.requirements import Requirement


class Packages:
    """The packages of Slicer's Python, as far as a test decides.

    Attributes:
        missing: names of packages that count as not installed; installing takes them out.
        installed: the requirements that were "installed", in their order.
        removed: those that were "removed".
        failing: whether pip fails.
    """

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.installed: list[str] = []
        self.removed: list[str] = []
        self.failing = False

    def pip_check(self, requirements: Any) -> bool:
        return not self._lacking(requirements)

    def pip_install(self, requirements: Any, **_options: Any) -> None:
        wanted = _listed(requirements)
        if self.failing:
            raise subprocess.CalledProcessError(1, ["pip", "install", *map(str, wanted)])
        self.installed.extend(map(str, wanted))
        self.missing -= {requirement.name for requirement in wanted}

    def pip_uninstall(self, requirements: Any, **_options: Any) -> None:
        gone = _listed(requirements)
        if self.failing:
            raise subprocess.CalledProcessError(1, ["pip", "uninstall", *map(str, gone)])
        self.removed.extend(map(str, gone))
        self.missing |= {requirement.name for requirement in gone}

    def pip_ensure(
        self,
        requirements: Any,
        prompt_install: bool = True,
        requester: str | None = None,
        **_options: Any,
    ) -> None:
        """Ask, then install what is missing; ``RuntimeError`` if the user declines."""
        lacking = self._lacking(requirements)
        if not lacking:
            return
        names = ", ".join(map(str, lacking))
        question = f"{requester} needs Python packages: {names}. Install them?"
        if prompt_install and not slicer.util.confirmOkCancelDisplay(question):
            raise RuntimeError(f"the user declined to install {names}")
        self.pip_install(lacking)

    def run_module(
        self,
        module: str,
        arguments: list[str],
        blocking: bool = True,
        logCallback: Callable[[str], None] | None = None,  # noqa: N803 - upstream's names
        completedCallback: Callable[[int], None] | None = None,  # noqa: N803
    ) -> None:
        """Stand for ``slicer.util.executePythonModule``, by which upstream's files run pip."""
        command, *words = arguments
        if (module, command) != ("pip", "install"):
            raise NotImplementedError(f"python -m {module} {command}: the host does not run it")
        try:
            self.pip_install([word for word in words if not word.startswith("-")])
        except subprocess.CalledProcessError:
            if blocking:
                raise
            if completedCallback:
                completedCallback(1)
        else:
            if completedCallback:
                completedCallback(0)

    def as_module(self) -> types.ModuleType:
        """Give ``slicer.packaging``."""
        module = types.ModuleType("slicer.packaging", __doc__)
        module.pip_check, module.pip_ensure = self.pip_check, self.pip_ensure
        module.pip_install, module.pip_uninstall = self.pip_install, self.pip_uninstall
        return module

    def _lacking(self, requirements: Any) -> list[Requirement]:
        return [one for one in _listed(requirements) if not self._has(one)]

    def _has(self, requirement: Requirement) -> bool:
        if requirement.name in self.missing:
            return False
        try:
            return importlib.metadata.version(requirement.name) in requirement.specifier
        except importlib.metadata.PackageNotFoundError:
            return False


def _listed(requirements: Any) -> list[Requirement]:
    if isinstance(requirements, str):
        # Options of pip come along in a text.
        requirements = [one for one in requirements.split() if not one.startswith("--")]
    many = requirements if isinstance(requirements, list) else [requirements]
    return [one if isinstance(one, Requirement) else Requirement(one) for one in many]
