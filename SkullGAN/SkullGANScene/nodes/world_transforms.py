"""From a node's own coordinates to the world's and back, through its parent transform."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.errors import BadInputError


def node_to_world(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    """Matrix (4, 4) from a node's coordinates to the world's, both RAS mm.

    Raises:
        BadInputError: if the node is under a transform that is not linear.
    """
    matrix = vtk.vtkMatrix4x4()
    transform = node.GetParentTransformNode()
    if transform is not None and not transform.IsTransformToWorldLinear():
        raise BadInputError(
            f"{node.GetName()!r} is under the transform {transform.GetName()!r}, expected a linear "
            "one; harden it."
        )
    if transform is not None:
        transform.GetMatrixTransformToWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def world_to_node(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    """The inverse of ``node_to_world``."""
    return np.linalg.inv(node_to_world(node))


def to_node(node: slicer.vtkMRMLTransformableNode, point: np.ndarray) -> np.ndarray:
    """Take a point (3,) of the world, RAS mm, to a node's coordinates."""
    matrix = world_to_node(node)
    return matrix[:3, :3] @ point + matrix[:3, 3]
