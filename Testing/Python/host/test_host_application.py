"""The host's application: dialogs, files, modules, packages, and what a panel leaves behind."""

from __future__ import annotations

import importlib
import sys
import time

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
import slicer.util
from SkullGANLib.ct.volume import HeadCT
from SkullGANScene.nodes import hierarchy, mrb, volumes
from SlicerHost import api, application, dialogs, modules, pythonqt
from SlicerHost.files import qSlicerCoreIOManager
from SlicerHost.host import Host, SlotError

PANEL = """
import qt, slicer, vtk
from slicer.ScriptedLoadableModule import *
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.util import VTKObservationMixin

class {name}(ScriptedLoadableModule):
    pass

@parameterNodeWrapper
class {name}ParameterNode:
    flag: bool = True

class {name}Widget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.visits = []

    def setup(self):
        self.logic = {name}Logic()
        self.timer = qt.QTimer()
        self.button = qt.QPushButton("Go")
        self.layout.addWidget(self.button)

    def enter(self):
        self.visits.append("enter")

    def exit(self):
        self.visits.append("exit")

    def onScene(self, caller, event):
        pass

class {name}Logic(ScriptedLoadableModuleLogic):
    pass
"""


@pytest.fixture
def qt(host):
    return pythonqt.build()


def write_module(folder, name: str):
    path = folder / f"{name}.py"
    path.write_text(PANEL.format(name=name))
    return path


def add_ct(host, name="CT") -> slicer.vtkMRMLScalarVolumeNode:
    hu = np.arange(27, dtype=np.int16).reshape(3, 3, 3)
    return volumes.add_ct(host.scene, HeadCT(hu, np.eye(4)), name)


# Dialogs


def test_a_question_gets_the_answer_of_the_test(host):
    dialogs.ANSWERS.extend(["Yes", "No", "Cancel"])
    assert slicer.util.confirmYesNoDisplay("Keep training?")
    assert not slicer.util.confirmYesNoDisplay("Keep training?")
    assert not slicer.util.confirmOkCancelDisplay("Remove?")
    assert dialogs.ASKED == ["Keep training?", "Keep training?", "Remove?"]


def test_a_question_that_nobody_expected_says_what_it_asked(host, qt):
    with pytest.raises(NotImplementedError, match="Keep training"):
        slicer.util.confirmYesNoDisplay("Keep training?")
    button = qt.QPushButton()
    button.connect("clicked()", lambda: qt.QMessageBox.question(None, "SkullGAN", "Sure?"))
    button.click()
    with pytest.raises(SlotError, match="QMessageBox: Sure"):
        host.check()


def test_an_answer_must_be_one_of_the_buttons(host):
    dialogs.ANSWERS.append("Maybe")
    with pytest.raises(ValueError, match="no button 'Maybe'"):
        slicer.util.confirmYesNoDisplay("Keep training?")


def test_buttons_of_a_panels_own_are_pressed_by_their_text(host, qt):
    box = qt.QMessageBox()
    box.text = "The training still runs."
    go_on = box.addButton("Go on", qt.QMessageBox.AcceptRole)
    box.addButton("Stop", qt.QMessageBox.DestructiveRole)
    dialogs.ANSWERS.append("Go on")
    box.exec_()
    assert box.clickedButton() is go_on


def test_a_message_has_to_be_taken(host):
    slicer.util.errorDisplay("No vault.")
    slicer.util.infoDisplay("Done.")
    assert host.take_messages() == ["No vault.", "Done."]


def test_a_message_that_is_left_fails_a_test_that_never_looks():
    host = Host()
    host.__enter__()
    slicer.util.warningDisplay("The kernel is soft.")
    with pytest.raises(AssertionError, match="The kernel is soft"):
        host.__exit__(None, None, None)


def test_texts_numbers_folders_and_dialogs_are_given(host, qt):
    dialogs.ANSWERS.extend(["run 2", lambda dialog: dialog.setProperty("seen", True) or 1])
    assert qt.QInputDialog.getText(None, "Run", "Name of the run") == "run 2"
    own = qt.QDialog()
    assert own.exec_() == 1
    assert own.seen
    dialogs.FILE_ANSWERS.append("/runs")
    assert qt.QFileDialog.getExistingDirectory(None, "Runs") == "/runs"


# Files


def test_volumes_are_saved_and_loaded_with_their_geometry(host, tmp_path):
    ct = add_ct(host)
    path = str(tmp_path / "頭 ct.nrrd")
    assert slicer.util.saveNode(ct, path)
    again = slicer.util.loadVolume(path, {"name": "again", "show": False})
    assert again.GetName() == "again"
    assert np.array_equal(slicer.util.arrayFromVolume(again), slicer.util.arrayFromVolume(ct))


