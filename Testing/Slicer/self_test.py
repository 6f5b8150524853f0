"""Walk the panels in a real Slicer, as a person would.

    Slicer --python-script Testing/Slicer/self_test.py

Prints PASS, or the step that failed and why; exit code 0 or 1. The modules of this checkout must be
loaded: give Slicer their folders once (Edit > Application Settings > Modules) or with
``--additional-module-paths SkullGAN SkullGANTrain SkullGANEvaluate``. Python packages that Slicer
lacks are asked for at the beginning; after that nobody needs to be there. Takes a few minutes.

A walk is a file ``walk_....py`` with a class ``Walk``, made with the module's widget object, and
``STEPS``, its methods in their order. What a message box would say is printed instead.

This script has not been run in a real Slicer yet: it was written without one, and tried in the host
of ``Testing/SlicerHost`` only. What it finds first may be a fault of its own.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slicer
import slicer.util

sys.path.insert(0, str(Path(__file__).resolve().parent))

WALKS = {
    "SkullGAN": "walk_skullgan",
    "SkullGANTrain": "walk_train",
    "SkullGANEvaluate": "walk_evaluate",
}
"""The file of each module's walk, in the order in which they are walked."""


def walk_all() -> str:
    """Walk every panel and give PASS, or the sentence about the step that failed."""
    try:
        _ensure_packages()
    except Exception:  # any failure is the answer
        return f"FAILED at: Python packages\n{traceback.format_exc()}"
    for module in WALKS:
        answer = walk(module)
        if answer != "PASS":
            return f"{module}: {answer}"
    return "PASS"


def walk(module: str) -> str:
    """Open the panel of a module and walk it."""
    print(f"{module}:")
    slicer.util.selectModule(module)
    walks = importlib.import_module(WALKS[module])
    return run(walks.Walk(slicer.util.getModuleWidget(module)), walks.STEPS)


def run(walk: Any, steps: Sequence[Callable[[Any], None]]) -> str:
    """Take the steps and give PASS, or the sentence about the one that failed."""
    with unattended():
        for step in steps:
            name = step.__name__.replace("_", " ")
            try:
                step(walk)
            except Exception:  # any failure is the answer
                return f"FAILED at: {name}\n{traceback.format_exc()}"
            print(f"done: {name}")
    return "PASS"


@contextmanager
def unattended() -> Iterator[None]:
    """Let no message box wait for somebody: print what it would say and press OK or Yes.

    All of ``slicer.util``'s displays and questions end in its ``messageBox``. With ``--testing``
    Slicer shows none by itself, but that also forgets the user's settings.
    """
    import qt

    def print_it(text: str, parent: Any = None, **settings: Any) -> int:
        print(f"  message: {text}")
        buttons = settings.get("standardButtons", qt.QMessageBox.Ok)
        return qt.QMessageBox.Yes if buttons & qt.QMessageBox.Yes else qt.QMessageBox.Ok

    before, slicer.util.messageBox = slicer.util.messageBox, print_it
    try:
        yield
    finally:
        slicer.util.messageBox = before


def _ensure_packages() -> None:
    """Ask for what Slicer lacks while the person who started this is there."""
    from SkullGANGui import packages

    packages.ensure(packages.EVALUATION, "The self test")


if __name__ == "__main__":
    answer = walk_all()
    print(answer)
    slicer.util.exit(slicer.util.EXIT_SUCCESS if answer == "PASS" else slicer.util.EXIT_FAILURE)
