"""What is dropped onto the panel, opened in it, or begun from the menu of a CT; how it is shown."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from exported_sets import make_set
from PySide6 import QtCore, QtGui
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5
from SkullGANLib.utils import resources
from SkullGANScene.nodes import segment_sets, segmentations, volumes
from SlicerHost import dialogs


@pytest.fixture
def panel(host):
    return host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")


def drop(host, panel, *urls: str) -> bool:
    """Drag over the panel and let go, as from a file manager; tells whether it was taken."""
    data = QtCore.QMimeData()
    data.setUrls([QtCore.QUrl(url) for url in urls])
    at, copy, none = QtCore.QPointF(5, 5), QtCore.Qt.CopyAction, QtCore.Qt.NoModifier
    enter = QtGui.QDragEnterEvent(at.toPoint(), copy, data, QtCore.Qt.LeftButton, none)
    enter.ignore()
    QtCore.QCoreApplication.sendEvent(panel._uiWidget, enter)
    if not enter.isAccepted():
        return False
    dropped = QtGui.QDropEvent(at, copy, data, QtCore.Qt.LeftButton, none)
    QtCore.QCoreApplication.sendEvent(panel._uiWidget, dropped)
    host.process_events()
    host.wait_until(lambda: not panel.logic.isWorking())
    return dropped.isAccepted()


def url(path) -> str:
    return path.as_uri()


def item_url(scene, node) -> str:
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return f"mrml://scene/subjecthierarchy/item?id={tree.GetItemByDataNode(node)}"


def small_ct(host, name="Small"):
    return volumes.add_ct(host.scene, HeadCT(np.zeros((20, 20, 20), np.int16), np.eye(4)), name)


def test_a_segment_set_that_is_dropped_is_shown(host, panel, tmp_path):
    hdf5.write(tmp_path / "made ünlike.h5", make_set())
    assert drop(host, panel, url(tmp_path / "made ünlike.h5"))
    assert panel.node.segments.GetName() == "made ünlike"
    assert panel.ui.segmentTable.rowCount == len(make_set())


def test_a_set_is_opened_by_the_button_and_a_damaged_one_says_so(host, panel, tmp_path):
    hdf5.write(tmp_path / "set.h5", make_set())
    (tmp_path / "damaged.h5").write_bytes(b"damaged")
    dialogs.FILE_ANSWERS.extend([str(tmp_path / "set.h5"), str(tmp_path / "damaged.h5")])
    panel.ui.openButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    assert panel.node.segments.GetName() == "set"
    panel.ui.openButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    [message] = host.take_messages()
    assert "damaged.h5" in message
    assert len(segment_sets.in_scene(host.scene)) == 1


def test_a_head_ct_that_is_dropped_is_chosen(host, panel, tmp_path):
    shutil.copy(resources.sample_ct(), tmp_path / "head.nrrd")
    assert drop(host, panel, url(tmp_path / "head.nrrd"))
    assert panel.node.ct.GetName() == "head"
    assert panel.ui.extractButton.enabled


def test_a_model_that_is_dropped_is_used(host, panel):
    assert drop(host, panel, url(resources.bundled_model()))
    assert panel.node.modelPath == str(resources.bundled_model())


def test_items_of_the_subject_hierarchy_are_chosen(host, panel):
    first, second = small_ct(host, "First"), small_ct(host, "Second")
    assert drop(host, panel, item_url(host.scene, second))
    assert panel.node.ct is second
    made = make_set()
    made = segment_sets.add_segment_set(
        host.scene, made, {"sdr_peaks": np.ones(12), "thickness_mm": np.ones(12)}, "Set"
    )
    assert drop(host, panel, item_url(host.scene, made.volume))
    assert panel.node.segments is made.volume
    assert not drop(host, panel, item_url(host.scene, made.metrics))
    assert panel.node.ct is second
    assert first is not second


def test_what_the_panel_cannot_take_is_left_to_slicer(host, panel, tmp_path):
    (tmp_path / "letter.pdf").write_text("")
    assert not drop(host, panel, url(tmp_path / "letter.pdf"))
    assert not drop(host, panel, "https://example.org/head.nrrd")
    assert not drop(host, panel, "mrml://scene/subjecthierarchy/item?id=none")


def test_the_menu_of_a_ct_extracts_its_segments_and_maps_it(host, panel):
    first, second = small_ct(host, "First"), small_ct(host, "Second")
    panel.enter()
    slicer.app.startupCompleted.emit()
    host.check()
    handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(host.scene)
    assert panel.node.ct is first
    panel.ui.extractSection.collapsed = True
    entries = {one.text: one for one in handler.menu(tree.GetItemByDataNode(second))}
    assert list(entries) == ["Extract skull segments", "Map the skull's thickness and SDR"]
    entries["Extract skull segments"].trigger()
    assert panel.node.ct is second
    assert panel.logic.task.title == "Extracting segments from Second"
    assert not panel.ui.extractSection.collapsed
    panel.ui.cancelButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())


def test_only_volumes_that_may_be_head_cts_have_these_entries(host, panel):
    slicer.app.startupCompleted.emit()
    handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(host.scene)
    made = volumes.add_segments(host.scene, make_set(), "Segments")
    skull = segmentations.add_skull(small_ct(host), np.ones((20, 20, 20), np.uint8))
    for node in (made, skull):
        assert handler.menu(tree.GetItemByDataNode(node)) == []
    assert handler.menu(tree.GetSceneItemID()) == []


def test_a_skull_that_came_from_elsewhere_gets_its_surface_and_opacity(host, panel):
    ct = small_ct(host)
    mask = np.zeros((20, 20, 20), np.uint8)
    mask[5:15, 5:15, 5:15] = 1
    skull = segmentations.add_skull(ct, mask)
    skull.GetDisplayNode().SetVisibility3D(False)
    panel.enter()
    assert not panel.ui.skull3DCheckBox.checked
    panel.ui.skull3DCheckBox.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    assert panel.ui.skull3DCheckBox.checked
    surface = skull.GetSegmentation().GetNthSegment(0).GetRepresentation("Closed surface")
    assert np.allclose(surface.GetCenter(), 9.5, atol=0.6)
    panel.ui.skullOpacitySlider.value = 0.4
    assert skull.GetDisplayNode().GetOpacity3D() == pytest.approx(0.4)
    panel.ui.skull3DCheckBox.click()
    assert not skull.GetDisplayNode().GetVisibility3D()


def test_segments_are_saved_as_pictures_and_as_dicom(host, panel, tmp_path):
    hdf5.write(tmp_path / "set.h5", make_set())
    drop(host, panel, url(tmp_path / "set.h5"))
    for name, count in (("pictures.png-folder", 4), ("series.dcm-folder", 12)):
        dialogs.FILE_ANSWERS.append(str(tmp_path / name))
        panel.ui.saveButton.click()
        host.wait_until(lambda: not panel.logic.isWorking())
        assert len(list((tmp_path / name).iterdir())) == count
