"""Coefficients of a spline, brick by brick, against SciPy's of the whole volume."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage
from SkullGANLib.extraction.spline_bricks import SplineBricks


def noise(shape):
    return np.random.default_rng(0).integers(-1024, 3000, shape).astype(np.int16)


@pytest.mark.parametrize("shape", [(70, 40, 33), (5, 64, 20), (3, 1, 35)])
def test_values_are_those_of_a_spline_of_the_whole_volume(shape):
    volume = noise(shape)
    at = np.random.default_rng(1).uniform(-0.5, np.array(shape) - 0.5, (500, 3))
    expected = ndimage.map_coordinates(volume.astype(float), at.T, order=3, mode="mirror")
    assert SplineBricks(volume).at(at) == pytest.approx(expected, abs=0.05)


def test_voxels_are_met():
    volume = noise((40, 40, 40))
    at = np.random.default_rng(2).integers(0, 40, (200, 3))
    assert SplineBricks(volume).at(at.astype(float)) == pytest.approx(volume[tuple(at.T)], abs=0.05)


def test_only_bricks_around_the_points_are_found_and_each_once():
    bricks = SplineBricks(noise((128, 128, 128)))
    bricks.at(np.array([[16.0, 16.0, 16.0], [112.0, 112.0, 112.0]]))
    assert sorted(bricks._bricks) == [(0, 0, 0), (3, 3, 3)]
    before = bricks._bricks[0, 0, 0]
    bricks.at(np.array([[31.5, 16.0, 16.0]]))
    assert sorted(bricks._bricks) == [(0, 0, 0), (1, 0, 0), (3, 3, 3)]
    assert bricks._bricks[0, 0, 0] is before


def test_threads_that_need_the_same_bricks_get_the_same_values():
    bricks = SplineBricks(noise((64, 64, 64)))
    at = np.random.default_rng(3).uniform(0, 63, (300, 3))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: bricks.at(at), range(8)))
    assert all(np.array_equal(one, found[0]) for one in found)
