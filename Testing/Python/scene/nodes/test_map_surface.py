"""A map's surface in a scene, and that it comes back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import slicer
import slicer.util
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping.map_summary import summary
from SkullGANLib.metrics import METRICS, Metric, registered
from SkullGANScene.nodes import (
    color_tables,
    hierarchy,
    map_overlay,
    map_surface,
    map_tables,
    mrb,
    volumes,
)
from SkullGANScene.nodes.map_probe import Probe
from SkullGANScene.offscreen import headless


def test_the_surface_says_what_it_is_and_warns_of_a_soft_kernel(surface):
    assert surface.GetName() == "Kopf calvaria"
    text = surface.GetDescription()
    assert "kernel STANDARD" in text
    assert "is soft" in text
    assert "mm" in text


def test_everything_stands_beside_the_ct_under_its_study(scene, mapped_head, numbers):
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = tree.CreateStudyItem(tree.GetSceneItemID(), "Study")
    ct_node = volumes.add_ct(scene, mapped_head[0], "Kopf")
    tree.SetItemParent(hierarchy.item_of(ct_node), study)
    surface = map_surface.add_surface(ct_node, mapped_head[1])
    nodes = [
        surface,
        map_overlay.add_overlay(ct_node, surface, numbers),
        map_tables.add_summary(ct_node, summary(mapped_head[1])),
        map_tables.add_rays(ct_node, {"element": np.arange(2), "path_mm": np.array([5.0, np.nan])}),
    ]
    assert {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in nodes} == {study}


def test_under_a_transform_the_map_stays_on_its_ct(scene, mapped_head):
    ct, found = mapped_head
    turn = np.eye(4)
    turn[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    turn[:3, 3] = [5, 6, 7]
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(turn))
    ct_node = volumes.add_ct(scene, ct, "Kopf")
    ct_node.SetAndObserveTransformNodeID(transform.GetID())
    world = replace(
        found,
        points_ras=found.points_ras @ turn[:3, :3].T + turn[:3, 3],
        normals=found.normals @ turn[:3, :3].T,
    )
    surface = map_surface.add_surface(ct_node, world)
    assert surface.GetTransformNodeID() == transform.GetID()
    local = slicer.util.arrayFromModelPoints(surface)
    assert np.allclose(local, found.points_ras, atol=1e-4)
    back = map_surface.map_from(surface)
    assert np.allclose(back.points_ras, world.points_ras, atol=1e-4)
    assert np.allclose(back.normals, world.normals, atol=1e-5)
    reading = Probe(surface).at(world.points_ras[30])
    assert reading.distance_mm < 1e-3


def test_the_map_comes_back_from_a_saved_scene(
    scene, mapped_ct, surface, numbers, mapped_head, tmp_path
):
    map_overlay.add_overlay(mapped_ct, surface, numbers)
    map_surface.show_scalar(surface, "sdr_central")
    map_surface.set_realness(surface, np.linspace(0, 1, len(mapped_head[1])), "not calibrated")
    mrb.save(scene, tmp_path / "map.mrb")
    stage = headless.new_stage()
    mrb.open_bundle(stage.scene, tmp_path / "map.mrb")
    [again] = map_surface.surfaces_in(stage.scene)
    back = map_surface.map_from(again)
    assert np.allclose(back.points_ras, mapped_head[1].points_ras, atol=1e-3)
    for name in METRICS:
        assert np.allclose(
            back.values[name], mapped_head[1].values[name], equal_nan=True, atol=1e-5
        )
    assert back.bone.tolist() == mapped_head[1].bone.tolist()
    assert back.source["kernel"] == "STANDARD"
    assert again.GetDisplayNode().GetActiveScalarName() == "sdr_central"
    table = again.GetDisplayNode().GetColorNode()
    assert table.GetName() == color_tables.SEQUENTIAL
    color = np.zeros(4)
    table.GetColor(255, color)
    assert color[0] > 0.9
    assert color_tables.legend_of(again).GetTitleText() == "SDR (central)"
    assert "realness" in map_surface.scalars_of(again)


def test_realness_is_a_scalar_that_is_called_not_calibrated(surface, mapped_head):
    with pytest.raises(BadInputError, match="has no realness yet"):
        map_surface.show_scalar(surface, "realness")
    map_surface.set_realness(surface, np.full(len(mapped_head[1]), 0.5), "not calibrated")
    map_surface.show_scalar(surface, "realness")
    assert color_tables.legend_of(surface).GetTitleText() == "Realness (not calibrated)"
    with pytest.raises(BadInputError, match="Expected a realness for each"):
        map_surface.set_realness(surface, np.zeros(3), "")


def test_a_bone_put_in_front_of_the_list_leaves_the_bones_of_saved_scenes_as_they_were(
    surface, mapped_head, monkeypatch
):
    monkeypatch.setattr(map_surface, "BONES", ("ethmoid", *cut_plan.BONES))
    assert map_surface.map_from(surface).bone.tolist() == mapped_head[1].bone.tolist()
    assert Probe(surface).at(mapped_head[1].points_ras[0]).bone == "parietal"


def test_a_scene_saved_before_its_tables_were_kept_reads_as_it_was(
    mapped_ct, mapped_head, monkeypatch
):
    """Its numbers are those of the four bones of then, in their order."""
    monkeypatch.setattr(map_surface, "BONES", ("temporal", "parietal", "frontal", "occipital"))
    surface = map_surface.add_surface(mapped_ct, mapped_head[1])
    known = json.loads(surface.GetAttribute("SkullGAN.MapSource"))
    del known["tables"]
    surface.SetAttribute("SkullGAN.MapSource", json.dumps(known))
    back = map_surface.map_from(surface)
    assert back.bone.tolist() == mapped_head[1].bone.tolist()
    assert back.code.tolist() == mapped_head[1].code.tolist()


def test_one_place_a_metric_that_is_registered_is_shown_on_the_surface(mapped_ct, mapped_head):
    toy = Metric(
        name="outer_peak_hu",
        quantity="Outer peak",
        unit="HU",
        color_range=(500.0, 2500.0),
        of_profiles=lambda profiles: profiles.dip.outer,
    )
    values = {**mapped_head[1].values, "outer_peak_hu": np.full(len(mapped_head[1]), 1500.0)}
    with registered(toy):
        surface = map_surface.add_surface(
            mapped_ct, replace(mapped_head[1], values=values), "outer_peak_hu"
        )
        assert surface.GetDisplayNode().GetScalarRange() == (500.0, 2500.0)
        assert color_tables.legend_of(surface).GetTitleText() == "Outer peak (HU)"
    assert "outer_peak_hu" not in map_surface.scalars_of(surface)


def test_a_scalar_that_is_not_known_is_refused(mapped_ct, surface, mapped_head):
    with pytest.raises(BadInputError, match="found 'density'"):
        map_surface.show_scalar(surface, "density")
    with pytest.raises(BadInputError, match="found 'nothing'"):
        map_surface.add_surface(mapped_ct, mapped_head[1], "nothing")
