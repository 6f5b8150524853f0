"""Wall masks on a device are those of the host, or say that they may not be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from examples import arches
from fake_cuda import CUDA, FakeCuda, WaitsForTheGpu
from scipy import ndimage
from SkullGANLib.data.walls import WALL_THRESHOLD_HU, wall_mask
from SkullGANLib.generation.device_walls import device_wall_masks


def blobs(grain: float, count: int = 30) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 1, (count, 128, 128))
    smooth = ndimage.gaussian_filter(noise, (0, grain, grain)) if grain else noise
    return (smooth / smooth.std() * 600).astype(np.int16)


@pytest.mark.parametrize("grain", [0, 1, 2, 4, 8])
def test_masks_of_blobs_are_those_of_the_host_wherever_they_say_so(grain):
    hu = blobs(grain)
    masks, settled = device_wall_masks(torch.from_numpy(hu), WALL_THRESHOLD_HU)
    needed = wall_mask(hu)
    is_right = (masks.numpy() == needed).all(axis=(1, 2))
    assert is_right[settled.numpy()].all()
    assert settled.float().mean() >= {8: 0.9, 4: 0.5}.get(grain, 0)


def test_masks_of_walls_are_settled():
    hu = arches(20).hu
    masks, settled = device_wall_masks(torch.from_numpy(hu), WALL_THRESHOLD_HU)
    assert settled.all()
    np.testing.assert_array_equal(masks.numpy(), wall_mask(hu))


def test_of_two_pieces_as_large_the_first_is_the_wall_and_of_none_there_is_none():
    hu = np.zeros((2, 128, 128), np.int16)
    hu[0, 20:30, 90:100] = hu[0, 60:70, 10:20] = 900
    masks, settled = device_wall_masks(torch.from_numpy(hu), WALL_THRESHOLD_HU)
    assert settled.all()
    assert masks[0, 20:30, 90:100].all()
    assert masks.sum() == 100


def test_a_spiral_is_not_settled():
    hu = np.zeros((1, 128, 128), np.int16)
    for ring in range(0, 60, 4):
        hu[0, ring, ring : 128 - ring] = hu[0, 127 - ring, ring : 128 - ring] = 900
        hu[0, ring : 128 - ring, 127 - ring] = hu[0, ring + 4 : 128 - ring, ring] = 900
        hu[0, ring + 4, ring : ring + 5] = 900
    assert not device_wall_masks(torch.from_numpy(hu), WALL_THRESHOLD_HU)[1].any()


def test_walls_are_found_on_a_fake_cuda_device_without_waiting_for_it():
    with FakeCuda():
        hu = torch.empty(64, 128, 128, dtype=torch.int16, device=CUDA)
        masks, settled = device_wall_masks(hu, WALL_THRESHOLD_HU)
        assert (masks.dtype, settled.dtype) == (torch.uint8, torch.bool)
        assert (masks.shape, settled.shape) == (hu.shape, (64,))
        assert masks.device.type == settled.device.type == "cuda"
        with pytest.raises(WaitsForTheGpu):
            settled.cpu()
