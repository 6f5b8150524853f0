"""The SkullGANEvaluate panel, in the host: a real evaluation of small sets of the sample CT."""

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
import slicer.util
from checkout import ROOT
from examples import narrow_model
from SkullGANLib import cli
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.extraction import single_ct
from SkullGANLib.metrics import measure
from SkullGANLib.networks import model_file
from SkullGANLib.utils import resources
from SkullGANScene.nodes import evaluation, mrb, segment_sets
from SkullGANScene.offscreen import rendering
from SkullGANScene.views import slice_views
from SlicerHost import dialogs
from SlicerHost.host import Host

MODULE = ROOT / "SkullGANEvaluate" / "SkullGANEvaluate.py"
SCRIPT = ROOT / "SkullGANEvaluate" / "Scripts" / "evaluate_to_scene.py"


@pytest.fixture(scope="module")
def sets(tmp_path_factory, sample_ct, sample_mask) -> dict[str, Path]:
    """Training and test set out of the sample CT, and a synthetic one by the bundled model."""
    folder = tmp_path_factory.mktemp("Sätze mit Leerzeichen")
    real = single_ct.extract(sample_ct, sample_mask, planes=("axial",), interval_mm=4).segments
    paths = {name: folder / f"{name}.h5" for name in ("train", "test", "synthetic")}
    hdf5.write(paths["train"], real[::2])
    hdf5.write(paths["test"], real[1::2])
    assert cli.main(["generate", "-n", "20", "-o", str(paths["synthetic"]), "--no-metrics"]) == 0
    return paths


@pytest.fixture(scope="module")
def evaluated(sets) -> Path:
    """Walk through the panel as the self test in Slicer does; gives the folder of reports.

    In it are "Evaluation 1" and "scene.mrb", saved before the report was removed.
    """
    with pytest.MonkeyPatch.context() as patch, Host() as host:
        patch.syspath_prepend(str(ROOT / "Testing" / "Slicer"))
        import self_test
        import walk_evaluate

        walk = walk_evaluate.Walk(host.open_module(MODULE))
        for name, of in (("train", "train"), ("test", "test"), ("synthetic", "made")):
            shutil.copyfile(sets[name], walk.folder / f"{of}.h5")
        _made_already, *steps, remove, close, _delete = walk_evaluate.STEPS
        assert self_test.run(walk, steps) == "PASS"
        mrb.save(host.scene, walk.folder / "scene.mrb")
        assert self_test.run(walk, [remove, close]) == "PASS"
        host.check()
    yield walk.folder
    shutil.rmtree(walk.folder)


@pytest.fixture
def panel(host):
    return host.open_module(MODULE)


@pytest.fixture
def shown(host, panel, evaluated):
    """The panel with the report in the scene."""
    dialogs.FILE_ANSWERS.append(str(evaluated / "Evaluation 1"))
    panel.ui.loadButton.click()
    wait_for_the_end(host, panel)
    host.wait_until(lambda: not panel.segments.isFilling())
    return panel


def wait_for_the_end(host, panel) -> None:
    host.wait_until(lambda: not panel.logic.isWorking())


def add_to_scene(path: Path, name: str):
    read = hdf5.read(path)
    nodes = segment_sets.add_segment_set(slicer.mrmlScene, read, measure(read), name)
    return nodes.volume


def add_files(panel, *paths) -> None:
    dialogs.FILE_ANSWERS.append([str(path) for path in paths])
    panel.ui.addFilesButton.click()


def choose_from_scene(panel, name: str) -> None:
    panel.enter()  # who made the set comes to this panel
    dialogs.ANSWERS.append(name)
    panel.ui.addSceneButton.click()


def compared_as(panel) -> list[tuple[str, str, str]]:
    """What the table of sets shows: as what each is compared, its name and number of segments."""
    table = panel.ui.setsTable
    return [
        (table.cellWidget(row, 0).currentText, table.item(row, 1).text(), table.item(row, 2).text())
        for row in range(table.rowCount)
    ]


