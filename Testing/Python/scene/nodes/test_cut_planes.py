"""Where a segment was cut, in the views: of a plane whose corners a reader knows."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from SkullGANLib.ct.volume import HeadCT
from SkullGANScene.nodes import cut_planes, volumes

PIXEL_MM = 0.45
FIRST = np.array([10.0, 20.0, 30.0])
"""RAS mm of the middle of the first pixel."""


@pytest.fixture
def ct_node(scene):
    return volumes.add_ct(scene, HeadCT(np.zeros((2, 3, 4), np.int16), np.eye(4)), "Head")


@pytest.fixture
def pixel_to_ras() -> np.ndarray:
    """Columns run to the front, rows down: a sagittal cut."""
    matrix = np.eye(4)
    matrix[:3, 0] = [0.0, PIXEL_MM, 0.0]
    matrix[:3, 1] = [0.0, 0.0, -PIXEL_MM]
    matrix[:3, 2] = [1.0, 0.0, 0.0]
    matrix[:3, 3] = FIRST
    return matrix


def wall(first_row: int, end_row: int) -> np.ndarray:
    mask = np.zeros((128, 128), np.uint8)
    mask[first_row:end_row, 10:20] = 1
    return mask


def points(node) -> np.ndarray:
    return slicer.util.arrayFromModelPoints(node)


def test_an_outline_has_the_corners_of_its_square_and_the_borders_of_its_wall(
    ct_node, pixel_to_ras
):
    node = cut_planes.outline(ct_node, pixel_to_ras, wall(40, 50))
    found = points(node)
    side = 128 * PIXEL_MM
    half = PIXEL_MM / 2
    assert np.allclose(found.min(0) - FIRST, [0, -half, half - side], atol=1e-4)
    assert np.allclose(found.max(0) - FIRST, [0, side - half, half], atol=1e-4)
    # Five points close the square; two borders of ten columns follow, above row 40 and below 49.
    assert len(found) == 5 + 2 * 10
    rows = (FIRST[2] - found[5:, 2]) / PIXEL_MM
    assert np.allclose(rows, [39.5] * 10 + [49.5] * 10, atol=1e-4)


def test_the_next_outline_takes_the_place_of_the_last_and_shows_it_again(
    scene, ct_node, pixel_to_ras
):
    node = cut_planes.outline(ct_node, pixel_to_ras, wall(40, 50))
    cut_planes.hide_outline(ct_node)
    assert not node.GetDisplayNode().GetVisibility()
    nodes = scene.GetNumberOfNodes()
    assert cut_planes.outline(ct_node, pixel_to_ras, np.zeros((128, 128), np.uint8)) is node
    assert scene.GetNumberOfNodes() == nodes
    assert node.GetDisplayNode().GetVisibility()
    assert len(points(node)) == 5


def test_a_view_looks_along_the_cut_with_the_outer_table_up(scene, pixel_to_ras):
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    field_of_view = view.GetFieldOfView()
    cut_planes.look_along(view, pixel_to_ras)
    to_ras = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())
    assert np.allclose(to_ras[:3, 0], [0, 1, 0])  # to the right: along the columns
    assert np.allclose(to_ras[:3, 1], [0, 0, 1])  # up: against the rows
    assert np.linalg.det(to_ras[:3, :3]) == pytest.approx(1.0)
    assert np.allclose(to_ras[:3, 3] - FIRST, [0, 63.5 * PIXEL_MM, -32 * PIXEL_MM])
    assert view.GetFieldOfView() == field_of_view


def test_all_slice_views_jump_to_the_middle_of_the_outer_table(scene, pixel_to_ras):
    views = [scene.AddNewNodeByClass("vtkMRMLSliceNode", name) for name in ("A", "B")]
    views[1].SetOrientation("Sagittal")
    cut_planes.jump_to(scene, pixel_to_ras)
    axial, sagittal = (slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS()) for view in views)
    assert axial[2, 3] == pytest.approx(FIRST[2] - 16 * PIXEL_MM)
    assert sagittal[0, 3] == pytest.approx(FIRST[0])


def test_a_plane_has_the_origin_and_normal_it_was_given_and_none_before_it_is_placed(
    scene, ct_node
):
    normal = np.array([0.6, 0.0, 0.8])
    node = cut_planes.plane_on_skull(ct_node, FIRST, normal)
    origin, direction = cut_planes.plane_of(node)
    assert np.allclose(origin, FIRST)
    assert np.allclose(direction, normal)
    assert node.GetSize() == pytest.approx((57.6, 57.6))
    unplaced = scene.AddNewNodeByClass("vtkMRMLMarkupsPlaneNode")
    assert cut_planes.plane_of(unplaced) is None
