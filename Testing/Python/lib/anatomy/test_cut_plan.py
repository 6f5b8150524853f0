"""Where segments belong: on a sphere, on the real sample CT, and by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import cutting, single_ct
from SkullGANLib.metrics.wall_rules import rejection_reason


@pytest.fixture(scope="module")
def sample_cavity(sample_ct):
    return find_cavity(sample_ct)


def test_every_ray_lies_in_its_plane_and_leaves_on_its_side(sample_cavity):
    for site in cut_plan.plan(sample_cavity):
        assert np.linalg.norm(site.outward) == pytest.approx(1)
        assert np.linalg.norm(site.normal) == pytest.approx(1)
        assert abs(site.outward @ site.normal) < 1e-9
        end = sample_cavity.frame.from_ras(site.start_ras + 60 * site.outward)
        side = "midline" if abs(end[0]) < 1 else "left" if end[0] < 0 else "right"
        assert site.side == side


def test_left_and_right_have_the_same_sites(sample_cavity):
    counted = Counter((site.plane, site.bone, site.side) for site in cut_plan.plan(sample_cavity))
    for (plane, bone, side), number in counted.items():
        if side == "left":
            assert counted[plane, bone, "right"] == number


def test_squama_and_parietal_bone_overlap_between_temporal_and_parietal_bone(sample_cavity):
    heights = {"temporal": [], "temporal-parietal": [], "parietal": []}
    for site in cut_plan.plan(sample_cavity):
        if site.plane == "axial" and site.side == "left" and site.bone in heights:
            heights[site.bone].append(sample_cavity.frame.from_ras(site.start_ras)[2])
    above_floor = {bone: np.array(of) - sample_cavity.base_mm for bone, of in heights.items()}
    # Both bones were traced in one cut from 19 to 37 mm above the floor, on the head's left.
    assert above_floor["temporal"].max() <= 19
    assert 18 < above_floor["temporal-parietal"].min() < above_floor["temporal-parietal"].max() < 38
    assert above_floor["parietal"].min() >= 36


def test_the_sample_has_as_many_cuts_of_each_bone_at_its_sides(sample_ct, sample_mask):
    found = single_ct.extract(sample_ct, sample_mask, planes=["axial"]).segments
    # Until the overlap had a label, its ten cuts were called temporal.
    assert Counter(found.bone.tolist()) == {"temporal": 11, "temporal-parietal": 10, "parietal": 28}


def test_where_the_squama_ends_does_not_depend_on_where_the_field_of_view_does(sample_cavity):
    sawn = replace(sample_cavity, base_mm=sample_cavity.base_mm + 20)
    points = sample_cavity.frame.to_ras(np.array([[-70.0, 0, z] for z in range(-5, 40)], float))
    assert (cut_plan.bones_of(sawn, points)[0] == cut_plan.bones_of(sample_cavity, points)[0]).all()


def test_frontal_and_occipital_bone_are_cut_only_when_asked_for(sample_ct, sample_mask):
    asked = single_ct.extract(sample_ct, sample_mask, bones=["frontal", "occipital"]).segments
    assert {"frontal", "occipital"} == set(asked.bone.tolist())
    assert set(asked.side[asked.bone == "occipital"].tolist()) == {"midline"}
    frontal = Counter(asked.side[asked.bone == "frontal"].tolist())
    assert set(frontal) == {"left", "midline", "right"}
    assert abs(frontal["left"] - frontal["right"]) <= 4
    middle_y = (asked.pixel_to_ras @ [63.5, 20.0, 0.0, 1.0])[:, 1]
    assert middle_y[asked.bone == "frontal"].min() > 40
    assert middle_y[asked.bone == "occipital"].max() < -40


def test_frontal_cuts_beside_the_midline_lie_before_the_coronal_suture(sample_cavity):
    sites = [s for s in cut_plan.plan(sample_cavity) if s.bone == "frontal"]
    ends = np.stack([s.start_ras + 70 * s.outward for s in sites])
    assert set(cut_plan.bones_of(sample_cavity, ends)[0].tolist()) == {"frontal"}


@pytest.mark.parametrize(
    ("normal", "plane"),
    [((0, 0, 5), "axial"), ((0, -2, 0.1), "coronal"), ((0, 1, -1), "oblique")],
)
def test_a_plane_by_hand_gives_the_segment_at_its_point(sphere_head, sphere_mask, normal, plane):
    cavity = find_cavity(sphere_head)
    point = np.array([-80.0, 3.0, 2.0])
    site = cut_plan.by_hand(cavity.frame, point, np.array(normal, float))
    assert (site.side, site.plane) == ("left", plane)
    matrix = cutting.place(sphere_head, sphere_mask, site)
    hu, mask = cutting.cut(sphere_head, sphere_mask, matrix, 300)
    assert rejection_reason(hu, mask, 0.45) is None
    middle = (matrix @ [63.5, cutting.TOP_MARGIN_ROWS, 0, 1])[:3]
    assert np.linalg.norm(middle - point) < 3.0


@pytest.mark.parametrize("normal", [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)])
def test_a_plane_that_does_not_cut_the_wall_is_refused(sphere_head, normal):
    cavity = find_cavity(sphere_head)
    on_the_axis = cavity.frame.head_to_ras[:3, 3] + [80.0, 0.0, 0.0]
    with pytest.raises(BadInputError, match="expected one that lies along the skull"):
        cut_plan.by_hand(cavity.frame, on_the_axis, np.array(normal))
