"""Masks as segmentation nodes: voxel for voxel, with bone's color, name and terminology."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes import segmentations, volumes


def test_a_mask_comes_back_voxel_for_voxel_from_an_oblique_ct(scene):
    ct, mask = _shell()
    ct_node = volumes.add_ct(scene, ct, "CT")
    node = segmentations.add_skull(ct_node, mask)
    assert np.array_equal(segmentations.mask_from(node, ct_node), mask)


def test_the_skull_has_its_name_color_and_terminology(scene):
    ct, mask = _shell()
    node = segmentations.add_skull(volumes.add_ct(scene, ct, "CT"), mask)
    assert node.GetName() == "CT skull"
    assert node.GetSegmentation().GetNumberOfSegments() == 1
    segment = node.GetSegmentation().GetNthSegment(0)
    assert segment.GetName() == "Skull"
    assert segment.GetColor() == pytest.approx((241 / 255, 214 / 255, 145 / 255))
    terminology = vtk.reference("")
    assert segment.GetTag(segment.GetTerminologyEntryTagName(), terminology)
    assert "SCT^89546000^Skull" in str(terminology)


def test_the_reference_geometry_is_the_cts(scene):
    ct, mask = _shell()
    ct_node = volumes.add_ct(scene, ct, "CT")
    node = segmentations.add_skull(ct_node, mask)
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReference(role) is ct_node


def test_the_skull_follows_the_transform_of_its_ct(scene):
    ct, mask = _shell()
    ct_node = volumes.add_ct(scene, ct, "CT")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Moved")
    ct_node.SetAndObserveTransformNodeID(transform.GetID())
    node = segmentations.add_skull(ct_node, mask)
    assert node.GetParentTransformNode() is transform
    assert np.array_equal(segmentations.mask_from(node, ct_node), mask)


def test_the_closed_surface_lies_on_the_shell(scene):
    ct, mask = _shell()
    node = segmentations.add_skull(volumes.add_ct(scene, ct, "CT"), mask)
    segmentations.show_in_3d(node)
    surface = vtk.vtkPolyData()
    segment_id = node.GetSegmentation().GetNthSegmentID(0)
    assert node.GetClosedSurfaceRepresentation(segment_id, surface)
    center = ct.ijk_to_ras @ [20, 20, 20, 1]
    points = np.array([surface.GetPoint(i) for i in range(surface.GetNumberOfPoints())])
    radius_mm = np.linalg.norm(points - center[:3], axis=1)
    # A shell from 12 to 16 mm: each point is near one of its two surfaces, to within a voxel.
    assert np.minimum(abs(radius_mm - 12), abs(radius_mm - 16)).max() < 1.0
    assert radius_mm.max() - radius_mm.min() == pytest.approx(4.0, abs=1.0)


def test_masks_of_segments_lie_over_their_volume_and_not_in_3d(scene):
    segments = _segments()
    volume = volumes.add_segments(scene, segments, "Synthetic")
    node = segmentations.add_masks(volume, segments)
    assert np.array_equal(segmentations.mask_from(node, volume, segmentations.WALL), segments.mask)
    assert not node.GetDisplayNode().GetVisibility3D()


def test_a_mask_of_another_size_is_refused(scene):
    ct, mask = _shell()
    sentence = r"Expected a mask of \(41, 41, 41\) voxels for 'CT', found \(40, 41, 41\)"
    with pytest.raises(BadInputError, match=sentence):
        segmentations.add_skull(volumes.add_ct(scene, ct, "CT"), mask[1:])


def test_an_empty_mask_is_refused_and_leaves_no_node(scene):
    ct, mask = _shell()
    ct_node = volumes.add_ct(scene, ct, "CT")
    nodes_before = scene.GetNumberOfNodes()
    with pytest.raises(BadInputError, match="'CT' is empty"):
        segmentations.add_skull(ct_node, np.zeros_like(mask))
    assert scene.GetNumberOfNodes() == nodes_before


def test_a_segment_that_is_not_there_is_named(scene):
    ct, mask = _shell()
    ct_node = volumes.add_ct(scene, ct, "CT")
    node = segmentations.add_skull(ct_node, mask)
    with pytest.raises(BadInputError, match="has no segment 'Mandible'"):
        segmentations.mask_from(node, ct_node, "Mandible")


def _shell() -> tuple[HeadCT, np.ndarray]:
    """A shell of bone from 12 to 16 mm around voxel (20, 20, 20), 1 mm voxels, tilted by 30°."""
    slices, rows, columns = np.indices((41, 41, 41)) - 20
    radius = np.sqrt(slices**2 + rows**2 + columns**2)
    mask = ((radius >= 12) & (radius <= 16)).astype(np.uint8)
    hu = np.where(mask, 1200, -1000).astype(np.int16)
    cosine, sine = np.sqrt(0.75), 0.5
    ijk_to_ras = np.array(
        [
            [-1.0, 0.0, 0.0, 5.0],
            [0.0, -cosine, sine, -7.0],
            [0.0, sine, cosine, 40.0],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    return HeadCT(hu, ijk_to_ras), mask


def _segments() -> segment_set.SegmentSet:
    mask = np.zeros((3, 128, 128), np.uint8)
    for k in range(3):
        mask[k, 40 : 50 + k, 10:118] = 1
    hu = np.where(mask, 1000, 0).astype(np.int16)
    return segment_set.without_patient(hu, mask, np.arange(3))
