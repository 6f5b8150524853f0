"""The SkullGANTrain panel, in the host: a real training in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import qt_needed  # noqa: F401
from SkullGANLib import recipe, segmentset
from SkullGANLib.run import Run, Status
from SkullGANScene import bundle
from SlicerHost import pythonqt
from SlicerHost.host import Host

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "SkullGANTrain" / "SkullGANTrain.py"
TINY = (
    "generator_width=16 discriminator_width=4 epoch_segments=4 batch_size=2 report_every=1"
    " snapshot_every=1 sample_count=1"
)


@pytest.fixture
def host():
    with Host() as host:
        yield host


@pytest.fixture
def panel(host, tmp_path, monkeypatch):
    """The panel with everything chosen; the training leaves a core to the panel."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    panel = host.open_module(MODULE)
    path = tmp_path / "two tables.h5"
    segmentset.write(path, two_tables(12))
    panel.ui.segmentSetsEdit.setPlainText(str(path))
    panel.ui.runFolder.currentPath = str(tmp_path / "läufe" / "first")
    panel.ui.deviceComboBox.currentIndex = panel.ui.deviceComboBox.findText("cpu")
    panel.ui.settingsEdit.text = f"{TINY} epochs=1"
    yield panel
    panel.logic.stop(0.0)
    if panel.logic.child:
        panel.logic.child.end()


def two_tables(count: int) -> segmentset.SegmentSet:
    """Walls of two bright tables around a darker diploë, real by their label."""
    hu = np.zeros((count, 128, 128), np.int16)
    hu[:, 10:22] = 1600
    hu[:, 13:19] = 600
    return segmentset.without_patient(hu, hu > 0, np.full(count, -1), kind="real")


def wait_for_the_end(host, panel) -> None:
    host.wait_until(lambda: panel.logic.child is None)


def test_a_training_leaves_a_model_and_shows_its_samples(host, panel):
    panel.ui.startButton.click()
    assert not panel.ui.startButton.enabled
    assert "running here" in panel.ui.startButton.toolTip
    wait_for_the_end(host, panel)
    run = Run.open(panel.ui.runFolder.currentPath)
    assert run.status().state == "finished"
    assert run.model_path.is_file()
    assert run.recipe().generator_width == 16
    assert panel.ui.progressBar.value == 100
    assert panel.ui.statusLabel.text.startswith("Trained for 2 iterations.")
    assert "model.safetensors" in panel.ui.statusLabel.text
    assert "generator" in panel.ui.lossLabel.text
    assert panel.ui.samplesLabel.pixmap.width() == 400
    assert "holds a training already" in panel.ui.startButton.toolTip


def test_stopping_saves_the_model_so_far(host, panel):
    panel.ui.settingsEdit.text = f"{TINY} epochs=100000"
    panel.ui.startButton.click()
    host.wait_until(lambda: panel.logic.lastEvent() != {})
    panel.ui.stopButton.click()
    assert panel.ui.stopButton.text == "End now"
    wait_for_the_end(host, panel)
    run = Run.open(panel.ui.runFolder.currentPath)
    assert run.status().state == "cancelled"
    assert run.model_path.is_file()
    assert "stopped on request" in panel.ui.statusLabel.text
    assert panel.ui.stopButton.text == "Stop"


def test_pressing_stop_again_ends_it_at_once(host, panel):
    panel.ui.settingsEdit.text = f"{TINY} epochs=100000"
    panel.ui.startButton.click()
    child = panel.logic.child
    host.wait_until(lambda: panel.logic.status() is not None)
    os.kill(child.pid, signal.SIGSTOP)  # it hears nothing any more
    panel.ui.stopButton.click()
    host.process_events()
    assert child.state == "running"
    panel.ui.stopButton.click()
    wait_for_the_end(host, panel)
    assert child.state == "cancelled"


def test_closing_the_scene_lets_the_training_go_on(host, panel):
    panel.ui.startButton.click()
    folder = panel.ui.runFolder.currentPath
    host.scene.Clear(0)
    assert panel.ui.runFolder.currentPath == ""
    wait_for_the_end(host, panel)
    assert Run.open(folder).status().state == "finished"


