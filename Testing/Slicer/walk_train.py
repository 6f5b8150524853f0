"""The walk through the SkullGANTrain panel, for ``self_test.py``: a few seconds of training."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util

LONGEST_S = 300
TINY = {
    "generator_width": "16",
    "discriminator_width": "4",
    "samples_per_epoch": "4",
    "batch_size": "2",
    "report_every": "1",
    "snapshot_every": "10",
    "sample_count": "2",
}


class Walk:
    """The steps, in their order, on one panel.

    Args:
        panel: the module's widget object.
    """

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui = panel, panel.ui
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def choose_a_segment_set(self) -> None:
        from SkullGANLib.data import hdf5, segment_set

        path = Path(self._folder.name) / "two tables.h5"
        hu = np.zeros((8, 128, 128), np.int16)
        hu[:, 10:22], hu[:, 13:19] = 1600, 600
        segments = segment_set.without_patient(hu, hu > 0, np.full(8, -1), kind="real")
        hdf5.write(path, segments)
        self.panel.enter()
        assert not self.ui.startButton.enabled, "Start is offered without segments"
        self.panel.node.segmentSets = str(path)
        self.panel.node.runsFolder = str(Path(self._folder.name) / "runs")
        self._wait(lambda: "8 real segments" in self.ui.setsLabel.text)

    def shrink_the_recipe(self) -> None:
        self.panel.node.recipe = "demo"
        for name, text in TINY.items():
            self.panel.form.settings.set(name, text)
        self.panel.form.settings.set("epochs", "100000")
        changed = self.panel.node.settings.split()
        assert len(changed) == len(TINY) + 1, f"the panel took {changed}"

    def start_a_training(self) -> None:
        assert self.ui.startButton.enabled, self.ui.startButton.toolTip
        self.ui.startButton.click()
        self._wait(lambda: "images per second" in self.ui.lossLabel.text)
        self._wait(lambda: self.panel.runs.table.texts(self._run())[1] == "running")

    def watch_its_curves_grow(self) -> None:
        self.ui.curvesButton.click()
        table = slicer.util.getNode(f"{self._run().name} curves")
        began = table.GetNumberOfRows()
        self._wait(lambda: table.GetNumberOfRows() > began)
        self.ui.removeCurvesButton.click()

    def stop_it(self) -> None:
        self.ui.stopButton.click()
        self._wait(lambda: not self.panel.logic.trainings)
        self._wait(lambda: self.ui.generateButton.enabled)
        model = self._run() / "model.safetensors"
        assert model.is_file(), "stopping saved no model"

    def go_on_with_it(self) -> None:
        assert self.ui.resumeButton.enabled, self.ui.resumeButton.toolTip
        done = self.panel.logic.follower.last["iteration"]
        self.ui.resumeButton.click()
        self._wait(lambda: self.panel.logic.follower.last.get("iteration", 0) > done)
        self.ui.stopButton.click()
        self._wait(lambda: not self.panel.logic.trainings)

    def go_to_generate_with_its_model(self) -> None:
        self._wait(lambda: self.ui.generateButton.enabled)
        model = self._run() / "model.safetensors"
        self.ui.generateButton.click()  # which leaves this panel
        there = slicer.util.getModuleLogic("SkullGAN").getParameterNode().modelPath
        assert str(there) == str(model), f"SkullGAN has {there}"
        self._folder.cleanup()

    def _run(self) -> Path:
        return Path(self.panel.node.watched)

    def _wait(self, fulfilled: Any) -> None:
        deadline = time.monotonic() + LONGEST_S
        while not fulfilled():
            slicer.app.processEvents()
            assert time.monotonic() < deadline, self.ui.statusLabel.text
            time.sleep(0.02)


STEPS = (
    Walk.choose_a_segment_set,
    Walk.shrink_the_recipe,
    Walk.start_a_training,
    Walk.watch_its_curves_grow,
    Walk.stop_it,
    Walk.go_on_with_it,
    Walk.go_to_generate_with_its_model,
)
