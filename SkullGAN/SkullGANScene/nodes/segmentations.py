"""Masks as segmentation nodes over their volumes, and back."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from vtk.util.numpy_support import vtk_to_numpy

from . import hierarchy, volumes

SKULL = "Skull"
"""Name of the skull's segment."""
WALL = "Skull wall"
"""Name of the segment that holds the masks of a segment set."""
BONE_COLOR = (241 / 255, 214 / 255, 145 / 255)
"""Slicer's color for bone."""
SMOOTHING = 0.7
"""Of the closed surface, 0 to 1: the steps between slices go, sutures and tables stay."""

_SAME_GRID_MM = 1e-4
_SKULL_ROLE = "SkullGAN.skull"

# SNOMED CT: Anatomical structure, Skull (bone structure of cranium) and Bone, in the form that
# Slicer keeps in a segment's terminology tag: context, category, type, modifier, then region.
_TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^123037004^Anatomical Structure~SCT^{code}~^^~Anatomic codes - DICOM master list~^^~^^"
)
_SKULL_CODE = "89546000^Skull"
_BONE_CODE = "272673000^Bone"


def add_skull(
    ct_node: slicer.vtkMRMLScalarVolumeNode, mask: np.ndarray
) -> slicer.vtkMRMLSegmentationNode:
    """Add a skull mask as a segmentation over its CT, beside it in the subject hierarchy.

    Args:
        ct_node: the CT's volume node; the segmentation takes its geometry, transform and scene.
        mask: uint8 or bool (slices, rows, columns), non-zero inside the skull.

    Raises:
        BadInputError: if the mask is empty or not of the CT's size.
    """
    name = f"{ct_node.GetName()} {SKULL.lower()}"
    node = _add_segmentation(ct_node, name, mask, SKULL, _SKULL_CODE)
    # Slicer's default of 0.5 hides the diploë.
    node.GetDisplayNode().SetOpacity2DFill(0.2)
    ct_node.SetNodeReferenceID(_SKULL_ROLE, node.GetID())
    hierarchy.put_beside(node, ct_node)
    return node


