"""The SkullGAN panel on segments that are in the scene: table, views, cuts by hand."""

from __future__ import annotations

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
import slicer.util
from checkout import ROOT
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5
from SkullGANLib.utils import resources
from SkullGANLib.utils.task import Task
from SkullGANScene.jobs import segment_jobs
from SkullGANScene.nodes import mrb, segment_sets, volumes
from SkullGANScene.offscreen import headless
from SlicerHost import dialogs


@pytest.fixture(scope="module")
def scene_path(tmp_path_factory):
    """A scene with a coarse head CT, its skull and the temporal segments of its axial planes."""
    folder = tmp_path_factory.mktemp("scene")
    (folder / "work").mkdir()
    ct = volume.read_ct(resources.sample_ct())
    coarse = HeadCT(ct.hu[::2, ::2, ::2].copy(), ct.ijk_to_ras @ np.diag([2.0, 2.0, 2.0, 1.0]))
    stage = headless.new_stage()
    node = volumes.add_ct(stage.scene, coarse, "Head")
    work = segment_jobs.extract(
        node,
        folder / "work",
        bones=["temporal", "temporal-parietal"],
        planes=["axial"],
        interval_mm=4.0,
    )
    task = Task("Cutting", work)
    assert task.wait(60) == "finished", task.sentence
    mrb.save(stage.scene, folder / "scene.mrb")
    return folder / "scene.mrb"


@pytest.fixture
def panel(host, scene_path):
    """The panel, looking through the segments of a scene that was opened."""
    panel = host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
    mrb.open_bundle(host.scene, scene_path)
    panel.enter()
    panel.node.ct = slicer.util.getNode("Head")
    panel.node.segments = slicer.util.getNode("Head segments")
    host.wait_until(lambda: not panel.table.isFilling())
    return panel


def red_view() -> slicer.vtkMRMLSliceNode:
    return slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()


def test_every_segment_has_a_row_with_picture_place_and_metrics(panel):
    table, node = panel.table, panel.node.segments
    segments = segment_sets.segment_set_from(node)
    widget = panel.ui.segmentTable
    assert widget.rowCount == len(segments)
    metrics = segment_sets.nodes_of(node).metrics
    sdr = slicer.util.arrayFromTableColumn(metrics, "SDR (peaks)")
    for row in range(len(segments)):
        assert not widget.item(row, table.PICTURE).icon().isNull()
        assert widget.item(row, table.BONE).text() == segments.bone[row]
        assert widget.item(row, table.SIDE).text() == segments.side[row]
        assert widget.item(row, table.SDR).text() == f"{sdr[row]:.2f}"


def test_unticked_segments_are_neither_counted_nor_saved(host, panel, tmp_path):
    count = panel.ui.segmentTable.rowCount
    panel.table.setKept(1, False)
    assert panel.ui.countLabel.text.startswith(f"{count - 1} of {count} kept")
    dialogs.FILE_ANSWERS.append(str(tmp_path / "kept.h5"))
    panel.ui.saveButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    assert len(hdf5.read(tmp_path / "kept.h5")) == count - 1


def test_segments_are_saved_in_other_formats_by_their_ending(host, panel, tmp_path):
    dialogs.FILE_ANSWERS.append(str(tmp_path / "segments.nii.gz"))
    panel.ui.saveButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"segments.nii.gz", "segments-mask.nii.gz", "segments.metrics.csv"}


def test_the_red_view_goes_to_the_cut_and_back(panel):
    before = slicer.util.arrayFromVTKMatrix(red_view().GetSliceToRAS()).copy()
    panel.table.pick(2)
    place = segment_sets.places_of(panel.node.segments)[2]
    matrix = slicer.util.arrayFromVTKMatrix(red_view().GetSliceToRAS())
    along, inward = (place[:3, k] / np.linalg.norm(place[:3, k]) for k in (0, 1))
    assert np.allclose(matrix[:3, 0], along)
    assert np.allclose(matrix[:3, 1], -inward)
    # The plane of the view is that of the cut.
    assert abs((matrix[:3, 3] - place[:3, 3]) @ matrix[:3, 2]) < 1e-6
    outline = slicer.util.getNode("Head cut")
    assert outline.GetDisplayNode().GetVisibility()
    panel.ui.followCheckBox.checked = False
    assert np.allclose(slicer.util.arrayFromVTKMatrix(red_view().GetSliceToRAS()), before)
    assert not outline.GetDisplayNode().GetVisibility()


def test_a_row_can_be_picked_where_there_is_no_main_window(host, panel, monkeypatch):
    monkeypatch.setattr(type(slicer.app), "layoutManager", lambda app: None)
    panel.table.pick(3)
    panel.ui.followCheckBox.checked = False
    host.check()
    assert host.take_messages() == []


