"""Inference: laid out for speed, a generator makes the images of the plain network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation.from_seeds import draw
from SkullGANLib.networks import fast_generator
from SkullGANLib.networks.dcgan import Generator, initialize, inject_noise
from SkullGANLib.networks.fast_generator import chosen_precision, images_together, prepared
from torch import Tensor, nn
from torch.nn import functional


def trained_like(width: int, seed: int = 0) -> Generator:
    """Random weights, and batch norms that scale, shift and normalize by far from 0 and 1."""
    chance = torch.Generator().manual_seed(seed)
    generator = Generator(latent_size=20, width=width)
    initialize(generator, 0.0, chance)
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=chance)
            nn.init.normal_(layer.bias, 0, 0.3, generator=chance)
            nn.init.normal_(layer.running_mean, 0, 0.3, generator=chance)
            nn.init.uniform_(layer.running_var, 0.5, 2, generator=chance)
    return generator.eval()


def relative_l2(found: Tensor, needed: Tensor) -> Tensor:
    apart = (found - needed).flatten(1).norm(dim=1)
    return apart / needed.flatten(1).norm(dim=1)


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


@pytest.mark.parametrize("layout", ["_Karatsuba", "_FourPhases", "_Transposed"])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("size", [2, 4, 10])
@torch.inference_mode()
def test_each_layout_is_a_transposed_convolution(layout, with_bias, size):
    chance = torch.Generator().manual_seed(1)
    x = torch.randn(3, 5, size, size, generator=chance, dtype=torch.float64)
    weight = torch.randn(5, 7, 4, 4, generator=chance, dtype=torch.float64)
    bias = torch.randn(7, generator=chance, dtype=torch.float64) if with_bias else None
    needed = functional.conv_transpose2d(x, weight, bias, stride=2, padding=1)
    if with_bias:
        needed = needed.relu()
    layer = getattr(fast_generator, layout)(weight.permute(2, 3, 0, 1), bias, torch.float64)
    found = layer(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, needed)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch without oneDNN")
@torch.inference_mode()
def test_a_convolution_packed_for_onednn_is_a_convolution():
    chance = torch.Generator().manual_seed(1)
    x, weight = torch.randn(2, 16, 9, 9, generator=chance), torch.randn(8, 16, 3, 3)
    bias = torch.randn(8, generator=chance)
    layer = fast_generator._Packed(weight.to(memory_format=torch.channels_last), bias, 1)
    for count in (2, 1):  # packed for two, used for one
        needed = functional.conv2d(x[:count], weight, bias, padding=1)
        torch.testing.assert_close(layer(x[:count]), needed, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 8, 10, 32, 128, 160])
def test_noise_is_injected_as_the_network_does(channels):
    chance = torch.Generator().manual_seed(channels)
    x = torch.randn(2, channels, 64, 64, generator=chance) + 3 * torch.rand(channels, 1, 1)
    x = x.contiguous(memory_format=torch.channels_last)
    noise = torch.randn(x.shape, generator=chance)
    needed = inject_noise(x, noise)
    found = fast_generator._inject_on_cpu(
        x.clone(memory_format=torch.preserve_format), noise, torch.float32
    )
    # A pixel at the very threshold may fall on either side.
    assert ((found - needed).abs() > 1e-4).sum() <= 1


def test_a_channel_without_contrast_gets_no_noise():
    x = torch.full((1, 8, 16, 16), 2.0).contiguous(memory_format=torch.channels_last)
    found = fast_generator._inject_on_cpu(x.clone(), torch.ones_like(x), torch.float32)
    assert torch.equal(found, x)


def test_an_unknown_precision_is_refused():
    with pytest.raises(BadInputError, match="The precision is 'fp16', needed is auto, fp32, bf16"):
        chosen_precision("fp16", "cpu", 4096)


def test_a_precision_asked_for_is_taken_and_a_narrow_network_stays_in_float32():
    assert chosen_precision("bf16", "cpu", 8) == "bf16"
    assert chosen_precision("fp32", "cpu", 4096) == "fp32"
    assert chosen_precision("auto", "cpu", 256) == "fp32"


def test_bf16_is_chosen_only_where_it_is_computed():
    if chosen_precision("auto", "cpu", 4096) == "bf16":
        assert fast_generator.has_bf16("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("precision", "apart"), [("fp32", 1e-4), ("bf16", 0.1)])
@torch.inference_mode()
def test_a_gpu_makes_the_same_images(precision, apart):
    generator = trained_like(256)
    latent, noise = draw(generator, np.arange(images_together("cuda")))
    needed = generator(latent, noise)
    on_gpu = prepared(generator.cuda(), precision)
    found = on_gpu(latent.cuda(), tuple(part.cuda() for part in noise)).cpu()
    assert relative_l2(found, needed).median() < apart
