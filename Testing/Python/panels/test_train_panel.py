"""The SkullGANTrain panel, in the host: real trainings in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from SkullGANLib import cli
from SkullGANLib.cli.recipe_options import recipe_of
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.metrics import measure
from SkullGANLib.training import presets, recipe
from SkullGANLib.training.run_directory import Run, Status
from SkullGANScene.nodes import curves, mrb, segment_sets
from SlicerHost import dialogs
from SlicerHost.host import Host

MODULE = ROOT / "SkullGANTrain" / "SkullGANTrain.py"
TINY = {
    "generator_width": "16",
    "discriminator_width": "4",
    "samples_per_epoch": "4",
    "batch_size": "2",
    "report_every": "1",
    "snapshot_every": "1",
    "sample_count": "2",
}
ENDLESS = {**TINY, "epochs": "100000", "snapshot_every": "4"}
PLACES = {"progress": 0.25, "epoch": 8, "iteration": 128, "iterations": 512, "eta_s": 75.0}


@pytest.fixture
def host(monkeypatch):
    """Trainings leave a core to the panel."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with Host() as host:
        yield host


@pytest.fixture
def panel(host, tmp_path):
    """The panel with a folder for its trainings; none goes on after the test."""
    panel = host.open_module(MODULE)
    panel.node.runsFolder = str(tmp_path / "läufe and runs")
    panel.node.recipe = "demo"
    yield panel
    for child in panel.logic.trainings.values():
        child.cancel(ask_s=0.0)
        child.end()
    panel.logic.trainings.clear()


@pytest.fixture(scope="module")
def set_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("sets") / "zwei tables.h5"
    hdf5.write(path, two_tables(12))
    return path


def two_tables(count: int) -> segment_set.SegmentSet:
    """Walls of two bright tables around a darker diploë, real by their label."""
    hu = np.zeros((count, 128, 128), np.int16)
    hu[:, 10:22] = 1600
    hu[:, 13:19] = 600
    return segment_set.without_patient(hu, hu > 0, np.full(count, -1), kind="real")


def fill_in(panel, set_path, settings=TINY, **more) -> None:
    panel.node.segmentSets = str(set_path)
    panel.node.device = "cpu"
    panel.form.onSettings({**settings, **more})


def start(host, panel, name: str) -> Path:
    """Press Start; wait until the training is on its way."""
    panel.ui.runNameEdit.text = name
    panel.ui.startButton.click()
    folder = Path(panel.node.runsFolder) / name
    host.wait_until(lambda: panel.node.watched == str(folder))
    return folder


def state_of(panel, folder: Path) -> str:
    return panel.runs.table.texts(folder)[panel.runs.table.STATE]


def wait_for(host, panel, folder: Path, state: str) -> None:
    """Wait until the list says so of a run, and its process is gone if it has ended."""
    panel.runs.listAgain()

    def there() -> bool:
        listed = folder in panel.runs.table._folders and state_of(panel, folder) == state
        return listed and (state == "running" or folder not in panel.logic.trainings)

    host.wait_until(there)


def a_run(folder: Path, name: str, state: str = "finished", **more) -> Run:
    """A run that somebody else began."""
    run = Run.create(folder / name, presets.named("demo"))
    run.write_status(Status(state, os.getpid(), **{**PLACES, **more}))
    return run


def words_of(line: str) -> list[str]:
    """The words of a command as a real shell takes them apart."""
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


# Real trainings.