def test_views_stay_where_they_are_unless_asked_to_follow(panel):
    panel.ui.followCheckBox.checked = False
    before = slicer.util.arrayFromVTKMatrix(red_view().GetSliceToRAS()).copy()
    panel.table.pick(2)
    assert np.array_equal(slicer.util.arrayFromVTKMatrix(red_view().GetSliceToRAS()), before)
    assert slicer.util.getNodes("Head cut") == {}


def test_the_outline_is_the_square_of_the_cut(panel):
    panel.table.pick(0)
    points = slicer.util.arrayFromModelPoints(slicer.util.getNode("Head cut"))
    to_pixels = np.linalg.inv(segment_sets.places_of(panel.node.segments)[0])
    pixels = np.c_[points, np.ones(len(points))] @ to_pixels.T
    assert np.allclose(pixels[:, 2], 0, atol=1e-3)
    assert np.allclose([pixels[:, :2].min(), pixels[:, :2].max()], [-0.5, 127.5], atol=1e-3)


def test_removing_the_segments_leaves_the_ct_and_its_skull(host, panel):
    dialogs.ANSWERS.append("OK")
    panel.ui.removeButton.click()
    host.process_events()
    kinds = ("vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLTableNode")
    left = [node.GetName() for kind in kinds for node in slicer.util.getNodesByClass(kind)]
    assert left == ["Head", "Head skull"]
    assert panel.ui.segmentTable.rowCount == 0
    assert not panel.ui.saveButton.enabled


def test_deleting_the_shown_segments_elsewhere_empties_the_table(host, panel):
    segment_sets.remove(panel.node.segments)
    host.process_events()
    panel.onParameters()
    assert panel.ui.segmentTable.rowCount == 0


def test_a_saved_scene_shows_the_same_table_again(host, panel, tmp_path):
    panel.table.setKept(0, False)
    said = panel.ui.countLabel.text
    mrb.save(host.scene, tmp_path / "again.mrb")
    host.scene.Clear(0)
    assert panel.ui.segmentTable.rowCount == 0
    mrb.open_bundle(host.scene, tmp_path / "again.mrb")
    panel.enter()
    host.wait_until(lambda: not panel.table.isFilling())
    assert panel.ui.countLabel.text == said


def test_a_plane_on_the_skull_gives_a_cut_that_follows_it_and_can_be_added(host, panel):
    place_the_plane(host, panel)
    assert panel.ui.previewText.text.startswith("left, axial: SDR ")
    first = panel.hand.cut.segments.pixel_to_ras
    origin = np.zeros(3)
    panel.node.plane.GetOriginWorld(origin)
    panel.node.plane.SetOriginWorld(origin + np.array([0, 0, 8]))
    host.wait_until(lambda: not np.allclose(panel.hand.cut.segments.pixel_to_ras, first))
    count = panel.ui.segmentTable.rowCount
    panel.ui.addButton.click()
    host.wait_until(lambda: not panel.table.isFilling())
    assert panel.ui.segmentTable.rowCount == count + 1
    added = segment_sets.segment_set_from(panel.node.segments)[[count]]
    assert np.array_equal(added.hu, panel.hand.cut.segments.hu)
    assert panel.table.picked() == count


def test_a_plane_off_the_skull_says_why_there_is_no_segment(host, panel):
    place_the_plane(host, panel)
    panel.node.plane.SetOriginWorld([0.0, 0.0, 400.0])
    host.wait_until(lambda: panel.ui.previewText.text.startswith("No segment here: "))
    assert not panel.ui.addButton.enabled
    panel.ui.planeButton.click()
    host.wait_until(lambda: panel.ui.addButton.enabled)


def test_a_plane_that_is_deleted_ends_nothing(host, panel):
    place_the_plane(host, panel)
    host.scene.RemoveNode(panel.node.plane)
    host.process_events()
    panel.ui.planeButton.click()
    host.wait_until(lambda: panel.ui.addButton.enabled)
    assert panel.node.plane is not None


def test_the_plane_is_not_placed_where_the_panel_was_left_meanwhile(host, panel):
    slicer.util.getNode("Head").RemoveAttribute("SkullGAN.Head")
    panel.ui.planeButton.click()
    assert panel.logic.isWorking()
    panel.exit()
    host.wait_until(lambda: not panel.logic.isWorking())
    host.process_events()
    host.check()
    assert host.take_messages() == []
    panel.enter()
    place_the_plane(host, panel)


def place_the_plane(host, panel) -> None:
    panel.ui.planeButton.click()
    host.wait_until(lambda: panel.hand.cut is not None)
