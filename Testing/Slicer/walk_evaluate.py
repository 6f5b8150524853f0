"""Walk the SkullGANEvaluate panel, as a person would: a part of ``self_test.py``."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import slicer
import slicer.util

LONGEST_S = 300


class Walk:
    """The steps, in their order, on one panel."""

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui = panel, panel.ui
        self.folder = Path(tempfile.mkdtemp(prefix="skullgan évaluation "))

    def make_small_sets(self) -> None:
        from SkullGANLib.data import hdf5
        from SkullGANLib.utils import resources

        self._run("extract", resources.sample_ct(), "-o", self.folder / "real.h5")
        self._run("generate", "-n", "20", "-o", self.folder / "made.h5", "--no-metrics")
        real = hdf5.read(self.folder / "real.h5")
        hdf5.write(self.folder / "train.h5", real[::2])
        hdf5.write(self.folder / "test.h5", real[1::2])

    def choose_the_sets(self) -> None:
        from SkullGANEvaluateLib.parameters import ChosenSet

        names = {"train": "train", "test": "test", "synthetic": "made"}
        sets = [ChosenSet(name, path=str(self.folder / f"{of}.h5")) for name, of in names.items()]
        self.panel.sets.choose(sets)
        assert self.ui.setsTable.rowCount == 3, "the table does not show three sets"
        assert not self.ui.evaluateButton.enabled, "evaluation is offered without a folder"
        self.ui.reportsFolder.currentPath = str(self.folder)
        assert self.ui.evaluateButton.enabled, self.ui.evaluateButton.toolTip

    def cancel_an_evaluation(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.ui.evaluateButton.click()
        self.ui.cancelButton.click()
        self._wait()
        assert slicer.mrmlScene.GetNumberOfNodes() == before, "cancelling left nodes behind"

    def evaluate(self) -> None:
        self.ui.evaluateButton.click()
        self._wait()
        assert self.panel.node.report is not None, self.ui.statusLabel.text
        assert self.ui.chartBox.count >= 7, f"there are {self.ui.chartBox.count} charts, not 7"

    def show_a_chart_and_the_numbers(self) -> None:
        self.ui.chartButton.click()
        self.ui.tableButton.click()
        slicer.app.processEvents()
        layout = slicer.app.layoutManager()
        assert layout.plotViewCount, "no plot view is in the layout"
        assert layout.tableViewCount, "no table view is in the layout"

    def look_at_a_segment(self) -> None:
        self.panel.segments.pick(5)
        red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
        shown = red.GetSliceCompositeNode().GetBackgroundVolumeID()
        name = slicer.mrmlScene.GetNodeByID(shown).GetName()
        assert name.endswith("Synthetic"), f"the red view shows {name}"
        offset = red.GetSliceNode().GetSliceOffset()
        assert offset == 5, f"the red view is at {offset} mm"

    def lay_realness_over_it(self) -> None:
        self.ui.overlayCheckBox.click()
        self._wait()
        red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
        over = red.GetSliceCompositeNode().GetForegroundVolumeID()
        assert over, f"nothing lies over the segment: {self.ui.statusLabel.text}"

    def step_through_the_nearest_pairs(self) -> None:
        from SkullGANScene.views import slice_views

        self.ui.besideButton.click()
        self.ui.pairSlider.value = 3
        offsets = [view.GetSliceOffset() for view in slice_views.beside_views(slicer.mrmlScene)]
        assert offsets == [2, 2, 2], f"the three views are at {offsets} mm"

    def remove_the_report(self) -> None:
        self.ui.removeReportButton.click()
        slicer.app.processEvents()
        assert self.ui.chartBox.count == 0, "charts of a removed report are offered"

    def close_the_scene(self) -> None:
        slicer.mrmlScene.Clear()
        assert self.ui.setsTable.rowCount == 0, "sets of a closed scene are shown"

    def leave_no_files_behind(self) -> None:
        shutil.rmtree(self.folder)

    def _run(self, *arguments: Any) -> None:
        from SkullGANLib.utils.child_process import ChildProcess, command_line

        child = ChildProcess(command_line(arguments))
        assert child.wait(LONGEST_S) == "finished", child.sentence

    def _wait(self) -> None:
        deadline = time.monotonic() + LONGEST_S
        while self.panel.logic.isWorking() or self.panel.segments.isFilling():
            slicer.app.processEvents()
            assert time.monotonic() < deadline, self.ui.statusLabel.text
            time.sleep(0.02)


STEPS = (
    Walk.make_small_sets,
    Walk.choose_the_sets,
    Walk.cancel_an_evaluation,
    Walk.evaluate,
    Walk.show_a_chart_and_the_numbers,
    Walk.look_at_a_segment,
    Walk.lay_realness_over_it,
    Walk.step_through_the_nearest_pairs,
    Walk.remove_the_report,
    Walk.close_the_scene,
    Walk.leave_no_files_behind,
)
