"""Offscreen views, filled by the real displayable managers."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from SkullGANLib.ct.volume import HeadCT
from SkullGANScene.nodes import volumes
from SkullGANScene.nodes.vtk_errors import heard_errors
from SkullGANScene.offscreen import headless, rendering, views
from vtk.util.numpy_support import vtk_to_numpy

WIDTH, HEIGHT = 80, 60

pytestmark = pytest.mark.skipif(rendering.rendering_library() is None, reason=rendering.NEEDED)


@pytest.fixture
def stage():
    with heard_errors() as errors:
        yield headless.new_stage()
    assert errors == []


def pixels(view: views.View) -> np.ndarray:
    """RGB as seen, the upper row first."""
    image = view.image()
    assert image.GetDimensions() == (WIDTH, HEIGHT, 1)
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(HEIGHT, WIDTH, 3)[::-1]


def test_a_slice_view_shows_the_volume_in_its_window(stage):
    """A block of 10 mm, white in a window for bone, in the middle of 40 x 30 mm of air."""
    hu = np.full((20, 20, 20), -1000, np.int16)
    hu[:, 5:15, 5:15] = 3000
    geometry = np.diag([-1.0, -1.0, 1.0, 1.0])
    geometry[:3, 3] = [9.5, 9.5, -9.5]
    ct = volumes.add_ct(stage.scene, HeadCT(hu, geometry), "CT")
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(stage.application_logic)
    logic.SetMRMLScene(stage.scene)
    node = logic.AddSliceNode("Red")
    node.SetOrientation("Axial")
    node.SetMappedInLayout(True)
    logic.ResizeSliceNode(WIDTH, HEIGHT)
    node.SetFieldOfView(40.0, 30.0, 1.0)
    node.JumpSliceByCentering(0.0, 0.0, 0.0)
    view = views.SliceView(logic, (WIDTH, HEIGHT), ())
    assert (pixels(view) == 0).all()  # nothing is in it yet
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(ct.GetID())
    bright = pixels(view)[..., 0] > 200
    view.close()
    # 2 pixels to the mm: 20 x 20 of them, in the middle.
    assert bright.sum() == pytest.approx(400, abs=45)
    rows, columns = np.nonzero(bright)
    assert (rows.mean(), columns.mean()) == pytest.approx((29.5, 39.5), abs=1.0)


def test_a_3d_view_shows_a_model_in_its_color_before_the_views_background(stage):
    sphere = vtk.vtkSphereSource()
    sphere.SetRadius(10.0)
    sphere.Update()
    model = stage.scene.AddNewNodeByClass("vtkMRMLModelNode", "Ball")
    model.SetAndObservePolyData(sphere.GetOutput())
    model.CreateDefaultDisplayNodes()
    model.GetDisplayNode().SetColor(1.0, 0.0, 0.0)
    logic = slicer.vtkMRMLViewLogic()
    logic.SetMRMLApplicationLogic(stage.application_logic)
    logic.SetMRMLScene(stage.scene)
    node = logic.AddViewNode("1")
    node.SetBoxVisible(False)
    node.SetAxisLabelsVisible(False)
    node.SetMappedInLayout(True)
    node.SetBackgroundColor(0.0, 0.0, 1.0)
    node.SetBackgroundColor2(0.0, 0.0, 1.0)
    view = views.ThreeDView(node, stage.application_logic, (WIDTH, HEIGHT))
    view.renderer.ResetCamera(np.array([-20.0, 20.0] * 3))
    seen = pixels(view)
    view.close()
    assert seen[HEIGHT // 2, WIDTH // 2, 0] > 150
    assert seen[HEIGHT // 2, WIDTH // 2, 2] < 50
    assert (seen[2, 2] == [0, 0, 255]).all()


def test_a_view_that_was_closed_lets_go_of_its_node(stage):
    node = stage.scene.AddNewNodeByClass("vtkMRMLViewNode")
    view = views.View((WIDTH, HEIGHT))
    names = ("vtkMRMLCameraDisplayableManager", "vtkMRMLViewDisplayableManager")
    view.fill(node, names, stage.application_logic)
    group = view.managers
    assert group.GetDisplayableManagerCount() == 2
    assert group.GetMRMLDisplayableNode() is node
    view.close()
    assert view.managers is None
    assert group.GetMRMLDisplayableNode() is None
