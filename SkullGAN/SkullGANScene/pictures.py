"""A picture of a CT and its skull, rendered without a screen by Slicer's displayable managers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
import vtk
from SkullGANLib.errors import OutputError
from SkullGANLib.files import written_aside
from SkullGANLib.volume import HeadCT

from . import headless, rendering, segmentations, views, volumes
from .vtkerrors import heard_errors

OUTLINE_COLOUR = (1.0, 0.67, 0.0)
"""Amber: on grey images the colour of bone is too pale for a line."""

_OUTLINE_PIXELS = 2
_MARGIN = 1.22  # of the field of view around the skull
_LOWEST_SLICE = 0.4  # of the skull's height: orbits and petrous bones lie below
# Towards the viewer, in RAS: from the front, the patient's left side turned to the viewer, from a
# little above, so that forehead and temple are seen at once.
_TOWARDS_VIEWER = np.array([-0.72, 0.75, 0.22])
_SLICE_MANAGERS = ("vtkMRMLSegmentationsDisplayableManager2D", "vtkMRMLRulerDisplayableManager")
_VIEW_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",  # first: see views.VIEW_MANAGERS
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)
_BACKGROUND = ((0.757, 0.765, 0.909), (0.455, 0.471, 0.745))  # of Slicer's 3D views


@dataclass(frozen=True, eq=False)
class _Scenery:
    """A scene of the picture's own, so that drawing it changes nothing in the user's."""

    stage: headless.Stage
    ct: slicer.vtkMRMLScalarVolumeNode
    skull: slicer.vtkMRMLSegmentationNode
    mask: np.ndarray
    ijk_to_ras: np.ndarray


def write_picture(
    path: str | Path,
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    skull_node: slicer.vtkMRMLSegmentationNode,
    *,
    height: int = 700,
) -> None:
    """Write a PNG: an axial slice with the skull outlined, beside it the skull in 3D.

    The slice is the one where the vault is widest, seen as radiologists do, the patient's right at
    the left. The user's scene is not changed; save it before all the same, since graphics drivers
    can take a process down.

    Args:
        path: where the picture goes; it is ``height`` x 2 ``height`` pixels.
        ct_node: the CT.
        skull_node: the segmentation with its skull (``segmentations.add_skull``).
        height: of the picture in pixels.

    Raises:
        OutputError: if nothing on this machine draws without a screen, drawing fails or the file
            cannot be written.
        BadInputError: if the nodes are not a CT and its skull.
    """
    path = Path(path)
    if rendering.rendering_library() is None:
        raise OutputError(f"{path}: the picture cannot be rendered: {rendering.NEEDED}.")
    with heard_errors() as errors:
        scenery = _scenery(ct_node, skull_node)
        halves = vtk.vtkImageAppend()
        halves.AddInputData(_axial_slice(scenery, height))
        halves.AddInputData(_skull_in_3d(scenery, height))
        halves.Update()
        with written_aside(path) as aside:
            writer = vtk.vtkPNGWriter()
            writer.SetFileName(str(aside))
            writer.SetInputConnection(halves.GetOutputPort())
            writer.Write()
            if errors or writer.GetErrorCode():
                reason = errors[0] if errors else "no space or no permission"
                raise OutputError(f"{path}: the picture cannot be rendered ({reason}).")


def _scenery(
    ct_node: slicer.vtkMRMLScalarVolumeNode, skull_node: slicer.vtkMRMLSegmentationNode
) -> _Scenery:
    ct = volumes.ct_from(ct_node)
    mask = segmentations.mask_from(skull_node, ct_node)
    stage = headless.new_stage()
    node = volumes.add_ct(stage.scene, HeadCT(ct.hu, ct.ijk_to_ras), "CT")
    skull = segmentations.add_skull(node, mask)
    segmentations.show_in_3d(skull)
    return _Scenery(stage, node, skull, mask, ct.ijk_to_ras)


def _axial_slice(scenery: _Scenery, size: int) -> vtk.vtkImageData:
    scene, application_logic = scenery.stage.scene, scenery.stage.application_logic
    display = scenery.skull.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetSliceIntersectionThickness(_OUTLINE_PIXELS)
    segment_id = scenery.skull.GetSegmentation().GetNthSegmentID(0)
    display.SetSegmentOverrideColor(segment_id, *OUTLINE_COLOUR)

    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(application_logic)
    logic.SetMRMLScene(scene)
    node = logic.AddSliceNode("Red")
    node.SetOrientation("Axial")
    node.SetRulerType(slicer.vtkMRMLAbstractViewNode.RulerTypeThin)
    node.SetMappedInLayout(True)
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(scenery.ct.GetID())
    logic.ResizeSliceNode(size, size)
    centre_ras, width_mm = _widest_section(scenery)
    depth_mm = node.GetFieldOfView()[2]
    node.SetFieldOfView(width_mm * _MARGIN, width_mm * _MARGIN, depth_mm)
    node.JumpSliceByCentering(*centre_ras)

    view = views.SliceView(logic, (size, size), _SLICE_MANAGERS)
    _add_letters(view.renderer)
    image = view.image()
    view.close()
    display.UnsetSegmentOverrideColor(segment_id)
    return image


def _skull_in_3d(scenery: _Scenery, size: int) -> vtk.vtkImageData:
    scene, application_logic = scenery.stage.scene, scenery.stage.application_logic

    logic = slicer.vtkMRMLViewLogic()
    logic.SetMRMLApplicationLogic(application_logic)
    logic.SetMRMLScene(scene)
    node = logic.AddViewNode("1")
    node.SetBoxVisible(False)
    node.SetAxisLabelsVisible(False)
    node.SetBackgroundColor(_BACKGROUND[0])
    node.SetBackgroundColor2(_BACKGROUND[1])
    node.SetMappedInLayout(True)
    view = views.ThreeDView(node, application_logic, (size, size), _VIEW_MANAGERS)

    bounds = np.zeros(6)
    scenery.skull.GetRASBounds(bounds)
    centre = (bounds[::2] + bounds[1::2]) / 2
    diagonal_mm = float(np.linalg.norm(bounds[1::2] - bounds[::2]))
    camera = view.renderer.GetActiveCamera()
    camera.SetFocalPoint(*centre)
    camera.SetPosition(*(centre + _TOWARDS_VIEWER * 2 * diagonal_mm))
    camera.SetViewUp(0, 0, 1)
    view.renderer.ResetCamera(bounds)
    # The camera is set to the sphere around the box, of which a skull fills about three quarters.
    camera.Zoom(1.3)
    view.renderer.ResetCameraClippingRange()
    image = view.image()
    view.close()
    return image


def _widest_section(scenery: _Scenery) -> tuple[np.ndarray, float]:
    """Give the middle (RAS mm) and the longer side (mm) of the vault's largest axial section."""
    slices, rows, columns = np.nonzero(scenery.mask)
    ijk = np.stack([columns, rows, slices, np.ones_like(rows)])
    ras = (scenery.ijk_to_ras @ ijk)[:3]
    step_mm = float(np.linalg.norm(scenery.ijk_to_ras[:3, :3], axis=0).max())
    level = np.rint((ras[2] - ras[2].min()) / step_mm).astype(int)
    levels = level.max() + 1
    low, high = np.full((2, levels), np.inf), np.full((2, levels), -np.inf)
    for axis in range(2):
        np.minimum.at(low[axis], level, ras[axis])
        np.maximum.at(high[axis], level, ras[axis])
    sides = np.where(high >= low, high - low, 0.0)
    lowest = int(_LOWEST_SLICE * levels)
    widest = lowest + int(np.argmax(sides[:, lowest:].prod(axis=0)))
    height_mm = ras[2].min() + widest * step_mm
    middle = (low[:, widest] + high[:, widest]) / 2
    return np.array([*middle, height_mm]), float(sides[:, widest].max())


def _add_letters(renderer: vtk.vtkRenderer) -> None:
    """Write the patient's directions at the edges of an axial view."""
    for letter, x, y in (("R", 0.02, 0.5), ("L", 0.96, 0.5), ("A", 0.49, 0.955), ("P", 0.49, 0.05)):
        text = vtk.vtkTextActor()
        text.SetInput(letter)
        text.GetTextProperty().SetFontSize(20)
        text.GetTextProperty().SetColor(1, 1, 1)
        text.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        text.SetPosition(x, y)
        renderer.AddViewProp(text)
