"""A segment set in a scene: whole, in its place in the subject hierarchy, and gone again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer
import slicer.util
from examples import arches, in_stacks
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import segment_set
from SkullGANLib.data.depth import Depth, whole_stacks
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import measure
from SkullGANScene.nodes import hierarchy, mrb, segment_sets, segmentations, volumes


def test_metrics_of_another_set_are_refused_before_anything_is_added(scene):
    nodes_before = scene.GetNumberOfNodes()
    with pytest.raises(BadInputError, match=r"Expected thickness_mm of 2 segments, found \(3,\)"):
        segment_sets.add_segment_set(
            scene, _segments(2), {"thickness_mm": np.zeros(3)}, "Synthetic"
        )
    assert scene.GetNumberOfNodes() == nodes_before


def test_volume_masks_and_table_are_together_in_a_folder_under_no_patient(scene):
    nodes = segment_sets.add_segment_set(
        scene, _segments(2), {"thickness_mm": np.array([1.0, 2.0])}, "Synthetic"
    )
    shown = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    for node in (nodes.volume, nodes.masks, nodes.metrics, nodes.provenance):
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


def test_a_set_comes_back_whole_from_the_scene_also_after_saving_and_opening(scene, tmp_path):
    cut = _cut_segments()
    segment_sets.add_segment_set(scene, cut, measure(cut), "Cuts")
    mrb.save(scene, tmp_path / "scene.mrb")
    scene.Clear(0)
    mrb.open_bundle(scene, tmp_path / "scene.mrb")
    [volume] = segment_sets.in_scene(scene)
    found = segment_sets.segment_set_from(volume)
    for name in ("hu", "mask", "pixel_to_ras", "subject", "bone", "side", "plane", "seed", "ct"):
        assert np.array_equal(getattr(found, name), getattr(cut, name)), name
    for name in ("kind", "pixel_spacing_mm", "hu_range", "source", "created_by"):
        assert getattr(found, name) == getattr(cut, name)
    assert np.array_equal(segment_sets.places_of(volume), cut.pixel_to_ras)


def test_segments_of_no_patient_come_back_without_a_place(scene):
    made = _segments(2)
    volume = segment_sets.add_segment_set(scene, made, measure(made), "Made").volume
    assert np.isnan(segment_sets.segment_set_from(volume).pixel_to_ras).all()


def test_rejected_segments_stay_out_and_stay_rejected_through_saving(scene, tmp_path):
    made = _segments(3)
    volume = segment_sets.add_segment_set(scene, made, measure(made), "Made").volume
    segment_sets.set_kept(volume, 1, False)
    mrb.save(scene, tmp_path / "scene.mrb")
    scene.Clear(0)
    mrb.open_bundle(scene, tmp_path / "scene.mrb")
    [volume] = segment_sets.in_scene(scene)
    assert segment_sets.kept(volume).tolist() == [True, False, True]
    assert segment_sets.segment_set_from(volume).seed.tolist() == [100, 102]
    assert len(segment_sets.segment_set_from(volume, kept_only=False)) == 3
    for index in (0, 2):
        segment_sets.set_kept(volume, index, False)
    with pytest.raises(BadInputError, match="All 3 segments of 'Made' were rejected"):
        segment_sets.segment_set_from(volume)


def test_several_segments_are_decided_on_at_once_alike_or_each_for_itself(scene):
    made = _segments(4)
    volume = segment_sets.add_segment_set(scene, made, measure(made), "Made").volume
    segment_sets.set_kept(volume, [0, 2], False)
    assert segment_sets.kept(volume).tolist() == [False, True, False, True]
    segment_sets.set_kept(volume, np.array([0, 1]), np.array([True, False]))
    assert segment_sets.kept(volume).tolist() == [True, False, False, True]


def test_the_columns_of_a_set_are_those_of_its_table(scene):
    made = _segments(3)
    metrics = measure(made)
    volume = segment_sets.add_segment_set(scene, made, metrics, "Made").volume
    columns = segment_sets.columns_of(volume)
    assert columns["Bone"].tolist() == made.bone.tolist()
    assert np.array_equal(columns["SDR (peaks)"], metrics["sdr_peaks"], equal_nan=True)
    assert len(segment_sets.segment_cautions_of(columns)) == 3


def test_removing_a_set_leaves_nothing_of_it(scene):
    before = scene.GetNumberOfNodes()
    shown = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    items = shown.GetNumberOfItems()
    made = _segments(2)
    volume = segment_sets.add_segment_set(scene, made, measure(made), "Made").volume
    segment_sets.remove(volume)
    assert scene.GetNumberOfNodes() == before
    assert shown.GetNumberOfItems() == items


def test_a_set_of_which_parts_were_deleted_says_what_is_missing(scene):
    made = _segments(2)
    nodes = segment_sets.add_segment_set(scene, made, measure(made), "Made")
    hierarchy.remove(nodes.metrics)
    with pytest.raises(BadInputError, match="'Made' has no metrics beside it"):
        segment_sets.segment_set_from(nodes.volume)
    assert segment_sets.in_scene(scene) == []


def test_real_segments_stand_beside_their_ct(scene):
    shown = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = shown.CreateStudyItem(shown.GetSceneItemID(), "Study")
    ct = volumes.add_ct(scene, HeadCT(np.zeros((4, 4, 4), np.int16), np.eye(4)), "CT")
    shown.SetItemParent(hierarchy.item_of(ct), study)
    cut = _cut_segments()
    nodes = segment_sets.add_segment_set(scene, cut, measure(cut), "Cuts", ct)
    assert shown.GetItemParent(nodes.folder) == study
    assert segment_sets.ct_of(nodes.volume) is ct


def _cut_segments() -> segment_set.SegmentSet:
    """Two segments as if cut out of a CT: they have a place, a subject, a bone."""
    return replace(
        _segments(2),
        pixel_to_ras=np.stack([np.eye(4), np.diag([0.45, 0.45, 1.0, 1.0])]),
        subject=np.array(["subject-a", "subject-a"]),
        ct=np.array(["ct-a", "ct-a"]),
        bone=np.array(["temporal", "parietal"]),
        side=np.array(["left", "right"]),
        plane=np.array(["axial", "coronal"]),
        seed=np.array([-1, -1]),
        kind="real",
        source={"kernel": "BONEPLUS", "cts": {"ct-a": {"kvp": 120.0}}},
    )


def _segments(count: int) -> segment_set.SegmentSet:
    mask = np.zeros((count, 128, 128), np.uint8)
    mask[:, 40:50] = 1
    hu = np.where(mask, 1000, 0).astype(np.int16)
    return segment_set.without_patient(hu, mask, 100 + np.arange(count))


def test_stacks_in_depth_come_back_out_of_the_scene_as_stacks(scene):
    stacks = in_stacks(arches(4), 2)
    nodes = segment_sets.add_segment_set(scene, stacks, measure(stacks), "Stacks")
    found = segment_sets.segment_set_from(nodes.volume)
    assert (found.stack.tolist(), found.slice_number.tolist()) == ([0, 0, 1, 1], [0, 1, 0, 1])
    assert found.source["depth"] == {"slices": 2, "step_mm": 0.9}
    assert segment_sets.depth_in(nodes.volume) == Depth(2, 0.9)
    assert "They are stacks of 2 slices 0.9 mm apart." in nodes.volume.GetDescription()


def test_a_stack_of_which_a_slice_was_rejected_is_left_out_as_a_whole(scene):
    stacks = in_stacks(arches(6), 2)
    volume = segment_sets.add_segment_set(scene, stacks, measure(stacks), "Stacks").volume
    assert segment_sets.stack_numbers(volume).tolist() == [0, 0, 1, 1, 2, 2]
    segment_sets.set_kept(volume, 3, False)
    found = segment_sets.segment_set_from(volume)
    assert (found.stack.tolist(), found.slice_number.tolist()) == ([0, 0, 2, 2], [0, 1, 0, 1])
    whole_stacks(found)


def test_single_cuts_have_no_stacks_and_stacks_of_like_numbers_stay_apart(scene):
    single = _segments(2)
    volume = segment_sets.add_segment_set(scene, single, measure(single), "Single").volume
    assert segment_sets.stack_numbers(volume) is segment_sets.depth_in(volume) is None
    assert "Stack" not in segment_sets.columns_of(volume)
    one = in_stacks(arches(2), 2)
    two_cts = segment_set.concatenate([one, one])
    volume = segment_sets.add_segment_set(scene, two_cts, measure(two_cts), "Two CTs").volume
    assert segment_sets.stack_numbers(volume).tolist() == [0, 0, 1, 1]


def test_stacks_of_a_scene_of_an_earlier_version_have_their_columns_too(scene):
    """Its table said nothing of them."""
    stacks = in_stacks(arches(4), 2)
    nodes = segment_sets.add_segment_set(scene, stacks, measure(stacks), "Stacks")
    for title in ("Stack", "Slice"):
        nodes.metrics.RemoveColumn(nodes.metrics.GetColumnIndex(title))
    columns = segment_sets.columns_of(nodes.volume)
    assert (columns["Stack"].tolist(), columns["Slice"].tolist()) == ([0, 0, 1, 1], [0, 1, 0, 1])
