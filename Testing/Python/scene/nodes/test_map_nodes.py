"""Which nodes are the map of a CT."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.ct.volume import HeadCT
from SkullGANScene.nodes import map_nodes, mrb, volumes

KINDS = (
    *("vtkMRMLModelNode", "vtkMRMLScalarVolumeNode"),
    *("vtkMRMLTableNode", "vtkMRMLTableNode"),
)
"""Of surface, overlay, summary and rays."""


@pytest.fixture
def ct_node(scene):
    return volumes.add_ct(scene, HeadCT(np.zeros((2, 3, 4), np.int16), np.eye(4)), "Head")


def a_map(scene, name: str) -> list:
    return [scene.AddNewNodeByClass(kind, f"{name} {n}") for n, kind in enumerate(KINDS)]


def test_a_ct_that_was_not_mapped_has_no_nodes(ct_node):
    assert map_nodes.nodes_of(ct_node) == []
    assert map_nodes.surface_of(ct_node) is None
    assert map_nodes.overlay_of(ct_node) is None


def test_two_cts_in_one_scene_have_each_their_own_map(scene, ct_node):
    other = volumes.add_ct(scene, HeadCT(np.zeros((2, 3, 4), np.int16), np.eye(4)), "Other")
    first, second = a_map(scene, "first"), a_map(scene, "second")
    map_nodes.set_nodes(ct_node, *first)
    map_nodes.set_nodes(other, *second)
    assert map_nodes.nodes_of(ct_node) == first
    assert map_nodes.surface_of(other) is second[0]
    assert map_nodes.overlay_of(other) is second[1]


def test_a_part_that_was_deleted_is_missing_and_the_rest_is_there(scene, ct_node):
    surface, overlay, summary, rays = a_map(scene, "map")
    map_nodes.set_nodes(ct_node, surface, overlay, summary, rays)
    scene.RemoveNode(overlay)
    assert map_nodes.nodes_of(ct_node) == [surface, summary, rays]
    assert map_nodes.overlay_of(ct_node) is None


def test_the_map_made_last_is_the_one_that_is_found(scene, ct_node):
    map_nodes.set_nodes(ct_node, *a_map(scene, "older"))
    newer = a_map(scene, "newer")
    map_nodes.set_nodes(ct_node, *newer)
    assert map_nodes.nodes_of(ct_node) == newer


def test_a_map_is_found_after_saving_and_opening(scene, ct_node, tmp_path):
    map_nodes.set_nodes(ct_node, *a_map(scene, "map"))
    mrb.save(scene, tmp_path / "scene.mrb")
    scene.Clear(0)
    mrb.open_bundle(scene, tmp_path / "scene.mrb")
    again = scene.GetFirstNodeByName("Head")
    assert [node.GetClassName() for node in map_nodes.nodes_of(again)] == list(KINDS)
