"""Images on their way to the discriminator, on tiny tensors whose answers are known."""

import math

import pytest
import torch
from SkullGANLib.training.augmentation import (
    AdaptiveAugmentation,
    augment,
    augment_adaptively,
    blurred,
    half_mirrored,
    moved,
    stretched,
    with_blurred,
    without_background,
)
from SkullGANLib.training.process_group import ShardedGenerator
from SkullGANLib.training.recipe import Recipe


def generator(seed: int = 0) -> ShardedGenerator:
    return ShardedGenerator(torch.Generator().manual_seed(seed))


def test_flips_mirror_about_half_of_the_images():
    images = torch.arange(4.0).expand(400, 1, 2, 4)
    mirrored = half_mirrored(images, generator())
    assert 160 < (mirrored[:, 0, 0, 0] == 3).sum() < 240
    assert torch.equal(mirrored.sort(dim=3).values, images)


def test_moved_images_are_windows_of_the_image_with_its_edge_repeated():
    image = torch.arange(36.0).reshape(1, 1, 6, 6)
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2), mode="replicate")
    windows = [padded[0, 0, r : r + 6, c : c + 6] for r in range(5) for c in range(5)]
    windowed = moved(image.expand(60, 1, 6, 6), 2, generator())
    found = {next(n for n, w in enumerate(windows) if torch.equal(w, one[0])) for one in windowed}
    assert len(found) > 15


def test_noise_on_what_the_discriminator_sees_has_its_deviation():
    images = torch.zeros(4, 1, 128, 128)
    seen = augment(images, Recipe(), generator(), torch.tensor(0.25))
    assert seen.std().item() == pytest.approx(0.25, rel=0.02)
    assert augment(images, Recipe(), generator()) is images


def test_the_blur_is_the_gaussian_of_its_sigma():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1
    beside = math.exp(-0.5 / 0.8**2)
    center = 1 / (1 + 2 * beside)
    found = blurred(image, 0.8)[0, 0]
    assert found[2, 2].item() == pytest.approx(center**2)
    assert found[2, 3].item() == pytest.approx(center**2 * beside)
    assert found[1, 3].item() == pytest.approx(center**2 * beside**2)
    assert found.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("count", [0, 1, 5, 8])
def test_blurred_reals_are_put_behind_the_fakes_that_are_left(count):
    generated = torch.arange(16.0)[:, None, None, None].expand(16, 1, 8, 8)
    reals = 100 + generated[:8]
    fakes = with_blurred(generated, reals, torch.tensor(count), torch.tensor(0.8))
    expected = [*range(count, 16), *range(100, 100 + count)]
    assert fakes.flatten(1).mean(1).tolist() == pytest.approx(expected)


def test_augmentation_without_strength_leaves_every_pixel_as_it_is():
    images = torch.rand(3, 1, 128, 128) * 2 - 1
    found = augment_adaptively(images, torch.tensor(0.0), generator())
    torch.testing.assert_close(found, images, rtol=0, atol=2e-7)


def test_the_stronger_the_augmentation_the_more_images_it_changes():
    images = torch.linspace(-1, 1, 128).expand(200, 1, 128, 128)
    changed = [
        ((augment_adaptively(images, torch.tensor(p), generator()) - images).abs() > 1e-5)
        .flatten(1)
        .any(1)
        .sum()
        .item()
        for p in (0.02, 0.2, 0.8)
    ]
    # Eight things happen to an image, each with the probability p; half of the mirrored show it.
    assert changed[0] < 0.2 * 200 < 0.6 * 200 < changed[1] < changed[2] == 200


def test_augmented_images_are_still_those_of_a_wall():
    wall = torch.full((100, 1, 128, 128), -1.0)
    wall[:, :, 40:60] = 0.5
    found = augment_adaptively(wall, torch.tensor(1.0), generator())
    # Columns of the wall stay about 20 px high, wherever they have gone; the cut-out is gray.
    assert (found > 0.1).sum(2).float().median().item() == pytest.approx(20, abs=1)
    centers = (found > 0.1)[:, 0, :, 64].float().argmax(1)
    assert 5 < centers.float().std() < 40


