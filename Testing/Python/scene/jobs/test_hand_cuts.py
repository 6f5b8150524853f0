"""Cuts by hand: what a plane on a ball gives, and what they need."""

import numpy as np
import pytest
from SkullGANLib.utils.task import Task
from SkullGANScene.jobs import hand_cuts
from SkullGANScene.nodes import head_attributes, segmentations, volumes


@pytest.fixture
def cutter(scene, ball):
    """For the ball, whose skull and head are known beforehand."""
    node = volumes.add_ct(scene, ball, "Ball")
    skull = segmentations.add_skull(node, (ball.hu > 250).astype(np.uint8))
    frame = head_attributes.HeadFrame(np.eye(4), 50.0, 50.0)
    head_attributes.set_head(node, head_attributes.Head(frame, 300.0))
    task = Task("Preparing", hand_cuts.prepare(node, skull))
    assert task.wait(10) == "finished", task.sentence
    return task.result


def test_a_ray_from_the_middle_leaves_the_ball_at_its_radius(cutter):
    for direction in ([-1.0, 0.1, 0.3], [0.0, 0.0, 1.0]):
        point = cutter.on_skull(np.array(direction))
        assert np.linalg.norm(point) == pytest.approx(60.0, abs=1.5)


def test_a_plane_on_the_left_gives_a_segment_of_the_left_side(cutter):
    point = cutter.on_skull(np.array([-1.0, 0.0, 0.2]))
    found = cutter.cut(point, np.array([0.0, 0.0, 1.0])).segments
    assert (found.side[0], found.plane[0], found.bone[0]) == ("left", "axial", "unknown")
    assert found.mask.any()
    middle = (found.pixel_to_ras[0] @ [63.5, 8.0, 0.0, 1.0])[:3]
    assert np.linalg.norm(middle - point) < 3.0


def test_a_plane_that_does_not_cut_the_wall_gives_nothing_and_says_why(cutter):
    point = cutter.on_skull(np.array([0.0, 0.0, 1.0]))
    cut = cutter.cut(point, np.array([0.0, 0.0, 1.0]))
    assert cut.segments is None
    assert "expected one that lies along the skull" in cut.rejection_reason


def test_cuts_by_hand_need_a_head_that_was_looked_for(scene, ball):
    node = volumes.add_ct(scene, ball, "Ball")
    skull = segmentations.add_skull(node, np.ones(ball.hu.shape, np.uint8))
    task = Task("Preparing", hand_cuts.prepare(node, skull))
    assert task.wait(10) == "failed"
    assert "was not looked for yet" in task.sentence
