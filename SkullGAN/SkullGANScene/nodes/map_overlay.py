"""A map on the slices: a volume in which every voxel of the wall carries the value of its ray."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import wall_overlay
from SkullGANLib.mapping.codes import CODES, MEASURED
from SkullGANLib.utils.task import Work

from . import color_tables, hierarchy, map_display, map_surface
from .volumes import MAP_ATTRIBUTE

SCALAR_ATTRIBUTE = "SkullGAN.Scalar"
"""Attribute of an overlay: the scalar that it holds now."""
OVERLAY = "overlay"
"""Value of ``volumes.MAP_ATTRIBUTE``."""

_MAP = "SkullGAN.map"  # role of an overlay's reference to its surface
_VOXELS_AT_ONCE = 2_000_000


def add_overlay(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    surface_node: slicer.vtkMRMLModelNode,
    numbers: np.ndarray,
    scalar: str = "thickness_mm",
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a volume in which every voxel of the wall carries the value of its ray.

    It is shown by ``map_display.show_in_slices`` and changed to another scalar by ``show_scalar``.

    Args:
        ct_node: the CT that was mapped.
        surface_node: its map (``add_surface``), which has the values.
        numbers: int32 (slices, rows, columns), what ``wall_overlay.vertex_numbers`` gave.
        scalar: one of ``scalars.names``.

    Raises:
        BadInputError: if the scalar is not known or the numbers are not on the CT's grid.
    """
    expected = ct_node.GetImageData().GetDimensions()[::-1]
    if numbers.shape != expected:
        raise BadInputError(
            f"Expected an overlay on the CT's grid {expected}, found {numbers.shape}."
        )
    values = wall_overlay.overlay(map_surface.map_from(surface_node), numbers, scalar)
    node = _overlay_node(ct_node, values, f"{ct_node.GetName()} wall map")
    node.SetNodeReferenceID(_MAP, surface_node.GetID())
    hierarchy.put_beside(node, ct_node)
    _show_overlay(node, scalar)
    return node


def add_empty_overlay(
    ct_node: slicer.vtkMRMLScalarVolumeNode, surface_node: slicer.vtkMRMLModelNode
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add an overlay like ``add_overlay``'s, whose voxels ``filling`` fills in."""
    image = vtk.vtkImageData()
    image.SetDimensions(ct_node.GetImageData().GetDimensions())
    image.AllocateScalars(vtk.VTK_FLOAT, 1)
    node = _overlay_node(ct_node, image, f"{ct_node.GetName()} wall map")
    node.SetNodeReferenceID(_MAP, surface_node.GetID())
    hierarchy.put_beside(node, ct_node)
    return node


def filling(node: slicer.vtkMRMLScalarVolumeNode, numbers: np.ndarray, scalar: str) -> Work[None]:
    """Fill an overlay with a scalar slab by slab: a whole CT takes longer than a panel may wait.

    Args:
        node: of ``add_empty_overlay`` or ``add_overlay``.
        numbers: int32 (slices, rows, columns), as for ``add_overlay``; may be mapped from a file.
        scalar: one of ``scalars.names``.

    Yields:
        The share filled.
    """
    found = map_surface.map_from(node.GetNodeReference(_MAP))
    values = slicer.util.arrayFromVolume(node)
    slices = max(1, _VOXELS_AT_ONCE // max(values[0].size, 1))
    for k in range(0, len(values), slices):
        slab = slice(k, k + slices)
        values[slab] = wall_overlay.overlay(found, numbers[slab], scalar)
        yield min(1.0, (k + slices) / len(values))
    slicer.util.arrayFromVolumeModified(node)
    _show_overlay(node, scalar)


def copy_overlay(
    overlay_node: slicer.vtkMRMLScalarVolumeNode,
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    scalar: str,
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a copy of an overlay over another copy of its CT, maybe in another scene."""
    values = slicer.util.arrayFromVolume(overlay_node)
    node = _overlay_node(ct_node, values, overlay_node.GetName())
    _show_overlay(node, scalar)
    return node


def show_scalar(node: slicer.vtkMRMLScalarVolumeNode, scalar: str, numbers: np.ndarray) -> None:
    """Fill an overlay with another scalar, over its range of colors.

    Args:
        node: of ``add_overlay``.
        scalar: one of ``scalars.names``.
        numbers: what it was made of.

    Raises:
        BadInputError: if the map does not have the scalar.
    """
    found = map_surface.map_from(node.GetNodeReference(_MAP))
    slicer.util.updateVolumeFromArray(node, wall_overlay.overlay(found, numbers, scalar))
    _show_overlay(node, scalar)


def scalar_of(overlay_node: slicer.vtkMRMLScalarVolumeNode) -> str:
    """The scalar that an overlay holds."""
    return overlay_node.GetAttribute(SCALAR_ATTRIBUTE) or ""


def _show_overlay(node: slicer.vtkMRMLScalarVolumeNode, scalar: str) -> None:
    node.SetAttribute(SCALAR_ATTRIBUTE, scalar)
    node.SetDescription(
        f"{map_display.title(scalar)} of the ray through each voxel of the skull wall; 0 outside "
        f"the wall, below 0 where the ray was not measured ("
        + ", ".join(f"-{code} {met}" for code, met in CODES.items() if code != MEASURED)
        + ")"
    )
    map_display.show_colors(node, scalar)
    legend = color_tables.legend_of(node)
    if legend is not None:
        legend.SetVisibility3D(False)  # the surface has the same one in the 3D views


def _overlay_node(
    ct_node: slicer.vtkMRMLScalarVolumeNode, values: np.ndarray | vtk.vtkImageData, name: str
) -> slicer.vtkMRMLScalarVolumeNode:
    scene = ct_node.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetAttribute(MAP_ATTRIBUTE, OVERLAY)
    if isinstance(values, np.ndarray):
        slicer.util.updateVolumeFromArray(node, values)
    else:
        node.SetAndObserveImageData(values)
    matrix = vtk.vtkMatrix4x4()
    ct_node.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveTransformNodeID(ct_node.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(color_tables.table(scene).GetID())
    display.AutoWindowLevelOff()
    display.SetInterpolate(False)  # between wall and 0 lie values that nobody measured
    # What is not wall (0) or was not measured (below 0) is not shown.
    display.AutoThresholdOff()
    display.SetThreshold(np.finfo(np.float32).tiny, np.finfo(np.float32).max)
    display.ApplyThresholdOn()
    return node
