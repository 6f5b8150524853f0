"""A segment set in a scene: the table's values and the place in the subject hierarchy."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from SkullGANLib import radiology, segmentset
from SkullGANLib.errors import BadInputError
from SkullGANLib.volume import HeadCT
from SkullGANScene import hierarchy, segmentations, synthetic, tables, volumes


def test_the_table_has_a_row_per_segment_and_units_in_its_columns(scene):
    metrics = {
        "sdr_peaks": np.array([0.5, 0.75]),
        "thickness_mm": np.array([4.5, 6.25]),
        "mean_intensity_hu": np.array([900.0, np.nan]),
    }
    node = tables.add_metrics(scene, _segments(2), metrics, "Metrics")
    titles = [node.GetColumnName(k) for k in range(node.GetNumberOfColumns())]
    assert titles == ["Segment", "Seed", "SDR (peaks)", "Thickness (mm)", "Mean intensity (HU)"]
    assert slicer.util.arrayFromTableColumn(node, "Segment").tolist() == [0, 1]
    assert slicer.util.arrayFromTableColumn(node, "Seed").tolist() == [100, 101]
    assert slicer.util.arrayFromTableColumn(node, "Thickness (mm)").tolist() == [4.5, 6.25]
    intensity = slicer.util.arrayFromTableColumn(node, "Mean intensity (HU)")
    assert np.array_equal(intensity, [900.0, np.nan], equal_nan=True)
    assert node.GetColumnUnitLabel("Thickness (mm)") == "mm"


def test_every_metric_that_the_library_measures_has_a_column():
    assert set(tables.COLUMNS) == set(radiology.METRICS)


def test_metrics_of_another_set_are_refused_before_anything_is_added(scene):
    nodes_before = scene.GetNumberOfNodes()
    with pytest.raises(BadInputError, match=r"thickness_mm is \(3,\), needed is \(2,\)"):
        synthetic.add_segment_set(scene, _segments(2), {"thickness_mm": np.zeros(3)}, "Synthetic")
    assert scene.GetNumberOfNodes() == nodes_before


def test_volume_masks_and_table_are_together_in_a_folder_under_no_patient(scene):
    nodes = synthetic.add_segment_set(
        scene, _segments(2), {"thickness_mm": np.array([1.0, 2.0])}, "Synthetic"
    )
    shown = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    for node in (nodes.volume, nodes.masks, nodes.metrics):
        assert shown.GetItemParent(shown.GetItemByDataNode(node)) == nodes.folder
    assert shown.GetItemName(nodes.folder) == "Synthetic"
    assert shown.GetItemParent(nodes.folder) == shown.GetSceneItemID()


def test_the_skull_is_beside_its_ct_in_the_study(scene):
    shown = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = shown.CreateStudyItem(shown.GetSceneItemID(), "Study")
    hu = np.full((4, 4, 4), 1000, np.int16)
    ct_node = volumes.add_ct(scene, HeadCT(hu, np.eye(4)), "CT")
    shown.SetItemParent(hierarchy.item_of(ct_node), study)
    skull = segmentations.add_skull(ct_node, np.ones((4, 4, 4), np.uint8))
    assert shown.GetItemParent(shown.GetItemByDataNode(skull)) == study


def _segments(count: int) -> segmentset.SegmentSet:
    mask = np.zeros((count, 128, 128), np.uint8)
    mask[:, 40:50] = 1
    hu = np.where(mask, 1000, 0).astype(np.int16)
    return segmentset.without_patient(hu, mask, 100 + np.arange(count))
