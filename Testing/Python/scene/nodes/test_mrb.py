"""Scenes saved as MRB and opened again: everything is found where it was."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANScene.nodes import mrb, segment_sets, segmentations, volumes


@pytest.fixture
def reopened(scene, tmp_path):
    """A scene with a CT, its skull and synthetic segments, saved and opened again."""
    ct_node = volumes.add_ct(scene, _ct(), "Kopf 頭")
    skull = segmentations.add_skull(ct_node, _mask())
    segmentations.show_in_3d(skull)
    metrics = {"thickness_mm": np.array([4.5, np.nan, 0.1])}
    segment_sets.add_segment_set(scene, _segments(), metrics, "Synthetic")
    path = tmp_path / "Ordner mit Leerzeichen ä" / "scene.mrb"
    mrb.save(scene, path)
    mrb.open_bundle(scene, path)
    return scene


def test_a_voxel_is_at_its_ras_position_after_saving_and_opening(reopened):
    node = reopened.GetFirstNodeByName("Kopf 頭")
    ct = volumes.ct_from(node)
    assert np.array_equal(ct.hu, _ct().hu)
    assert np.allclose(ct.ijk_to_ras, _ct().ijk_to_ras, atol=1e-6)
    bright = np.argwhere(ct.hu == 2999)[0]
    # Slice 5, row 4, column 3 of the tilted CT, by hand.
    assert np.allclose(ct.ijk_to_ras @ [*bright[::-1], 1], [8.0, 13.5, 39.2, 1.0], atol=1e-5)


def test_the_mask_and_its_segment_are_whole_after_saving_and_opening(reopened):
    skull = reopened.GetFirstNodeByName("Kopf 頭 skull")
    ct_node = reopened.GetFirstNodeByName("Kopf 頭")
    assert np.array_equal(segmentations.mask_from(skull, ct_node), _mask())
    segment = skull.GetSegmentation().GetNthSegment(0)
    assert segment.GetName() == "Skull"
    assert segment.GetColor() == pytest.approx(segmentations.BONE_COLOR, abs=1e-5)
    assert skull.GetSegmentation().ContainsRepresentation("Closed surface")
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert skull.GetNodeReference(role) is ct_node


def test_segments_masks_and_metrics_are_whole_after_saving_and_opening(reopened):
    segments = _segments()
    volume = reopened.GetFirstNodeByName("Synthetic")
    assert np.array_equal(slicer.util.arrayFromVolume(volume), segments.hu)
    assert volume.GetSpacing() == pytest.approx((0.45, 0.45, 1.0))
    assert "synthetic" in volume.GetDescription()
    masks = reopened.GetFirstNodeByName("Synthetic masks")
    mask = segmentations.mask_from(masks, volume, segmentations.WALL)
    assert np.array_equal(mask, segments.mask)
    table = reopened.GetFirstNodeByName("Synthetic metrics")
    thickness = slicer.util.arrayFromTableColumn(table, "Thickness (mm)")
    assert np.allclose(thickness, [4.5, np.nan, 0.1], equal_nan=True)
    assert slicer.util.arrayFromTableColumn(table, "Seed").tolist() == [7, 8, 9]


def test_the_folder_still_holds_its_three_after_saving_and_opening(reopened):
    shown = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(reopened)
    parents = {
        shown.GetItemParent(shown.GetItemByDataNode(reopened.GetFirstNodeByName(name)))
        for name in ("Synthetic", "Synthetic masks", "Synthetic metrics")
    }
    assert len(parents) == 1
    assert shown.GetItemName(parents.pop()) == "Synthetic"


def test_a_left_handed_ct_keeps_its_voxels_in_place(scene, tmp_path):
    # Slicer turns such a volume's columns, rows or slices round when it reads it.
    ct = HeadCT(_ct().hu, _ct().ijk_to_ras @ np.diag([1.0, 1.0, -1.0, 1.0]))
    volumes.add_ct(scene, ct, "CT")
    mrb.save(scene, tmp_path / "scene.mrb")
    mrb.open_bundle(scene, tmp_path / "scene.mrb")
    back = volumes.ct_from(scene.GetFirstNodeByName("CT"))
    for expected in (ct, back):
        bright = np.argwhere(expected.hu == 2999)[0]
        ras = expected.ijk_to_ras @ [*bright[::-1], 1]
        assert np.allclose(ras, ct.ijk_to_ras @ [3, 4, 5, 1], atol=1e-5)


def test_two_cts_and_their_skulls_do_not_mix(scene, tmp_path):
    for name, shift in (("First", 0), ("Second", 1)):
        ct_node = volumes.add_ct(scene, HeadCT(_ct().hu + shift, _ct().ijk_to_ras), name)
        segmentations.add_skull(ct_node, np.roll(_mask(), shift, axis=0))
    mrb.save(scene, tmp_path / "scene.mrb")
    mrb.open_bundle(scene, tmp_path / "scene.mrb")
    for name, shift in (("First", 0), ("Second", 1)):
        ct_node = scene.GetFirstNodeByName(name)
        assert np.array_equal(volumes.ct_from(ct_node).hu, _ct().hu + shift)
        mask = segmentations.mask_from(scene.GetFirstNodeByName(f"{name} skull"), ct_node)
        assert np.array_equal(mask, np.roll(_mask(), shift, axis=0))


def test_saving_leaves_nothing_beside_the_file(scene, tmp_path):
    volumes.add_ct(scene, _ct(), "CT")
    mrb.save(scene, tmp_path / "scene.mrb")
    assert [path.name for path in tmp_path.iterdir()] == ["scene.mrb"]


def test_a_scene_that_cannot_be_written_is_an_error_that_names_the_file(scene, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match=r"scene\.mrb"):
        mrb.save(scene, tmp_path / "file" / "scene.mrb")


@pytest.mark.parametrize("content", [b"", b"not a zip file", None])
def test_what_is_no_scene_is_refused_and_the_open_scene_stays(scene, tmp_path, content):
    volumes.add_ct(scene, _ct(), "Mine")
    path = tmp_path / "scene.mrb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"scene\.mrb"):
        mrb.open_bundle(scene, path)
    assert scene.GetFirstNodeByName("Mine") is not None


def test_a_truncated_scene_is_refused_and_the_open_scene_stays(scene, tmp_path):
    volumes.add_ct(scene, _ct(), "Mine")
    path = tmp_path / "scene.mrb"
    mrb.save(scene, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError, match="damaged"):
        mrb.open_bundle(scene, path)
    assert scene.GetFirstNodeByName("Mine") is not None


def _ct() -> HeadCT:
    hu = np.random.default_rng(0).integers(-1024, 2900, (9, 8, 7)).astype(np.int16)
    hu[5, 4, 3] = 2999
    # Columns of 0.5 mm along (0, 0.6, 0.8), rows of 0.5 mm along L, slices of 2 mm along
    # (0, -0.8, 0.6), from (10, 20.6, 32).
    ijk_to_ras = np.array(
        [
            [0.0, -0.5, 0.0, 10.0],
            [0.3, 0.0, -1.6, 20.6],
            [0.4, 0.0, 1.2, 32.0],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    return HeadCT(hu, ijk_to_ras)


def _mask() -> np.ndarray:
    mask = np.zeros((9, 8, 7), np.uint8)
    mask[2:7, 1:7, 1:6] = 1
    mask[4, 3, 3] = 0
    return mask


def _segments() -> segment_set.SegmentSet:
    mask = np.zeros((3, 128, 128), np.uint8)
    for k in range(3):
        mask[k, 40 : 50 + k, 10:118] = 1
    hu = np.where(mask, 1000, 0).astype(np.int16)
    hu[1, 44, 60] = 2500
    return segment_set.without_patient(hu, mask, np.array([7, 8, 9]))
