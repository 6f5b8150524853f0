"""Walk the panels on the sample CT, in a real Slicer, as a person would.

    Slicer --python-script Testing/Slicer/self_test.py

Prints PASS, or the step that failed and why; exit code 0 or 1. The modules of this checkout must be
loaded: give Slicer their folders once (Edit > Application Settings > Modules) or with
``--additional-module-paths SkullGAN SkullGANTrain SkullGANEvaluate``. Takes about two minutes.

This script has not been run in a real Slicer yet: it was written without one, and tried in the host
of ``Testing/SlicerHost`` only. What it finds first may be a fault of its own.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import slicer
import slicer.util

sys.path.insert(0, str(Path(__file__).resolve().parent))

import walk_evaluate
import walk_train

LONGEST_S = 300


class Walk:
    """The steps, in their order, on one panel."""

    def __init__(self, panel: Any, load_sample: Callable[[], list[Any]]) -> None:
        self.panel, self.ui = panel, panel.ui
        self._load_sample = load_sample

    def load_the_sample_ct(self) -> None:
        [self.ct] = self._load_sample()
        self.panel.enter()
        assert self.panel.node.ct is self.ct, "the panel does not show the sample CT"

    def extract_temporal_segments(self) -> None:
        self.ui.parietalCheckBox.checked = False
        assert self.ui.extractButton.enabled, self.ui.extractButton.toolTip
        self.ui.extractButton.click()
        self._wait()
        name = f"{self.ct.GetName()} segments"
        volume = slicer.util.getNode(name)
        assert volume.GetImageData().GetDimensions()[:2] == (128, 128), "no segments of 128 x 128"
        slicer.util.getNode(f"{name} masks")
        table = slicer.util.getNode(f"{name} metrics")
        rows, slices = table.GetNumberOfRows(), volume.GetImageData().GetDimensions()[2]
        assert rows == slices, f"{rows} rows of metrics for {slices} segments"

    def save_them_as_a_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "segments.h5"
            self.panel.logic.startSaving(self.panel.node.segments, str(path))
            while self.panel.logic.poll() == "running":
                time.sleep(0.02)
            self.panel.logic.takeResult()
            assert path.stat().st_size > 10_000, "the segment set is empty"

    def cancel_an_extraction(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.ui.extractButton.click()
        self.ui.cancelButton.click()
        self._wait()
        assert slicer.mrmlScene.GetNumberOfNodes() == before, "cancelling left nodes behind"

    def refuse_a_model_that_is_not_there(self) -> None:
        self.ui.modelPath.currentPath = "no-such-model.safetensors"
        self.ui.generateButton.click()
        self._wait()
        said = self.ui.statusLabel.text
        assert "no-such-model.safetensors" in said, f"the panel says {said!r}"

    def close_the_scene(self) -> None:
        slicer.mrmlScene.Clear()
        assert not self.ui.extractButton.enabled, "extraction is offered without a CT"

    def _wait(self) -> None:
        deadline = time.monotonic() + LONGEST_S
        while self.panel.logic.isWorking():
            slicer.app.processEvents()
            assert time.monotonic() < deadline, self.ui.statusLabel.text
            time.sleep(0.02)


STEPS = (
    Walk.load_the_sample_ct,
    Walk.extract_temporal_segments,
    Walk.save_them_as_a_file,
    Walk.cancel_an_extraction,
    Walk.refuse_a_model_that_is_not_there,
    Walk.close_the_scene,
)


def run(walk: Any, steps: Sequence[Callable[[Any], None]] = STEPS) -> str:
    """Take the steps and give PASS, or the sentence about the one that failed."""
    for step in steps:
        name = step.__name__.replace("_", " ")
        try:
            step(walk)
        except Exception:  # any failure is the answer
            return f"FAILED at: {name}\n{traceback.format_exc()}"
        print(f"done: {name}")
    return "PASS"


if __name__ == "__main__":
    slicer.util.selectModule("SkullGAN")
    import SkullGAN

    answer = run(Walk(slicer.modules.SkullGANWidget, SkullGAN.loadSampleData))
    if answer == "PASS":
        slicer.util.selectModule("SkullGANTrain")
        answer = run(walk_train.Walk(slicer.modules.SkullGANTrainWidget), walk_train.STEPS)
    if answer == "PASS":
        slicer.util.selectModule("SkullGANEvaluate")
        walk = walk_evaluate.Walk(slicer.modules.SkullGANEvaluateWidget)
        answer = run(walk, walk_evaluate.STEPS)
    print(answer)
    slicer.util.exit(slicer.util.EXIT_SUCCESS if answer == "PASS" else slicer.util.EXIT_FAILURE)
