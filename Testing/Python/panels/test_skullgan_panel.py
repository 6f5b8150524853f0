"""The SkullGAN panel, in the host: from a head CT to segments in the scene, and back to files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
import vtk
from checkout import ROOT
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.networks import model_file
from SkullGANLib.networks.dcgan import Discriminator, Generator
from SkullGANLib.utils import resources
from SkullGANScene.nodes import hierarchy, mrb, segment_sets, segmentations, volumes
from SlicerHost import dialogs

MODULE = ROOT / "SkullGAN" / "SkullGAN.py"
HEAVY = ("torch", "h5py", "cv2", "SimpleITK", "scipy", "matplotlib", "PIL")


@pytest.fixture
def panel(host):
    return host.open_module(MODULE)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    """A model that has learned nothing: narrow networks with random weights."""
    path = tmp_path_factory.mktemp("model") / "überall model.safetensors"
    generator, discriminator = Generator(width=16), Discriminator(width=8)
    model_file.write(path, model_file.Model(generator.eval(), discriminator.eval()))
    return path


def add_sample_ct(panel) -> slicer.vtkMRMLScalarVolumeNode:
    """The sample CT, as the module Sample Data loads it."""
    [ct] = sys.modules["SkullGAN"].loadSampleData()
    panel.enter()
    return ct


def add_small_ct(host) -> slicer.vtkMRMLScalarVolumeNode:
    """A volume without a head: good for choosing, not for cutting."""
    return volumes.add_ct(host.scene, HeadCT(np.zeros((20, 20, 20), np.int16), np.eye(4)), "Small")


def add_coarse_ct(host) -> slicer.vtkMRMLScalarVolumeNode:
    """Every other voxel of the sample CT along each axis: cut in a second."""
    ct = volume.read_ct(resources.sample_ct())
    coarse = HeadCT(ct.hu[::2, ::2, ::2].copy(), ct.ijk_to_ras @ np.diag([2.0, 2.0, 2.0, 1.0]))
    return volumes.add_ct(host.scene, coarse, "Coarse")


def wait_for_the_end(host, panel) -> None:
    host.wait_until(lambda: not panel.logic.isWorking())


def names_of(host, kind: str) -> list[str]:
    return [node.GetName() for node in slicer.util.getNodesByClass(kind)]


@pytest.mark.parametrize("name", ["SkullGAN", "SkullGANTrain", "SkullGANEvaluate"])
def test_opening_a_panel_imports_nothing_heavy(name):
    program = (
        "import sys\n"
        "from SlicerHost.host import Host\n"
        "with Host() as host:\n"
        "    before = set(sys.modules)\n"
        f"    host.load_module({str(ROOT / name / f'{name}.py')!r})\n"
        "    assert not any(n.startswith('SkullGANLib') for n in set(sys.modules) - before)\n"
        f"    host.open_module({str(ROOT / name / f'{name}.py')!r})\n"
        f"    heavy = {{n for n in set(sys.modules) - before if n in {HEAVY!r}}}\n"
        "    assert not heavy, heavy\n"
    )
    path = os.pathsep.join(str(ROOT / folder) for folder in ("SkullGAN", "Testing"))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_an_empty_scene_is_told_where_to_find_a_ct(panel):
    assert not panel.ui.extractButton.enabled
    assert panel.ui.extractButton.toolTip == "Choose a head CT first."
    assert "SkullGANHeadCT" in panel.ui.statusLabel.text


def test_the_hint_goes_when_there_is_a_ct(host, panel):
    add_small_ct(host)
    panel.enter()
    assert panel.ui.statusLabel.text == ""


def test_the_sample_ct_is_offered_by_the_module_sample_data(host, panel):
    slicer.app.startupCompleted.emit()
    sys.modules["SkullGAN"].registerSampleData()
    host.reload(panel)
    sys.modules["SkullGAN"].registerSampleData()
    [source] = sys.modules["SampleData"].SampleDataLogic.sources["SkullGAN"]
    [ct] = source.customDownloader(source)
    assert ct.GetName() == "SkullGANHeadCT"
    assert source.uris[0].startswith("file:")


def test_a_ct_that_is_there_is_chosen(host):
    ct = add_small_ct(host)
    panel = host.open_module(MODULE)
    assert panel.ui.ctSelector.currentNode() is ct
    assert panel.ui.extractButton.enabled


def test_extracting_puts_skull_segments_masks_and_metrics_into_the_scene(host, panel, tmp_path):
    ct = add_coarse_ct(host)
    panel.enter()
    panel.bones["parietal"].checked = False
    panel.ui.intervalSpinBox.value = 12
    panel.ui.extractButton.click()
    wait_for_the_end(host, panel)
    assert names_of(host, "vtkMRMLSegmentationNode") == ["Coarse skull", "Coarse segments masks"]
    assert panel.node.skull.GetName() == "Coarse skull"
    volume = panel.node.segments
    assert volume.GetName() == "Coarse segments"
    count = volume.GetImageData().GetDimensions()[2]
    assert panel.ui.statusLabel.text.startswith(f"{count} segments are in the scene")
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(host.scene)
    assert tree.GetItemParent(segment_sets.nodes_of(volume).folder) == tree.GetItemParent(
        hierarchy.item_of(ct)
    )

    dialogs.FILE_ANSWERS.append(str(tmp_path / "ségments.h5"))
    panel.ui.saveButton.click()
    wait_for_the_end(host, panel)
    saved = hdf5.read(tmp_path / "ségments.h5")
    assert len(saved) == count
    assert set(saved.bone) <= {"temporal", "temporal-parietal"}
    assert saved.kind == "real"


def test_a_skull_that_was_edited_is_the_one_that_is_cut(host, panel):
    """Without its left half there are no segments on the left."""
    ct = add_coarse_ct(host)
    panel.enter()
    panel.ui.skullButton.click()
    wait_for_the_end(host, panel)
    mask = segmentations.mask_from(panel.node.skull, ct)
    columns = np.arange(mask.shape[2])
    r = volumes.ijk_to_world(ct)[0] @ np.stack([columns, *np.zeros((2, len(columns))), columns**0])
    mask[:, :, r < 8] = 0
    host.scene.RemoveNode(panel.node.skull)
    panel.node.skull = segmentations.add_skull(ct, mask)
    panel.planes["coronal"].checked = panel.planes["sagittal"].checked = False
    panel.ui.intervalSpinBox.value = 12
    panel.ui.extractButton.click()
    wait_for_the_end(host, panel)
    assert set(segment_sets.segment_set_from(panel.node.segments).side) == {"right"}


def test_the_skull_is_opened_in_the_segment_editor_though_the_panel_is_left(
    host, panel, monkeypatch
):
    ct = add_small_ct(host)
    mask = np.ones(ct.GetImageData().GetDimensions()[::-1], np.uint8)
    skull = segmentations.add_skull(ct, mask)
    panel.enter()
    editor = mock.Mock()
    widget = mock.Mock(editor=editor)
    monkeypatch.setattr(slicer.util, "getModuleWidget", lambda name: widget)
    panel.ui.editSkullButton.click()
    host.check()
    assert panel.node is None
    editor.setSegmentationNode.assert_called_once_with(skull)
    editor.setSourceVolumeNode.assert_called_once_with(ct)


def test_a_ct_that_gives_no_segments_says_so_by_its_name(host, panel):
    add_small_ct(host)
    panel.enter()
    panel.ui.extractButton.click()
    wait_for_the_end(host, panel)
    assert panel.ui.statusLabel.text.startswith("Small: ")
    assert host.take_messages()[0].startswith("That did not work.\n\nSmall: ")
    assert names_of(host, "vtkMRMLScalarVolumeNode") == ["Small"]
    assert panel.ui.extractButton.enabled


def test_cancelling_leaves_the_scene_as_it_was(host, panel):
    add_sample_ct(panel)
    panel.ui.extractButton.click()
    host.wait_until(lambda: panel.logic.task.child is not None)
    child = panel.logic.task.child
    panel.ui.cancelButton.click()
    wait_for_the_end(host, panel)
    assert child.state == "cancelled"
    assert panel.ui.statusLabel.text == "Cancelled; the scene is as it was."
    assert names_of(host, "vtkMRMLScalarVolumeNode") == ["SkullGANHeadCT"]
    assert not panel.ui.cancelButton.enabled


def test_a_child_that_is_killed_says_so_and_leaves_the_scene_as_it_was(host, panel):
    add_coarse_ct(host)
    panel.enter()
    panel.ui.extractButton.click()
    host.wait_until(lambda: panel.logic.task.child is not None)
    os.kill(panel.logic.task.child.pid, signal.SIGKILL)
    wait_for_the_end(host, panel)
    assert "was ended from outside (signal 9)" in host.take_messages()[0]
    assert names_of(host, "vtkMRMLScalarVolumeNode") == ["Coarse"]
    assert panel.ui.extractButton.enabled


def test_two_cts_in_turn_do_not_mix(host, panel):
    first, second = add_coarse_ct(host), add_small_ct(host)
    panel.enter()
    panel.ui.skullButton.click()
    wait_for_the_end(host, panel)
    skull = panel.node.skull
    panel.ui.ctSelector.setCurrentNode(second)
    assert panel.node.skull is None
    panel.ui.ctSelector.setCurrentNode(first)
    assert panel.node.skull is skull


def test_a_batch_cuts_every_ct_and_tells_of_the_one_that_failed(host, panel):
    add_coarse_ct(host)
    add_small_ct(host)
    panel.enter()
    panel.bones["parietal"].checked = False
    panel.ui.intervalSpinBox.value = 12
    panel.ui.skullButton.click()
    wait_for_the_end(host, panel)
    panel.ui.batchButton.click()
    wait_for_the_end(host, panel)
    # The skull that was there is the one that was cut with.
    assert names_of(host, "vtkMRMLSegmentationNode") == ["Coarse skull", "Coarse segments masks"]
    first, second = panel.ui.statusLabel.text.split("\n")
    assert first == "1 of 2 CTs gave segments."
    assert second.startswith("Small: its values run from 0 to 0")
    assert panel.node.segments.GetName() == "Coarse segments"


@pytest.mark.parametrize("how", ["under a transform", "oblique"])
def test_a_turned_ct_with_a_japanese_name_is_cut_where_it_is(host, panel, how):
    """Turned by 20 degrees about the vertical: its segments lie turned likewise."""
    ct = add_coarse_ct(host)
    ct.SetName("頭部 CT 1")
    turn = vtk.vtkTransform()
    turn.RotateZ(20)
    if how == "oblique":
        turned = slicer.util.arrayFromVTKMatrix(turn.GetMatrix()) @ volumes.ijk_to_ras(ct)
        ct.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(turned))
    else:
        transform = host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Turn")
        transform.SetMatrixTransformToParent(turn.GetMatrix())
        ct.SetAndObserveTransformNodeID(transform.GetID())
    panel.enter()
    panel.bones["parietal"].checked = False
    panel.planes["coronal"].checked = panel.planes["sagittal"].checked = False
    panel.ui.intervalSpinBox.value = 12
    panel.ui.extractButton.click()
    wait_for_the_end(host, panel)
    volume = panel.node.segments
    assert volume.GetName() == "頭部 CT 1 segments"
    inward = segment_sets.places_of(volume)[:, :3, 1]
    left = segment_sets.segment_set_from(volume).side == "left"
    # From the left, inward is to the right, turned by 20 degrees towards anterior.
    angles = np.rad2deg(np.arctan2(inward[left, 1], inward[left, 0]))
    assert abs(np.median(angles) - 20) < 12


def test_generation_keeps_to_the_selection(host, panel, model_path):
    panel.ui.modelPath.currentPath = str(model_path)
    panel.ui.numberSpinBox.value = 3
    panel.ui.limitedCheckBox.checked = True
    panel.ui.thicknessFromSpinBox.value = 29
    panel.ui.thicknessToSpinBox.value = 28
    assert panel.ui.generateButton.toolTip == "A lower limit is above its upper one."
    panel.ui.modelPath.currentPath = ""
    panel.ui.thicknessToSpinBox.value = 30
    panel.ui.thicknessFromSpinBox.value = 0
    panel.ui.sdrFromSpinBox.value = 0
    panel.ui.intensityFromSpinBox.value = 0
    panel.ui.generateButton.click()
    wait_for_the_end(host, panel)
    [made] = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    source = segment_sets.segment_set_from(made).source
    assert source["limits"]["mean_intensity_hu"] == [0, 2500]
    assert source["kept"] == 3
    panel.ui.wholeCheckBox.checked = True
    panel.ui.diverseCheckBox.checked = True
    panel.ui.likePath.currentPath = str(model_path)
    assert (panel.node.whole, panel.node.diverse) == (True, True)
    assert panel.node.likePath == str(model_path)
    panel.ui.generateButton.click()
    wait_for_the_end(host, panel)
    assert "cannot be read as a segment set" in host.take_messages()[0]


def test_more_than_a_scene_takes_go_into_a_file(host, panel, model_path, tmp_path):
    panel.ui.modelPath.currentPath = str(model_path)
    panel.ui.numberSpinBox.value = 2001
    assert "A scene takes 2000 segments at once" in panel.ui.generateButton.toolTip
    panel.ui.numberSpinBox.value = 5
    dialogs.FILE_ANSWERS.append(str(tmp_path / "made"))
    panel.ui.generateFileButton.click()
    wait_for_the_end(host, panel)
    assert len(hdf5.read(tmp_path / "made.h5")) == 5
    assert panel.ui.statusLabel.text == str(tmp_path / "made.h5")


def test_declining_packages_leaves_the_panel_usable(host, panel, monkeypatch):
    from SkullGANGui import packages

    lacking = packages.Package("skullgan_lacks_this", "lacking", "1 MB")
    monkeypatch.setitem(packages.PACKAGES, lacking.module, lacking)
    monkeypatch.setattr(packages, "MODELS", (lacking.module,))
    panel.updateButtons()
    assert "You will be asked to install lacking first." in panel.ui.generateButton.toolTip
    dialogs.ANSWERS.append("Cancel")
    panel.ui.generateButton.click()
    assert "lacking (1 MB)" in dialogs.ASKED[-1]
    assert "needs lacking, which were not installed" in host.take_messages()[0]
    add_small_ct(host)
    panel.enter()
    assert panel.ui.extractButton.enabled
    assert panel.ui.skullButton.enabled


def test_generating_puts_synthetic_segments_into_the_scene(host, panel, model_path):
    panel.ui.modelPath.currentPath = str(model_path)
    panel.ui.numberSpinBox.value = 3
    panel.ui.firstSeedSpinBox.value = 7
    panel.ui.generateButton.click()
    wait_for_the_end(host, panel)
    table = slicer.util.getNode("Synthetic skull segments metrics")
    assert slicer.util.arrayFromTableColumn(table, "Seed").tolist() == [7, 8, 9]
    node = slicer.util.getNode("Synthetic skull segments")
    assert "they show no patient" in node.GetDescription()


def test_segments_are_not_taken_for_a_head_ct(host, panel):
    hu = np.ones((2, 128, 128), np.int16)
    segments = segment_set.without_patient(hu, hu, np.arange(2))
    panel.ui.ctSelector.setCurrentNode(volumes.add_segments(host.scene, segments, "Segments"))
    assert not panel.ui.extractButton.enabled
    assert "holds skull segments already" in panel.ui.extractButton.toolTip


def test_a_model_that_is_gone_is_named(host, panel, tmp_path):
    panel.ui.modelPath.currentPath = str(tmp_path / "gone.safetensors")
    panel.ui.generateButton.click()
    wait_for_the_end(host, panel)
    assert "gone.safetensors: there is no such file" in panel.ui.statusLabel.text
    assert "gone.safetensors: there is no such file" in host.take_messages()[0]


def test_closing_the_scene_while_working_keeps_the_result_for_a_file(
    host, panel, model_path, tmp_path
):
    add_small_ct(host)
    panel.ui.modelPath.currentPath = str(model_path)
    panel.ui.numberSpinBox.value = 2
    panel.ui.generateButton.click()
    host.scene.Clear(0)
    assert not panel.ui.extractButton.enabled
    wait_for_the_end(host, panel)
    assert names_of(host, "vtkMRMLScalarVolumeNode") == []
    assert "can still be saved" in panel.ui.statusLabel.text
    dialogs.FILE_ANSWERS.append(str(tmp_path / "left over.h5"))
    panel.ui.saveButton.click()
    assert len(hdf5.read(tmp_path / "left over.h5")) == 2


def test_a_ct_that_is_deleted_while_working_does_no_harm(host, panel):
    ct = add_coarse_ct(host)
    panel.enter()
    panel.bones["parietal"].checked = False
    panel.ui.intervalSpinBox.value = 12
    panel.ui.extractButton.click()
    host.wait_until(lambda: panel.logic.task.child is not None)
    hierarchy.remove(ct)
    wait_for_the_end(host, panel)
    assert names_of(host, "vtkMRMLScalarVolumeNode") == ["Coarse segments"]


def test_the_panel_remembers_through_saving_and_opening(host, panel, tmp_path):
    ct = add_small_ct(host)
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.bones["temporal"].checked = False
    panel.ui.intervalSpinBox.value = 1.5
    panel.ui.modelPath.currentPath = "/somewhere/model.safetensors"
    panel.ui.numberSpinBox.value = 12
    mrb.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(0)
    assert panel.bones["temporal"].checked
    assert panel.ui.modelPath.currentPath == ""
    mrb.open_bundle(host.scene, tmp_path / "scene.mrb")
    panel.enter()
    assert panel.ui.ctSelector.currentNode().GetName() == "Small"
    assert not panel.bones["temporal"].checked
    assert (panel.ui.intervalSpinBox.value, panel.ui.numberSpinBox.value) == (1.5, 12)
    assert panel.ui.modelPath.currentPath == "/somewhere/model.safetensors"


def test_bones_and_planes_of_a_scene_of_an_earlier_version_are_those_ticked(host, panel):
    """It held a yes or no for each."""
    panel.exit()
    node = host.scene.GetSingletonNode("SkullGAN", "vtkMRMLScriptedModuleNode")
    for name in ("temporal", "parietal", "frontal", "occipital", "axial", "coronal", "sagittal"):
        node.SetParameter(name, str(name in ("frontal", "coronal")))
    panel.enter()
    assert panel.bones.ticked() == list(panel.node.bones) == ["frontal"]
    assert panel.planes.ticked() == list(panel.node.planes) == ["coronal"]
    assert not node.HasParameter("temporal")


def test_a_bone_that_is_added_to_the_cut_plan_can_be_ticked(host, monkeypatch):
    ethmoid = cut_plan.Choice("ethmoid", "Cut the roof of the nose.", by_default=False)
    monkeypatch.setattr(cut_plan, "BONE_CHOICES", (*cut_plan.BONE_CHOICES, ethmoid))
    panel = host.open_module(MODULE)
    panel.bones["ethmoid"].checked = True
    assert list(panel.node.bones) == [*cut_plan.DEFAULT_BONES, "ethmoid"]
    assert panel.bones["ethmoid"].toolTip == ethmoid.meaning


def test_leaving_and_coming_back_shows_the_same(host, panel):
    panel.ui.numberSpinBox.value = 5
    panel.exit()
    panel.enter()
    assert panel.ui.numberSpinBox.value == 5


def test_the_module_goes_without_leaving_processes_or_files(host, panel):
    add_sample_ct(panel)
    panel.ui.extractButton.click()
    host.wait_until(lambda: panel.logic.task.child is not None)
    child, folder = panel.logic.task.child, Path(panel.logic._folder.name)
    panel.logic.close()
    panel.timer.stop()
    assert child.state == "cancelled"
    assert not folder.exists()


def test_the_modules_own_test_passes_in_the_host(host, panel):
    test = sys.modules["SkullGAN"].SkullGANTest()
    test.runTest()


def test_the_modules_own_test_says_so_where_it_cannot_run_and_ctest_skips_it(
    host, panel, monkeypatch, caplog
):
    """The module Self Tests takes whatever a test raises for a failure."""
    from SkullGANGui import packages

    lacking = packages.Package("skullgan_lacks_this", "lacking", "1 MB")
    monkeypatch.setitem(packages.PACKAGES, lacking.module, lacking)
    test = sys.modules["SkullGAN"].SkullGANTest
    monkeypatch.setattr(test, "needs", (lacking.module,))
    with caplog.at_level("INFO"):
        slicer.selfTests["SkullGAN"]()
    assert "Not tested: lacking are not installed in this Slicer" in caplog.text
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(test).run(result)
    assert result.wasSuccessful()
    assert [reason for _test, reason in result.skipped] == [
        "lacking are not installed in this Slicer"
    ]