def nodes_of(panel) -> evaluation.EvaluationNodes:
    return evaluation.nodes_of(panel.node.report)


def test_an_evaluation_from_the_panel_leaves_a_report(evaluated):
    assert (evaluated / "Evaluation 1" / "report.html").is_file()
    assert not (evaluated / "Evaluation 2").exists()  # of the one that was cancelled


def test_saving_and_opening_the_scene_keeps_sets_and_results(host, panel, evaluated):
    mrb.open_bundle(host.scene, evaluated / "scene.mrb")
    host.wait_until(lambda: not panel.segments.isFilling())
    assert [row[:2] for row in compared_as(panel)] == [
        ("Training", "train.h5"),
        ("Test", "test.h5"),
        ("Synthetic", "made.h5"),
    ]
    assert panel.ui.reportBox.currentNode().GetName() == "Evaluation 1"
    assert panel.ui.chartBox.count == 10
    assert panel.ui.segmentsTable.rowCount == 20
    assert "Are they copies?" in panel.ui.answersBrowser.plainText
    panel.segments.pick(4)  # with the realness map that was laid over it
    red = slice_views.composite_of(host.scene.GetSingletonNode("Red", "vtkMRMLSliceNode"))
    over = evaluation.overlay_of(nodes_of(panel).volumes["synthetic"], "positions")
    assert red.GetForegroundVolumeID() == over.GetID()
    host.scene.Clear(0)
    assert compared_as(panel) == []
    assert panel.ui.answersBrowser.plainText == ""
    assert panel.ui.segmentsTable.rowCount == 0
    assert not panel.ui.chartButton.enabled


def test_picking_a_row_shows_that_segment_in_the_red_view(host, shown):
    nodes = nodes_of(shown)
    red = host.scene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    shown.segments.pick(13)
    host.check()
    background = slice_views.composite_of(red).GetBackgroundVolumeID()
    assert background == nodes.volumes["synthetic"].GetID()
    assert (red.GetSliceOffset(), red.GetOrientation()) == (13, "Axial")
    shown.ui.setBox.setCurrentIndex(1)
    shown.segments.pick(2)
    background = slice_views.composite_of(red).GetBackgroundVolumeID()
    assert background == nodes.volumes["test"].GetID()


def test_the_least_real_segments_and_those_like_copies_can_come_first(host, shown):
    table = nodes_of(shown).tables["synthetic"]
    for order, column in ((1, evaluation.REALNESS), (3, "Likeness ratio (MSE)")):
        shown.ui.orderBox.setCurrentIndex(order)
        host.wait_until(lambda: not shown.segments.isFilling())
        values = slicer.util.arrayFromTableColumn(table, column)
        first = table.GetTable().GetColumnByName(evaluation.NAME).GetValue(int(np.argmin(values)))
        assert shown.ui.segmentsTable.item(0, 1).text() == first


def test_a_chart_and_the_numbers_are_shown_when_asked_for(host, shown):
    layout = slicer.app.layoutManager().layout
    assert layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    shown.ui.chartBox.setCurrentIndex(3)
    shown.ui.chartButton.click()
    host.check()
    plot = slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode()
    assert plot.GetPlotChartNode().GetTitle() == "Realness"
    for title in ("Summary", "Answers"):
        shown.ui.tableBox.setCurrentText(title)
        shown.ui.tableButton.click()
        host.check()
        table = slicer.app.layoutManager().tableWidget(0).mrmlTableViewNode()
        assert table.GetTableNode().GetName() == f"Evaluation 1: {title.lower()}"


