"""What jobs are made of, on small sets and volumes."""

from __future__ import annotations

import numpy as np
import pytest
from examples import bent_walls
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError, CancelledError
from SkullGANLib.metrics import measure
from SkullGANLib.utils.task import Task
from SkullGANScene.jobs import steps
from SkullGANScene.nodes import segmentations, volumes


def result_of(work) -> tuple[object, list[float]]:
    """Run work to its end: its result and its shares."""
    shares = []
    while True:
        try:
            shares.append(next(work))
        except StopIteration as ended:
            return ended.value, shares


@pytest.fixture
def ct_node(scene):
    geometry = np.diag([-1.0, -2.0, 3.0, 1.0])
    return volumes.add_ct(scene, HeadCT(np.zeros((20, 12, 11), np.int16), geometry), "Head")


def test_a_set_measured_in_pieces_has_the_numbers_of_the_whole():
    segments = bent_walls(70, 0)
    found, shares = result_of(steps.measured(segments))
    whole = measure(segments)
    assert list(found) == list(whole)
    for name, values in whole.items():
        assert np.array_equal(found[name], values, equal_nan=True), name
    assert shares == [0, 32 / 70, 64 / 70]


def test_a_set_comes_back_from_its_file_as_it_went_in(tmp_path):
    segments = bent_walls(130, 0)
    result_of(steps.set_writing(segments, tmp_path / "set.h5"))
    again, shares = result_of(steps.set_reading(tmp_path / "set.h5"))
    for name in ("hu", "mask", "subject", "seed"):
        assert np.array_equal(getattr(again, name), getattr(segments, name)), name
    assert shares == [128 / 130, 1.0]


def test_a_skull_is_written_on_the_grid_of_its_ct_and_read_again(ct_node, tmp_path):
    mask = np.zeros((20, 12, 11), np.uint8)
    mask[3:18, 2:9, 4:10] = 1
    skull = segmentations.add_skull(ct_node, mask)
    path = tmp_path / "mask.nrrd"
    task = Task("Writing", steps.mask_writing(skull, ct_node, path))
    assert task.wait(10) == "finished", task.sentence
    again = volume.read_mask(path, volumes.ct_from(ct_node))
    assert np.array_equal(again != 0, mask != 0)


def test_voxels_are_those_at_the_end_of_a_file(ct_node, tmp_path):
    values = np.arange(20 * 12 * 11, dtype=np.int32).reshape(20, 12, 11)
    path = tmp_path / "raw.nrrd"
    path.write_bytes(b"a header of any length\n\n" + values.tobytes())
    assert np.array_equal(steps.voxels(path, ct_node, np.int32), values)


@pytest.mark.parametrize("leave", [CancelledError("stop"), GeneratorExit(), ValueError("bug")])
def test_nodes_go_again_when_their_block_is_left_early(scene, leave):
    before = scene.GetNumberOfNodes()

    def half_way() -> None:
        with steps.undone_unless_kept() as added:
            added(scene.AddNewNodeByClass("vtkMRMLTableNode", "Half"))
            gone = added(scene.AddNewNodeByClass("vtkMRMLTableNode", "Deleted by the user"))
            scene.RemoveNode(gone)
            raise leave

    with pytest.raises(type(leave)):
        half_way()
    assert scene.GetNumberOfNodes() == before


def test_nodes_of_a_block_that_ends_stay_and_one_that_was_deleted_is_missed(scene):
    with steps.undone_unless_kept() as added:
        node = added(scene.AddNewNodeByClass("vtkMRMLTableNode", "Made"))
    steps.check_there(node, "Made")
    scene.RemoveNode(node)
    with pytest.raises(BadInputError, match="'Made' was deleted meanwhile"):
        steps.check_there(node, "Made")
