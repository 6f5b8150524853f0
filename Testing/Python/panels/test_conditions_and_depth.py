"""The SkullGAN panel: stacks in depth of a CT, and what a model is asked for."""

from __future__ import annotations

import pytest
import qt_needed  # noqa: F401
from checkout import ROOT
from examples import bent_walls, conditioned_model, stacking_model
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5
from SkullGANLib.data.depth import Depth, whole_stacks
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import measure
from SkullGANLib.networks import model_file
from SkullGANLib.utils import resources
from SkullGANScene.jobs import steps
from SkullGANScene.nodes import mrb, segment_sets, volumes
from SlicerHost import dialogs

MODULE = ROOT / "SkullGAN" / "SkullGAN.py"
AS_IT_IS = "as the training set"


@pytest.fixture
def panel(host):
    return host.open_module(MODULE)


@pytest.fixture
def asking(panel):
    """The fields of the conditions."""
    [section] = [one for one in panel.sections if hasattr(one, "asking")]
    return section.asking


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    """A model that is told bone (parietal, temporal), SDR 0.3 to 0.9, thickness 3 to 10 mm."""
    path = tmp_path_factory.mktemp("model") / "told.safetensors"
    model_file.write(path, conditioned_model())
    return path


def wait_for_the_end(host, panel) -> None:
    host.wait_until(lambda: not panel.logic.isWorking())


def test_a_model_without_conditions_is_asked_for_nothing(panel, asking, model_path):
    assert panel.ui.askFrame.isHidden()
    panel.node.asked = '{"sdr": 0.5}'  # left of another model
    assert panel.ui.sdrFromSpinBox.enabled
    panel.ui.modelPath.currentPath = str(model_path)
    panel.ui.generateSection.collapsed = False  # what came while it was folded is there
    assert not panel.ui.askFrame.isHidden()
    panel.ui.modelPath.currentPath = ""
    assert panel.ui.askFrame.isHidden()


def test_a_model_has_a_field_for_each_of_its_conditions_within_what_it_learned(
    panel, asking, model_path
):
    panel.ui.modelPath.currentPath = str(model_path)
    bones = [asking.bone.itemText(row) for row in range(asking.bone.count)]
    assert bones == [AS_IT_IS, "parietal", "temporal"]
    for name, low, high in (("sdr", 0.3, 0.9), ("thickness", 3.0, 10.0)):
        assert (asking.values[name].minimum, asking.values[name].maximum) == (low, high)
        assert not asking.boxes[name].checked
        assert not asking.values[name].enabled
        assert asking.values[name].text == AS_IT_IS
        assert "in the training set" in asking.boxes[name].toolTip
    assert asking.boxes["intensity"].isHidden()
    assert panel.node.asked == ""


def test_what_is_asked_for_reaches_scene_and_file(
    host, panel, asking, model_path, tmp_path, monkeypatch
):
    """As the command of the child that makes them says."""
    panel.ui.modelPath.currentPath = str(model_path)
    asking.bone.setCurrentIndex(2)
    asking.boxes["sdr"].checked = True
    assert abs(asking.values["sdr"].value - 0.6) < 0.05  # about the training set's mean
    asking.values["sdr"].value = 0.3  # the lowest, which is a number and not the default
    assert asking.values["sdr"].text == "0.300"
    asking.boxes["thickness"].checked = True
    asking.boxes["thickness"].checked = False
    assert asking.values["thickness"].text == AS_IT_IS
    commands = []

    def child(arguments):
        commands.append(list(map(str, arguments)))
        raise BadInputError("Not made.")

    monkeypatch.setattr(steps, "child", child)
    panel.ui.numberSpinBox.value = 2
    panel.ui.generateButton.click()
    wait_for_the_end(host, panel)
    dialogs.FILE_ANSWERS.append(str(tmp_path / "made.h5"))
    panel.ui.generateFileButton.click()
    wait_for_the_end(host, panel)
    assert len(host.take_messages()) == 2
    wanted = ["generate", str(model_path), "-n", "2", "--seed", "0"]
    wanted += ["--bone", "temporal", "--sdr", "0.3"]
    assert [command[: len(wanted)] for command in commands] == [wanted, wanted]


def test_what_is_asked_for_is_not_limited_too(panel, asking, model_path):
    panel.ui.modelPath.currentPath = str(model_path)
    panel.ui.limitedCheckBox.checked = True
    panel.ui.sdrFromSpinBox.value = 0.8
    panel.ui.sdrToSpinBox.value = 0.7
    assert not panel.ui.generateButton.enabled
    asking.boxes["sdr"].checked = True
    assert not panel.ui.sdrFromSpinBox.enabled
    assert "asked of the model" in panel.ui.sdrToSpinBox.toolTip
    assert panel.ui.thicknessFromSpinBox.enabled
    assert panel.ui.generateButton.enabled
    asking.boxes["sdr"].checked = False
    assert panel.ui.sdrFromSpinBox.enabled
    assert "Lowest skull density ratio" in panel.ui.sdrFromSpinBox.toolTip


