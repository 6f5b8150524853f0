"""What is known of a head: kept with its CT, under its transforms."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer.util
from SkullGANLib.anatomy.head_frame import HeadFrame
from SkullGANLib.ct.volume import HeadCT
from SkullGANScene.nodes import head_attributes, mrb, volumes


@pytest.fixture
def ct_node(scene):
    geometry = np.diag([-0.5, -0.5, 2.0, 1.0])
    geometry[:3, 3] = [10.0, 20.0, 30.0]
    return volumes.add_ct(scene, HeadCT(np.zeros((2, 3, 4), np.int16), geometry), "Head")


def test_what_is_known_of_a_head_moves_with_its_ct(scene, ct_node):
    frame = head_attributes.HeadFrame(np.eye(4), 50.0, 50.0)
    head_attributes.set_head(ct_node, head_attributes.Head(frame, 300.0))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    turn = np.array([[0, -1, 0, 5], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(turn))
    ct_node.SetAndObserveTransformNodeID(transform.GetID())
    assert np.allclose(head_attributes.head_of(ct_node).frame.head_to_ras, turn)


def test_under_a_transform_that_scales_directions_keep_their_length(scene, ct_node):
    frame = head_attributes.HeadFrame(np.eye(4), 50.0, 50.0)
    head_attributes.set_head(ct_node, head_attributes.Head(frame, 300.0))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    grown = slicer.util.vtkMatrixFromArray(np.diag([2.0, 3.0, 4.0, 1.0]))
    transform.SetMatrixTransformToParent(grown)
    ct_node.SetAndObserveTransformNodeID(transform.GetID())
    assert np.allclose(head_attributes.head_of(ct_node).frame.head_to_ras, np.eye(4))


def test_nothing_is_known_of_a_head_that_was_not_looked_for(ct_node):
    assert head_attributes.head_of(ct_node) is None


def test_what_the_command_wrote_is_read_and_comes_back_with_the_scene(scene, ct_node, tmp_path):
    head_to_ras = np.array([[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1.0]])
    frame = head_attributes.HeadFrame(head_to_ras, 90.0, 80.0)
    frame.write(tmp_path / "frame.json", threshold_hu=275.0)
    head_attributes.set_head(ct_node, head_attributes.read(tmp_path / "frame.json"))
    mrb.save(scene, tmp_path / "scene.mrb")
    scene.Clear(0)
    mrb.open_bundle(scene, tmp_path / "scene.mrb")
    head = head_attributes.head_of(scene.GetFirstNodeByName("Head"))
    assert np.allclose(head.frame.head_to_ras, head_to_ras)
    assert (head.frame.half_length_mm, head.frame.half_height_mm) == (90.0, 80.0)
    assert head.threshold_hu == 275.0


@pytest.fixture
def ct(scene):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    slicer.util.updateVolumeFromArray(node, np.zeros((4, 4, 4), np.int16))
    return node


def test_the_certainty_of_the_frame_is_kept_with_the_ct(ct):
    assert head_attributes.head_of(ct) is None
    frame = HeadFrame(np.eye(4), 85.0, 65.0, 0.25)
    head_attributes.set_head(ct, head_attributes.Head(frame, 300.0))
    found = head_attributes.head_of(ct)
    assert found.frame.certainty == 0.25
    np.testing.assert_allclose(found.frame.head_to_ras, np.eye(4))


def test_scenes_that_do_not_tell_the_certainty_are_read(ct):
    head_attributes.set_head(ct, head_attributes.Head(HeadFrame(np.eye(4), 85.0, 65.0), 300.0))
    known = json.loads(ct.GetAttribute("SkullGAN.Head"))
    del known["frame"]["certainty"]
    ct.SetAttribute("SkullGAN.Head", json.dumps(known))
    assert np.isnan(head_attributes.head_of(ct).frame.certainty)
