"""The SkullGAN panel's maps and realness, in the host."""

from __future__ import annotations

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
import slicer.util
from checkout import ROOT
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.utils import resources
from SkullGANScene.nodes import (
    array_model,
    map_display,
    map_nodes,
    map_overlay,
    mrb,
    realness,
    segment_sets,
    volumes,
)
from SlicerHost.host import Host


@pytest.fixture(scope="module")
def scene_path(tmp_path_factory):
    """A scene with a coarse head CT and its map, as the panel made them."""
    path = tmp_path_factory.mktemp("scene") / "mapped.mrb"
    ct = volume.read_ct(resources.sample_ct())
    coarse = HeadCT(ct.hu[::2, ::2, ::2].copy(), ct.ijk_to_ras @ np.diag([2.0, 2.0, 2.0, 1.0]))
    with Host() as host:
        panel = host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
        volumes.add_ct(host.scene, coarse, "Head")
        panel.enter()
        panel.ui.mapButton.click()
        host.wait_until(lambda: not panel.logic.isWorking(), 120)
        said = panel.ui.mapTextLabel.text
        # Another scalar fills the overlay anew.
        panel.ui.mapScalarBox.currentText = "SDR (peaks)"
        host.wait_until(lambda: not panel.logic.isWorking())
        ct_node = slicer.util.getNode("Head")
        assert map_overlay.scalar_of(map_nodes.overlay_of(ct_node)) == "sdr_peaks"
        assert said.startswith("1024 elements: mean SDR 0.")
        assert "Kernel unknown, voxels 2 x 2 x 2 mm" in said
        mrb.save(host.scene, path)
    return path


@pytest.fixture
def panel(host):
    return host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")


@pytest.fixture
def mapped(host, panel, scene_path):
    """The panel on the scene with the map."""
    mrb.open_bundle(host.scene, scene_path)
    panel.enter()
    panel.node.ct = slicer.util.getNode("Head")
    return panel


def test_a_map_is_shown_on_skull_and_slices_with_its_range(mapped):
    ct = mapped.node.ct
    surface, overlay = map_nodes.surface_of(ct), map_nodes.overlay_of(ct)
    assert mapped.ui.mapScalarBox.currentText == "SDR (peaks)"
    assert surface.GetDisplayNode().GetActiveScalarName() == "sdr_peaks"
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    assert red.GetForegroundVolumeID() == overlay.GetID()
    mapped.ui.mapFromSpinBox.value = 0.3
    mapped.ui.mapToSpinBox.value = 0.9
    assert map_display.range_of(surface) == pytest.approx((0.3, 0.9))
    assert map_display.range_of(overlay) == pytest.approx((0.3, 0.9))


def test_a_map_is_switched_off_without_being_lost(mapped):
    ct = mapped.node.ct
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    mapped.ui.mapSkullCheckBox.checked = False
    mapped.ui.mapSlicesCheckBox.checked = False
    assert not map_nodes.surface_of(ct).GetDisplayNode().GetVisibility()
    assert not red.GetForegroundVolumeID()
    mapped.ui.mapSkullCheckBox.checked = True
    assert map_nodes.surface_of(ct).GetDisplayNode().GetVisibility()


def test_an_overlay_that_holds_another_scalar_is_not_shown_for_this_one(mapped):
    """After a scene was opened only a new map can fill it."""
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    mapped.ui.mapScalarBox.currentText = "Thickness (mm)"
    surface = map_nodes.surface_of(mapped.node.ct)
    assert surface.GetDisplayNode().GetActiveScalarName() == "thickness_mm"
    assert not red.GetForegroundVolumeID()
    assert (mapped.ui.mapFromSpinBox.value, mapped.ui.mapToSpinBox.value) == (0.0, 12.0)


def test_the_mouse_reads_the_map(mapped):
    surface = map_nodes.surface_of(mapped.node.ct)
    points = slicer.util.arrayFromModelPoints(surface)
    sdr = slicer.util.arrayFromModelPointData(surface, "sdr_peaks")
    known = int(np.flatnonzero(np.isfinite(sdr))[100])
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    crosshair.SetCursorPositionRAS([float(mm) for mm in points[known]])
    assert mapped.ui.mapValueLabel.text.startswith(f"{sdr[known]:.2f}")
    crosshair.SetCursorPositionRAS([0.0, 0.0, 900.0])
    assert mapped.ui.mapValueLabel.text == "no skull at the mouse"