def test_gradients_reach_the_generator_through_the_augmentation():
    images = (torch.rand(4, 1, 128, 128) - 0.5).requires_grad_()
    augment_adaptively(images, torch.tensor(0.8), generator()).sum().backward()
    assert torch.isfinite(images.grad).all()
    # All but what was cut out or moved out of the image.
    assert (images.grad != 0).float().mean() > 0.7


@pytest.mark.parametrize(("logit", "strength"), [(3.0, 0.8), (-3.0, 0.0)])
def test_the_strength_grows_while_the_discriminator_is_too_sure_of_reals(logit, strength):
    recipe = Recipe(ada_target=0.6, ada_ramp_fraction=0.5)
    steered = AdaptiveAugmentation(recipe, 80, torch.device("cpu"))
    seen = []
    for iteration in range(40):
        steered.update(torch.full((4,), logit), adapts=iteration % 4 == 3)
        seen.append(steered.strength.item())
    assert seen[2] == 0
    assert seen[3] == pytest.approx(0.1 if logit > 0 else 0.0)
    assert seen[-1] == pytest.approx(strength)


def test_the_strength_settles_where_the_discriminator_is_as_sure_as_is_wanted():
    recipe = Recipe(ada_target=0.6, ada_ramp_fraction=0.5)
    steered = AdaptiveAugmentation(recipe, 2000, torch.device("cpu"))
    random = torch.Generator().manual_seed(0)
    for iteration in range(2000):
        # A discriminator that knows all reals without augmentation, and with all of it none.
        called_real = torch.rand(8, generator=random) < 1 - steered.strength / 2
        steered.update(called_real * 2.0 - 1, adapts=iteration % 4 == 3)
    assert steered.strength.item() == pytest.approx(0.4, abs=0.1)


def test_what_is_no_wall_is_hidden_and_the_gradient_passes_all_the_same():
    images = torch.tensor([[[[-1.0, -0.95], [-0.9, 0.4]]]], requires_grad=True)
    seen = without_background(images, -0.92)
    assert seen.flatten().tolist() == pytest.approx([-1, -1, -0.9, 0.4])
    seen.sum().backward()
    assert (images.grad == 1).all()


def test_contrast_is_stretched_about_the_background():
    images = torch.full((400, 1, 2, 2), -1.0)
    images[:, :, 1] = 0.5
    seen = stretched(images, 0.1, generator())
    assert (seen[:, :, 0] == -1).all()
    gain = ((seen[:, 0, 1, 0] + 1) / 1.5).log()
    assert gain.std().item() == pytest.approx(0.1, rel=0.1)
    assert abs(gain.mean().item()) < 0.02


@pytest.mark.parametrize(("held_out", "grows"), [(0.9, False), (0.1, True)])
def test_by_held_out_reals_augmentation_grows_where_they_look_more_like_fakes(held_out, grows):
    recipe = Recipe(ada_target=0.5, ada_reference="held_out")
    steered = AdaptiveAugmentation(recipe, 1000, torch.device("cpu"))
    steered.strength.fill_(0.4)
    for iteration in range(8):
        others = torch.tensor([held_out]), torch.tensor([0.0])
        steered.update(torch.tensor([1.0]), others, adapts=iteration % 4 == 3)
    assert (steered.strength > 0.4).item() == grows
    assert (steered.strength < 0.4).item() != grows


def test_the_slices_of_a_stack_in_depth_are_changed_alike():
    one = torch.rand(6, 1, 128, 128, generator=torch.Generator().manual_seed(1))
    stack = one.expand(6, 3, 128, 128)
    for change in (
        lambda x: moved(x, 4, generator(2)),
        lambda x: stretched(x, 0.1, generator(2)),
        lambda x: half_mirrored(x, generator(2)),
        lambda x: blurred(x, 0.8),
    ):
        found = change(stack)
        assert found.shape == stack.shape
        torch.testing.assert_close(found, change(one).expand(6, 3, 128, 128), rtol=0, atol=0)
    strong = augment_adaptively(stack, torch.tensor(1.0), generator(2))
    assert strong.shape == stack.shape
    cut_out = strong == -1
    assert (cut_out == cut_out[:, :1]).all()
