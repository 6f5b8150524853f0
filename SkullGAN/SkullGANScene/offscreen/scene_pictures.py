"""Pictures rendered without a screen: a CT and its skull, and the map of a calvaria."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
import vtk
from SkullGANLib.ct.volume import HeadCT

from ..nodes import color_tables, map_overlay, map_surface, segmentations, volumes
from ..nodes.vtk_errors import heard_errors
from . import headless, pictures_of_views

OUTLINE_COLOR = (1.0, 0.67, 0.0)
"""Amber: on gray images the color of bone is too pale for a line."""

_OUTLINE_PIXELS = 2
_MARGIN = 1.22  # of the field of view around the skull
_LOWEST_SLICE = 0.4  # of the skull's height: orbits and petrous bones lie below
# Towards the viewer, in RAS: from the front, the patient's left side turned to the viewer, from a
# little above, so that forehead and temple are seen at once.
_TOWARDS_VIEWER = np.array([-0.72, 0.75, 0.22])
_RULER = "vtkMRMLRulerDisplayableManager"
_LEGEND = "vtkMRMLColorLegendDisplayableManager"
_MODELS = "vtkMRMLModelDisplayableManager"
# Towards the viewer and up, in the head frame.
_NARROW = "from the front"
_SIDES = {
    "from the left": ((-1.0, 0.0, 0.1), (0.0, 0.0, 1.0)),
    _NARROW: ((0.0, 1.0, 0.1), (0.0, 0.0, 1.0)),
    "from above": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
    "from the right": ((1.0, 0.0, 0.1), (0.0, 0.0, 1.0)),
    "from behind": ((0.0, -1.0, 0.1), (0.0, 0.0, 1.0)),
}


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
    pictures_of_views.check_drawing(path)
    with heard_errors() as errors:
        scenery = _scenery(ct_node, skull_node)
        row = [_axial_slice(scenery, height), _skull_in_3d(scenery, height)]
        pictures_of_views.write_png(path, [row], errors)


def write_map_picture(
    path: str | Path,
    surface_node: slicer.vtkMRMLModelNode,
    overlay_node: slicer.vtkMRMLScalarVolumeNode,
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    *,
    scalar: str = "thickness_mm",
    tile: int = 480,
) -> None:
    """Write a PNG of a calvaria's map: the surface from five sides and an axial slice.

    The user's scene is not changed.

    Args:
        path: where the picture goes; it is 2 x 3 tiles.
        surface_node, overlay_node: of ``map_surface.add_surface`` and ``map_overlay.add_overlay``;
            the overlay is shown as it is, so it should hold the same scalar.
        ct_node: the CT.
        scalar: what the surface shows, one of ``scalars.names``.
        tile: side of a tile in pixels.

    Raises:
        OutputError: as ``write_picture``.
        BadInputError: if the nodes are no map.
    """
    path = Path(path)
    pictures_of_views.check_drawing(path)
    found = map_surface.map_from(surface_node)
    head = np.array(found.source["head_to_ras"])[:3, :3]
    bounds = np.stack([found.points_ras.min(0), found.points_ras.max(0)], axis=1).ravel()
    with heard_errors() as errors:
        stage = headless.new_stage()
        ct = volumes.ct_from(ct_node)
        shown_ct = volumes.add_ct(stage.scene, ct, "CT")
        surface = map_surface.add_surface(shown_ct, found, scalar)
        overlay = map_overlay.copy_overlay(overlay_node, shown_ct, scalar)
        images = []
        for title, (towards, up) in _SIDES.items():
            camera = pictures_of_views.Camera(
                head @ towards / np.linalg.norm(towards), head @ up, bounds, title
            )
            if title == _NARROW:  # there is room for the legend
                managers = (_MODELS, _LEGEND)
                image = pictures_of_views.in_3d(
                    stage, managers, camera, tile, lambda: color_tables.renew_legend(surface)
                )
            else:
                image = pictures_of_views.in_3d(stage, (_MODELS,), camera, tile)
            images.append(image)
        middle = (bounds[::2] + bounds[1::2]) / 2
        widest_mm = float((bounds[1::2] - bounds[::2])[:2].max())
        width_mm = widest_mm * _MARGIN
        images.append(
            pictures_of_views.axial(stage, (_RULER,), (shown_ct, overlay), middle, width_mm, tile)
        )
        pictures_of_views.write_png(path, [images[:3], images[3:]], errors)


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
    display = scenery.skull.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetSliceIntersectionThickness(_OUTLINE_PIXELS)
    segment_id = scenery.skull.GetSegmentation().GetNthSegmentID(0)
    display.SetSegmentOverrideColor(segment_id, *OUTLINE_COLOR)
    center_ras, width_mm = _widest_section(scenery)
    managers = ("vtkMRMLSegmentationsDisplayableManager2D", _RULER)
    image = pictures_of_views.axial(
        scenery.stage, managers, (scenery.ct,), center_ras, width_mm * _MARGIN, size
    )
    display.UnsetSegmentOverrideColor(segment_id)
    return image


def _skull_in_3d(scenery: _Scenery, size: int) -> vtk.vtkImageData:
    bounds = np.zeros(6)
    scenery.skull.GetRASBounds(bounds)
    camera = pictures_of_views.Camera(_TOWARDS_VIEWER, np.array([0.0, 0.0, 1.0]), bounds)
    managers = ("vtkMRMLSegmentationsDisplayableManager3D",)
    return pictures_of_views.in_3d(scenery.stage, managers, camera, size)


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