def test_pairs_are_stepped_through_in_linked_views(host, shown):
    pairs = nodes_of(shown).pairs
    stacks = [node.GetID() for node in (pairs.segments, pairs.nearest, pairs.difference)]
    shown.ui.besideButton.click()
    host.check()
    views = slice_views.beside_views(host.scene)
    shown.ui.pairSlider.value = 4
    composites = [slice_views.composite_of(view) for view in views]
    assert [one.GetBackgroundVolumeID() for one in composites] == stacks
    assert [view.GetSliceOffset() for view in views] == [3, 3, 3]
    assert all(one.GetLinkedControl() for one in composites)
    row = slicer.util.arrayFromTableColumn(pairs.table, "Synthetic")[3]
    assert shown.ui.pairLabel.text.startswith(f"Synthetic {row}, nearest training segment")
    views[1].SetSliceOffset(7)  # who turns the slices
    host.check()
    assert shown.ui.pairSlider.value == 8
    assert [view.GetSliceOffset() for view in views] == [7, 7, 7]
    red = host.scene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    assert slice_views.composite_of(red).GetBackgroundVolumeID() not in stacks


def test_several_reports_are_chosen_between_and_one_is_removed(host, shown, evaluated):
    shown.ui.shownSpinBox.value = 12
    dialogs.FILE_ANSWERS.append(str(evaluated / "Evaluation 1"))
    shown.ui.loadButton.click()
    wait_for_the_end(host, shown)
    assert shown.ui.segmentsTable.rowCount == 12
    first, second = evaluation.in_scene(host.scene)
    shown.ui.reportBox.setCurrentNode(first)
    host.wait_until(lambda: not shown.segments.isFilling())
    assert shown.ui.segmentsTable.rowCount == 20
    shown.ui.removeReportButton.click()
    host.check()
    assert evaluation.in_scene(host.scene) == [second]
    assert (evaluated / "Evaluation 1").is_dir()


def test_the_report_opens_in_the_browser_until_its_folder_is_gone(host, shown, evaluated, tmp_path):
    shown.ui.browserButton.click()
    assert slicer.app.opened_urls[-1] == str(evaluated / "Evaluation 1" / "report.html")
    said = json.loads(shown.node.report.GetText())
    shown.node.report.SetText(json.dumps({**said, "report": str(tmp_path / "deleted")}))
    shown.updateButtons()
    assert shown.ui.browserButton.toolTip == "The report's folder is no longer there."
    shown.ui.chartButton.click()  # what is in the scene stays
    host.check()


def test_a_folder_without_a_report_is_named(host, panel, tmp_path):
    dialogs.FILE_ANSWERS.append(str(tmp_path))
    panel.ui.loadButton.click()
    wait_for_the_end(host, panel)
    [message] = host.take_messages()
    assert f"{tmp_path}: there is no report of an evaluation in it" in message
    assert panel.ui.statusLabel.text.startswith(str(tmp_path))


def test_cancelling_leaves_no_report_and_the_scene_as_it_was(host, panel, sets, tmp_path):
    add_files(panel, *sets.values())
    panel.ui.reportsFolder.currentPath = str(tmp_path)
    nodes = host.scene.GetNumberOfNodes()
    panel.ui.evaluateButton.click()
    host.wait_until(lambda: panel.logic.task.child is not None)
    assert "Wait until" in panel.ui.evaluateButton.toolTip
    panel.ui.cancelButton.click()
    wait_for_the_end(host, panel)
    assert panel.ui.statusLabel.text == "Cancelled; the scene is as it was."
    assert host.scene.GetNumberOfNodes() == nodes
    assert list(tmp_path.iterdir()) == []


def test_a_killed_child_is_said_and_another_evaluation_can_begin(host, panel, sets, tmp_path):
    add_files(panel, sets["test"])
    panel.ui.reportsFolder.currentPath = str(tmp_path)
    panel.ui.evaluateButton.click()
    host.wait_until(lambda: panel.logic.task.child is not None)
    os.kill(panel.logic.task.child.pid, signal.SIGKILL)
    wait_for_the_end(host, panel)
    assert "ended from outside (signal 9)" in host.take_messages()[0]
    assert panel.ui.evaluateButton.enabled
    assert list(tmp_path.iterdir()) == []


