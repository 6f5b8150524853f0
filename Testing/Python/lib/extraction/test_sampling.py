"""CT and mask between their voxels, on volumes whose values are known everywhere."""

import numpy as np
import pytest
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.extraction import sampling


def test_interpolated_hu_never_leave_the_range_of_the_voxels_around():
    step = np.full((30, 30, 30), -1000, np.int16)
    step[:, :, 15:] = 2000
    ct = HeadCT(step, np.eye(4))
    along = np.stack([np.linspace(10, 20, 201), np.full(201, 15.0), np.full(201, 15.0)], -1)
    hu = sampling.sample_hu(ct, along)
    assert hu.min() == -1000
    assert hu.max() == 2000


def test_points_outside_the_ct_are_air():
    ct = HeadCT(np.full((20, 20, 20), 500, np.int16), np.eye(4))
    hu = sampling.sample_hu(ct, np.array([[10.0, 10, 10], [-3, 10, 10], [10, 10, 90]]))
    assert hu.tolist() == [500, -1024, -1024]


def test_a_mask_is_a_half_where_it_ends_and_nothing_outside_the_ct():
    mask = np.zeros((10, 10, 10), np.uint8)
    mask[:, :, :5] = 1
    ct = HeadCT(np.zeros(mask.shape, np.int16), np.diag([2.0, 1.0, 1.0, 1.0]))
    share = sampling.sample_mask(mask, ct, np.array([[4.0, 5, 5], [9.0, 5, 5], [4.0, 5, 20]]))
    assert share.tolist() == [1.0, 0.5, 0.0]


def test_a_mask_on_a_grid_is_that_at_its_points():
    mask = (np.random.default_rng(0).random((12, 13, 14)) < 0.5).astype(np.uint8)
    geometry = np.diag([-0.8, 1.1, 0.9, 1.0])
    geometry[:3, 3] = (3.0, -5.0, 2.0)
    ct = HeadCT(np.zeros(mask.shape, np.int16), geometry)
    origin, steps = np.array([2.0, -4.0, 1.0]), np.array([[-0.5, 0.3, 0.2], [0.1, 0.7, 0.4]])
    points = origin + np.arange(9)[:, None, None] * steps[0] + np.arange(7)[:, None] * steps[1]
    expected = sampling.sample_mask(mask, ct, points.reshape(-1, 3)).reshape(9, 7)
    found = sampling.sample_mask_on_grid(mask, ct, origin, steps, (9, 7))
    assert found == pytest.approx(expected, abs=1e-6)
    line = sampling.sample_mask_on_grid(mask, ct, origin, steps[:1], (9,))
    assert line == pytest.approx(expected[:, 0], abs=1e-6)


def test_pixels_and_voxels_are_where_their_matrices_put_them():
    matrix = np.diag([0.5, 0.5, 0.5, 1.0])
    matrix[:3, 3] = (1.0, 2.0, 3.0)
    points = sampling.points_of(matrix, rows=np.array([4, 0]), columns=np.array([0, 2]))
    assert points.tolist() == [[1.0, 4.0, 3.0], [2.0, 2.0, 3.0]]
    ct = HeadCT(np.zeros((3, 4, 5), np.int16), np.eye(4))
    ijk = sampling.to_ijk(ct, points)
    assert ijk.tolist() == [[3.0, 4.0, 1.0], [3.0, 2.0, 2.0]]  # slice, row, column
    assert sampling.is_inside(np.array([[2, 3, 4], [3, 0, 0]]), ct).tolist() == [True, False]
