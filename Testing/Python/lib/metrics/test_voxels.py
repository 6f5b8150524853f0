"""The size of voxels in words."""

from __future__ import annotations

from SkullGANLib.metrics.voxels import describe_voxels, voxels_text


def test_a_size_is_told_along_each_axis():
    assert voxels_text([0.48828125, 0.48828125, 0.625]) == "voxels 0.488 x 0.488 x 0.625 mm"


def test_each_size_of_a_set_of_several_cts_is_told_once():
    cts = {"A": {"voxel_mm": [1.0, 1.0, 1.5]}, "B": {"voxel_mm": [1.0, 1.0, 1.5]}}
    assert describe_voxels({"cts": cts}) == "voxels 1 x 1 x 1.5 mm"
    cts["C"] = {"voxel_mm": [0.5, 0.5, 2.0]}
    told = describe_voxels({"learned from": {"cts": cts}})
    assert told == "voxels 1 x 1 x 1.5 mm, voxels 0.5 x 0.5 x 2 mm"


def test_sets_of_earlier_versions_do_not_know_their_voxels():
    assert describe_voxels({"kernel": "BONEPLUS", "cts": {"A": {}}}) == "voxels of unknown size"
