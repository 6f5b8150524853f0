"""Maps in a scene: what is shown, what a point says, and that it all comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer
import slicer.util
import vtk
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping.array_geometry import ELEMENTS
from SkullGANLib.mapping.calvaria_map import CalvariaMap
from SkullGANLib.mapping.map_summary import summary
from SkullGANLib.mapping.wall_overlay import vertex_numbers
from SkullGANLib.metrics import METRICS
from SkullGANScene.nodes import color_tables, hierarchy, maps, mrb, volumes
from SkullGANScene.offscreen import headless

MEASURED_UP_TO = 400  # of the vertices; the rest met air


@pytest.fixture(scope="module")
def head():
    """A small CT with its wall and a map: a disk of vertices over it, thickness rising with x."""
    hu = np.full((20, 20, 20), -1000, np.int16)
    hu[5:12] = 1200
    geometry = np.diag([-1.0, -1.0, 1.0, 1.0])
    geometry[:3, 3] = [10.0, 10.0, -5.0]
    x, y = np.meshgrid(np.arange(-10.0, 11.0), np.arange(-10.0, 11.0))
    points = np.stack([x.ravel(), y.ravel(), np.full(x.size, 6.0)], axis=1)
    corner = np.arange(21 * 20).reshape(20, 21)[:, :20].ravel()
    triangles = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + 22], 1),
            np.stack([corner, corner + 22, corner + 21], 1),
        ]
    )
    values = {name: np.linspace(0, 1, len(points)) for name in METRICS}
    values["thickness_mm"] = points[:, 0] / 2 + 6
    code = np.where(np.arange(len(points)) < MEASURED_UP_TO, 0, 2).astype(np.uint8)
    values = {name: np.where(code == 0, one, np.nan) for name, one in values.items()}
    found = CalvariaMap(
        points_ras=points,
        triangles=triangles.astype(np.int32),
        normals=np.tile([0.0, 0.0, 1.0], (len(points), 1)),
        values=values,
        code=code,
        bone=np.where(points[:, 1] > 0, "frontal", "parietal"),
        side=np.where(points[:, 0] < 0, "left", "right"),
        source={"kernel": "STANDARD", "threshold_hu": 300.0, "head_to_ras": np.eye(4).tolist()},
    )
    return HeadCT(hu, geometry), found


@pytest.fixture
def ct_node(scene, head):
    return volumes.add_ct(scene, head[0], "Kopf")


@pytest.fixture
def surface(ct_node, head):
    return maps.add_surface(ct_node, head[1])


@pytest.fixture
def numbers(head):
    ct, found = head
    return vertex_numbers(found, ct.hu > 0, ct.ijk_to_ras)


def test_the_surface_shows_thickness_in_our_colors_with_a_legend_in_mm(surface):
    display = surface.GetDisplayNode()
    assert display.GetActiveScalarName() == "thickness_mm"
    assert display.GetScalarVisibility()
    assert display.GetScalarRange() == maps.RANGES["thickness_mm"]
    assert display.GetColorNode().GetName() == color_tables.SEQUENTIAL
    legend = color_tables.legend_of(surface)
    assert legend.GetTitleText() == "Thickness (mm)"
    assert legend.GetVisibility()


def test_the_surface_says_what_it_is_and_warns_of_a_soft_kernel(surface):
    assert surface.GetName() == "Kopf calvaria"
    said = surface.GetDescription()
    assert "kernel STANDARD" in said
    assert "is soft" in said
    assert "mm" in said


def test_everything_stands_beside_the_ct_under_its_study(scene, head, numbers):
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = tree.CreateStudyItem(tree.GetSceneItemID(), "Study")
    ct_node = volumes.add_ct(scene, head[0], "Kopf")
    tree.SetItemParent(hierarchy.item_of(ct_node), study)
    surface = maps.add_surface(ct_node, head[1])
    nodes = [
        surface,
        maps.add_overlay(ct_node, surface, numbers),
        maps.add_summary(ct_node, summary(head[1])),
        maps.add_rays(ct_node, {"element": np.arange(2), "path_mm": np.array([5.0, np.nan])}),
    ]
    assert {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in nodes} == {study}


def test_another_scalar_and_range_are_shown_without_making_anything_again(scene, surface):
    nodes_before = scene.GetNumberOfNodes()
    maps.show_scalar(surface, "sdr_peaks")
    maps.set_range(surface, 0.3, 0.7)
    display = surface.GetDisplayNode()
    assert display.GetActiveScalarName() == "sdr_peaks"
    assert display.GetScalarRange() == (0.3, 0.7)
    assert color_tables.legend_of(surface).GetTitleText() == "SDR (peaks)"
    assert scene.GetNumberOfNodes() == nodes_before


def test_the_overlay_lies_on_the_ct_and_hides_what_is_no_wall(ct_node, surface, numbers, head):
    overlay = maps.add_overlay(ct_node, surface, numbers)
    voxels = slicer.util.arrayFromVolume(overlay)
    wall = head[0].hu > 0
    assert (voxels[~wall] == 0).all()
    assert (voxels[wall] != 0).all()
    assert set(np.unique(voxels[voxels < 0])) == {-2.0}
    display = overlay.GetDisplayNode()
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() > 0
    assert np.array_equal(volumes.ijk_to_world(overlay), volumes.ijk_to_world(ct_node))
    # Columns run to the left: the first ones are at the patient's right, where x is large.
    assert voxels[8, 10, 1] > voxels[8, 10, 18] > 0
    maps.show_scalar(overlay, "sdr_peaks", numbers)
    assert slicer.util.arrayFromVolume(overlay).max() <= 1
    assert "SDR (peaks)" in overlay.GetDescription()


def test_the_overlay_is_put_into_all_slices_and_taken_out_again(scene, ct_node, surface, numbers):
    overlay = maps.add_overlay(ct_node, surface, numbers)
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetBackgroundVolumeID(ct_node.GetID())
    maps.show_in_slices(overlay, scene, 0.5)
    assert composite.GetForegroundVolumeID() == overlay.GetID()
    assert composite.GetForegroundOpacity() == 0.5
    maps.show_in_slices(None, scene)
    assert composite.GetForegroundVolumeID() is None
    assert composite.GetBackgroundVolumeID() == ct_node.GetID()


def test_a_point_says_value_unit_bone_and_side(surface):
    probe = maps.Probe(surface)
    reading = probe.at([4.2, -3.1, 7.0])
    assert reading.values["thickness_mm"] == pytest.approx(8.0)
    assert reading.text("thickness_mm") == "8.0 mm, right parietal"
    assert reading.distance_mm == pytest.approx(np.sqrt(0.2**2 + 0.1**2 + 1), abs=1e-3)
    assert probe.at([0.0, 0.0, 60.0]) is None
    lost = probe.at([5.0, 10.0, 6.0])
    assert np.isnan(lost.values["sdr_peaks"])
    assert lost.text("sdr_peaks") == "not measured (air), right frontal"


def test_under_a_transform_the_map_stays_on_its_ct(scene, head):
    ct, found = head
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
    surface = maps.add_surface(ct_node, world)
    assert surface.GetTransformNodeID() == transform.GetID()
    local = slicer.util.arrayFromModelPoints(surface)
    assert np.allclose(local, found.points_ras, atol=1e-4)
    back = maps.map_from(surface)
    assert np.allclose(back.points_ras, world.points_ras, atol=1e-4)
    assert np.allclose(back.normals, world.normals, atol=1e-5)
    reading = maps.Probe(surface).at(world.points_ras[30])
    assert reading.distance_mm < 1e-3


def test_the_map_comes_back_from_a_saved_scene(scene, ct_node, surface, numbers, head, tmp_path):
    maps.add_overlay(ct_node, surface, numbers)
    maps.show_scalar(surface, "sdr_central")
    maps.set_realness(surface, np.linspace(0, 1, len(head[1])), "not calibrated")
    mrb.save(scene, tmp_path / "map.mrb")
    stage = headless.new_stage()
    mrb.open_bundle(stage.scene, tmp_path / "map.mrb")
    [again] = maps.surfaces_in(stage.scene)
    back = maps.map_from(again)
    assert np.allclose(back.points_ras, head[1].points_ras, atol=1e-3)
    for name in METRICS:
        assert np.allclose(back.values[name], head[1].values[name], equal_nan=True, atol=1e-5)
    assert back.bone.tolist() == head[1].bone.tolist()
    assert back.source["kernel"] == "STANDARD"
    assert again.GetDisplayNode().GetActiveScalarName() == "sdr_central"
    table = again.GetDisplayNode().GetColorNode()
    assert table.GetName() == color_tables.SEQUENTIAL
    color = np.zeros(4)
    table.GetColor(255, color)
    assert color[0] > 0.9
    assert color_tables.legend_of(again).GetTitleText() == "SDR (central)"
    assert "realness" in maps.scalars_of(again)


def test_realness_is_a_scalar_that_is_called_not_calibrated(surface, head):
    with pytest.raises(BadInputError, match="has no realness yet"):
        maps.show_scalar(surface, "realness")
    maps.set_realness(surface, np.full(len(head[1]), 0.5), "not calibrated")
    maps.show_scalar(surface, "realness")
    assert color_tables.legend_of(surface).GetTitleText() == "Realness (not calibrated)"
    with pytest.raises(BadInputError, match="one value each is needed"):
        maps.set_realness(surface, np.zeros(3), "")


def test_the_tables_hold_summary_and_rays_with_units(ct_node, head):
    node = maps.add_summary(ct_node, summary(head[1]))
    bones = [node.GetTable().GetColumnByName("bone").GetValue(n) for n in range(6)]
    assert bones == ["all"] * 6
    assert slicer.util.arrayFromTableColumn(node, "count")[0] == MEASURED_UP_TO
    columns = {"element": np.arange(3), "incidence_deg": np.array([1.0, np.nan, 3.0])}
    rays = maps.add_rays(ct_node, columns)
    assert rays.GetColumnUnitLabel("incidence_deg") == "°"
    assert np.array_equal(
        slicer.util.arrayFromTableColumn(rays, "incidence_deg"), [1, np.nan, 3], equal_nan=True
    )
    assert rays.GetNumberOfRows() == 3
    assert ELEMENTS == 1024


def test_what_is_no_map_and_what_does_not_fit_is_refused(scene, ct_node, surface, head):
    with pytest.raises(BadInputError, match="scalar is 'density'"):
        maps.show_scalar(surface, "density")
    with pytest.raises(BadInputError, match="the lower value first"):
        maps.set_range(surface, 2.0, 1.0)
    with pytest.raises(BadInputError, match="the same grid is needed"):
        maps.add_overlay(ct_node, surface, np.zeros((2, 2, 2), np.int32))
    other = scene.AddNewNodeByClass("vtkMRMLModelNode", "Sphere")
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    other.SetAndObservePolyData(sphere.GetOutput())
    with pytest.raises(BadInputError, match="'Sphere' is no map of a calvaria"):
        maps.Probe(other)
    with pytest.raises(BadInputError, match="has no 'nothing'"):
        maps.add_surface(ct_node, head[1], "nothing")


def test_volumes_that_show_maps_are_no_cts(scene, ct_node, surface, numbers):
    maps.add_overlay(ct_node, surface, numbers)
    assert volumes.cts_in(scene) == [ct_node]
