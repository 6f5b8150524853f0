"""The template of the intracranial space, laid on the sample CT's space turned in many ways."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation
from SkullGANLib.anatomy import head_template
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.anatomy.head_frame import voxels_ras
from SkullGANLib.utils import resources

FEW = slice(None, None, 4)
"""Of the 20,000 points; more do not lie better."""


@pytest.fixture(scope="module")
def surface(sample_ct) -> np.ndarray:
    cavity = find_cavity(sample_ct)
    rim = cavity.mask & ~ndimage.binary_erosion(cavity.mask, border_value=1)
    return voxels_ras(rim, cavity.ijk_to_ras)[FEW]


@pytest.fixture(scope="module")
def straight(surface) -> head_template.Way:
    return head_template.lay(surface)


def ball(radius_mm: float) -> np.ndarray:
    """Points spread evenly over a ball's surface, float64 (2000, 3)."""
    z = np.linspace(-1.0, 1.0, 2000)
    turn = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(2000)
    level = np.sqrt(1.0 - z**2)
    return radius_mm * np.stack([level * np.cos(turn), level * np.sin(turn), z], 1)


def test_the_template_reads_without_pickle_and_is_symmetric_left_to_right():
    with np.load(resources.find(head_template.NAME), allow_pickle=False) as stored:
        names, depth = set(stored), stored["depth"]
    assert names == {
        "depth",
        "unit_mm",
        "first_mm",
        "step_mm",
        "half_length_mm",
        "half_height_mm",
        "base_mm",
    }
    assert (depth == depth[::-1]).all()
    known = head_template.template()
    last = known.first_mm + known.step_mm * (np.array(known.depth_mm.shape) - 1)
    assert known.first_mm[0] == -last[0]
    assert 1200 < (known.depth_mm > 0).sum() * known.step_mm**3 / 1000.0 < 1700  # ml, an adult's


def test_the_origin_lies_inside_and_the_border_outside_of_the_template():
    known = head_template.template()
    origin = np.rint(-known.first_mm / known.step_mm).astype(int)
    assert known.depth_mm[tuple(origin)] == 25.0  # as deep as is kept
    assert known.depth_mm[[0, -1]].max() < 0
    assert known.depth_mm[:, [0, -1]].max() < 0
    assert known.depth_mm[:, :, -1].max() < 0


def test_the_template_is_nearly_as_large_as_the_head_that_it_was_made_of(straight):
    assert straight.scale == pytest.approx(1.0, abs=0.03)
    assert straight.median_mm < 1.0
    assert straight.misfit_mm2 < 1.0


def test_another_way_to_lie_fits_much_worse(straight):
    assert straight.next_mm2 > straight.misfit_mm2 + 2.0


@pytest.mark.parametrize(
    "angles_deg",
    [
        (60, 0, 0),
        (-60, 0, 0),
        (0, 40, 0),
        (0, -40, 0),
        (0, 0, 40),
        (0, 0, -40),
        (30, 20, -20),
        (-60, 40, 40),
        (60, -40, -40),
    ],
    ids=str,
)
def test_the_axes_turn_with_the_points(surface, straight, angles_deg):
    """Yaw, pitch and roll, as far as ``head_frame`` answers for."""
    turn = Rotation.from_euler("zxy", angles_deg, degrees=True)
    moved = np.array([15.0, -30.0, 60.0])
    way = head_template.lay(turn.apply(surface) + moved)
    assert head_template.angle_deg(way.axes, turn.as_matrix() @ straight.axes) < 1.0
    assert np.linalg.norm(way.origin_ras - turn.apply(straight.origin_ras) - moved) < 1.0
    assert way.misfit_mm2 == pytest.approx(straight.misfit_mm2, abs=0.2)


@pytest.mark.slow
def test_a_head_upside_down_is_found_upside_down(surface, straight):
    turn = Rotation.from_euler("x", 180, degrees=True)
    way = head_template.lay(turn.apply(surface))
    assert head_template.angle_deg(way.axes, turn.as_matrix() @ straight.axes) < 1.0


def test_a_mirrored_head_lies_as_the_head_does_with_its_asymmetry_mirrored(surface, straight):
    mirror = np.array([-1.0, 1.0, 1.0])
    way = head_template.lay(surface * mirror)
    # The template is symmetric: it says nothing of left and right but by superior and anterior.
    assert way.axes[:, 1:] == pytest.approx(straight.axes[:, 1:] * mirror[:, None], abs=0.02)


def test_expected_axes_choose_only_between_ways_that_fit_alike(surface, straight):
    turned = Rotation.from_euler("z", 45, degrees=True).as_matrix()
    way = head_template.lay(surface, expected_axes=turned)
    assert head_template.angle_deg(way.axes, straight.axes) < 1.0


@pytest.mark.slow
def test_a_ball_fits_badly_and_nearly_as_badly_any_way():
    way = head_template.lay(ball(75.0))
    assert way.misfit_mm2 > 3.0
    assert way.next_mm2 - way.misfit_mm2 < 1.0


def test_the_angle_between_frames_is_that_of_the_turn():
    turn = Rotation.from_rotvec(np.deg2rad(25.0) * np.array([0.6, 0.0, 0.8])).as_matrix()
    assert head_template.angle_deg(np.eye(3), turn) == pytest.approx(25.0)
    assert head_template.angle_deg(turn, turn) == pytest.approx(0.0, abs=1e-5)