def test_a_volume_that_is_loaded_is_shown_unless_it_is_told_not_to(host, tmp_path):
    slicer.util.saveNode(add_ct(host), str(tmp_path / "ct.nrrd"))
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    slicer.util.loadVolume(str(tmp_path / "ct.nrrd"), {"show": False})
    assert red.GetBackgroundVolumeID() is None
    shown = slicer.util.loadVolume(str(tmp_path / "ct.nrrd"), {"show": True})
    assert red.GetBackgroundVolumeID() == shown.GetID()


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("vtkMRMLTableNode", ".tsv"),
        ("vtkMRMLMarkupsFiducialNode", ".mrk.json"),
    ],
)
def test_other_nodes_are_saved_and_loaded(host, tmp_path, kind, ending):
    node = host.scene.AddNewNodeByClass(kind, "Node")
    if kind == "vtkMRMLTableNode":
        slicer.util.updateTableFromArray(node, np.ones((2, 1)), ["SDR"])
    assert slicer.util.saveNode(node, str(tmp_path / f"node{ending}"))
    again = slicer.util.loadNodeFromFile(str(tmp_path / f"node{ending}"), properties={})
    assert (again.GetClassName(), again.GetName()) == (kind, "node")


def test_a_scene_is_saved_and_loaded(host, tmp_path):
    add_ct(host, "頭")
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.scene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert slicer.util.getNode("頭").GetImageData().GetDimensions() == (3, 3, 3)


def test_files_that_cannot_be_had_are_named(host, tmp_path):
    with pytest.raises(RuntimeError, match=r"gone.nrrd: there is no such file"):
        slicer.util.loadVolume(str(tmp_path / "gone.nrrd"))
    with pytest.raises(NotImplementedError, match=r"a.xyz: the host reads no such file"):
        slicer.util.loadNodeFromFile(str(tmp_path / "a.xyz"))
    with pytest.raises(NotImplementedError, match=r"saves scenes as \.mrb only"):
        slicer.util.saveScene(str(tmp_path / "scene"))


# Subject hierarchy


def test_nodes_get_and_lose_their_items(host):
    tree = hierarchy._hierarchy(host.scene)
    ct = add_ct(host)
    item = tree.GetItemByDataNode(ct)
    assert item
    hidden = host.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    assert not tree.GetItemByDataNode(hidden)
    host.scene.RemoveNode(ct)
    assert tree.GetItemByDataNode(ct) == 0


def put_into_a_study(ct: slicer.vtkMRMLNode) -> None:
    tree = hierarchy._hierarchy(ct.GetScene())
    patient = tree.CreateSubjectItem(tree.GetSceneItemID(), "Patient")
    tree.SetItemParent(tree.GetItemByDataNode(ct), tree.CreateStudyItem(patient, "Study"))


def test_a_study_comes_back_with_its_nodes_once_each(host, tmp_path):
    put_into_a_study(add_ct(host))
    mrb.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(0)
    mrb.open_bundle(host.scene, tmp_path / "scene.mrb")
    tree = hierarchy._hierarchy(host.scene)  # another one than before closing
    items = slicer.util.getSubjectHierarchyItemChildren(recursive=True)
    names = [tree.GetItemName(item) for item in items]
    assert sorted(names) == ["CT", "Patient", "Study"]
    assert tree.GetItemName(tree.GetItemParent(items[names.index("CT")])) == "Study"


# Modules and the application


def test_going_to_another_panel_leaves_the_one_and_enters_the_other(host, tmp_path):
    one, other = (host.open_module(write_module(tmp_path, name)) for name in ("One", "Other"))
    assert (one.visits, other.visits) == (["enter", "exit"], ["enter"])
    slicer.util.selectModule("One")
    assert (one.visits[-1], other.visits[-1]) == ("enter", "exit")
    assert slicer.util.selectedModule() == "One"
    assert slicer.util.getModuleWidget("Other") is other
    assert slicer.util.getModuleLogic("Other") is other.logic
    slicer.util.selectModule("SegmentEditor")
    assert one.visits[-1] == "exit"
    with pytest.raises(RuntimeError, match="Dance"):
        slicer.util.selectModule("Dance")


def test_slicers_own_panels_are_not_here(host):
    assert slicer.modules.markups.logic().GetMRMLScene() is host.scene
    with pytest.raises(NotImplementedError, match="markups: the host has no panel"):
        slicer.util.getModuleWidget("Markups")


def test_settings_are_kept_for_one_host_only():
    for _ in range(2):
        with Host():
            assert slicer.util.settingsValue("SkullGAN/Folder", "nothing") == "nothing"
            slicer.app.userSettings().setValue("SkullGAN/Folder", "/runs")
            assert slicer.util.settingsValue("SkullGAN/Folder", "nothing") == "/runs"


