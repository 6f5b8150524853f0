"""Draw the panels beside the views, for README and Docs: ``Screenshots/panel-*.png``.

    make screenshots                    (python Resources/draw_panels.py SkullGAN for one panel)

Walks through each panel on the sample CT, in the test host (``Testing/SlicerHost``): real Qt, the
real scene and Slicer's own views, yet not Slicer, which the pictures say. Needs what the panels'
tests need, a library that renders without a screen and a font (on Debian and Ubuntu
fonts-dejavu-core).

A panel's pictures are a function here that walks on and gives the name of the next picture.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "SkullGAN"), str(ROOT / "Testing")]

import numpy as np  # noqa: E402
import slicer  # noqa: E402
import slicer.util  # noqa: E402
from SkullGANLib.utils import resources  # noqa: E402
from SkullGANScene.offscreen import rendering  # noqa: E402
from SlicerHost.host import Host  # noqa: E402

FOLDER = ROOT / "Resources" / "Screenshots"
BONE_WINDOW_HU = (-200.0, 1800.0)
LONGEST_S, TRAINING_S = 300.0, 1200.0


def skullgan(host: Host, panel: Any) -> Iterator[str]:
    """From the sample CT to its segments, their review, a cut by hand, maps and synthetic ones."""
    unfold(panel, "headSection", "extractSection")
    panel.ui.sampleButton.click()
    ct = panel.node.ct
    show(ct)
    yield "tutorial-load"

    panel.ui.extractButton.click()
    wait(host, panel)
    unfold(panel, "headSection", "extractSection", "reviewSection")
    panel.table.pick(46)
    slicer.util.resetThreeDViews()
    yield "panel-extraction"

    unfold(panel, "reviewSection")
    panel.ui.filterGroup.collapsed = False
    panel.ui.boneFilterBox.setCurrentText("temporal")
    panel.table.sortBy(panel.table.THICKNESS)
    panel.table.pick(panel.table.rows[2])
    panel.review.decide(False)
    panel.review.decide(True)
    wait(host, panel)
    yield "tutorial-review"
    panel.review.undo()
    panel.review.undo()
    panel.review.filter.reset()
    panel.ui.filterGroup.collapsed = True

    unfold(panel, "handSection")
    panel.ui.planeButton.click()
    wait(host, panel)
    host.wait_until(lambda: panel.hand.cut is not None)
    show(ct)
    yield "panel-by-hand"

    panel.hand.stop()

    panel.ui.followCheckBox.checked = False
    panel.node.plane.GetDisplayNode().SetVisibility(False)
    panel.node.skull.GetDisplayNode().SetVisibility(False)
    unfold(panel, "mapSection")
    panel.ui.mapScalarBox.currentText = "SDR (peaks)"
    panel.ui.mapButton.click()
    wait(host, panel)
    show(ct)
    yield "panel-maps"

    panel.ui.mapArrayCheckBox.checked = True
    panel.ui.arrayScalarBox.currentText = "Incidence (°)"
    slicer.util.resetThreeDViews()
    yield "tutorial-array"
    panel.ui.mapArrayCheckBox.checked = False

    unfold(panel, "reviewSection", "realnessSection", "generateSection")
    panel.ui.mapSlicesCheckBox.checked = False
    panel.ui.followCheckBox.checked = True
    panel.ui.numberSpinBox.value = 20
    panel.ui.generateButton.click()
    wait(host, panel)
    panel.ui.judgeButton.click()
    wait(host, panel)
    panel.table.pick(4)
    yield "panel-generation"


def skullgan_train(host: Host, panel: Any) -> Iterator[str]:
    """The demo recipe on the sample's segments, beyond its middle."""
    from SkullGANLib.ct import volume
    from SkullGANLib.data import hdf5
    from SkullGANLib.extraction import single_ct

    with tempfile.TemporaryDirectory(prefix="skullgan-") as folder:
        path = Path(folder) / "sample head.h5"
        os.chdir(folder)  # for names without folders of this machine
        head = volume.read_ct(resources.sample_ct())
        hdf5.write(path, single_ct.extract(head).segments)
        panel.node.segmentSets = str(path)
        panel.node.runsFolder = "runs"
        panel.node.recipe = "demo"
        host.wait_until(lambda: panel.ui.memoryLabel.text, LONGEST_S)
        panel.ui.startButton.click()
        host.wait_until(lambda: panel.ui.curvesButton.enabled, LONGEST_S)
        panel.ui.curvesButton.click()
        slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpPlotView)
        host.wait_until(lambda: panel.ui.runProgressBar.value >= 55, TRAINING_S)
        yield "panel-training"
        panel.ui.stopButton.click()
        host.wait_until(lambda: not panel.logic.trainings, LONGEST_S)
        os.chdir(ROOT)


def skullgan_evaluate(host: Host, panel: Any) -> Iterator[str]:
    """From sets to a report: its charts, a segment with its realness, a nearest pair."""
    from SkullGANEvaluateLib.parameters import ChosenSet

    ui = panel.ui
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        sets = small_sets(folder)
        panel.sets.choose([ChosenSet(name, path=str(path)) for name, path in sets.items()])
        ui.reportsFolder.currentPath = str(folder)
        ui.evaluateButton.click()
        wait(host, panel)
        host.wait_until(lambda: not panel.segments.isFilling(), LONGEST_S)
        ui.statusLabel.text = ""  # it names the folder
        ui.reportsFolder.currentPath = "reports"
        unfold(panel, "runSection", "resultsSection", "segmentsSection")
        panel.segments.pick(3)
        ui.chartBox.setCurrentText("Realness")
        ui.chartButton.click()
        ui.tableButton.click()
        host.four_up(folder / "views.png")  # views that are there show legends that come
        ui.overlayCheckBox.click()
        wait(host, panel)
        yield "panel-evaluation"

        unfold(panel, "resultsSection", "pairsSection")
        ui.statusLabel.text = ""
        ui.besideButton.click()
        host.four_up(folder / "views.png")
        ui.besideButton.click()
        yield "panel-neighbors"


def small_sets(folder: Path) -> dict[str, Path]:
    """Write a training and a test set of the sample CT, and made ones, into a folder."""
    from SkullGANLib import cli
    from SkullGANLib.data import hdf5

    paths = {name: folder / f"{name}.h5" for name in ("train", "test", "synthetic", "artificial")}
    real = folder / "real.h5"
    cli.main(["extract", str(resources.sample_ct()), "-o", str(real)])
    segments = hdf5.read(real)
    test = np.arange(len(segments)) % 3 == 0
    hdf5.write(paths["train"], segments[~test])
    hdf5.write(paths["test"], segments[test])
    cli.main(["generate", "-n", "40", "-o", str(paths["synthetic"]), "--no-metrics"])
    like = str(paths["train"])
    cli.main(["artificial", "-n", "40", "--like", like, "-o", str(paths["artificial"])])
    return paths


PANELS: dict[str, Callable[[Host, Any], Iterator[str]]] = {
    "SkullGAN": skullgan,
    "SkullGANTrain": skullgan_train,
    "SkullGANEvaluate": skullgan_evaluate,
}


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
    table = getattr(panel, "table", None)
    host.wait_until(lambda: table is None or not table.isFilling(), LONGEST_S)
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