def test_closing_the_scene_lets_the_evaluation_of_its_sets_go_on(host, panel, sets, tmp_path):
    add_to_scene(sets["test"], "Head of somebody")
    choose_from_scene(panel, "Head of somebody")
    panel.ui.setsTable.cellWidget(0, 0).setCurrentIndex(1)
    panel.ui.useModelCheckBox.checked = False
    panel.ui.reportsFolder.currentPath = str(tmp_path)
    panel.ui.evaluateButton.click()
    host.wait_until(lambda: panel.logic.task.child is not None)
    host.scene.Clear(0)
    assert compared_as(panel) == []
    wait_for_the_end(host, panel)
    assert panel.ui.statusLabel.text.startswith("The scene was closed meanwhile")
    report = tmp_path / "Evaluation 1"
    assert (report / "report.html").is_file()
    assert [path.name for path in (report / "sets").iterdir()] == ["test-1.h5"]
    assert evaluation.in_scene(host.scene) == []


def test_sets_that_do_not_go_together_are_refused_in_the_librarys_words(host, panel, tmp_path):
    hu = np.zeros((3, 128, 128), np.int16)
    hu[:, 10:22] = 1500
    paths = []
    for spacing in (0.45, 0.9):
        made = segment_set.without_patient(
            hu, hu > 0, np.arange(3), kind="synthetic", pixel_spacing_mm=spacing
        )
        paths.append(tmp_path / f"{spacing}.h5")
        hdf5.write(paths[-1], made)
    add_files(panel, *paths)
    panel.ui.setsTable.cellWidget(1, 0).setCurrentIndex(3)
    assert [row[0] for row in compared_as(panel)] == ["Synthetic", "Control"]
    panel.ui.useModelCheckBox.checked = False
    panel.ui.reportsFolder.currentPath = str(tmp_path / "reports")
    panel.ui.evaluateButton.click()
    wait_for_the_end(host, panel)
    [message] = host.take_messages()
    assert "its pixels are 0.9 mm, those of" in message
    assert not (tmp_path / "reports" / "Evaluation 1").exists()


def test_a_model_of_other_pixels_is_refused_in_the_librarys_words(host, panel, sets, tmp_path):
    model_file.write(tmp_path / "coarse.safetensors", narrow_model(pixel_spacing_mm=0.9))
    add_files(panel, sets["test"])
    panel.ui.modelPath.currentPath = str(tmp_path / "coarse.safetensors")
    panel.ui.reportsFolder.currentPath = str(tmp_path / "reports")
    panel.ui.evaluateButton.click()
    wait_for_the_end(host, panel)
    [message] = host.take_messages()
    assert "The model judges pixels of 0.9 mm and the segments' are 0.45 mm" in message


def test_what_is_missing_is_said_by_buttons_and_by_a_line(host, panel, sets, tmp_path):
    ui = panel.ui
    assert ui.evaluateButton.toolTip == "Add segment sets first."
    assert ui.addSceneButton.toolTip.startswith("There is no segment set in the scene")
    add_files(panel, sets["synthetic"])
    assert "Without a test set" in ui.setsLabel.text
    assert ui.evaluateButton.toolTip == "Choose a folder for reports first."
    ui.reportsFolder.currentPath = str(tmp_path)
    ui.modelPath.currentPath = "/gone.safetensors"
    assert ui.evaluateButton.toolTip == "The model /gone.safetensors is not there."
    ui.useModelCheckBox.checked = False
    assert ui.evaluateButton.enabled
    ui.setsTable.setCurrentCell(0, 1)
    ui.removeSetButton.click()
    host.check()
    assert compared_as(panel) == []


