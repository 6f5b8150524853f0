"""Initial weights: the paper's deviations, or by the inputs of a layer."""

from __future__ import annotations

import pytest
import torch
from SkullGANLib.networks.dcgan import Generator
from SkullGANLib.networks.initial_weights import initialize


def narrow_generator() -> Generator:
    generator = Generator(latent_size=12, width=16)
    initialize(generator, 0.0, torch.Generator().manual_seed(3))
    return generator.eval()


def test_initial_weights_have_the_papers_deviations():
    with torch.device("meta"):
        generator = Generator(latent_size=50, width=128)
    generator.to_empty(device="cpu")
    initialize(generator, 0.01, torch.Generator().manual_seed(1))
    assert generator.main2[0].weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert generator.conv2.weight.std().item() == pytest.approx(0.01, rel=0.15)
    assert generator.main1[1].weight.mean().item() == pytest.approx(1, abs=0.004)
    assert generator.main1[1].weight.std().item() == pytest.approx(0.01, rel=0.3)
    assert generator.main1[1].running_var.unique().tolist() == [1.0]
    assert generator.conv1.bias.abs().max().item() == 0


def test_weights_scaled_by_their_inputs_keep_the_signal_alive_in_a_narrow_network():
    generator = narrow_generator().train()
    images = generator(generator.draw_latent(8, generator=torch.Generator().manual_seed(0)))
    assert 0.05 < images.std() < 0.95
    initialize(generator, 0.01, torch.Generator().manual_seed(3))
    assert generator(generator.draw_latent(8)).std() < 1e-4


def test_the_same_seed_gives_the_same_initial_weights():
    first, second = narrow_generator().state_dict(), narrow_generator().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
