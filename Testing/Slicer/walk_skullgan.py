"""The walk through the SkullGAN panel for ``self_test.py``: the sample CT to a saved scene."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util

LONGEST_S = 300
INTERVAL_MM = 18
"""Between planes: few segments are enough to look at."""


class Walk:
    """The steps, in their order, on one panel.

    Args:
        panel: the module's widget object.
    """

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui = panel, panel.ui
        self._folder = tempfile.TemporaryDirectory(
            prefix="skullgan über ", ignore_cleanup_errors=True
        )

    def load_the_sample_ct(self) -> None:
        import SkullGAN

        slicer.mrmlScene.Clear()
        [ct] = SkullGAN.loadSampleData()
        self.panel.enter()
        assert self.panel.node.ct is ct, "the panel does not show the sample CT"

    def segment_the_skull(self) -> None:
        self._press(self.ui.skullButton)
        skull = self.panel.node.skull
        assert skull is not None, self.ui.statusLabel.text
        assert skull.GetName() == f"{self.panel.node.ct.GetName()} skull", skull.GetName()

    def extract_temporal_segments(self) -> None:
        self.panel.bones["parietal"].checked = False
        for name in ("coronal", "sagittal"):
            self.panel.planes[name].checked = False
        self.ui.intervalSpinBox.value = INTERVAL_MM
        self._press(self.ui.extractButton)
        name = f"{self.panel.node.ct.GetName()} segments"
        volume = slicer.util.getNode(name)
        assert volume.GetImageData().GetDimensions()[:2] == (128, 128), "no segments of 128 x 128"
        slicer.util.getNode(f"{name} masks")
        rows = slicer.util.getNode(f"{name} metrics").GetNumberOfRows()
        assert rows == self._count(), f"{rows} rows of metrics for {self._count()} segments"

    def look_through_the_table(self) -> None:
        """The red view goes to where each segment was cut."""
        from SkullGANScene.nodes import segment_sets

        rows = self.ui.segmentTable.rowCount
        assert rows == self._count(), f"{rows} rows in the table for {self._count()} segments"
        places = segment_sets.places_of(self.panel.node.segments)
        view = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
        for segment in (0, rows - 1):
            self.panel.table.pick(segment)
            slicer.app.processEvents()
            to_ras = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())
            from_view_mm = (places[segment] @ [64, 64, 0, 1] - to_ras[:, 3]) @ to_ras[:, 2]
            assert abs(from_view_mm) < 0.5, f"segment {segment} is {from_view_mm:.1f} mm off"

    def reject_a_segment(self) -> None:
        self.panel.table.setKept(0, False)
        said, count = self.ui.countLabel.text, self._count()
        assert said.startswith(f"{count - 1} of {count} kept"), f"the panel says {said!r}"

    def save_the_others_as_a_file(self) -> None:
        from SkullGANGui.sections import segment_files
        from SkullGANLib.data import hdf5

        path = Path(self._folder.name) / "segments.h5"
        ask, segment_files.askForSegments = (
            segment_files.askForSegments,
            lambda title, name: str(path),
        )
        try:
            self._press(self.ui.saveButton)
        finally:
            segment_files.askForSegments = ask
        saved = hdf5.count(path)
        assert saved == self._count() - 1, f"{saved} segments were saved"

    def add_a_cut_by_hand(self) -> None:
        before = self._count()
        self._press(self.ui.planeButton)
        self._wait(lambda: self.panel.hand.cut is not None)
        assert self.ui.addButton.enabled, self.ui.previewText.text
        self.ui.addButton.click()
        assert self._count() == before + 1, f"there are {self._count()} segments"
        slicer.mrmlScene.RemoveNode(self.panel.node.plane)

    def cut_stacks_and_reject_one(self) -> None:
        """Of two slices each; a box decides for its whole stack."""
        self.ui.depthSlicesSpinBox.value = 2
        self._press(self.ui.extractButton)
        self.ui.depthSlicesSpinBox.value = 1
        assert "stacks of 2 slices" in self.ui.statusLabel.text, self.ui.statusLabel.text
        self.panel.table.setKept(0, False)
        count = self._count()
        said = self.ui.countLabel.text
        wanted = f"{count - 2} of {count} kept, {count // 2 - 1} of {count // 2} stacks"
        assert said.startswith(wanted), f"the panel says {said!r}"

    def map_the_skull(self) -> None:
        from SkullGANScene.nodes import map_nodes, map_overlay

        self._press(self.ui.mapButton)
        surface = map_nodes.surface_of(self.panel.node.ct)
        thickness = slicer.util.arrayFromModelPointData(surface, "thickness_mm")
        middle = np.nanmedian(thickness)
        assert 3 < middle < 12, f"the skull is {middle:.1f} mm thick"
        self.ui.mapScalarBox.currentText = "SDR (peaks)"
        self._wait(lambda: not self.panel.logic.isWorking())
        shown = map_overlay.scalar_of(map_nodes.overlay_of(self.panel.node.ct))
        assert shown == "sdr_peaks", f"the slices show {shown}"

    def generate_with_the_model_in_the_box(self) -> None:
        self.ui.numberSpinBox.value = 20
        self._press(self.ui.generateButton)
        assert self._count() == 20, f"there are {self._count()} segments"
        said = self.panel.node.segments.GetDescription()
        assert "they show no patient" in said, f"the volume says {said!r}"

    def judge_their_realness(self) -> None:
        self._press(self.ui.judgeButton)
        assert self.ui.realnessLabel.text.startswith("Realness"), self.ui.statusLabel.text
        self.panel.table.pick(3)
        red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
        assert red.GetForegroundVolumeID(), "nothing lies over the segment"

    def save_the_scene_and_open_it_again(self) -> None:
        path = Path(self._folder.name) / "scene.mrb"
        assert slicer.util.saveScene(str(path)), "the scene was not saved"
        slicer.mrmlScene.Clear()
        assert self.panel.node.ct is None, "the panel shows a CT of the closed scene"
        slicer.util.loadScene(str(path))
        slicer.app.processEvents()
        node = self.panel.node
        assert node.ct.GetName() == "SkullGANHeadCT", "the panel does not show the CT"
        assert node.skull is not None, "the panel does not show the skull"
        assert self._count() == 20, "the panel does not show the segments"
        assert self.ui.segmentTable.rowCount == 20, "the table does not show the segments"
        assert self.ui.intervalSpinBox.value == INTERVAL_MM, "the settings are others"

    def cancel_an_extraction(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.ui.extractButton.click()
        self._wait(lambda: self.panel.logic.task.child is not None)
        self.ui.cancelButton.click()
        self._wait(lambda: not self.panel.logic.isWorking())
        assert slicer.mrmlScene.GetNumberOfNodes() == before, "cancelling left nodes behind"

    def refuse_a_model_that_is_not_there(self) -> None:
        self.ui.modelPath.currentPath = "no-such-model.safetensors"
        self._press(self.ui.generateButton)
        said = self.ui.statusLabel.text
        assert "no-such-model.safetensors" in said, f"the panel says {said!r}"

    def close_the_scene(self) -> None:
        slicer.mrmlScene.Clear()
        assert not self.ui.extractButton.enabled, "extraction is offered without a CT"
        assert self.ui.segmentTable.rowCount == 0, "the table shows segments of a closed scene"
        with suppress(OSError):
            self._folder.cleanup()

    def _count(self) -> int:
        return self.panel.node.segments.GetImageData().GetDimensions()[2]

    def _press(self, button: Any) -> None:
        """Press a button and wait until the panel has done what it stands for."""
        assert button.enabled, f"{button.text}: {button.toolTip}"
        button.click()
        self._wait(lambda: not self.panel.logic.isWorking())

    def _wait(self, fulfilled: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST_S
        while not fulfilled() or self.panel.table.isFilling():
            slicer.app.processEvents()
            assert time.monotonic() < deadline, self.ui.statusLabel.text
            time.sleep(0.01)


STEPS = (
    Walk.load_the_sample_ct,
    Walk.segment_the_skull,
    Walk.extract_temporal_segments,
    Walk.look_through_the_table,
    Walk.reject_a_segment,
    Walk.save_the_others_as_a_file,
    Walk.add_a_cut_by_hand,
    Walk.cut_stacks_and_reject_one,
    Walk.map_the_skull,
    Walk.generate_with_the_model_in_the_box,
    Walk.judge_their_realness,
    Walk.save_the_scene_and_open_it_again,
    Walk.cancel_an_extraction,
    Walk.refuse_a_model_that_is_not_there,
    Walk.close_the_scene,
)