@pytest.mark.slow
def test_a_training_on_a_set_of_the_scene_grows_curves_and_leaves_a_model_to_generate_with(
    host, panel, tmp_path
):
    skullgan = host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
    segments = two_tables(12)
    nodes = segment_sets.add_segment_set(
        host.scene, segments, measure(segments), "Zwei Tafeln: links/rechts"
    )
    segment_sets.set_kept(nodes.volume, 3, False)
    slicer.util.selectModule("SkullGANTrain")
    panel.runTimer.start()
    panel.runs.listAgain()
    host.wait_until(lambda: panel.ui.setsList.count == 1)
    assert not panel.ui.startButton.enabled
    panel.ui.setsList.item(0).setCheckState(_checked())
    assert panel.ui.startButton.enabled
    panel.node.device = "cpu"
    panel.form.onSettings({**TINY, "epochs": "8"})

    host.wait_until(lambda: panel.form.view.found is not None)
    assert "11 real segments" in panel.ui.setsLabel.text
    assert "GiB" in panel.ui.memoryLabel.text
    assert panel.ui.sheetLabel.pixmap.width() == 400
    texts = [panel.ui.deviceComboBox.itemText(k) for k in range(panel.ui.deviceComboBox.count)]
    assert any(text.startswith("cpu: CPU") and "GiB free" in text for text in texts)

    folder = start(host, panel, "first")
    host.wait_until(lambda: panel.logic.follower.last)
    assert panel.ui.startButton.enabled  # another one may be trained at the same time
    panel.ui.curvesButton.click()
    shown = curves.curves_of(host.scene, str(folder))
    began = shown.table.GetNumberOfRows()
    assert 0 < began < 16
    wait_for(host, panel, folder, "finished")
    host.wait_until(lambda: shown.table.GetNumberOfRows() == 16)
    assert slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode().GetPlotChartNodeID() == (
        shown.charts["losses"].GetID()
    )
    assert (folder / "segments" / "Zwei Tafeln_ links_rechts.h5").is_file()
    assert Run(folder).recipe().generator_width == 16
    assert len(hdf5.read(Run(folder).training_path)) == 11

    panel.watched.carryOn()
    assert panel.ui.runProgressBar.value == 100
    assert panel.ui.runLabel.text.startswith("Trained for 16 iterations. The model is")
    assert "images per second" in panel.ui.lossLabel.text
    host.wait_until(lambda: panel.ui.samplesSlider.maximum == 7)
    assert panel.ui.samplesSlider.value == 7
    assert "after iteration 16," in panel.ui.samplesCaption.text
    panel.ui.samplesSlider.value = 0
    assert "after iteration 2," in panel.ui.samplesCaption.text
    assert panel.ui.samplesLabel.pixmap.width() == 400

    panel.ui.removeCurvesButton.click()
    assert curves.curves_of(host.scene, str(folder)) is None
    panel.ui.generateButton.click()
    assert slicer.util.selectedModule() == "SkullGAN"
    assert skullgan.logic.getParameterNode().modelPath == str(folder / "model.safetensors")
    made = tmp_path / "made.h5"
    assert cli.main(["generate", str(folder / "model.safetensors"), "-n", "2", "-o", str(made),
                     "--progress", "none"]) == 0  # fmt: skip
    assert hdf5.count(made) == 2


