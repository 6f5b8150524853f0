"""How long the panels keep the GUI thread: the longest slot of every action, and module imports.

    make bench-panel                    (BENCH="SkullGAN" for one panel)

Runs the panels in the test host on the sample CT, with real child processes. For each action it
prints the slot that took longest and its wall and thread time, and the largest of all; nobody can
click meanwhile. Drawing the views is not in it. Imports are timed in a process of their own.

A panel's actions are a function here that gives titles with what starts them and what ends them:
see ``skullgan_actions``.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "SkullGAN"), str(ROOT / "Testing")]

from SkullGANLib.networks import model_file  # noqa: E402
from SkullGANLib.networks.dcgan import Discriminator, Generator  # noqa: E402
from SlicerHost import blocking, dialogs  # noqa: E402
from SlicerHost.host import Host  # noqa: E402

BUDGET_MS, IMPORT_BUDGET_MS = 200.0, 50.0
LONGEST_S = 300.0

Action = tuple[str, Callable[[], Any], Callable[[], bool]]
"""Title, what starts it, and whether it has ended."""

_IMPORT = """
import sys, time
from SlicerHost.host import Host
with Host() as host:
    began = time.perf_counter()
    host.load_module(sys.argv[1])
    print(1000 * (time.perf_counter() - began))
"""


def skullgan_actions(host: Host, panel: Any, folder: Path) -> Iterator[Action]:
    """What a user does in the panel SkullGAN, one after the other."""
    ended = lambda: not panel.logic.isWorking()  # noqa: E731
    path = folder / "model.safetensors"
    model_file.write(
        path, model_file.Model(Generator(width=16).eval(), Discriminator(width=8).eval())
    )
    yield "load the sample CT", sys.modules["SkullGAN"].loadSampleData, ended
    yield "enter", panel.enter, ended
    yield "segment the skull", panel.ui.skullButton.click, ended
    yield "extract segments", panel.ui.extractButton.click, ended
    yield "pick a row", lambda: panel.table.pick(5), ended
    yield "reject a segment", lambda: panel.table.setKept(5, False), ended
    yield "place a plane", panel.ui.planeButton.click, lambda: panel.hand.cut is not None
    yield "add a cut by hand", panel.ui.addButton.click, ended
    dialogs.FILE_ANSWERS.append(str(folder / "segments.h5"))
    yield "save segments", panel.ui.saveButton.click, ended
    yield "map thickness and SDR", panel.ui.mapButton.click, ended
    yield "show SDR", lambda: setattr(panel.ui.mapScalarBox, "currentIndex", 1), ended
    panel.ui.modelPath.currentPath = str(path)
    yield "generate 100 segments", panel.ui.generateButton.click, ended
    yield "judge them", panel.ui.judgeButton.click, ended
    dialogs.ANSWERS.append("OK")
    yield "remove them", panel.ui.removeButton.click, ended
    yield from review_actions(panel, ended)
    yield "close the scene", lambda: host.scene.Clear(0), ended


def review_actions(panel: Any, ended: Callable[[], bool]) -> Iterator[Action]:
    """A review of as many segments as a scene takes."""
    review, ui, table = panel.review, panel.ui, panel.table
    filled = lambda: ended() and not table.isFilling()  # noqa: E731
    ui.numberSpinBox.value = 2000
    yield "generate 2,000 segments", ui.generateButton.click, filled
    yield "sort 2,000 rows", lambda: table.sortBy(table.SDR), filled
    yield "pick the last row", lambda: table.pick(table.rows[-1]), filled
    yield "reject and go on", lambda: review.decide(False), filled
    yield "filter 2,000 rows", lambda: ui.sdrFilter.setValues(0.3, 0.6), filled
    yield "show all rows", review.filter.reset, filled
    yield "select 2,000 rows", ui.segmentTable.selectAll, filled
    yield "reject 2,000 segments", lambda: review.decide(False), filled
    yield "undo that", review.undo, filled


def no_actions(host: Host, panel: Any, folder: Path) -> Iterator[Action]:
    """The panels whose actions are still to be written."""
    yield "enter", panel.enter, lambda: True


PANELS = {
    "SkullGAN": skullgan_actions,
    "SkullGANTrain": no_actions,
    "SkullGANEvaluate": no_actions,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("panels", nargs="*", default=list(PANELS), help="which (all)")
    given = options.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"\n{'module':<24} {'import ms':>10}")
    for name in given.panels:
        print(f"{name:<24} {import_ms(name):10.1f}")
    print(f"{'budget':<24} {IMPORT_BUDGET_MS:10.1f}")
    print(f"\n{'panel and action':<40} {'wall ms':>8} {'thread ms':>10}  longest slot")
    longest = max(
        (slot for name in given.panels for slot in measured(name)), key=lambda slot: slot.wall_s
    )
    print_slot("longest of all", longest)
    print(f"{'budget':<40} {BUDGET_MS:8.1f}")


def import_ms(name: str) -> float:
    """Give the time that importing a module takes in a Python that has Slicer's own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[:2])}
    command = [sys.executable, "-c", _IMPORT, str(module_path(name))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def measured(name: str) -> list[blocking.Slot]:
    """Walk through a panel's actions, print each one's longest slot and give them."""
    found = []
    with Host() as host, tempfile.TemporaryDirectory() as folder:
        panel = host.open_module(module_path(name))
        found.append(print_slot(f"{name}: open", host.longest_slot()))
        for title, start, ended in PANELS[name](host, panel, Path(folder)):
            host.forget_slots()
            with blocking.timed(title):  # what is done at once; the rest is slots of timers
                start()
            host.wait_until(ended, LONGEST_S)
            found.append(print_slot(f"{name}: {title}", host.longest_slot()))
    return found


def print_slot(title: str, slot: blocking.Slot) -> blocking.Slot:
    print(f"{title:<40} {1000 * slot.wall_s:8.1f} {1000 * slot.thread_s:10.1f}  {slot.name}")
    return slot


def module_path(name: str) -> Path:
    return ROOT / name / f"{name}.py"


if __name__ == "__main__":
    main()
