"""What a seed stands for: latent vectors and noise of known distributions, from the seed alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from SkullGANLib.generation.draws import draw, draw_on
from SkullGANLib.networks.dcgan import Generator


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(latent_size=10, width=32)


def test_all_bits_of_a_seed_count(generator):
    latent, (first, second) = draw(generator, np.array([5, 5 + 2**32, 2**63 - 1]))
    for part in (latent, first, second):
        assert not torch.equal(part[0], part[1])
        assert not torch.equal(part[1], part[2])


def test_latent_vectors_are_uniform_and_noise_is_normal(generator):
    latent, (first, second) = draw(generator, np.arange(200))
    assert -1 <= latent.min() < -0.98
    assert 0.98 < latent.max() <= 1
    assert first[:4].mean().item() == pytest.approx(0, abs=0.01)
    assert second[:4].std().item() == pytest.approx(1, abs=0.01)


def test_noise_has_the_moments_of_the_normal_distribution():
    _, (noise, _) = draw(Generator(latent_size=1, width=8), np.arange(4))
    noise = noise.double()
    for power, needed in ((1, 0), (2, 1), (3, 0), (4, 3)):
        assert (noise**power).mean().item() == pytest.approx(needed, abs=0.04)
    assert 4 < noise.abs().max() < 4.4


def test_draws_are_the_same_whoever_is_drawn_beside(generator):
    latent, (first, second) = draw(generator, np.arange(5))
    alone, (first_alone, second_alone) = draw(generator, np.array([3]))
    assert torch.equal(latent[3:4], alone)
    assert torch.equal(first[3:4], first_alone)
    assert torch.equal(second[3:4], second_alone)


def test_a_gpu_draws_for_each_seed_alone_where_the_noise_is_used(generator):
    # The CPU's generator stands for the GPU's, which only a GPU has.
    seeds = np.array([5, 6, 2**40 + 5])
    latent, noises = draw_on(torch.device("cpu"), generator, seeds)
    alone, noises_alone = draw_on(torch.device("cpu"), generator, seeds[1:2])
    assert torch.equal(latent[1:2], alone)
    assert -1 <= latent.min() < latent.max() <= 1
    for noise, one, shape in zip(noises, noises_alone, generator.noise_shapes, strict=True):
        assert noise.shape == (3, *shape)
        assert noise.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(noise[1:2], one)
