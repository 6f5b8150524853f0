"""Where a discriminator's decision comes from, over the segments of a scene.

``add_realness`` lays the values of ``SkullGANLib.evaluation.measures.realness.explain`` over a
segment volume, slice by slice; ``show`` and ``hide`` switch the overlay without making it again.
"""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.errors import BadInputError

from . import color_tables, hierarchy, map_display
from .volumes import MAP_ATTRIBUTE

REALNESS = "realness"
"""Value of ``volumes.MAP_ATTRIBUTE`` of the volumes made here."""
_ROLE = "SkullGAN.realness.{method}"  # of the segment volume's reference to its overlay
_REACH = 0.995  # of the values lie within the colors
_OPACITY = 0.5
_MEANING = {
    "positions": "what each place of the image adds to the logit; a segment's values sum to it",
    "occlusion": "what the logit loses where the wall's structure is smoothed away",
}


def add_realness(
    volume_node: slicer.vtkMRMLScalarVolumeNode,
    values: np.ndarray,
    method: str,
    label: str = map_display.NOT_CALIBRATED,
) -> slicer.vtkMRMLScalarVolumeNode:
    """Lay a realness map over each segment of a volume; one of the same method is replaced.

    Args:
        volume_node: of ``volumes.add_segments``; the overlay takes its geometry, scene and place in
            the subject hierarchy.
        values: float32 (N, 128, 128), what ``explain`` of ``evaluation.measures.realness`` gave.
        method: one of ``SkullGANLib.evaluation.names.REALNESS_METHODS``.
        label: whether the score is calibrated (``realness.label``).

    Returns:
        The overlay: orange speaks for real, blue for made.

    Raises:
        BadInputError: if the values are not of this volume's segments.
    """
    expected = volume_node.GetImageData().GetDimensions()[::-1]
    if values.shape != expected:
        raise BadInputError(
            f"The realness map is {values.shape}, the segments of {volume_node.GetName()!r} are "
            f"{expected}: expected one value a pixel."
        )
    scene = volume_node.GetScene()
    node = realness_of(volume_node, method)
    if node is None:
        name = f"{volume_node.GetName()} realness ({method})"
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        node.SetAttribute(MAP_ATTRIBUTE, REALNESS)
        matrix = vtk.vtkMatrix4x4()
        volume_node.GetIJKToRASMatrix(matrix)
        node.SetIJKToRASMatrix(matrix)
        node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
        volume_node.SetNodeReferenceID(_ROLE.format(method=method), node.GetID())
    slicer.util.updateVolumeFromArray(node, np.asarray(values, np.float32))
    node.SetDescription(
        f"Realness, {label}: {_MEANING[method]}. Above 0 speaks for real, below 0 for made."
    )
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(color_tables.table(scene, color_tables.DIVERGING).GetID())
    display.AutoWindowLevelOff()
    reach = float(np.quantile(np.abs(values), _REACH)) or 1.0
    display.SetWindowLevelMinMax(-reach, reach)
    color_tables.add_legend(node, f"Logit ({label})", 4)
    hierarchy.put_beside(node, volume_node)
    return node


def realness_of(
    volume_node: slicer.vtkMRMLScalarVolumeNode, method: str
) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The realness map over a segment volume, None if there is none of this method."""
    return volume_node.GetNodeReference(_ROLE.format(method=method))


def show(node: slicer.vtkMRMLScalarVolumeNode, opacity: float = _OPACITY) -> None:
    """Show a realness map over its segments in all slice views."""
    map_display.show_in_slices(node, node.GetScene(), opacity)


def hide(scene: slicer.vtkMRMLScene) -> None:
    """Show the segments of a scene bare again; the map stays to be shown once more."""
    map_display.show_in_slices(None, scene)
