"""The elements of an array in 3D."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes import array_model, color_tables, hierarchy, volumes
from vtk.util.numpy_support import vtk_to_numpy

PLACES = np.array([[100.0, 0, 0], [0, 100.0, 0], [0, 0, 100.0], [0, -100.0, 0]])


def rays(active=(1, 1, 0, 0)):
    return {
        **{f"{axis}_ras_mm": PLACES[:, n] for n, axis in enumerate("xyz")},
        "sdr_peaks": np.array([0.4, 0.6, np.nan, 0.5]),
        "thickness_mm": np.array([5.0, 6, np.nan, 7]),
        "incidence_deg": np.array([3.0, 12, np.nan, 40]),
        "active": np.array(active),
    }


@pytest.fixture
def ct(scene):
    return volumes.add_ct(scene, HeadCT(np.zeros((8, 8, 8), np.int16), np.eye(4)), "Head")


def points(node) -> np.ndarray:
    return vtk_to_numpy(node.GetPolyData().GetPoints().GetData())


def test_each_element_is_a_disc_that_faces_the_target(ct):
    active, off = array_model.add_array(ct, rays(), [0.0, 0, 0])
    assert (active.GetName(), off.GetName()) == ("Head array", "Head array off")
    assert active.GetPolyData().GetNumberOfCells() == off.GetPolyData().GetNumberOfCells() == 2
    disc = points(active)[: active.GetPolyData().GetCell(0).GetNumberOfPoints()]
    assert np.allclose(disc.mean(axis=0), PLACES[0], atol=1e-3)
    assert np.allclose(disc[:, 0], 100, atol=1e-3)  # flat across the ray
    away = np.linalg.norm(disc - PLACES[0], axis=1)
    assert np.allclose(away, away[0], atol=1e-3)
    assert 0 < away[0] <= 6


def test_active_elements_are_colored_by_a_scalar_with_its_legend_the_others_are_gray(ct):
    active, off = array_model.add_array(ct, rays(), [0.0, 0, 0])
    display = active.GetDisplayNode()
    assert display.GetActiveScalarName() == "sdr_peaks"
    values = vtk_to_numpy(active.GetPolyData().GetPointData().GetArray("sdr_peaks"))
    assert np.unique(values) == pytest.approx([0.4, 0.6])
    array_model.show_scalar(ct, "incidence_deg")
    assert display.GetActiveScalarName() == "incidence_deg"
    assert tuple(display.GetScalarRange()) == (0.0, 25.0)
    assert color_tables.legend_of(active).GetTitleText() == "Array °"
    assert not off.GetDisplayNode().GetScalarVisibility()
    assert off.GetDisplayNode().GetOpacity() < 0.5


def test_a_new_array_takes_the_place_of_the_one_before(scene, ct):
    array_model.add_array(ct, rays(), [0.0, 0, 0])
    [active] = array_model.add_array(ct, rays((1, 1, 1, 1)), [0.0, 0, 0])
    assert array_model.inactive_of(ct) is None
    assert array_model.active_of(ct) is active
    assert scene.GetNumberOfNodesByClass("vtkMRMLModelNode") - _slice_models(scene) == 1
    array_model.show(ct, False)
    assert not active.GetDisplayNode().GetVisibility()
    assert not color_tables.legend_of(active).GetVisibility()
    array_model.remove_array(ct)
    assert array_model.active_of(ct) is None


def test_the_array_lies_beside_its_ct_and_moves_with_it(scene, ct):
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Moved")
    moved = slicer.util.vtkMatrixFromArray(
        np.array([[1.0, 0, 0, 10], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    )
    transform.SetMatrixTransformToParent(moved)
    ct.SetAndObserveTransformNodeID(transform.GetID())
    active, _off = array_model.add_array(ct, rays(), [0.0, 0, 0])
    assert active.GetTransformNodeID() == transform.GetID()
    assert points(active)[:, 0].max() == pytest.approx(90, abs=0.1)  # 100 in the world
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert tree.GetItemParent(hierarchy.item_of(active)) == tree.GetItemParent(
        hierarchy.item_of(ct)
    )


def test_a_scalar_that_elements_have_not_is_refused(ct):
    with pytest.raises(BadInputError, match="Expected one of sdr_peaks, thickness_mm"):
        array_model.add_array(ct, rays(), [0.0, 0, 0], "realness")


def _slice_models(scene) -> int:
    kind = "vtkMRMLModelNode"
    nodes = [scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))]
    return sum(slicer.vtkMRMLSliceLogic.IsSliceModelNode(node) for node in nodes)
