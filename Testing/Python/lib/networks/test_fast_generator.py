"""Inference: laid out for speed, a generator makes the images of the plain network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from SkullGANLib.generation.from_seeds import draw
from SkullGANLib.networks.architecture import Architecture
from SkullGANLib.networks.dcgan import Generator
from SkullGANLib.networks.fast_generator import images_together, prepared
from SkullGANLib.networks.initial_weights import initialize
from torch import Tensor, nn


def trained_like(width: int, seed: int = 0, architecture: Architecture | None = None) -> Generator:
    """Random weights, and batch norms that scale, shift and normalize by far from 0 and 1."""
    source = torch.Generator().manual_seed(seed)
    generator = Generator(20, width, architecture)
    initialize(generator, 0.0, source)
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=source)
            nn.init.normal_(layer.bias, 0, 0.3, generator=source)
            nn.init.normal_(layer.running_mean, 0, 0.3, generator=source)
            nn.init.uniform_(layer.running_var, 0.5, 2, generator=source)
    return generator.eval()


def relative_l2(found: Tensor, expected: Tensor) -> Tensor:
    apart = (found - expected).flatten(1).norm(dim=1)
    return apart / expected.flatten(1).norm(dim=1)


@torch.inference_mode()
def compared(generator: Generator, noise_level: float, precision: str = "fp32") -> Tensor:
    """Relative L2 of eight images against the plain network, same latent vectors and noise."""
    latent, noise = draw(generator, np.arange(8))
    first, second = (noise_level * part for part in noise)
    found = prepared(generator, precision)(latent, (first, second))
    return relative_l2(found, generator(latent, (first, second)))


# From 8 channels in every layer to all kinds of layers at once; 320 gives 10 channels at the end.
WIDTHS = [8, 64, 320]


@pytest.mark.parametrize("width", WIDTHS)
def test_without_noise_images_are_the_plain_networks_to_rounding(width):
    assert compared(trained_like(width), noise_level=0).max() < 1e-5


@pytest.mark.parametrize("width", WIDTHS)
def test_with_noise_they_are_but_where_rounding_crosses_a_threshold_of_the_noise(width):
    # One pixel on the other side moves an image by about 1e-3, and is in one image of dozens.
    apart = compared(trained_like(width), noise_level=1)
    assert apart.median() < 1e-5
    assert (apart < 1e-4).sum() >= 6
    assert apart.max() < 1e-2


@pytest.mark.parametrize(
    "changes",
    [
        {"image_rows": 64, "generator_smoothing": True, "generator_activation": "leaky_relu"},
        {"image_rows": 96, "generator_smoothing": True, "noise_scales": 4},
        {"generator_channels": (192, 160, 96, 64, 32, 24, 16, 16, 16)},
    ],
)
def test_so_they_are_of_other_architectures(changes):
    generator = trained_like(192, architecture=Architecture(**changes))
    assert compared(generator, noise_level=0).max() < 1e-5
    assert compared(generator, noise_level=1).median() < 1e-5
    assert compared(generator, 1, "bf16").median() < 0.1


@torch.inference_mode()
def test_conditions_behind_the_latent_vectors_are_told_the_fast_generator_too():
    generator = trained_like(64, architecture=Architecture(conditions=("bone", "sdr")))
    latent, noise = draw(generator, np.arange(4))
    told = torch.cat([latent, torch.randn(4, 9)], 1)
    found = prepared(generator, "fp32")(told, noise)
    assert relative_l2(found, generator(told, noise)).median() < 1e-5
    untold = torch.cat([latent, torch.zeros(4, 9)], 1)
    assert relative_l2(prepared(generator, "fp32")(untold, noise), found).min() > 1e-3


def test_in_bf16_images_are_the_plain_networks_to_eight_bits():
    generator = trained_like(8)
    assert compared(generator, 0, "bf16").max() < 0.03
    assert compared(generator, 1, "bf16").median() < 0.1


@torch.inference_mode()
def test_an_image_is_to_the_bit_the_same_among_fewer():
    generator = trained_like(256)
    latent, (first, second) = draw(generator, np.arange(8))
    images = prepared(generator, "fp32")
    together = images(latent, (first, second))
    assert torch.equal(images(latent[:3], (first[:3], second[:3])), together[:3])


def test_preparing_leaves_the_generator_and_the_number_of_threads_as_they_are():
    generator = trained_like(256)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    threads = torch.get_num_threads()
    compared(generator, 1)
    assert all(torch.equal(before[name], t) for name, t in generator.state_dict().items())
    assert torch.get_num_threads() == threads


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("precision", "apart"), [("fp32", 1e-4), ("bf16", 0.1)])
@torch.inference_mode()
def test_a_gpu_makes_the_same_images(precision, apart):
    generator = trained_like(256)
    latent, noise = draw(generator, np.arange(images_together("cuda")))
    expected = generator(latent, noise)
    on_gpu = prepared(generator.cuda(), precision)
    found = on_gpu(latent.cuda(), tuple(part.cuda() for part in noise)).cpu()
    assert relative_l2(found, expected).median() < apart


def test_the_slices_of_a_stack_in_depth_are_the_plain_networks_too():
    generator = trained_like(64, architecture=Architecture(slices=3, image_rows=64))
    assert compared(generator, noise_level=0).max() < 1e-5
    latent, noise = draw(generator, np.arange(2))
    assert prepared(generator, "fp32")(latent, noise).shape == (2, 3, 128, 128)
