"""The head frame, on an ellipsoid of known axes and on the real sample CT."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from SkullGANLib.anatomy import head_frame
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.errors import BadInputError

HALF_AXES_MM = (60.0, 88.0, 75.0)
"""Narrow, so that no other plane of symmetry is mistaken for the midsagittal."""


def ellipsoid(turn: Rotation, center: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An upper half-and-more ellipsoid (x, y, z half axes as above) on a grid of 2 mm."""
    count = 100
    geometry = np.diag([2.0, 2.0, 2.0, 1.0])
    geometry[:3, 3] = -count
    k, j, i = np.indices((count, count, count), sparse=True)
    ras = np.stack(np.broadcast_arrays(2.0 * i, 2.0 * j, 2.0 * k), -1) - count - center
    head = ras @ turn.as_matrix()
    inside = ((head / HALF_AXES_MM) ** 2).sum(-1) < 1
    return inside & (head[..., 2] > -45.0), geometry


@pytest.fixture(scope="module")
def smooth() -> head_frame.HeadFrame:
    """The frame of the ellipsoid as it stands."""
    return head_frame.find_frame(*ellipsoid(Rotation.identity(), np.zeros(3)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "angles_deg", [(0, 0, 0), (12, 0, 0), (0, 15, 0), (0, 0, -15), (-8, 9, 10), (15, -10, 5)]
)
def test_the_axes_of_a_turned_ellipsoid_are_found(angles_deg):
    turn = Rotation.from_euler("xyz", angles_deg, degrees=True)
    center = np.array([3.0, -4.0, 5.0])
    found = head_frame.find_frame(*ellipsoid(turn, center))
    off_deg = np.rad2deg((turn.inv() * Rotation.from_matrix(found.head_to_ras[:3, :3])).magnitude())
    assert off_deg < 1.5
    assert np.linalg.norm(found.head_to_ras[:3, 3] - center) < 2.0
    assert found.half_length_mm == pytest.approx(88, abs=2)
    assert found.half_height_mm == pytest.approx(75, abs=3)


def test_the_frame_is_right_handed_and_leads_there_and_back(smooth):
    found = smooth
    assert np.linalg.det(found.head_to_ras[:3, :3]) == pytest.approx(1)
    points = np.array([[1.0, 2.0, 3.0], [-40.0, 0.0, 9.0]])
    assert found.from_ras(found.to_ras(points)) == pytest.approx(points)
    assert found.right @ [1, 0, 0] > 0.99
    assert found.anterior @ [0, 1, 0] > 0.99
    assert found.superior @ [0, 0, 1] > 0.99


def test_the_real_head_is_long_from_front_to_back_and_nearly_straight(sample_ct):
    found = find_cavity(sample_ct).frame
    assert 75 < found.half_length_mm < 95
    assert found.right @ [1, 0, 0] > np.cos(np.deg2rad(5))
    assert found.superior @ [0, 0, 1] > np.cos(np.deg2rad(15))


def test_a_real_head_is_surer_than_a_smooth_shape(sample_ct, smooth):
    assert find_cavity(sample_ct).frame.certainty > 0.8
    assert 0.0 < smooth.certainty <= head_frame.GUESSED


def test_a_head_that_lies_upside_down_is_refused_with_the_angles(sample_ct):
    cavity = find_cavity(sample_ct)
    grid = np.diag([1.0, -1.0, -1.0, 1.0]) @ cavity.ijk_to_ras
    with pytest.raises(BadInputError, match="orientation may be wrong") as caught:
        head_frame.find_frame(cavity.mask, grid)
    said = str(caught.value)
    assert said.startswith("The head's axes cannot be trusted: by its shape the head lies 1")
    assert "off superior" in said
    assert "--landmarks" in said


def test_few_places_of_the_inner_table_are_refused():
    mask, grid = ellipsoid(Rotation.identity(), np.zeros(3))
    seen = np.zeros(mask.shape, bool)
    seen[50, 50:] = True
    with pytest.raises(BadInputError, match=r"only \d+ places of the inner table are in view"):
        head_frame.find_frame(mask, grid, seen)


@pytest.mark.slow
def test_a_smooth_shape_that_lies_turned_by_60_degrees_is_refused_naming_landmarks():
    turn = Rotation.from_euler("z", 60, degrees=True)
    with pytest.raises(BadInputError, match=r"mm off the shape of a head|more than one way") as e:
        head_frame.find_frame(*ellipsoid(turn, np.zeros(3)))
    assert "nasion, inion, left porion and right porion" in str(e.value)


def landmarks(turn: Rotation, center: np.ndarray) -> dict[str, np.ndarray]:
    """Those of the ellipsoid. The right porion lies before the left one, as in many heads."""
    rise = np.deg2rad(head_frame.NASION_RISES_DEG)
    forward = np.array([0, np.cos(rise), np.sin(rise)])
    nasion, left = np.array([0, 90, -20]), np.array([-57, 8, -39])
    head = {
        "nasion": nasion,
        "inion": nasion - 175 * forward,
        "left porion": left,
        "right porion": left + [117, 0, 0] + 5 * forward,
    }
    return {name: turn.apply(place) + center for name, place in head.items()}


@pytest.mark.parametrize("angles_deg", [(0, 0, 0), (12, -9, 20), (-25, 14, -30)])
def test_landmarks_give_the_axes_exactly_and_the_vault_gives_place_and_size(angles_deg):
    turn = Rotation.from_euler("xyz", angles_deg, degrees=True)
    center = np.array([3.0, -4.0, 5.0])
    found = head_frame.frame_from_landmarks(*ellipsoid(turn, center), landmarks(turn, center))
    assert found.head_to_ras[:3, 0] == pytest.approx(turn.as_matrix()[:, 0], abs=1e-9)
    assert found.head_to_ras[:3, :3] == pytest.approx(turn.as_matrix(), abs=1e-9)
    assert np.linalg.norm(found.head_to_ras[:3, 3] - center) < 1.0
    assert found.half_length_mm == pytest.approx(88, abs=2)
    assert found.half_height_mm == pytest.approx(75, abs=3)


@pytest.mark.parametrize("axis", [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
def test_the_frame_follows_landmarks_against_what_the_vault_says(axis):
    wrong = Rotation.from_rotvec(np.deg2rad(10) * np.array(axis))
    vault = ellipsoid(Rotation.identity(), np.zeros(3))
    found = head_frame.frame_from_landmarks(*vault, landmarks(wrong, np.zeros(3)))
    assert found.head_to_ras[:3, :3] == pytest.approx(wrong.as_matrix(), abs=1e-9)


def test_landmarks_read_off_the_sample_pitch_the_head_as_the_template_does(sample_ct):
    """Nasion and inion of the head that the sample is of, where they were read off its slices."""
    cavity = find_cavity(sample_ct)
    frame = cavity.frame
    head = {
        "nasion": (0.0, 88.0, -33.0),
        "inion": (0.0, -91.0, -33.0),
        "left porion": (-62.0, 0.0, -40.0),
        "right porion": (62.0, 0.0, -40.0),
    }
    given = {name: frame.to_ras(np.array(place)) for name, place in head.items()}
    found = head_frame.frame_from_landmarks(cavity.mask, cavity.ijk_to_ras, given)
    assert found.superior @ frame.superior > np.cos(np.deg2rad(2.0))
    assert found.certainty == 1.0


def test_landmarks_of_exchanged_sides_make_no_frame():
    points = landmarks(Rotation.identity(), np.zeros(3))
    points["left porion"], points["right porion"] = points["right porion"], points["left porion"]
    with pytest.raises(BadInputError, match="to the right of the right porion"):
        head_frame.frame_from_landmarks(*ellipsoid(Rotation.identity(), np.zeros(3)), points)
