"""A depth map laid on points whose place is known; slopes against differences of small steps."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation
from SkullGANLib.anatomy import template_fit
from SkullGANLib.anatomy.template_fit import DepthMap, Loss, Poses

HALF_AXES_MM = np.array([60.0, 80.0, 50.0])
LOSS = Loss(farthest_mm=15.0, linear_mm=2.0, size_std=0.1, shape_std=0.06, tilt_weight=0.0)


@pytest.fixture(scope="module")
def egg() -> DepthMap:
    """About the depth below an ellipsoid's surface, on 3 mm."""
    first = -np.array([81.0, 99.0, 72.0])
    x, y, z = (np.arange(a, -a + 1, 3.0) for a in first)
    place = np.stack(np.meshgrid(x, y, z, indexing="ij"), -1)
    radius = np.linalg.norm(place / HALF_AXES_MM, axis=-1)
    away = np.linalg.norm(place / HALF_AXES_MM**2, axis=-1)
    depth = (1.0 - radius) * radius / np.maximum(away, 1e-3)
    return DepthMap(np.minimum(depth, 25.0).astype(np.float32), first, 3.0)


@pytest.fixture(scope="module")
def surface() -> np.ndarray:
    """Points of that ellipsoid, float64 (500, 3)."""
    z = np.linspace(-1.0, 1.0, 500)
    turn = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(500)
    level = np.sqrt(1.0 - z**2)
    return HALF_AXES_MM * np.stack([level * np.cos(turn), level * np.sin(turn), z], 1)


def poses(*turns_deg: tuple[float, float, float]) -> Poses:
    count = len(turns_deg)
    axes = Rotation.from_euler("xyz", turns_deg, degrees=True).as_matrix()
    return Poses(axes, np.zeros((count, 3)), np.zeros((count, 3)))


def test_an_ellipsoid_is_found_turned_moved_and_stretched(egg, surface):
    turn = Rotation.from_euler("xyz", (12, -8, 20), degrees=True)
    moved = turn.apply(surface * [1.05, 1.0, 0.97]) + np.array([10.0, -5.0, 7.0])
    found = template_fit.fit(moved, egg, LOSS, poses((0, 0, 0)), np.eye(3), 40)
    assert found.poses.axes[0] == pytest.approx(turn.as_matrix(), abs=0.01)
    assert found.poses.origin[0] == pytest.approx([10.0, -5.0, 7.0], abs=0.3)
    assert np.exp(found.poses.log_scale[0]) == pytest.approx([1.05, 1.0, 0.97], abs=0.01)
    assert found.median_mm[0] < 0.3


def test_starts_go_their_own_ways_whatever_stands_beside_them(egg, surface):
    together = template_fit.fit(
        surface, egg, LOSS, poses((0, 0, 90), (10, 0, 0), (0, 90, 0)), np.eye(3), 30
    )
    alone = template_fit.fit(surface, egg, LOSS, poses((10, 0, 0)), np.eye(3), 30)
    assert together.cost[1] == pytest.approx(alone.cost[0], rel=1e-5)
    assert together.cost[1] < 0.1 < together.cost[0]


def test_a_dent_is_let_go(egg, surface):
    dented = np.where(surface[:, :1] > 45.0, surface * 0.7, surface)
    found = template_fit.fit(dented, egg, LOSS, poses((0, 0, 0)), np.eye(3), 40)
    assert np.abs(found.poses.origin[0]).max() < 1.0
    assert found.median_mm[0] < 0.5


def test_slopes_are_those_of_small_steps_inside_and_outside_of_the_map(egg):
    points = np.random.default_rng(0).uniform(-150.0, 150.0, (300, 3))
    here = Poses(
        Rotation.from_euler("xyz", (20, 30, -10), degrees=True).as_matrix()[None],
        np.array([[3.0, -4.0, 5.0]]),
        np.array([[0.05, -0.02, 0.03]]),
    )
    _off, slopes = template_fit._off_mm(points.astype(np.float32), egg, here)
    for n in range(9):
        step = np.zeros((1, 9))
        step[0, n] = 1e-2 if 3 <= n < 6 else 1e-4
        ahead, _ = template_fit._off_mm(points.astype(np.float32), egg, here.moved(step))
        behind, _ = template_fit._off_mm(points.astype(np.float32), egg, here.moved(-step))
        expected = (ahead - behind)[0] / (2.0 * step[0, n])
        # All but the points that pass from one element of the map to the next.
        off = np.abs(slopes[0, :, n] - expected)
        assert np.quantile(off, 0.95) < 0.02 * max(1.0, np.abs(expected).max())


def test_depths_are_those_of_linear_interpolation(egg):
    place = np.random.default_rng(1).uniform(0.0, 1.0, (200, 3)) * egg.size_mm
    depth, _ = template_fit._depth_mm(place.astype(np.float32), egg)
    known = ndimage.map_coordinates(egg.depth_mm, (place / egg.step_mm).T, order=1)
    assert depth == pytest.approx(known, abs=1e-3)


def test_a_turn_from_the_expected_axes_and_an_unlikely_size_cost(egg, surface):
    tilted = Loss(15.0, 2.0, 0.1, 0.06, tilt_weight=1.0)
    at_rest = template_fit._local(surface, egg, tilted, poses((0, 0, 0), (0, 0, 0)), np.eye(3))
    quarter = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    turned = template_fit._local(surface, egg, tilted, poses((0, 0, 0)), quarter)
    assert at_rest.cost[0] == at_rest.cost[1]
    residual = np.sqrt(len(surface)) * np.pi / 2.0
    costs = 4.0 * (np.sqrt(1.0 + (residual / 2.0) ** 2) - 1.0)
    assert turned.cost[0] - at_rest.cost[0] == pytest.approx(costs, rel=1e-6)


def test_rotations_and_their_vectors_lead_there_and_back_up_to_a_half_turn():
    vectors = Rotation.random(100, random_state=0).as_rotvec()
    vectors = np.vstack([np.zeros(3), [np.pi, 0, 0], [3.1, 0.1, 0], [1e-9, 0, 0], vectors])
    matrices = template_fit.rotations(vectors)
    assert matrices == pytest.approx(Rotation.from_rotvec(vectors).as_matrix(), abs=1e-12)
    assert template_fit.rotation_vectors(matrices) == pytest.approx(vectors, abs=1e-9)
