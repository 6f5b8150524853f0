"""Head CTs of files, folders and scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes import mrb, segmentations, volumes
from SkullGANScene.scripting import head_files


@pytest.fixture
def coarse() -> HeadCT:
    """A block of bone in air, in voxels of 4 mm."""
    hu = np.full((16, 14, 12), -1000, np.int16)
    hu[5:11, 4:10, 3:9] = 1200
    return HeadCT(hu, np.diag([-4.0, -4.0, 4.0, 1.0]))


def test_a_segmentation_drawn_over_a_ct_counts_as_its_skull(scene, coarse, tmp_path):
    ct = volumes.add_ct(scene, coarse, "Head")
    drawn = segmentations.add_skull(ct, (coarse.hu > 300).astype(np.uint8))
    ct.RemoveNodeReferenceIDs("SkullGAN.skull")
    assert segmentations.skull_for(ct) is drawn
    [head] = head_files.of_scene(scene, tmp_path)
    mask = volume.read_mask(head.skull_mask, volume.read_ct(head.path))
    assert np.array_equal(mask != 0, coarse.hu > 300)


def test_a_skull_that_was_moved_apart_from_its_ct_is_refused(scene, coarse, tmp_path):
    ct = volumes.add_ct(scene, coarse, "Head")
    drawn = segmentations.add_skull(ct, (coarse.hu > 300).astype(np.uint8))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    drawn.SetAndObserveTransformNodeID(transform.GetID())
    [head] = head_files.of_scene(scene, tmp_path)
    assert "is under another transform than its CT" in head.problem


def test_cts_of_the_same_name_are_told_apart(scene, tmp_path):
    small = HeadCT(np.zeros((2, 2, 2), np.int16), np.eye(4))
    for _ in range(2):
        volumes.add_ct(scene, small, "CT")
    names = [head.name for head in head_files.of_scene(scene, tmp_path)]
    assert names == ["The scene: CT", "The scene: CT (2)"]


def test_a_folder_stands_for_its_images_its_subfolders_or_itself(tmp_path):
    series = [tmp_path / "one", tmp_path / "two"]
    for folder in series:
        folder.mkdir()
        (folder / "0001").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "notes.txt").write_text("Two patients")
    assert head_files.files_in(tmp_path) == series
    assert head_files.files_in(series[0]) == [series[0]]
    (tmp_path / "0000").write_bytes(b"\0" * 128 + b"DICM")
    assert head_files.files_in(tmp_path) == [tmp_path]
    (tmp_path / "head.nii.gz").touch()
    assert head_files.files_in(tmp_path) == [tmp_path / "head.nii.gz"]


def test_paths_give_each_ct_once_in_their_order_and_a_scene_gives_its_own(scene, coarse, tmp_path):
    folder, room = tmp_path / "CTs", tmp_path / "room"
    folder.mkdir()
    room.mkdir()
    for name in ("a.nrrd", "b.nrrd"):
        volume.write_volume(folder / name, coarse.hu, coarse.ijk_to_ras)
    volumes.add_ct(scene, coarse, "Kopf")
    bundle = tmp_path / "heads.mrb"
    mrb.save(scene, bundle)
    found = head_files.of_paths(scene, [folder / "b.nrrd", bundle, folder], room)
    expected = [str(folder / "b.nrrd"), f"{bundle}: Kopf", str(folder / "a.nrrd")]
    assert [head.name for head in found] == expected
    assert np.array_equal(volume.read_ct(found[1].path).hu, coarse.hu)
    assert not any(head.problem or head.skull_mask for head in found)


def test_a_scene_without_a_ct_and_an_empty_folder_are_refused(scene, tmp_path):
    with pytest.raises(BadInputError, match="The scene: there is no CT in it"):
        head_files.of_scene(scene, tmp_path)
    with pytest.raises(BadInputError, match="is an empty folder, expected one with head CTs"):
        head_files.files_in(tmp_path)


def test_privacy_a_ct_is_called_by_its_pseudonym_unless_its_files_name_is_asked_for():
    ct = HeadCT(np.zeros((3, 4, 5), np.int16), np.eye(4))
    path = Path("Doe, Jane 1970.nii.gz")
    assert head_files.node_name(ct, path, keep=False) == volume.pseudonym(ct)
    assert head_files.node_name(ct, path, keep=True) == "Doe, Jane 1970"