def test_files_are_guessed_by_their_kind_and_others_refused(host, panel, sets, tmp_path):
    add_files(panel, sets["train"], sets["test"], sets["synthetic"])
    assert [row[0] for row in compared_as(panel)] == ["Training", "Test", "Synthetic"]
    assert [row[2] for row in compared_as(panel)] == ["19", "19", "20"]
    other = tmp_path / "notes.h5"
    other.write_text("no segments")
    add_files(panel, other)
    assert str(other) in host.take_messages()[0]
    assert len(compared_as(panel)) == 3


def test_packages_are_asked_for_when_files_are_added(host, panel, sets, monkeypatch):
    from SkullGANGui import packages

    add_files(panel, sets["train"])
    lacking = packages.Package("skullgan_lacks_this", "lacking", "1 MB")
    monkeypatch.setitem(packages.PACKAGES, lacking.module, lacking)
    monkeypatch.setattr(packages, "SEGMENTS", (lacking.module,))
    panel.exit()
    panel.enter()  # what was chosen is shown, whether it can be read or not
    assert [row[2] for row in compared_as(panel)] == ["?"]
    dialogs.ANSWERS.append("Cancel")
    add_files(panel, sets["test"])
    assert "lacking (1 MB)" in dialogs.ASKED[-1]
    assert "needs lacking, which were not installed" in host.take_messages()[0]
    assert len(compared_as(panel)) == 1


def test_a_set_of_the_scene_stays_chosen_until_it_leaves_it(host, panel, sets, tmp_path):
    volume = add_to_scene(sets["synthetic"], "Made")
    segment_sets.set_kept(volume, 0, False)
    choose_from_scene(panel, "Made")
    assert compared_as(panel) == [("Synthetic", "Made", "19")]
    mrb.save(host.scene, tmp_path / "scene.mrb")
    mrb.open_bundle(host.scene, tmp_path / "scene.mrb")
    assert compared_as(panel) == [("Synthetic", "Made", "19")]
    host.scene.RemoveNode(host.scene.GetFirstNodeByName("Made masks"))
    panel.enter()
    assert compared_as(panel) == [("Synthetic", "Made", "incomplete")]
    host.scene.RemoveNode(host.scene.GetFirstNodeByName("Made"))
    panel.enter()
    assert compared_as(panel) == []


def test_a_realness_map_is_laid_over_the_picked_segment_and_taken_away(host, shown):
    volume = nodes_of(shown).volumes["synthetic"]
    red = slice_views.composite_of(host.scene.GetSingletonNode("Red", "vtkMRMLSliceNode"))
    shown.segments.pick(2)
    shown.ui.overlayCheckBox.click()
    wait_for_the_end(host, shown)
    over = evaluation.overlay_of(volume, "positions")
    assert red.GetForegroundVolumeID() == over.GetID()
    # What the places add is the logit, whose sigmoid is the realness of the report.
    logits = slicer.util.arrayFromVolume(over).sum(axis=(1, 2), dtype=float)
    table = nodes_of(shown).tables["synthetic"]
    realness = slicer.util.arrayFromTableColumn(table, evaluation.REALNESS)
    assert np.allclose(1 / (1 + np.exp(-logits)), realness, atol=1e-3)
    shown.ui.overlayCheckBox.click()
    assert red.GetForegroundVolumeID() is None
    shown.ui.overlayCheckBox.click()  # it is there already
    assert not shown.logic.isWorking()
    assert red.GetForegroundVolumeID() == over.GetID()
    shown.ui.removeReportButton.click()
    assert host.scene.GetNodeByID(over.GetID()) is None


def test_a_realness_map_that_is_being_made_ends_with_its_scene(host, shown):
    shown.ui.overlayCheckBox.click()
    host.wait_until(lambda: shown.logic.task.child is not None)
    host.scene.Clear(0)
    wait_for_the_end(host, shown)
    assert shown.ui.statusLabel.text == "Cancelled; the scene is as it was."


