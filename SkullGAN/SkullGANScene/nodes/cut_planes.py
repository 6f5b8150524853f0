"""Where a segment was cut: its square and its wall outlined in 2D and 3D, and views that go there.

``outline`` makes or moves the model node of an outline, ``look_along`` turns a slice view into the
plane of a cut, ``plane_of`` and ``plane_on_skull`` are the markups plane of cuts by hand.
"""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.data.segment_set import SIZE
from vtk.util.numpy_support import numpy_to_vtk

from . import hierarchy

OUTLINE_COLOR = (1.0, 0.67, 0.0)
"""Amber, as the skull's outline in pictures."""
PLANE_COLOR = (0.2, 0.75, 0.95)
_LINE_WIDTH_PX = 3
_PLANE_SIZE_MM = 57.6
_OUTLINE_ROLE = "SkullGAN.outline"


def outline(
    ct_node: slicer.vtkMRMLScalarVolumeNode, pixel_to_ras: np.ndarray, mask: np.ndarray
) -> slicer.vtkMRMLModelNode:
    """Draw the square of a cut and the outline of the wall in it, in the place of the last one.

    Args:
        ct_node: the CT that was cut; the outline is beside it in the hierarchy, one for each CT.
        pixel_to_ras: (4, 4) of the segment.
        mask: (128, 128) of the segment.
    """
    scene = ct_node.GetScene()
    node = ct_node.GetNodeReference(_OUTLINE_ROLE)
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLModelNode", f"{ct_node.GetName()} cut")
        node.SetDescription("Where the segment that is looked at was cut: its square and its wall")
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetColor(*OUTLINE_COLOR)
        display.SetLineWidth(_LINE_WIDTH_PX)
        display.SetLighting(False)
        display.SetVisibility2D(True)
        # Lines in a plane do not cross it: they are shown by projection, close to their own plane.
        display.SetSliceDisplayModeToProjection()
        display.SetSliceIntersectionThickness(_LINE_WIDTH_PX)
        ct_node.SetNodeReferenceID(_OUTLINE_ROLE, node.GetID())
        hierarchy.put_beside(node, ct_node)
    node.SetAndObservePolyData(_lines(pixel_to_ras, mask))
    node.GetDisplayNode().SetVisibility(True)
    return node


def hide_outline(ct_node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Hide the outline of a CT, if there is one."""
    node = ct_node.GetNodeReference(_OUTLINE_ROLE)
    if node is not None and node.GetDisplayNode() is not None:
        node.GetDisplayNode().SetVisibility(False)


def look_along(slice_node: slicer.vtkMRMLSliceNode, pixel_to_ras: np.ndarray) -> None:
    """Turn a slice view into the plane of a cut, outer table up, and center it there.

    The size of the field of view stays as it is.

    Args:
        slice_node: of the view.
        pixel_to_ras: (4, 4) of the segment.
    """
    columns, rows = (pixel_to_ras[:3, k] / np.linalg.norm(pixel_to_ras[:3, k]) for k in (0, 1))
    center = pixel_to_ras @ [(SIZE - 1) / 2, SIZE / 4, 0, 1]
    # Slice views are right handed: x to the right, y up (against the rows), z to the viewer.
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([columns, -rows, np.cross(columns, -rows)], axis=1)
    matrix[:3, 3] = center[:3]
    slice_node.GetSliceToRAS().DeepCopy(slicer.util.vtkMatrixFromArray(matrix))
    slice_node.UpdateMatrices()


def jump_to(scene: slicer.vtkMRMLScene, pixel_to_ras: np.ndarray) -> None:
    """Let the crosshair of all slice views jump to the middle of a segment's outer table."""
    center = pixel_to_ras @ [(SIZE - 1) / 2, SIZE / 8, 0, 1]
    for k in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
        scene.GetNthNodeByClass(k, "vtkMRMLSliceNode").JumpSliceByOffsetting(*center[:3])


def plane_on_skull(
    ct_node: slicer.vtkMRMLScalarVolumeNode, point_ras: np.ndarray, normal: np.ndarray
) -> slicer.vtkMRMLMarkupsPlaneNode:
    """Add a plane for cuts by hand, of a segment's size, to be dragged and turned in the views.

    Args:
        ct_node: the CT to cut.
        point_ras: (3,), on the skull.
        normal: (3,), of the plane that is cut.
    """
    name = f"{ct_node.GetName()} plane of cut"
    node = ct_node.GetScene().AddNewNodeByClass("vtkMRMLMarkupsPlaneNode", name)
    node.SetDescription("Plane of a segment that is cut by hand; its origin belongs on the skull")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSelectedColor(*PLANE_COLOR)
    display.SetHandlesInteractive(True)
    display.SetPropertiesLabelVisibility(False)
    node.SetPlaneType(slicer.vtkMRMLMarkupsPlaneNode.PlaneTypePointNormal)
    node.SetSizeMode(slicer.vtkMRMLMarkupsPlaneNode.SizeModeAbsolute)
    node.SetSize(_PLANE_SIZE_MM, _PLANE_SIZE_MM)
    node.SetOriginWorld(point_ras)
    node.SetNormalWorld(normal)
    hierarchy.put_beside(node, ct_node)
    return node


def plane_of(node: slicer.vtkMRMLMarkupsPlaneNode) -> tuple[np.ndarray, np.ndarray] | None:
    """Give origin and normal of a plane, RAS mm, or None while it is not placed."""
    if not node.GetIsPlaneValid():
        return None
    origin, normal = np.zeros(3), np.zeros(3)
    node.GetOriginWorld(origin)
    node.GetNormalWorld(normal)
    return origin, normal


def _lines(pixel_to_ras: np.ndarray, mask: np.ndarray) -> vtk.vtkPolyData:
    """The square's border and the wall's, as lines in RAS mm."""
    low, high = -0.5, SIZE - 0.5
    square = np.array([[low, low], [high, low], [high, high], [low, high], [low, low]])
    paths = [square, *_borders(mask)]
    append = vtk.vtkAppendPolyData()
    for path in paths:
        points = np.column_stack([path, np.zeros(len(path)), np.ones(len(path))])
        line = vtk.vtkPolyData()
        line.SetPoints(vtk.vtkPoints())
        line.GetPoints().SetData(numpy_to_vtk((points @ pixel_to_ras.T)[:, :3], deep=True))
        cells = vtk.vtkCellArray()
        cells.InsertNextCell(len(path), range(len(path)))
        line.SetLines(cells)
        append.AddInputData(line)
    append.Update()
    return append.GetOutput()


def _borders(mask: np.ndarray) -> list[np.ndarray]:
    """The wall's upper and lower border: per run of columns with wall, (column, row) points."""
    there = mask.any(axis=0)
    columns = np.flatnonzero(there)
    if not columns.size:
        return []
    upper = mask.argmax(axis=0) - 0.5
    lower = SIZE - mask[::-1].argmax(axis=0) - 0.5
    runs = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    return [
        np.column_stack([run, edge[run]]) for run in runs if len(run) > 1 for edge in (upper, lower)
    ]
