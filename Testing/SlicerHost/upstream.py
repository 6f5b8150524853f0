"""Slicer's own Python files in place of the host's stand-ins, where there is a checkout of Slicer.

``SLICER_UPSTREAM`` names it. Its ``Base/Python/slicer`` then gives ``slicer.i18n``,
``slicer.ScriptedLoadableModule``, ``slicer.parameterNodeWrapper`` and, where that version has it,
``slicer.packaging``. Nothing of it is copied, and pip is still not run.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from PySide6 import QtWidgets

from .packaging import Packages

VARIABLE = "SLICER_UPSTREAM"

_WIDGET = re.compile(r"\b(ctk|slicer)\.((?:ctk|qMRML|qSlicer)[A-Z]\w+)")


def folder() -> Path | None:
    """Give ``Base/Python/slicer`` of the checkout; None where none is named.

    Raises:
        FileNotFoundError: if what is named is no checkout of Slicer.
    """
    named = os.environ.get(VARIABLE, "")
    if not named:
        return None
    found = Path(named) / "Base" / "Python" / "slicer"
    if not (found / "ScriptedLoadableModule.py").is_file():
        raise FileNotFoundError(f"{VARIABLE} is {named}, expected a checkout of Slicer")
    return found


def version() -> tuple[int, int] | None:
    """Give the version of the checkout; None where none is named."""
    found = folder()
    if found is None:
        return None
    lines = (found.parents[2] / "CMakeLists.txt").read_text(encoding="utf-8").splitlines()
    numbers = [
        int(line.split('"')[1])
        for part in ("MAJOR", "MINOR")
        for line in lines
        if line.strip().startswith(f'set(Slicer_VERSION_{part} "')
    ]
    major, minor = numbers
    return major, minor


def publish(found: Path, ctk: types.ModuleType, packages: Packages) -> None:
    """Put upstream's modules where ours import them from."""
    _name_widgets(found / "parameterNodeWrapper", ctk)
    slicer.app.translate = lambda _context, text: text
    for name in ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper", "packaging"):
        for loaded in [one for one in sys.modules if one.startswith(f"slicer.{name}")]:
            del sys.modules[loaded]
        path = found / name / "__init__.py" if (found / name).is_dir() else found / f"{name}.py"
        if path.is_file():
            setattr(slicer, name, _load(f"slicer.{name}", path))
    slicer.util.executePythonModule = packages.run_module
    if (found / "packaging.py").is_file():
        slicer.packaging.pip_check = packages.pip_check


def _name_widgets(connectors: Path, ctk: types.ModuleType) -> None:
    """Let connectors compare with widgets that the host lacks, as our panels do."""
    for path in connectors.glob("*.py"):
        for where, name in _WIDGET.findall(path.read_text(encoding="utf-8")):
            module = ctk if where == "ctk" else slicer
            if not hasattr(module, name):
                setattr(module, name, type(name, (QtWidgets.QWidget,), {}))


def _load(name: str, path: Path) -> Any:
    inside = [str(path.parent)] if path.name == "__init__.py" else None
    specification = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=inside
    )
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module
