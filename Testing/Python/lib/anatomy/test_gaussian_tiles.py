"""A Gaussian filter in tiles, against SciPy's of the whole volume."""

import numpy as np
import pytest
from scipy import ndimage
from SkullGANLib.anatomy import gaussian_tiles

SIGMAS = np.array([0.64, 0.82, 0.3])


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(-1024, 3000, (20, 31, 18)).astype(np.int16)


@pytest.mark.parametrize(
    "box",
    [(slice(0, 20), slice(0, 31), slice(0, 18)), (slice(3, 9), slice(5, 30), slice(1, 2))],
    ids=["whole", "part"],
)
@pytest.mark.parametrize("tile_voxels", [1, 500, 2**18])
def test_a_part_is_that_of_the_volume_filtered_as_a_whole(noise, box, tile_voxels, monkeypatch):
    monkeypatch.setattr(gaussian_tiles, "_TILE_VOXELS", tile_voxels)
    expected = ndimage.gaussian_filter(noise.astype(np.float32), SIGMAS, truncate=2.5)
    found = gaussian_tiles.smoothed(noise, box, SIGMAS, 2.5)
    assert found.dtype == np.float32
    assert found == pytest.approx(expected[box], abs=2e-3)


def test_nothing_of_a_volume_is_nothing(noise):
    box = (slice(0, 4), slice(0, 0), slice(2, 5))
    assert gaussian_tiles.smoothed(noise, box, SIGMAS, 2.5).shape == (4, 0, 3)


def test_the_weights_of_a_kernel_make_one():
    half = gaussian_tiles.half_kernel(0.8, 2.5)
    assert len(half) == 3
    assert half[0] + 2 * half[1:].sum() == pytest.approx(1.0)
    assert gaussian_tiles.half_kernel(0.1, 2.5).tolist() == [1.0]
