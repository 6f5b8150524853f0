"""Slice views that look at the segments of a stack."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from examples import bent_walls
from SkullGANScene.nodes import volumes
from SkullGANScene.views import slice_views


@pytest.fixture
def stack(scene):
    """Sixteen segments, whose walls use some of the rows."""
    return volumes.add_segments(scene, bent_walls(16, 0), "Segments")


@pytest.fixture
def view(scene):
    """The slice node of a red view of 400 x 200 pixels, with its composite node."""
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLScene(scene)
    node = logic.AddSliceNode("Red")
    node.SetDimensions(400, 200, 1)
    return node


def test_a_view_shows_a_segment_upright_and_filling_it(scene, stack):
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLScene(scene)
    view = logic.AddSliceNode("Red")
    view.SetDimensions(400, 200, 1)
    slice_views.look_at(view, stack, 7)
    assert logic.GetSliceCompositeNode().GetBackgroundVolumeID() == stack.GetID()
    assert (view.GetOrientation(), slice_views.index_in(view)) == ("Axial", 7)
    used = np.flatnonzero(slicer.util.arrayFromVolume(stack).any(axis=(0, 2)))
    rows_mm = 0.45 * (used[-1] - used[0] + 1)
    across, down, _ = view.GetFieldOfView()
    assert across == pytest.approx(2 * down)
    assert down >= rows_mm
    assert min(down / rows_mm, across / 57.6) == pytest.approx(1.06)
    middle = view.GetSliceToRAS().GetElement(1, 3)
    assert middle == pytest.approx(0.45 * (63.5 - (used[0] + used[-1]) / 2))
    view.SetFieldOfView(20, 10, 1)  # who looks closer
    slice_views.look_at(view, stack, 8)
    assert (view.GetFieldOfView()[0], slice_views.index_in(view)) == (20, 8)


def test_what_is_laid_over_a_stack_is_half_transparent_and_goes_again(scene, stack, view):
    over = volumes.add_segments(scene, bent_walls(16, 1), "Over")
    slice_views.look_at(view, stack, 3, over)
    composite = slice_views.composite_of(view)
    assert composite.GetForegroundVolumeID() == over.GetID()
    assert composite.GetForegroundOpacity() == 0.5
    slice_views.look_at(view, stack, 4)
    assert composite.GetForegroundVolumeID() is None
    assert composite.GetForegroundOpacity() == 0.0


def test_a_view_without_its_composite_node_moves_all_the_same(scene, stack):
    node = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    node.SetLayoutName("Alone")
    assert slice_views.composite_of(node) is None
    slice_views.look_at(node, stack, 5)
    assert slice_views.index_in(node) == 5


def test_a_scene_without_a_layout_is_left_as_it_is(scene, view):
    nodes = scene.GetNumberOfNodes()
    assert slice_views.arrange(scene, ["one", "two"]) == []
    assert slice_views.beside_views(scene) == []
    assert scene.GetNumberOfNodes() == nodes


def test_the_free_view_is_one_that_the_layout_shows_red_before_others(scene, view):
    green = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    green.SetLayoutName("Green")
    green.SetMappedInLayout(True)
    assert slice_views.free_view(scene) is green
    view.SetMappedInLayout(True)
    assert slice_views.free_view(scene) is view
