"""Tiles of a picture: what a scene looks like from one side, or cut, drawn without a screen.

``in_3d`` and ``axial`` draw what a stage's scene shows; ``write_png`` lays such tiles beside each
other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
import vtk
from SkullGANLib.errors import OutputError
from SkullGANLib.utils.atomic_files import written_aside

from . import headless, rendering, views

_BACKGROUND = ((0.757, 0.765, 0.909), (0.455, 0.471, 0.745))  # of Slicer's 3D views
_VIEW_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",  # first: see views.VIEW_MANAGERS
    "vtkMRMLViewDisplayableManager",
)
_LETTERS = (("R", 0.02, 0.5), ("L", 0.96, 0.5), ("A", 0.49, 0.955), ("P", 0.49, 0.05))


@dataclass(frozen=True, eq=False)
class Camera:
    """From where a 3D view is seen.

    Attributes:
        towards: towards the viewer, RAS, of length 1.
        up: RAS.
        bounds_ras: of what is to be seen, mm (6,).
        title: written into the corner.
    """

    towards: np.ndarray
    up: np.ndarray
    bounds_ras: np.ndarray
    title: str = ""


def in_3d(
    stage: headless.Stage,
    managers: Sequence[str],
    camera: Camera,
    size: int,
    once_watched: Callable[[], object] = lambda: None,
) -> vtk.vtkImageData:
    """Draw a 3D view of a scene, ``size`` x ``size`` pixels.

    Args:
        stage: the scene and its application logic.
        managers: displayable managers of what is to be seen, beside camera and view.
        camera: from where.
        size: in pixels.
        once_watched: called when the managers watch the scene; some show only what is added then.
    """
    logic = slicer.vtkMRMLViewLogic()
    logic.SetMRMLApplicationLogic(stage.application_logic)
    logic.SetMRMLScene(stage.scene)
    node = logic.AddViewNode("1")
    node.SetBoxVisible(False)
    node.SetAxisLabelsVisible(False)
    node.SetBackgroundColor(_BACKGROUND[0])
    node.SetBackgroundColor2(_BACKGROUND[1])
    node.SetMappedInLayout(True)
    named = (*_VIEW_MANAGERS, *managers)
    view = views.ThreeDView(node, stage.application_logic, (size, size), named)
    once_watched()

    low, high = camera.bounds_ras[::2], camera.bounds_ras[1::2]
    center, diagonal_mm = (low + high) / 2, float(np.linalg.norm(high - low))
    lens = view.renderer.GetActiveCamera()
    lens.SetFocalPoint(*center)
    lens.SetPosition(*(center + camera.towards * 2 * diagonal_mm))
    lens.SetViewUp(*camera.up)
    view.renderer.ResetCamera(camera.bounds_ras)
    # The camera is set to the sphere around the box, of which a skull fills about three quarters.
    lens.Zoom(1.3)
    view.renderer.ResetCameraClippingRange()
    if camera.title:
        _write(view.renderer, camera.title, 0.03, 0.03)
    image = view.image()
    view.close()
    stage.scene.RemoveNode(node)  # or the next view would find this one's camera
    return image


def axial(
    stage: headless.Stage,
    managers: Sequence[str],
    volumes: Sequence[slicer.vtkMRMLScalarVolumeNode],
    center_ras: np.ndarray,
    width_mm: float,
    size: int,
) -> vtk.vtkImageData:
    """Draw an axial slice of a scene as radiologists see it, the patient's right at the left.

    Args:
        stage: the scene and its application logic.
        managers: displayable managers of what is drawn over the slice.
        volumes: background and, if there is one, foreground.
        center_ras: of the view, RAS mm.
        width_mm: of the field of view.
        size: in pixels.
    """
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(stage.application_logic)
    logic.SetMRMLScene(stage.scene)
    node = logic.AddSliceNode("Red")
    node.SetOrientation("Axial")
    node.SetRulerType(slicer.vtkMRMLAbstractViewNode.RulerTypeThin)
    node.SetMappedInLayout(True)
    composite = logic.GetSliceCompositeNode()
    composite.SetBackgroundVolumeID(volumes[0].GetID())
    if len(volumes) > 1:
        composite.SetForegroundVolumeID(volumes[1].GetID())
        composite.SetForegroundOpacity(1.0)
    logic.ResizeSliceNode(size, size)
    node.SetFieldOfView(width_mm, width_mm, node.GetFieldOfView()[2])
    node.JumpSliceByCentering(*center_ras)

    view = views.SliceView(logic, (size, size), tuple(managers))
    for letter, x, y in _LETTERS:
        _write(view.renderer, letter, x, y)
    image = view.image()
    view.close()
    for used in (composite, node):
        stage.scene.RemoveNode(used)  # or the next slice would begin as this one ended
    return image


def write_png(
    path: Path, rows: Sequence[Sequence[vtk.vtkImageData]], errors: Sequence[str]
) -> None:
    """Lay tiles of one size in rows and write them as a PNG, aside and renamed.

    Args:
        path: the file.
        rows: of tiles, top down.
        errors: what VTK reported meanwhile (``heard_errors``).

    Raises:
        OutputError: if VTK reported an error or the file cannot be written.
    """
    whole = vtk.vtkImageAppend()
    whole.SetAppendAxis(1)
    for tiles in reversed(rows):  # images begin at the bottom
        row = vtk.vtkImageAppend()
        for tile in tiles:
            row.AddInputData(tile)
        row.Update()
        whole.AddInputData(row.GetOutput())
    whole.Update()
    with written_aside(path) as temporary:
        writer = vtk.vtkPNGWriter()
        writer.SetFileName(str(temporary))
        writer.SetInputConnection(whole.GetOutputPort())
        writer.Write()
        if errors or writer.GetErrorCode():
            reason = errors[0] if errors else "no space or no permission"
            raise OutputError(f"{path}: the picture cannot be rendered ({reason}).")


def check_drawing(path: Path) -> None:
    """Refuse to draw where nothing draws: VTK would end the process.

    Raises:
        OutputError: that names the file and what to install.
    """
    if rendering.rendering_library() is None:
        raise OutputError(f"{path}: the picture cannot be rendered: {rendering.NEEDED}.")


def _write(renderer: vtk.vtkRenderer, words: str, x: float, y: float) -> None:
    text = vtk.vtkTextActor()
    text.SetInput(words)
    text.GetTextProperty().SetFontSize(20)
    text.GetTextProperty().SetColor(1, 1, 1)
    text.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
    text.SetPosition(x, y)
    renderer.AddViewProp(text)