def test_the_table_of_the_map_comes_into_the_views(mapped):
    mapped.ui.mapTableButton.click()
    selection = slicer.app.applicationLogic().GetSelectionNode()
    assert selection.GetActiveTableID() == map_nodes.nodes_of(mapped.node.ct)[2].GetID()


def test_a_map_is_no_head_ct(mapped):
    overlay = map_nodes.overlay_of(mapped.node.ct)
    assert "is a map of a skull" in mapped.logic.objectionTo(overlay)
    assert overlay not in mapped.logic.headCTs()


def test_segments_are_judged_and_the_overlay_is_switched(host, panel):
    panel.ui.numberSpinBox.value = 3
    panel.ui.generateButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    panel.ui.judgeButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    volume = panel.node.segments
    metrics = segment_sets.nodes_of(volume).metrics
    scores = slicer.util.arrayFromTableColumn(metrics, "Realness")
    why = slicer.util.arrayFromVolume(realness.realness_of(volume, "positions"))
    # What the pixels add up to is the score's logit.
    assert np.allclose(why.sum(axis=(1, 2)), np.log(scores / (1 - scores)), atol=1e-3)
    assert "Not calibrated: not a probability." in panel.ui.realnessLabel.text
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    panel.table.pick(1)
    overlay = realness.realness_of(volume, "positions")
    assert red.GetForegroundVolumeID() == overlay.GetID()
    panel.ui.showRealnessBox.checked = False
    assert not red.GetForegroundVolumeID()
    assert red.GetBackgroundVolumeID() == volume.GetID()
    panel.ui.showRealnessBox.checked = True
    assert red.GetForegroundVolumeID() == overlay.GetID()


def test_what_was_not_judged_by_this_method_cannot_be_shown(host, panel):
    assert not panel.ui.judgeButton.enabled
    assert panel.ui.showRealnessBox.toolTip == "Let the segments be judged first."


def test_the_array_of_a_map_is_shown_in_3d_by_what_its_elements_see(host, mapped):
    ct = mapped.node.ct
    active, off = array_model.active_of(ct), array_model.inactive_of(ct)
    corners = active.GetPolyData().GetCell(0).GetNumberOfPoints()
    cells = [node.GetPolyData().GetNumberOfCells() for node in (active, off)]
    assert sum(cells) == 1024
    assert active.GetPolyData().GetNumberOfPoints() == corners * cells[0]
    mapped.ui.mapArrayCheckBox.checked = False
    assert not active.GetDisplayNode().GetVisibility()
    mapped.ui.mapArrayCheckBox.checked = True
    mapped.ui.arrayScalarBox.currentText = "Incidence (°)"
    assert active.GetDisplayNode().GetVisibility()
    assert active.GetDisplayNode().GetActiveScalarName() == "incidence_deg"


def test_the_maps_opacity_is_that_of_the_sliders(mapped):
    mapped.ui.mapSkullOpacitySlider.value = 0.3
    mapped.ui.mapSlicesOpacitySlider.value = 0.8
    surface = map_nodes.surface_of(mapped.node.ct)
    assert surface.GetDisplayNode().GetOpacity() == pytest.approx(0.3)
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    assert red.GetForegroundOpacity() == pytest.approx(0.8)


def test_a_target_is_placed_by_the_next_click_and_aimed_at(host, panel, tmp_path):
    volumes.add_ct(host.scene, HeadCT(np.zeros((20, 20, 20), np.int16), np.eye(4)), "Small")
    panel.enter()
    panel.ui.placeTargetButton.click()
    host.check()
    target = panel.node.mapTarget
    assert target.GetName() == "Target"
    interaction = host.scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    assert not panel.ui.arrayPath.enabled
    panel.ui.arrayBox.currentText = "From a file"
    assert panel.ui.arrayPath.enabled
    assert panel.ui.mapButton.toolTip == "Choose the file of the array's elements first."
    (tmp_path / "mine.csv").write_text("x,y,z\n0,0,100\n")
    panel.ui.arrayPath.currentPath = str(tmp_path / "mine.csv")
    assert panel.ui.mapButton.enabled