@pytest.mark.slow
def test_two_trainings_at_a_time_are_stopped_killed_and_gone_on_with(host, panel, set_path):
    fill_in(panel, set_path, ENDLESS)
    one, two = start(host, panel, "eins"), start(host, panel, "zwei")
    wait_for(host, panel, one, "running")
    wait_for(host, panel, two, "running")
    assert len(panel.logic.trainings) == 2
    host.wait_until(lambda: Run(one).samples() and Run(two).samples())

    dialogs.ANSWERS.append("Yes")
    host.scene.Clear(0)
    assert "eins, zwei" in dialogs.ASKED[-1]
    host.wait_until(lambda: panel.node.watched)  # one that goes on is found again
    assert panel.node.runsFolder == str(one.parent)

    os.kill(panel.logic.trainings[two].pid, signal.SIGKILL)
    wait_for(host, panel, two, "left for dead")
    assert "ended from outside" in host.take_messages()[0]
    panel.runs.table.pick(two)
    assert "Resume goes on" in panel.ui.runLabel.text

    panel.runs.table.pick(one)
    panel.ui.stopButton.click()
    assert panel.ui.stopButton.text == "End now"
    assert panel.ui.runLabel.text.startswith("Stopping")
    wait_for(host, panel, one, "stopped")
    assert (one / "model.safetensors").is_file()
    assert "stopped on request" in panel.ui.runLabel.text
    done = Run(one).status().iteration

    assert panel.ui.resumeButton.enabled, panel.ui.resumeButton.toolTip
    panel.ui.resumeButton.click()
    host.wait_until(lambda: panel.logic.follower.last.get("iteration", 0) > done)
    wait_for(host, panel, one, "running")
    dialogs.ANSWERS.append("No")
    host.quit()
    assert "eins" in dialogs.ASKED[-1]
    host.wait_until(lambda: Run(one).status().state == "cancelled")
    assert Run(one).status().iteration > done


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_a_full_disk_and_a_deleted_folder_end_in_a_sentence(host, panel, set_path):
    fill_in(panel, set_path, ENDLESS)
    full = Path(panel.node.runsFolder) / "full"
    start(host, panel, "full")
    host.wait_until(lambda: (full / "events.jsonl").exists())
    (full.parent / "link").symlink_to("/dev/full")
    os.replace(full.parent / "link", full / "events.jsonl")  # at once, while it is being written
    gone = start(host, panel, "gone")
    host.wait_until(lambda: panel.logic.follower.last)
    wait_for(host, panel, full, "failed")
    assert "No space left on device" in host.take_messages()[0]
    assert "No space left" in panel.ui.statusLabel.text

    panel.ui.curvesButton.click()
    gone.rename(gone.parent / "thrown away")  # at once, while it is being written
    shutil.rmtree(gone.parent / "thrown away", ignore_errors=True)
    host.wait_until(lambda: gone not in panel.logic.trainings)
    host.take_messages()
    host.wait_until(lambda: "was deleted or moved" in panel.ui.runLabel.text)
    panel.runs.listAgain()
    host.wait_until(lambda: gone not in panel.runs.table._folders)
    assert "stop" not in panel.ui.stopButton.toolTip.lower() or not panel.ui.stopButton.enabled
    assert panel.ui.startButton.enabled


@pytest.mark.slow
def test_the_self_test_for_slicer_passes_in_the_host(host, panel, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "Testing" / "Slicer"))
    import self_test
    import walk_train

    host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
    slicer.util.selectModule("SkullGANTrain")
    # Going on with a training is held by another test; here it would only take time.
    steps = [step for step in walk_train.STEPS if step is not walk_train.Walk.go_on_with_it]
    assert self_test.run(walk_train.Walk(panel), steps) == "PASS"


# Runs that others began.


def test_a_run_that_somebody_else_began_is_found_watched_and_stopped(host, panel):
    run = a_run(Path(panel.node.runsFolder), "other", "running")
    with run.held():
        panel.runs.listAgain()
        host.wait_until(lambda: panel.ui.runProgressBar.value == 25)
        assert panel.ui.runLabel.text == ("Epoch 9 of 32, iteration 128 of 512; 1 min 15 s left")
        panel.ui.stopButton.click()
        assert run.stop_requested()
        assert panel.ui.stopButton.text == "End now"
    run.write_status(Status("cancelled", os.getpid(), message="Ended.", **PLACES))
    host.wait_until(lambda: panel.ui.runLabel.text == "Ended.")
    assert panel.ui.stopButton.toolTip == "It does not run."


def test_the_list_says_of_each_run_how_it_stands(host, panel):
    folder = Path(panel.node.runsFolder)
    for state in ("finished", "cancelled", "failed", "running"):
        a_run(folder, state, state)
    Run(folder / "finished").status_path.write_text("{")
    panel.runs.listAgain()
    host.wait_until(lambda: panel.ui.runsTable.rowCount == 4)
    shown = {name: state_of(panel, folder / name) for name in os.listdir(folder)}
    assert shown == {
        "finished": "damaged",
        "cancelled": "stopped",
        "failed": "failed",
        "running": "left for dead",
    }
    panel.runs.table.pick(folder / "finished")
    assert "is not the status of a run" in panel.ui.runLabel.text
    assert not panel.ui.generateButton.enabled
    assert "no model yet" in panel.ui.generateButton.toolTip