def test_rendering_is_paused_and_resumed(host):
    with slicer.util.RenderBlocker():
        assert slicer.app.rendering_paused == 1
    assert slicer.app.rendering_paused == 0
    with pytest.raises(RuntimeError, match="without pauseRender"):
        slicer.app.resumeRender()


def test_the_status_bar_shows_a_message(host):
    assert slicer.util.showStatusMessage("113 segments")
    assert slicer.util.mainWindow().statusBar().currentMessage() == "113 segments"


def test_what_goes_with_the_application_is_told_at_its_end(host):
    heard = []

    def end():
        heard.append("quit")

    slicer.app.connect("aboutToQuit()", end)
    slicer.app.aboutToQuit.emit()
    assert heard == ["quit"]
    host.__exit__(None, None, None)
    host.__enter__()
    slicer.app.aboutToQuit.emit()  # nobody is left to hear it
    assert heard == ["quit"]


# Packages


def test_packages_are_asked_for_and_installed_in_words_only(host):
    host.packages.missing = {"h5py", "torch"}
    assert not slicer.packaging.pip_check("h5py>=3")
    assert slicer.packaging.pip_check("numpy")
    dialogs.ANSWERS.append("Cancel")
    with pytest.raises(RuntimeError, match="declined to install h5py"):
        slicer.packaging.pip_ensure(["h5py>=3", "numpy"], requester="SkullGAN")
    dialogs.ANSWERS.append("OK")
    slicer.packaging.pip_ensure(["h5py>=3", "numpy"], requester="SkullGAN")
    assert dialogs.ASKED[-1].startswith("SkullGAN needs Python packages: h5py>=3.")
    assert (host.packages.installed, host.packages.missing) == (["h5py>=3"], {"torch"})


def test_slicer_5_10_has_only_pip_install():
    with Host(version=(5, 10)) as host:
        assert not hasattr(slicer, "packaging")
        assert slicer.app.minorVersion == 10
        with pytest.raises(ImportError):
            importlib.import_module("slicer.packaging")
        slicer.util.pip_install("h5py safetensors")
        assert host.packages.installed == ["h5py", "safetensors"]
        host.packages.failing = True
        with pytest.raises(Exception, match="pip"):
            slicer.util.pip_install("h5py")


# What a panel leaves behind, and how long it blocks


@pytest.mark.parametrize(
    ("leave", "left"),
    [
        (
            lambda panel: panel.addObserver(slicer.mrmlScene, "ModifiedEvent", panel.onScene),
            "PanelWidget.onScene still observes vtkMRMLScene",
        ),
        (lambda panel: panel.timer.start(), "a timer of PanelWidget still runs"),
        (
            lambda panel: connected_node(panel),
            "PanelParameterNode is still connected with widgets",
        ),
    ],
    ids=["observer", "timer", "parameter node"],
)
def test_what_a_panel_leaves_behind_fails_the_test(tmp_path, leave, left):
    host = Host()
    host.__enter__()
    panel = host.open_module(write_module(tmp_path, "Panel"))
    leave(panel)
    with pytest.raises(AssertionError, match=left):
        host.__exit__(None, None, None)
    panel.removeObservers()


def connected_node(panel) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    wrapper = sys.modules["Panel"].PanelParameterNode(node)
    box = pythonqt.build().QCheckBox(panel.parent)
    box.setProperty("SlicerParameterName", "flag")
    wrapper.connectGui(panel.parent)


def test_the_longest_slot_is_named_and_measured(host, qt):
    with pytest.raises(ValueError, match="no slot"):
        host.longest_slot()
    quick, slow = qt.QPushButton(), qt.QPushButton()
    slow.name = "slowButton"

    def sleep():
        quick.click()  # counts as part of what called it
        time.sleep(0.05)

    slow.connect("clicked()", sleep)
    quick.connect("clicked()", lambda: None)
    quick.click()
    slow.click()
    longest = host.longest_slot()
    assert longest.name.startswith("QPushButton slowButton.clicked() -> ")
    assert longest.name.endswith("sleep")
    assert longest.thread_s < 0.05 <= longest.wall_s
    assert len(host.slots()) == 2
    host.forget_slots()
    assert host.slots() == []


REAL = (*application.CLASSES, *modules.CLASSES, qSlicerCoreIOManager)
OWN = {
    "qSlicerApplication": {"begin", "end", "opened_urls", "rendering_paused"},
    "qSlicerScriptedLoadableModule": {"widgetRepresentation"},
}


@pytest.mark.parametrize("kind", REAL, ids=[kind.__name__ for kind in REAL])
def test_the_application_offers_nothing_that_the_real_one_lacks(kind):
    mine = {name for name in vars(kind) if not name.startswith("_")}
    qts = {name for base in kind.__mro__[1:] for name in vars(base)} | {"staticMetaObject"}
    own = OWN.get(kind.__name__, set()) | {"testingEnabled", "layoutManager"}
    assert mine - qts - own <= api.names(kind.__name__)
