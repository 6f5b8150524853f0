"""The SkullGAN panel, in the host: from a head CT to segments in the scene, and back to files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
from SkullGANLib import model, resources, segmentset, volume
from SkullGANLib.networks import Discriminator, Generator
from SkullGANLib.volume import HeadCT
from SkullGANScene import bundle, hierarchy, volumes
from SlicerHost import pythonqt
from SlicerHost.host import Host

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "SkullGAN" / "SkullGAN.py"
HEAVY = ("torch", "h5py", "cv2", "SimpleITK", "scipy", "matplotlib", "PIL")


@pytest.fixture
def host():
    with Host() as host:
        yield host


@pytest.fixture
def panel(host):
    return host.open_module(MODULE)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    """A model that has learned nothing: narrow networks with random weights."""
    path = tmp_path_factory.mktemp("model") / "überall model.safetensors"
    generator, discriminator = Generator(width=16), Discriminator(width=8)
    model.write(path, model.Model(generator.eval(), discriminator.eval()))
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
    host.check()
    source = sys.modules["SampleData"].SampleDataLogic.sources["SkullGANHeadCT"]
    [ct] = source.customDownloader(source)
    assert ct.GetName() == "SkullGANHeadCT"
    assert source.uris[0].startswith("file:")


def test_a_ct_that_is_there_is_chosen(host):
    ct = add_small_ct(host)
    panel = host.open_module(MODULE)
    assert panel.ui.ctSelector.currentNode() is ct
    assert panel.ui.extractButton.enabled


def test_extracting_puts_segments_masks_and_metrics_into_the_scene(host, panel, tmp_path):
    ct = add_sample_ct(panel)
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(host.scene)
    patient = tree.CreateSubjectItem(tree.GetSceneItemID(), "Patient")
    study = tree.CreateStudyItem(patient, "Study")
    tree.SetItemParent(hierarchy.item_of(ct), study)
    panel.ui.parietalCheckBox.checked = False
    panel.ui.intervalSpinBox.value = 6.2

    panel.ui.extractButton.click()
    assert not panel.ui.extractButton.enabled
    assert "cancel it" in panel.ui.extractButton.toolTip
    host.wait_until(lambda: panel.ui.progressBar.value > 10)
    assert "SkullGANHeadCT" in panel.ui.statusLabel.text
    wait_for_the_end(host, panel)

    segments = slicer.util.getNode("SkullGANHeadCT segments")
    columns, rows, count = segments.GetImageData().GetDimensions()
    assert (columns, rows) == (128, 128)
    assert count >= 4
    assert slicer.util.getNode("SkullGANHeadCT segments metrics").GetNumberOfRows() == count
    masks = slicer.util.getNode("SkullGANHeadCT segments masks")
    assert masks.GetSegmentation().GetNumberOfSegments() == 1
    assert tree.GetItemParent(tree.GetItemParent(tree.GetItemByDataNode(segments))) == study
    assert panel.ui.statusLabel.text.startswith(f"{count} segments are in the scene")

    pythonqt.FILE_ANSWERS.append(str(tmp_path / "ségments.h5"))
    panel.ui.saveButton.click()
    host.check()
    saved = segmentset.read(tmp_path / "ségments.h5")
    assert len(saved) == count
    assert set(saved.bone) == {"temporal"}
    assert saved.kind == "real"


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
    child = panel.logic.work.child
    host.wait_until(lambda: panel.ui.progressBar.value > 0)
    panel.ui.cancelButton.click()
    wait_for_the_end(host, panel)
    assert child.state == "cancelled"
    assert panel.ui.statusLabel.text == "Cancelled; the scene is as it was."
    assert names_of(host, "vtkMRMLScalarVolumeNode") == ["SkullGANHeadCT"]
    assert not panel.ui.cancelButton.enabled


def test_generating_puts_synthetic_segments_into_the_scene(host, panel, model_path):
    assert panel.ui.generateButton.toolTip == "Choose a model file (.safetensors) first."
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
    segments = segmentset.without_patient(hu, hu, np.arange(2))
    panel.ui.ctSelector.setCurrentNode(volumes.add_segments(host.scene, segments, "Segments"))
    assert not panel.ui.extractButton.enabled
    assert "holds skull segments already" in panel.ui.extractButton.toolTip


def test_a_model_that_is_gone_is_named(host, panel, tmp_path):
    panel.ui.modelPath.currentPath = str(tmp_path / "gone.safetensors")
    panel.ui.generateButton.click()
    wait_for_the_end(host, panel)
    assert "gone.safetensors: there is no such file" in panel.ui.statusLabel.text
    assert "gone.safetensors: there is no such file" in host.take_messages()[0]


def test_closing_the_scene_while_working_keeps_the_result_for_a_file(host, panel, model_path):
    add_small_ct(host)
    panel.ui.modelPath.currentPath = str(model_path)
    panel.ui.numberSpinBox.value = 2
    panel.ui.generateButton.click()
    host.scene.Clear(0)
    assert not panel.ui.extractButton.enabled
    wait_for_the_end(host, panel)
    assert names_of(host, "vtkMRMLScalarVolumeNode") == []
    assert "can still be saved" in panel.ui.statusLabel.text
    assert panel.ui.saveButton.enabled


def test_a_ct_that_is_deleted_while_working_does_no_harm(host, panel):
    ct = add_coarse_ct(host)
    panel.enter()
    panel.ui.parietalCheckBox.checked = False
    panel.ui.intervalSpinBox.value = 12
    panel.ui.extractButton.click()
    host.scene.RemoveNode(ct)
    wait_for_the_end(host, panel)
    assert names_of(host, "vtkMRMLScalarVolumeNode") == ["Coarse segments"]


def test_the_panel_remembers_through_saving_and_opening(host, panel, tmp_path):
    ct = add_small_ct(host)
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.ui.temporalCheckBox.checked = False
    panel.ui.intervalSpinBox.value = 1.5
    panel.ui.modelPath.currentPath = "/somewhere/model.safetensors"
    panel.ui.numberSpinBox.value = 12
    bundle.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(0)
    assert panel.ui.temporalCheckBox.checked
    assert panel.ui.modelPath.currentPath == ""
    bundle.open_bundle(host.scene, tmp_path / "scene.mrb")
    panel.enter()
    assert panel.ui.ctSelector.currentNode().GetName() == "Small"
    assert not panel.ui.temporalCheckBox.checked
    assert (panel.ui.intervalSpinBox.value, panel.ui.numberSpinBox.value) == (1.5, 12)
    assert panel.ui.modelPath.currentPath == "/somewhere/model.safetensors"


def test_leaving_and_coming_back_shows_the_same(host, panel):
    panel.ui.numberSpinBox.value = 5
    panel.exit()
    panel.enter()
    assert panel.ui.numberSpinBox.value == 5


def test_the_module_goes_without_leaving_processes_or_files(host, panel):
    add_sample_ct(panel)
    panel.ui.extractButton.click()
    child, folder = panel.logic.work.child, panel.logic.work.output.parent
    panel.logic.close()
    panel.timer.stop()
    assert child.state == "cancelled"
    assert not folder.exists()


def test_the_self_test_for_slicer_passes_in_the_host(host, panel, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "Testing" / "Slicer"))
    import self_test

    assert self_test.run(self_test.Walk(panel, sys.modules["SkullGAN"].loadSampleData)) == "PASS"
    assert "no-such-model.safetensors: there is no such file" in host.take_messages()[0]


def test_the_modules_own_test_passes_in_the_host(host, panel):
    test = sys.modules["SkullGAN"].SkullGANTest()
    test.runTest()