def test_a_long_file_of_reports_is_read_without_holding_the_panel_up(host, panel):
    run = a_run(Path(panel.node.runsFolder), "long")
    line = json.dumps({"iteration": 1, "images_per_s": 5.0, "generator_loss": 0.5}).encode()
    run.events_path.write_bytes((line + b"\n") * 60_000)
    panel.runs.listAgain()
    host.wait_until(lambda: panel.ui.runsTable.rowCount == 1)
    panel.runs.table.pick(run.path)
    assert panel.ui.lossLabel.text.startswith("Reading the reports:")
    host.forget_slots()
    host.wait_until(lambda: "images per second" in panel.ui.lossLabel.text)
    assert len(panel.logic.follower.curves) < 2000
    assert host.longest_slot().name.startswith("QTimer")


# The form.


def test_what_is_missing_is_said_by_the_button(panel, set_path):
    assert "at least one segment set" in panel.ui.startButton.toolTip
    panel.node.segmentSets = str(set_path)
    assert panel.ui.startButton.enabled
    panel.ui.runNameEdit.text = "a/b"
    assert "no slashes" in panel.ui.startButton.toolTip
    a_run(Path(panel.node.runsFolder), "taken")
    panel.ui.runNameEdit.text = "taken"
    assert "of that name already" in panel.ui.startButton.toolTip
    panel.ui.runNameEdit.text = ""
    panel.ui.runsFolder.currentPath = ""
    assert "folder for the trainings" in panel.ui.startButton.toolTip
    assert not panel.ui.copyButton.enabled


def test_what_the_training_would_refuse_is_said_beforehand(host, panel, set_path, tmp_path):
    synthetic = segment_set.without_patient(
        *(lambda s: (s.hu, s.mask, np.arange(2)))(two_tables(2)), kind="synthetic"
    )
    hdf5.write(tmp_path / "made.h5", synthetic)
    panel.node.segmentSets = str(tmp_path / "made.h5")
    host.wait_until(lambda: "expected real segments" in panel.ui.setsLabel.text)
    assert "2 synthetic segments" in panel.ui.setsLabel.text
    assert not panel.ui.startButton.enabled
    assert "expected real segments" in panel.ui.startButton.toolTip
    panel.ui.anyKindCheckBox.checked = True
    assert panel.ui.startButton.enabled


def test_every_setting_can_be_changed_and_reset(panel, set_path):
    fill_in(panel, set_path, {})
    assert set(panel.form.settings.names) | {"name"} == set(recipe.meanings())
    for name in panel.form.settings.names:
        item = panel.ui.settingsTable.item(panel.form.settings.names.index(name), 3)
        assert item.text() == recipe.meanings()[name]
    panel.form.settings.set("epochs", "50")
    panel.form.settings.set("flips", "no")
    panel.form.settings.set("update_gate", "below")
    panel.form.settings.set("batch_size", "8")  # as the recipe has it
    assert panel.node.settings.split() == ["epochs=50", "flips=no", "update_gate=below"]
    panel.form.settings.set("epochs", "")
    assert panel.node.settings.split() == ["flips=no", "update_gate=below"]
    panel.form.settings.set("batch_size", "1")
    assert "batch_size: expected at least 2, found 1" in panel.ui.startButton.toolTip
    row = panel.form.settings.names.index("batch_size")
    assert "at least 2" in panel.ui.settingsTable.item(row, 1).toolTip()
    panel.ui.resetButton.click()
    assert panel.node.settings == ""
    assert panel.ui.settingsTable.item(row, 1).text() == "8"
    assert not panel.ui.resetButton.enabled