def test_the_scene_remembers_what_was_asked_and_what_makes_no_sense_is_not_asked(
    host, panel, asking, model_path, tmp_path
):
    panel.ui.modelPath.currentPath = str(model_path)
    asking.bone.setCurrentIndex(1)
    asking.boxes["thickness"].checked = True
    asking.values["thickness"].value = 4.25
    panel.ui.depthSlicesSpinBox.value = 5
    mrb.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(0)
    assert panel.ui.depthSlicesSpinBox.text == "single cuts"
    mrb.open_bundle(host.scene, tmp_path / "scene.mrb")
    panel.enter()
    assert asking.bone.currentText == "parietal"
    assert asking.values["thickness"].value == 4.25
    assert panel.ui.depthSlicesSpinBox.value == 5
    for nonsense in ('{"bone": "tail", "sdr": 7, "color": 1, "thickness": "thick"}', "[1]", "{"):
        panel.node.asked = nonsense
        assert asking.bone.currentText == AS_IT_IS
        assert not any(box.checked for box in asking.boxes.values())


def test_a_model_of_stacks_says_that_the_number_is_of_stacks(host, panel, tmp_path):
    path = tmp_path / "stacks.safetensors"
    model_file.write(path, stacking_model(2))
    assert panel.ui.stacksLabel.isHidden()
    panel.ui.modelPath.currentPath = str(path)
    assert panel.ui.numberSpinBoxLabel.text == "Stacks:"
    assert "stacks of 2 slices 0.9 mm apart" in panel.ui.stacksLabel.text
    panel.ui.numberSpinBox.value = 1001
    assert "2000 segments at once, 1000 stacks of 2" in panel.ui.generateButton.toolTip
    panel.ui.numberSpinBox.value = 2
    panel.ui.generateButton.click()
    wait_for_the_end(host, panel)
    assert panel.ui.statusLabel.text.startswith(
        "2 stacks of 2 slices 0.9 mm apart are in the scene"
    )
    assert segment_sets.stack_numbers(panel.node.segments).tolist() == [0, 0, 1, 1]


def test_a_ct_is_cut_into_stacks_which_are_saved_whole(host, panel, tmp_path):
    ct = volume.read_ct(resources.sample_ct())
    coarse = HeadCT(ct.hu[::2, ::2, ::2].copy(), ct.ijk_to_ras * [2.0, 2.0, 2.0, 1.0])
    volumes.add_ct(host.scene, coarse, "Coarse")
    panel.enter()
    panel.bones["parietal"].checked = False
    panel.ui.intervalSpinBox.value = 12
    assert not panel.ui.depthStepSpinBox.enabled
    panel.ui.depthSlicesSpinBox.value = 64
    panel.ui.depthStepSpinBox.value = 2
    assert "126 mm in all, expected at most 60" in panel.ui.extractButton.toolTip
    assert not panel.ui.batchButton.enabled
    panel.ui.depthSlicesSpinBox.value = 3
    panel.ui.depthStepSpinBox.value = 0.9
    panel.ui.extractButton.click()
    wait_for_the_end(host, panel)
    numbers = segment_sets.stack_numbers(panel.node.segments)
    said = f"{numbers.max() + 1} stacks of 3 slices 0.9 mm apart are in the scene"
    assert panel.ui.statusLabel.text.startswith(said)
    panel.table.setKept(4, False)
    dialogs.FILE_ANSWERS.append(str(tmp_path / "stacks.h5"))
    panel.ui.saveButton.click()
    wait_for_the_end(host, panel)
    depth, rows = whole_stacks(hdf5.read(tmp_path / "stacks.h5"))
    assert (depth, len(rows)) == (Depth(3, 0.9), numbers.max())


def test_more_than_a_scene_takes_can_be_saved_though_a_set_is_shown(host, panel, tmp_path):
    shown = bent_walls(2, 0)
    panel.node.segments = segment_sets.add_segment_set(
        host.scene, shown, measure(shown), "Shown"
    ).volume
    panel.logic.leftover = tmp_path / "left.h5"
    hdf5.write(panel.logic.leftover, bent_walls(3, 1))
    assert "more than the 2000 segments" in panel.review.segmentsMade(None)
    assert panel.table.volume is None
    dialogs.FILE_ANSWERS.append(str(tmp_path / "all.h5"))
    panel.ui.saveButton.click()
    assert hdf5.count(tmp_path / "all.h5") == 3
