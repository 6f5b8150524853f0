"""Head CTs and segment sets as scalar volumes."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.errors import BadInputError
from SkullGANLib.segmentset import SegmentSet
from SkullGANLib.volume import HeadCT

from . import hierarchy

CT_WINDOW_HU = (-500.0, 2000.0)
"""From black to white: skin and brain stay visible, and diploë stands out from the tables."""
SEGMENT_DISTANCE_MM = 1.0
"""Distance of neighbouring segments in their volume: a slice's S coordinate is its number."""
KIND_ATTRIBUTE = "SkullGAN.Kind"
"""Attribute of a segment volume: the kind of its segment set."""

_HU_RANGE = (-1024, 32767)


def add_ct(scene: slicer.vtkMRMLScene, ct: HeadCT, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a head CT to a scene, shown in a window for bone.

    Args:
        scene: the scene.
        ct: the CT; its voxels are copied.
        name: what the node is called.
    """
    return _add_volume(scene, name, ct.hu, ct.ijk_to_ras, CT_WINDOW_HU)


def ct_from(node: slicer.vtkMRMLScalarVolumeNode) -> HeadCT:
    """Give a volume node as a head CT in the world's RAS, linear transforms of the node applied.

    Values are rounded to whole HU and those below -1024 raised to it.

    Raises:
        BadInputError: if the node has no voxels, more than one value a voxel or values that are
            not finite, or is under a transform that is not linear.
    """
    image = node.GetImageData()
    if image is None or not image.GetNumberOfPoints():
        raise BadInputError(f"Volume {node.GetName()!r} has no voxels, a head CT is needed.")
    if image.GetNumberOfScalarComponents() != 1:
        raise BadInputError(
            f"Volume {node.GetName()!r} has {image.GetNumberOfScalarComponents()} values a voxel, "
            f"a head CT with one is needed."
        )
    values = slicer.util.arrayFromVolume(node)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise BadInputError(
                f"Volume {node.GetName()!r} has values that are not finite, a head CT in HU is "
                f"needed."
            )
        values = np.rint(values)
    return HeadCT(
        hu=np.clip(values, *_HU_RANGE).astype(np.int16, copy=False), ijk_to_ras=ijk_to_world(node)
    )


def ijk_to_world(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """Give float64 (4, 4) from (column, row, slice, 1) to the world's RAS mm.

    Raises:
        BadInputError: if the node is under a transform that is not linear.
    """
    to_node, to_world = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(to_node)
    transform = node.GetParentTransformNode()
    if transform is not None and not transform.GetMatrixTransformToWorld(to_world):
        raise BadInputError(
            f"Volume {node.GetName()!r} is under the transform {transform.GetName()!r}, which is "
            f"not linear; a linear one is needed, or harden it."
        )
    return slicer.util.arrayFromVTKMatrix(to_world) @ slicer.util.arrayFromVTKMatrix(to_node)


def add_segments(
    scene: slicer.vtkMRMLScene, segments: SegmentSet, name: str
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a segment set as one volume, a slice per segment.

    The volume belongs to no patient: it is centred at the origin, slice k lies at S = k mm, and an
    axial view shows every segment upright, its outer table up. The description says what the
    segments are, the attribute ``KIND_ATTRIBUTE`` names their kind, and the window is the HU range
    of the set's networks.

    Raises:
        BadInputError: if the set is empty.
    """
    if not len(segments):
        raise BadInputError(f"Segment set {name!r} is empty, at least one segment is needed.")
    size = segments.hu.shape[-1]
    spacing = segments.pixel_spacing_mm
    half_width = spacing * (size - 1) / 2
    # An axial view of Slicer has the patient's right at the left and anterior up.
    ijk_to_ras = np.diag([-spacing, -spacing, SEGMENT_DISTANCE_MM, 1.0])
    ijk_to_ras[:2, 3] = half_width
    node = _add_volume(scene, name, segments.hu, ijk_to_ras, segments.hu_range)
    origin = {
        "real": "cut from head CTs",
        "synthetic": "made by a generator; they show no patient",
        "artificial": "drawn by formula; they show no patient",
        "control": "for comparison; they are not skull segments of a patient",
    }[segments.kind]
    node.SetDescription(
        f"{len(segments)} {segments.kind} skull segments, {origin}. Slice k is segment k, HU, "
        f"{spacing:g} mm pixels; the position in space means nothing. {segments.created_by}"
    )
    node.SetAttribute(KIND_ATTRIBUTE, segments.kind)
    return node


def _add_volume(
    scene: slicer.vtkMRMLScene,
    name: str,
    hu: np.ndarray,
    ijk_to_ras: np.ndarray,
    window_hu: tuple[float, float],
) -> slicer.vtkMRMLScalarVolumeNode:
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, hu)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijk_to_ras))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*window_hu)
    hierarchy.item_of(node)
    return node