def test_the_default_recipe_is_that_of_the_command_and_names_the_one_for_a_cpu(host, set_path):
    panel = host.open_module(MODULE)
    assert panel.node.recipe == cli.parser().parse_args(["train", "-o", "run"]).recipe
    assert panel.node.recipe == presets.DEFAULT
    assert "GPU" in panel.ui.recipeLabel.text
    assert "demo" in panel.ui.recipeLabel.text


def test_settings_of_a_scene_of_an_earlier_version_are_shown_under_their_names_of_today(panel):
    panel.node.settings = "judge_noise=0.25\nepoch_segments=64"
    for name, text in (("instance_noise_std", "0.25"), ("samples_per_epoch", "64")):
        row = panel.form.settings.names.index(name)
        assert panel.ui.settingsTable.item(row, 1).text() == text
    panel.form.settings.set("epochs", "3")
    changed = ["instance_noise_std=0.25", "samples_per_epoch=64", "epochs=3"]
    assert panel.node.settings.split() == changed


def test_a_number_is_shown_with_what_it_may_be(panel):
    row = panel.form.settings.names.index("lr_decay_fraction")
    assert "a number from 0 to 1" in panel.ui.settingsTable.item(row, 1).toolTip()


def test_a_setting_of_another_version_is_answered_with_the_nearest(panel, set_path):
    fill_in(panel, set_path, {"epoch": "1"})
    assert "'epochs'" in panel.ui.startButton.toolTip


def test_the_copied_command_does_this_training_in_a_shell(host, panel, set_path):
    fill_in(panel, set_path, TINY, epochs="1")
    panel.ui.runNameEdit.text = "it's mine"
    panel.ui.seedSpinBox.value = 7
    panel.ui.copyButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    line = slicer.app.clipboard().text()
    assert line == panel.ui.statusLabel.text.removeprefix("Copied: ")
    words = words_of(line)
    assert words[:3] == ["skullgan", "train", str(set_path)]
    assert words[words.index("-o") + 1].endswith("läufe and runs/it's mine")
    assert words[words.index("--seed") + 1] == "7"
    parsed = cli.parser().parse_args(words[1:])
    assert recipe_of(parsed) == presets.named("demo").with_settings({**TINY, "epochs": "1"})
    panel.ui.processesSpinBox.value = 4
    panel.ui.copyButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    words = words_of(slicer.app.clipboard().text())
    assert words[:6] == ["torchrun", "--nproc-per-node", "4", "-m", "SkullGANLib", "train"]


def test_files_are_added_below_those_that_are_there_and_removed(host, panel):
    dialogs.FILE_ANSWERS.extend([["/a/b.h5", "/a/c.h5"], ["/a/c.h5", "/d/e.h5"]])
    panel.ui.addButton.click()
    panel.ui.addButton.click()
    assert panel.node.segmentSets.splitlines() == ["/a/b.h5", "/a/c.h5", "/d/e.h5"]
    assert not panel.ui.removeButton.enabled
    panel.ui.setsList.item(1).setSelected(True)
    panel.ui.removeButton.click()
    host.check()
    assert panel.node.segmentSets.splitlines() == ["/a/b.h5", "/d/e.h5"]


def test_sets_of_the_same_name_are_saved_under_names_of_their_own(host, panel):
    segments = two_tables(1)
    for name in ("Head", "Head", "a/b"):
        segment_sets.add_segment_set(host.scene, segments, measure(segments), name)
    names = sys.modules["SkullGANTrainLib.parameters"].fileNames(segment_sets.in_scene(host.scene))
    assert names == ["Head.h5", "Head 2.h5", "a_b.h5"]


