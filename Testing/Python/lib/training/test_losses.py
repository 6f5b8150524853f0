"""The losses, on logits whose cross entropies are known, and what minimizing them leads to."""

from __future__ import annotations

import math

import pytest
import torch
from examples import arches
from SkullGANLib.networks import model_file
from SkullGANLib.networks.dcgan import Discriminator, Generator
from SkullGANLib.networks.initial_weights import initialize
from SkullGANLib.training.gated_optimizer import GatedOptimizer
from SkullGANLib.training.losses import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
)
from SkullGANLib.training.recipe import Recipe
from SkullGANLib.training.schedule import Schedule


def logit(probability: float) -> torch.Tensor:
    return torch.tensor([math.log(probability / (1 - probability))] * 2)


def test_the_discriminators_loss_is_the_cross_entropy_with_the_recipes_labels():
    recipe = Recipe(real_label=0.9, fake_label=0.0)
    found = discriminator_loss(logit(0.8), logit(0.3), recipe).item()
    of_reals = -0.9 * math.log(0.8) - 0.1 * math.log(0.2)
    assert found == pytest.approx(of_reals - math.log(0.7), abs=1e-6)


@pytest.mark.parametrize("realness", [0.1, 0.5, 0.99])
def test_the_generators_loss_grows_where_its_images_look_fake(realness):
    assert generator_loss(logit(realness)).item() == pytest.approx(-math.log(realness), abs=1e-6)


def test_the_discriminator_learns_to_distinguish_noise_from_arches():
    segments, recipe = arches(), Recipe(update_gate="off")
    discriminator = Discriminator(4)
    optimizer = GatedOptimizer(discriminator, recipe, 1e-3, 0.5)
    schedule = Schedule(recipe, 8, 8, torch.device("cpu"))
    schedule.begin(0)
    reals = model_file.from_hu(segments.hu, segments.hu_range)
    noise = torch.Generator().manual_seed(0)
    for _ in range(8):
        fakes = torch.rand(reals.shape, generator=noise) * 2 - 1
        loss = discriminator_loss(discriminator(reals), discriminator(fakes), recipe)
        optimizer.backward_and_step(loss, schedule)
    assert discriminator.realness(reals).mean() > 0.7
    assert discriminator.realness(fakes).mean() < 0.3


def test_the_generator_follows_what_lowers_its_loss():
    generator = Generator(latent_size=8, width=8)
    noise = torch.Generator().manual_seed(0)
    initialize(generator, 0.0, noise)
    recipe = Recipe(update_gate="off")
    optimizer = GatedOptimizer(generator, recipe, 3e-3, 0.5)
    schedule = Schedule(recipe, 12, 12, torch.device("cpu"))
    schedule.begin(0)
    seen = []
    for _ in range(12):
        latent = torch.rand(4, 8, generator=noise) * 2 - 1
        first, second = (
            torch.randn(4, *shape, generator=noise) for shape in generator.noise_shapes
        )
        images = generator(latent, (first, second))
        upper, lower = images[:, :, :64].mean(), images[:, :, 64:].mean()
        optimizer.backward_and_step(lower - upper, schedule)
        seen.append((upper - lower).item())
    assert abs(seen[0]) < 0.1
    assert seen[-1] > 0.3


def test_the_relativistic_losses_know_only_how_a_real_and_its_fake_differ():
    recipe = Recipe(loss="relativistic")
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([1.0, 1.0])
    expected = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(1))) / 2
    assert discriminator_loss(real, fake, recipe).item() == pytest.approx(expected)
    assert discriminator_loss(real + 5, fake + 5, recipe).item() == pytest.approx(expected)
    assert generator_loss(fake, real).item() == pytest.approx(expected)


def test_the_penalty_is_half_the_squared_gradient_at_the_images_and_reaches_the_weights():
    weight = torch.tensor(2.0, requires_grad=True)
    images = torch.full((3, 1, 2, 2), 0.5)
    # D(x) = w x^2 summed over 4 pixels: the gradient is 2 w x = 2 at each, squared and halved 8.
    penalty = gradient_penalty(lambda x: (weight * x.square()).sum((1, 2, 3)), images)
    assert penalty.item() == pytest.approx(8)
    penalty.backward()
    assert weight.grad.item() == pytest.approx(8)  # d(2 w^2)/dw
