"""Draw the panels beside the views, for the README: ``Screenshots/panel-*.png``.

    make screenshots                    (python Resources/draw_panels.py SkullGAN for one panel)

Walks through each panel on the sample CT, in the test host (``Testing/SlicerHost``): real Qt, the
real scene and Slicer's own views, yet not Slicer, which the pictures say. Needs what the panels'
tests need, a library that renders without a screen and a font (on Debian and Ubuntu
fonts-dejavu-core).

A panel's pictures are a function here that walks on and gives the name of the next picture.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "SkullGAN"), str(ROOT / "Testing")]

import slicer  # noqa: E402
import slicer.util  # noqa: E402
from SkullGANScene import rendering  # noqa: E402
from SlicerHost.host import Host  # noqa: E402

FOLDER = ROOT / "Resources" / "Screenshots"
BONE_WINDOW_HU = (-200.0, 1800.0)
LONGEST_S = 300.0


def skullgan(host: Host, panel: Any) -> Iterator[str]:
    """From the sample CT to its segments, a cut by hand, maps and synthetic ones."""
    [ct] = sys.modules["SkullGAN"].loadSampleData()
    panel.enter()
    show(ct)
    panel.ui.extractButton.click()
    wait(host, panel)
    panel.table.pick(46)
    slicer.util.resetThreeDViews()
    yield "panel-extraction"

    unfold(panel, "handSection")
    panel.ui.planeButton.click()
    wait(host, panel)
    host.wait_until(lambda: panel.hand.cut is not None)
    yield "panel-by-hand"

    panel.ui.followCheckBox.checked = False
    panel.node.plane.GetDisplayNode().SetVisibility(False)
    panel.node.skull.GetDisplayNode().SetVisibility(False)
    unfold(panel, "mapSection")
    panel.ui.mapScalarBox.currentText = "SDR (peaks)"
    panel.ui.mapButton.click()
    wait(host, panel)
    show(ct)
    yield "panel-maps"

    unfold(panel, "extractSection", "realnessSection", "generateSection")
    panel.ui.mapSlicesCheckBox.checked = False
    panel.ui.followCheckBox.checked = True
    panel.ui.numberSpinBox.value = 20
    panel.ui.generateButton.click()
    wait(host, panel)
    panel.ui.judgeButton.click()
    wait(host, panel)
    panel.table.pick(4)
    yield "panel-generation"


PANELS: dict[str, Callable[[Host, Any], Iterator[str]]] = {"SkullGAN": skullgan}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("panels", nargs="*", default=list(PANELS), help="which (all)")
    given = options.parse_args()
    if rendering.rendering_library() is None:
        sys.exit(f"The views cannot be drawn: {rendering.NEEDED}.")
    for name in given.panels:
        with Host() as host:
            panel = host.open_module(ROOT / name / f"{name}.py")
            for picture in PANELS[name](host, panel):
                host.window_picture(panel, FOLDER / f"{picture}.png")
                print(FOLDER / f"{picture}.png")


def wait(host: Host, panel: Any) -> None:
    """Wait for a panel's task and the rows of its table."""
    host.wait_until(lambda: not panel.logic.isWorking(), LONGEST_S)
    host.process_events()


def unfold(panel: Any, *sections: str) -> None:
    """Fold all sections of a panel but these."""
    for name, widget in vars(panel.ui).items():
        if name.endswith("Section"):
            widget.collapsed = name not in sections


def show(volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show a volume in every slice view, as a user does who looks at bone."""
    display = volume.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(*BONE_WINDOW_HU)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    slicer.util.resetSliceViews()
    slicer.util.resetThreeDViews()


if __name__ == "__main__":
    main()
