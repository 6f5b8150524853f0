"""Run one of our headless scripts, or a command, in Slicer, for CTest.

    Slicer --no-main-window --python-script run_script.py -- <script.py | command> <arguments>

Exit code 77, which CTest takes for skipped, where Slicer lacks Python packages that it needs:
machines that build extensions have none, and nobody is there to agree to them.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

SKIPPED = 77

# The libraries of this checkout, whichever are installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SkullGAN"))


def main(given: list[str]) -> int:
    """Run what is named and give its exit code."""
    from SkullGANGui import packages

    what, *arguments = (argument for argument in given if argument != "--")
    needs = packages.EVALUATION if "evaluate" in what else packages.MODELS
    if packages.missing(needs):
        print(f"skipped: {packages.absence(needs)}")
        return SKIPPED
    if not what.endswith(".py"):
        return command(what, arguments)
    sys.argv = [what, *arguments]
    try:
        runpy.run_path(what, run_name="__main__")
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def command(name: str, arguments: list[str]) -> int:
    """Run ``skullgan <name> <arguments>`` in a process of its own, as panels do."""
    from SkullGANLib.utils.child_process import ChildProcess, command_line

    child = ChildProcess(command_line([name, *arguments]))
    if child.wait(600) != "finished":
        print(child.sentence, file=sys.stderr)
        child.end()
        return 1
    return 0


if __name__ == "__main__":
    import slicer.util

    slicer.util.exit(main(sys.argv[1:]))