def test_a_run_that_somebody_else_started_is_shown(host, panel, tmp_path):
    run = Run.create(tmp_path / "other", recipe.named("demo"))
    status = {"progress": 0.25, "epoch": 8, "iteration": 128, "iterations": 512, "eta_s": 30.0}
    run.write_status(Status("running", os.getpid(), **status))
    panel.ui.runFolder.currentPath = str(run.path)
    host.wait_until(lambda: panel.ui.progressBar.value == 25)
    assert panel.ui.statusLabel.text == "Epoch 8, iteration 128 of 512, 30 s left"
    panel.ui.stopButton.click()
    assert run.stop_requested()
    run.write_status(Status("cancelled", os.getpid(), message="Ended.", **status))
    host.wait_until(lambda: not panel.ui.stopButton.enabled)
    assert panel.ui.statusLabel.text == "Ended."


def test_a_damaged_run_folder_is_named_and_does_not_stop_the_panel(host, panel, tmp_path):
    run = Run.create(tmp_path / "damaged", recipe.named("demo"))
    run.status_path.write_text("{")
    panel.ui.runFolder.currentPath = str(run.path)
    host.wait_until(lambda: "is not the status of a run" in panel.ui.statusLabel.text)
    panel.ui.runFolder.currentPath = str(tmp_path / "new")
    assert panel.ui.startButton.enabled


def test_a_setting_that_does_not_exist_is_answered_with_the_nearest(host, panel):
    panel.ui.settingsEdit.text = "epoch=1"
    panel.ui.startButton.click()
    wait_for_the_end(host, panel)
    assert "'epochs'" in panel.ui.statusLabel.text
    assert "'epochs'" in host.take_messages()[0]
    assert panel.ui.startButton.enabled


@pytest.mark.parametrize(
    ("edit", "reason"),
    [("segmentSetsEdit", "at least one segment set"), ("runFolder", "run folder first")],
)
def test_what_is_missing_is_said_by_the_button(panel, edit, reason):
    if edit == "runFolder":
        panel.ui.runFolder.currentPath = ""
    else:
        panel.ui.segmentSetsEdit.setPlainText(" \n")
    assert not panel.ui.startButton.enabled
    assert reason in panel.ui.startButton.toolTip


def test_segment_sets_are_added_below_those_that_are_there(host, panel, tmp_path):
    before = panel.ui.segmentSetsEdit.toPlainText()
    pythonqt.FILE_ANSWERS.append(["/a/b.h5", "/a/c.h5"])
    panel.ui.addButton.click()
    host.check()
    assert panel.ui.segmentSetsEdit.toPlainText() == f"{before}\n/a/b.h5\n/a/c.h5"


def test_typing_leaves_the_cursor_where_it_is(panel):
    panel.ui.settingsEdit.text = "epochs=1"
    panel.ui.settingsEdit.setCursorPosition(2)
    panel.ui.settingsEdit.insert("x")
    assert panel._parameterNode.settings == "epxochs=1"
    assert panel.ui.settingsEdit.cursorPosition == 3


def test_the_panel_remembers_through_saving_and_opening(host, panel, tmp_path):
    shown = (panel.ui.segmentSetsEdit.toPlainText(), panel.ui.settingsEdit.text)
    panel.ui.recipeComboBox.setCurrentText("paper")
    bundle.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(0)
    assert panel.ui.settingsEdit.text == ""
    bundle.open_bundle(host.scene, tmp_path / "scene.mrb")
    panel.enter()
    assert (panel.ui.segmentSetsEdit.toPlainText(), panel.ui.settingsEdit.text) == shown
    assert panel.ui.recipeComboBox.currentText == "paper"


def test_every_recipe_can_be_chosen(panel):
    box = panel.ui.recipeComboBox
    assert {box.itemText(index) for index in range(box.count)} == set(recipe.RECIPES)


def test_the_modules_own_test_passes_in_the_host(host, panel):
    sys.modules["SkullGANTrain"].SkullGANTrainTest().runTest()
