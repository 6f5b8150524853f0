"""Images on their way to the discriminator, on tiny tensors whose answers are known."""

import math

import pytest
import torch
from SkullGANLib.augmentation import blurred, half_mirrored, judged, moved, with_blurred
from SkullGANLib.recipe import Recipe, named


def test_flips_mirror_about_half_of_the_images():
    images = torch.arange(4.0).expand(400, 1, 2, 4)
    mirrored = half_mirrored(images, torch.Generator().manual_seed(0))
    assert 160 < (mirrored[:, 0, 0, 0] == 3).sum() < 240
    assert torch.equal(mirrored.sort(dim=3).values, images)


def test_moved_images_are_windows_of_the_image_with_its_edge_repeated():
    image = torch.arange(36.0).reshape(1, 1, 6, 6)
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2), mode="replicate")
    windows = [padded[0, 0, r : r + 6, c : c + 6] for r in range(5) for c in range(5)]
    windowed = moved(image.expand(60, 1, 6, 6), 2, torch.Generator().manual_seed(0))
    found = {next(n for n, w in enumerate(windows) if torch.equal(w, one[0])) for one in windowed}
    assert len(found) > 15


def test_noise_on_what_is_judged_falls_to_nothing():
    recipe = Recipe(judge_noise=0.5)
    images = torch.zeros(4, 1, 128, 128)
    for share_done, deviation in ((0.0, 0.5), (0.4, 0.25), (0.8, 0.0), (1.0, 0.0)):
        seen = judged(images, recipe, share_done, torch.Generator().manual_seed(0))
        assert seen.std().item() == pytest.approx(deviation, rel=0.02)


def test_the_blur_is_the_gaussian_of_its_sigma():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1
    beside = math.exp(-0.5 / 0.8**2)
    centre = 1 / (1 + 2 * beside)
    found = blurred(image, 0.8)[0, 0]
    assert found[2, 2].item() == pytest.approx(centre**2)
    assert found[2, 3].item() == pytest.approx(centre**2 * beside)
    assert found[1, 3].item() == pytest.approx(centre**2 * beside**2)
    assert found.sum().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("epoch", "count"), [(0, 0), (15, 0), (16, 1), (20, 5), (23, 8), (24, 8), (900, 8)]
)
def test_blurred_reals_grow_by_one_an_epoch_to_half_of_the_fakes(epoch, count):
    generated, reals = torch.zeros(16, 1, 8, 8), torch.ones(16, 1, 8, 8)
    fakes = with_blurred(generated, reals, named("published"), epoch)
    assert len(fakes) == 16
    assert (fakes.flatten(1).mean(1) > 0.5).sum() == count