def test_a_folder_that_cannot_be_is_told_and_the_panel_is_free_again(host, panel, tmp_path):
    segments = two_tables(2)
    nodes = segment_sets.add_segment_set(host.scene, segments, measure(segments), "Head")
    sys.modules["SkullGANTrainLib.parameters"].chooseSceneSets(panel.node, [nodes.volume])
    (tmp_path / "file").touch()
    panel.ui.runsFolder.currentPath = str(tmp_path / "file")
    panel.ui.startButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    assert "Head.h5: cannot be written" in host.take_messages()[0]
    assert panel.ui.startButton.enabled
    assert panel.ui.cancelButton.isHidden()


def test_names_that_are_free_are_proposed(panel):
    assert panel.ui.runNameEdit.placeholderText == "demo-1"
    a_run(Path(panel.node.runsFolder), "demo-1")
    panel.ui.recipeComboBox.setCurrentText("paper")
    assert panel.ui.runNameEdit.placeholderText == "paper-1"
    panel.ui.recipeComboBox.setCurrentText("demo")
    assert panel.ui.runNameEdit.placeholderText == "demo-2"


def test_typing_leaves_the_cursor_where_it_is(panel):
    panel.ui.runNameEdit.text = "first"
    panel.ui.runNameEdit.setCursorPosition(2)
    panel.ui.runNameEdit.insert("x")
    assert panel.node.runName == "fixrst"
    assert panel.ui.runNameEdit.cursorPosition == 3


def test_the_panel_remembers_through_saving_and_opening(host, panel, set_path, tmp_path):
    fill_in(panel, set_path, {"epochs": "5"})
    segments = two_tables(3)
    nodes = segment_sets.add_segment_set(host.scene, segments, measure(segments), "In the scene")
    sys.modules["SkullGANTrainLib.parameters"].chooseSceneSets(panel.node, [nodes.volume])
    panel.ui.recipeComboBox.setCurrentText("paper")
    panel.node.watched = str(a_run(Path(panel.node.runsFolder), "other").path)
    mrb.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(0)
    assert panel.node.settings == ""
    assert panel.ui.setsList.count == 0
    mrb.open_bundle(host.scene, tmp_path / "scene.mrb")
    assert panel.node.settings == "epochs=5"
    texts = [panel.ui.setsList.item(row).text() for row in range(2)]
    assert texts == ["In the scene (scene)", "zwei tables.h5"]
    assert panel.ui.setsList.item(0).checkState() == _checked()
    assert panel.ui.recipeComboBox.currentText == "paper"
    assert panel.ui.watchSection.text == "Progress of other"


def test_every_recipe_can_be_chosen_and_says_what_it_is(panel):
    box = panel.ui.recipeComboBox
    assert {box.itemText(index) for index in range(box.count)} == set(presets.PRESETS)
    for name in presets.PRESETS:
        box.setCurrentText(name)
        assert panel.ui.recipeLabel.text == presets.PRESETS[name].description
        assert str(presets.named(name).epochs) in box.toolTip


def test_the_modules_own_test_passes_in_the_host(host, panel):
    sys.modules["SkullGANTrain"].SkullGANTrainTest().runTest()


def _checked() -> int:
    import qt

    return qt.Qt.Checked


def test_conditions_are_typed_as_people_write_lists_and_checked_as_they_are(panel, set_path):
    fill_in(panel, set_path, {})
    row = panel.form.settings.names.index("conditions")
    panel.form.settings.set("conditions", "thickness , bone")
    assert panel.node.settings == "conditions=thickness,bone"
    assert panel.ui.startButton.enabled
    panel.form.settings.set("conditions", "bone, colour")
    assert "expected some of bone, sdr, thickness, intensity" in panel.ui.startButton.toolTip
    assert "found 'colour'" in panel.ui.settingsTable.item(row, 1).toolTip()


def test_the_quality_of_a_training_can_be_chosen_and_is_remembered(panel):
    panel.ui.chartComboBox.setCurrentText("quality")
    assert panel.node.chart == "quality"
    panel.ui.chartComboBox.setCurrentIndex(0)
    panel.node.chart = "quality"
    assert panel.ui.chartComboBox.currentText == "quality"
