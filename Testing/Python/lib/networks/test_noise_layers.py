"""Noise layers laid out for speed inject what the network injects."""

from __future__ import annotations

import pytest
import torch
from SkullGANLib.networks.dcgan import inject_noise
from SkullGANLib.networks.noise_layers import _OrAsItIs, injection

inject_on_cpu = injection(256, torch.device("cpu"))


@pytest.mark.parametrize("channels", [1, 8, 10, 32, 128, 160])
def test_noise_is_injected_as_the_network_does(channels):
    generator = torch.Generator().manual_seed(channels)
    x = torch.randn(2, channels, 64, 64, generator=generator) + 3 * torch.rand(channels, 1, 1)
    x = x.contiguous(memory_format=torch.channels_last)
    noise = torch.randn(x.shape, generator=generator)
    expected = inject_noise(x, noise)
    found = inject_on_cpu(x.clone(memory_format=torch.preserve_format), noise, torch.float32)
    # A pixel at the very threshold may fall on either side.
    assert ((found - expected).abs() > 1e-4).sum() <= 1


def test_a_channel_without_contrast_gets_no_noise():
    x = torch.full((1, 8, 16, 16), 2.0).contiguous(memory_format=torch.channels_last)
    found = inject_on_cpu(x.clone(), torch.ones_like(x), torch.float32)
    assert torch.equal(found, x)


def failing(error: Exception):
    def compiled(x: torch.Tensor, noise: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        raise error

    return compiled


def plainly(x: torch.Tensor, noise: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return inject_noise(x, noise).to(dtype)


def test_where_compiling_fails_the_layer_goes_on_as_it_is_and_says_so_once(caplog):
    x, noise = torch.randn(2, 1, 4, 8, 8)
    inject = _OrAsItIs(failing(RuntimeError("Failed to find C compiler.\nMore.")), plainly)
    for _ in range(2):
        assert torch.equal(inject(x, noise, torch.float32), inject_noise(x, noise))
    assert caplog.messages == [
        "Noise layers cannot be compiled, and are slower: Failed to find C compiler."
    ]


def test_memory_that_is_short_is_no_fault_of_compiling():
    x, noise = torch.randn(2, 1, 4, 8, 8)
    inject = _OrAsItIs(failing(torch.cuda.OutOfMemoryError("CUDA out of memory.")), plainly)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        inject(x, noise, torch.float32)
