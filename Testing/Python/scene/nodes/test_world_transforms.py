"""From a node's coordinates to the world's and back."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes.world_transforms import node_to_world, to_node, world_to_node


@pytest.fixture
def model(scene):
    return scene.AddNewNodeByClass("vtkMRMLModelNode", "Skull")


def test_without_a_transform_a_node_stands_in_the_world(model):
    assert np.array_equal(node_to_world(model), np.eye(4))
    assert to_node(model, np.array([1.0, 2.0, 3.0])).tolist() == [1, 2, 3]


def test_a_point_goes_the_way_back_through_the_transform(scene, model):
    turn = np.array([[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]], float)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(turn))
    model.SetAndObserveTransformNodeID(transform.GetID())
    assert np.allclose(node_to_world(model), turn)
    assert np.allclose(world_to_node(model) @ turn, np.eye(4))
    assert np.allclose(to_node(model, np.array([5.0, 6.0, 7.0])), 0)


def test_a_transform_that_is_not_linear_is_refused_with_what_helps(scene, model):
    warp = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "Warp")
    model.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(BadInputError, match="'Warp', expected a linear one; harden it"):
        node_to_world(model)