def skull_of(ct_node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode | None:
    """Give the skull that was last added to a CT, None if there is none in the scene."""
    return ct_node.GetNodeReference(_SKULL_ROLE)


def skull_for(ct_node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode | None:
    """Give the skull to cut a CT with: its ``skull_of``, else one that somebody drew over it.

    That is a segmentation on the CT's grid with a segment of the name ``SKULL``.
    """
    own = skull_of(ct_node)
    if own is not None:
        return own
    scene, kind = ct_node.GetScene(), "vtkMRMLSegmentationNode"
    for number in range(scene.GetNumberOfNodesByClass(kind)):
        node = scene.GetNthNodeByClass(number, kind)
        named = node.GetSegmentation().GetSegmentIdBySegmentName(SKULL)
        if named and volume_of(node) is ct_node:
            return node
    return None


def volume_of(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """Give the volume whose grid a segmentation has, None if it is not known."""
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    return node.GetNodeReference(role)


def add_masks(
    volume_node: slicer.vtkMRMLScalarVolumeNode, segments: SegmentSet
) -> slicer.vtkMRMLSegmentationNode:
    """Add the masks of a segment set as a segmentation over its volume (``volumes.add_segments``).

    They are not shown at first: where the volume's slices lie means nothing, and over a CT they
    would be taken for something in the head. ``show_masks`` outlines them over their own volume.

    Raises:
        BadInputError: if all masks are empty or the volume is another one's.
    """
    name = f"{volume_node.GetName()} masks"
    node = _add_segmentation(volume_node, name, segments.mask, WALL, _BONE_CODE)
    display = node.GetDisplayNode()
    display.SetVisibility(False)
    display.SetVisibility3D(False)
    display.SetVisibility2DFill(False)
    hierarchy.put_beside(node, volume_node)
    return node


def show_masks(
    node: slicer.vtkMRMLSegmentationNode,
    shown: bool,
    view_node: slicer.vtkMRMLSliceNode | None = None,
) -> None:
    """Outline the masks of a segment volume in a slice view that shows it, or hide them."""
    display = node.GetDisplayNode()
    display.RemoveAllViewNodeIDs()
    if view_node is not None:
        display.AddViewNodeID(view_node.GetID())
    display.SetVisibility(shown)


def set_masks(
    node: slicer.vtkMRMLSegmentationNode,
    volume_node: slicer.vtkMRMLScalarVolumeNode,
    segments: SegmentSet,
) -> None:
    """Put other masks into a segmentation of ``add_masks``, whose volume has changed likewise."""
    labelmap = _labelmap(volume_node, segments.mask)
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(WALL)
    node.GetSegmentation().RemoveSegment(segment_id)
    _add_segment(node, labelmap, WALL, _BONE_CODE)


def mask_from(
    node: slicer.vtkMRMLSegmentationNode,
    volume_node: slicer.vtkMRMLScalarVolumeNode,
    segment_name: str = SKULL,
) -> np.ndarray:
    """Give a segment as uint8 (slices, rows, columns) on the grid of a volume.

    The segmentation and the volume must be under the same transform. An edited segment on another
    grid is resampled to the nearest voxel.

    Raises:
        BadInputError: if the segmentation has no segment of that name.
    """
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(segment_name)
    labelmap = slicer.vtkOrientedImageData()
    if not segment_id or not node.GetBinaryLabelmapRepresentation(segment_id, labelmap):
        raise BadInputError(
            f"Segmentation {node.GetName()!r} has no segment {segment_name!r}, one is needed."
        )
    if _is_on_grid(labelmap, volume_node):
        return _pasted(labelmap, volume_node.GetImageData().GetDimensions()[::-1])
    grid = slicer.vtkOrientedImageData()
    grid.SetDimensions(volume_node.GetImageData().GetDimensions())
    grid.SetGeometryFromImageToWorldMatrix(_ijk_to_ras(volume_node))
    grid.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    on_grid = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        labelmap, grid, on_grid
    )
    return _pasted(on_grid, on_grid.GetDimensions()[::-1])


def _is_on_grid(
    labelmap: slicer.vtkOrientedImageData, volume_node: slicer.vtkMRMLScalarVolumeNode
) -> bool:
    """Whether a labelmap's voxels are some of the volume's: resampling takes ten times as long."""
    own = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(own)
    difference = slicer.util.arrayFromVTKMatrix(own) - volumes.ijk_to_ras(volume_node)
    return bool(np.abs(difference).max() < _SAME_GRID_MM)


def _pasted(labelmap: slicer.vtkOrientedImageData, shape: tuple[int, ...]) -> np.ndarray:
    """Give a labelmap's box of voxels in an array of the whole volume."""
    mask = np.zeros(shape, np.uint8)
    extent = np.reshape(labelmap.GetExtent(), (3, 2))[::-1]
    values = vtk_to_numpy(labelmap.GetPointData().GetScalars())
    values = values.reshape(extent[:, 1] - extent[:, 0] + 1)
    first = np.maximum(extent[:, 0], 0)
    end = np.minimum(extent[:, 1] + 1, shape)
    to = tuple(slice(a, b) for a, b in zip(first, end, strict=True))
    offsets = zip(first, end, extent[:, 0], strict=True)
    np.not_equal(values[tuple(slice(a - o, b - o) for a, b, o in offsets)], 0, out=mask[to])
    return mask


def slice_of(
    node: slicer.vtkMRMLSegmentationNode, volume_node: slicer.vtkMRMLScalarVolumeNode, k: int
) -> np.ndarray:
    """Give the wall of one segment, uint8 (128, 128), of the masks of a segment volume."""
    return mask_from(node, volume_node, WALL)[k]


def show_in_3d(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Make the closed surfaces that 3D views show, smoothed; Slicer makes them again on loading.

    Raises:
        BadInputError: if the segmentation cannot be converted.
    """
    if not node.CreateClosedSurfaceRepresentation():
        raise BadInputError(
            f"Segmentation {node.GetName()!r} gives no surface, a segment with voxels is needed."
        )
    node.GetDisplayNode().SetPreferredDisplayRepresentationName3D("Closed surface")


def _add_segmentation(
    volume_node: slicer.vtkMRMLScalarVolumeNode,
    name: str,
    mask: np.ndarray,
    segment_name: str,
    code: str,
) -> slicer.vtkMRMLSegmentationNode:
    labelmap = _labelmap(volume_node, mask)
    node = volume_node.GetScene().AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    rule = slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule
    node.GetSegmentation().SetConversionParameter(
        rule.GetSmoothingFactorParameterName(), str(SMOOTHING)
    )
    _add_segment(node, labelmap, segment_name, code)
    return node


def _add_segment(
    node: slicer.vtkMRMLSegmentationNode,
    labelmap: slicer.vtkOrientedImageData,
    segment_name: str,
    code: str,
) -> None:
    segment_id = node.AddSegmentFromBinaryLabelmapRepresentation(
        labelmap, segment_name, BONE_COLOR, segment_name
    )
    segment = node.GetSegmentation().GetSegment(segment_id)
    segment.SetNameAutoGenerated(False)
    segment.SetColorAutoGenerated(False)
    segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), _TERMINOLOGY.format(code=code))


def _labelmap(
    volume_node: slicer.vtkMRMLScalarVolumeNode, mask: np.ndarray
) -> slicer.vtkOrientedImageData:
    """Give the box of the mask that has voxels, on the volume's grid."""
    expected = volume_node.GetImageData().GetDimensions()[::-1]
    if mask.shape != expected:
        raise BadInputError(
            f"Expected a mask of {expected} voxels for {volume_node.GetName()!r}, "
            f"found {mask.shape}."
        )
    # A vault fills about a third of its CT: the box spares memory and time in every conversion.
    box: list[slice] = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(mask.any(axis=others))
        if not filled.size:
            raise BadInputError(f"The mask for {volume_node.GetName()!r} is empty.")
        box.append(slice(int(filled[0]), int(filled[-1]) + 1))
    extent = [bound for part in reversed(box) for bound in (part.start, part.stop - 1)]
    labelmap = slicer.vtkOrientedImageData()
    labelmap.SetExtent(extent)
    labelmap.SetGeometryFromImageToWorldMatrix(_ijk_to_ras(volume_node))
    labelmap.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars())
    voxels[:] = (mask[tuple(box)] != 0).ravel()
    return labelmap


def _ijk_to_ras(volume_node: slicer.vtkMRMLScalarVolumeNode) -> vtk.vtkMatrix4x4:
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    return matrix
