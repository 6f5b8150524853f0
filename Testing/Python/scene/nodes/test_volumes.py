"""Head CTs and segment sets as volume nodes, with answers a reader can check by head."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes import volumes


def test_a_voxel_lies_at_its_ras_position(scene):
    node = volumes.add_ct(scene, _oblique_ct(), "CT")
    # 3 columns of 0.5 mm along (0, 0.6, 0.8), 2 rows of 1 mm along R, 1 slice of 2 mm along
    # (0, -0.8, 0.6), from (10, 20, 30).
    assert np.allclose(volumes.ijk_to_world(node) @ [3, 2, 1, 1], [12.0, 19.3, 32.4, 1.0])
    assert slicer.util.arrayFromVolume(node)[1, 2, 3] == _oblique_ct().hu[1, 2, 3]


def test_an_oblique_ct_comes_back_as_it_went_in(scene):
    ct = _oblique_ct()
    back = volumes.ct_from(volumes.add_ct(scene, ct, "CT"))
    assert back.hu.dtype == np.int16
    assert np.array_equal(back.hu, ct.hu)
    assert np.allclose(back.ijk_to_ras, ct.ijk_to_ras, atol=1e-12)
    assert np.allclose(back.spacing_mm, [0.5, 1.0, 2.0])


def test_a_ct_under_a_linear_transform_is_where_the_transform_puts_it(scene):
    node = volumes.add_ct(scene, _oblique_ct(), "CT")
    before = volumes.ct_from(node).ijk_to_ras
    shift = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "5 mm up")
    shift.SetMatrixTransformToParent(
        slicer.util.vtkMatrixFromArray(
            np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1.0]])
        )
    )
    node.SetAndObserveTransformNodeID(shift.GetID())
    moved = volumes.ct_from(node).ijk_to_ras - before
    assert np.allclose(moved[:3, 3], [0, 0, 5])
    assert np.allclose(moved[:, :3], 0)


def test_values_of_a_float_volume_are_rounded_and_padding_is_raised(scene):
    node = _volume(scene, np.array([[[-3024.0, -0.6, 1499.5, 70000.0]]]))
    assert volumes.ct_from(node).hu.tolist() == [[[-1024, -1, 1500, 32767]]]


def test_a_volume_with_nan_is_refused_by_name(scene):
    node = _volume(scene, np.array([[[0.0, np.nan]]]), "Broken")
    with pytest.raises(BadInputError, match=r"'Broken' has values that are not finite"):
        volumes.ct_from(node)


def test_a_volume_without_voxels_is_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    with pytest.raises(BadInputError, match=r"'Empty' has no voxels"):
        volumes.ct_from(node)


def test_two_cts_in_one_scene_do_not_mix(scene):
    first = volumes.add_ct(scene, _oblique_ct(seed=1), "First")
    second = volumes.add_ct(scene, _oblique_ct(seed=2), "Second")
    assert np.array_equal(volumes.ct_from(first).hu, _oblique_ct(seed=1).hu)
    assert np.array_equal(volumes.ct_from(second).hu, _oblique_ct(seed=2).hu)
    assert first.GetDisplayNodeID() != second.GetDisplayNodeID()


def test_a_head_ct_is_shown_in_a_window_for_bone(scene):
    display = volumes.add_ct(scene, _oblique_ct(), "CT").GetDisplayNode()
    shown = (display.GetWindowLevelMin(), display.GetWindowLevelMax())
    assert shown == volumes.CT_WINDOW_HU
    assert not display.GetAutoWindowLevel()


def test_slice_k_of_a_segment_volume_is_segment_k_at_its_pixel_size(scene):
    segments = _segments(3)
    node = volumes.add_segments(scene, segments, "Synthetic")
    assert np.array_equal(slicer.util.arrayFromVolume(node), segments.hu)
    assert node.GetSpacing() == pytest.approx((0.45, 0.45, 1.0))
    # Row 0 (outside the head) is in front, column 0 at the patient's right, slice k at S = k.
    corner = volumes.ijk_to_world(node) @ [0, 0, 2, 1]
    opposite = volumes.ijk_to_world(node) @ [127, 127, 2, 1]
    assert np.allclose(corner[:3], [28.575, 28.575, 2.0])
    assert np.allclose(opposite[:3], [-28.575, -28.575, 2.0])


def test_a_segment_volume_says_what_it_is_and_shows_the_networks_range(scene):
    node = volumes.add_segments(scene, _segments(3), "Synthetic")
    assert node.GetDescription().startswith("3 synthetic skull segments")
    assert "no patient" in node.GetDescription()
    assert node.GetAttribute(volumes.KIND_ATTRIBUTE) == "synthetic"
    display = node.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0, 2734.53))


def test_an_empty_segment_set_is_refused(scene):
    with pytest.raises(BadInputError, match="is empty"):
        volumes.add_segments(scene, _segments(3)[:0], "Nothing")


def _oblique_ct(seed: int = 0) -> HeadCT:
    hu = np.random.default_rng(seed).integers(-1024, 3000, (4, 5, 6)).astype(np.int16)
    ijk_to_ras = np.array(
        [
            [0.0, 1.0, 0.0, 10.0],
            [0.3, 0.0, -1.6, 20.0],
            [0.4, 0.0, 1.2, 30.0],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    return HeadCT(hu, ijk_to_ras)


def _segments(count: int) -> segment_set.SegmentSet:
    hu = np.zeros((count, 128, 128), np.int16)
    mask = np.zeros((count, 128, 128), np.uint8)
    for k in range(count):
        hu[k, 40 : 50 + k] = 1000 + k
        mask[k, 40 : 50 + k] = 1
    return segment_set.without_patient(hu, mask, np.arange(count))


def _volume(scene, values: np.ndarray, name: str = "Volume"):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, values)
    return node