def test_a_folder_that_cannot_be_written_is_named(host, panel, sets, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    add_to_scene(sets["test"], "Made")
    choose_from_scene(panel, "Made")
    panel.ui.reportsFolder.currentPath = str(blocked)
    panel.ui.evaluateButton.click()
    wait_for_the_end(host, panel)
    [message] = host.take_messages()
    assert str(blocked) in message
    assert "cannot be written" in message


def test_no_slot_holds_the_panel_up(host, shown):
    shown.ui.besideButton.click()
    shown.segments.pick(3)
    slow = [slot for slot in host.slots() if slot.thread_s > 0.2]
    assert slow == []


@pytest.mark.skipif(rendering.rendering_library() is None, reason=rendering.NEEDED)
def test_the_views_draw_a_segment_and_a_chart(host, shown, tmp_path):
    shown.segments.pick(3)
    shown.ui.chartButton.click()
    host.window_picture(shown, tmp_path / "panel.png")
    assert (tmp_path / "panel.png").stat().st_size > 20_000


def test_the_script_makes_a_scene_of_a_report_and_says_what_it_lacks(host, evaluated, tmp_path):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, SCRIPT, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("--from-report", evaluated / "Evaluation 1", "-o", "Szene ä.mrb", "--pairs", "4")
    assert done.returncode == 0, done.stderr
    assert "10 charts, 4 nearest pairs" in done.stdout
    mrb.open_bundle(host.scene, tmp_path / "Szene ä.mrb")
    [text] = evaluation.in_scene(host.scene)
    assert len(evaluation.nodes_of(text).pairs) == 4
    lacking = run("-o", "other.mrb")
    assert lacking.returncode == 1
    assert lacking.stderr.startswith("Either segment sets or --from-report")
    assert not (tmp_path / "other.mrb").exists()
    taken = run("--from-report", evaluated / "Evaluation 1", "-o", "Szene ä.mrb")
    assert taken.returncode == 1
    assert taken.stderr.startswith("Szene ä.mrb: is there already")


def test_the_script_evaluates_sets_beside_its_scene(sets, tmp_path):
    command = [sys.executable, SCRIPT, "--", "--test", sets["test"], "--no-model"]
    done = subprocess.run(
        [*command, "-o", tmp_path / "my.mrb"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "my.mrb").is_file()
    assert (tmp_path / "my report" / "report.html").is_file()


def test_the_model_that_comes_along_judges_where_none_is_chosen(panel):
    assert panel.ui.modelLabel.visible
    assert panel.logic.modelOf(panel.node) == resources.bundled_model()
    panel.ui.modelPath.currentPath = "/my.safetensors"
    assert panel.logic.modelOf(panel.node) == Path("/my.safetensors")
    panel.ui.useModelCheckBox.checked = False
    assert panel.logic.modelOf(panel.node) is None


def test_the_modules_own_test_passes_in_the_host(host, panel):
    sys.modules["SkullGANEvaluate"].SkullGANEvaluateTest().runTest()


def test_what_is_chosen_of_a_report_is_remembered_with_the_scene(host, shown, tmp_path):
    shown.ui.chartBox.setCurrentIndex(3)
    shown.ui.tableBox.setCurrentText("Answers")
    shown.ui.setBox.setCurrentIndex(1)
    shown.ui.orderBox.setCurrentIndex(2)
    chosen = ("chartBox", "tableBox", "setBox", "orderBox")
    before = [getattr(shown.ui, box).currentText for box in chosen]
    mrb.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(0)
    mrb.open_bundle(host.scene, tmp_path / "scene.mrb")
    host.wait_until(lambda: not shown.segments.isFilling())
    assert [getattr(shown.ui, box).currentText for box in chosen] == before


def test_a_report_makes_the_panel_no_wider_than_slicers_column(host, shown):
    for name, widget in vars(shown.ui).items():
        if name.endswith("Section"):
            widget.collapsed = False
    host.process_events()
    assert shown.parent.minimumSizeHint().width() <= 360
