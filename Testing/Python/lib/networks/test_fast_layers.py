"""Layers laid out for speed compute what the layers of torch do."""

from __future__ import annotations

import pytest
import torch
from SkullGANLib.networks import fast_layers
from torch.nn import functional


@pytest.mark.parametrize("layout", ["Karatsuba", "FourPhases", "Transposed"])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("size", [2, 4, 10])
@torch.inference_mode()
def test_each_layout_is_a_transposed_convolution(layout, with_bias, size):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 5, size, size, generator=generator, dtype=torch.float64)
    weight = torch.randn(5, 7, 4, 4, generator=generator, dtype=torch.float64)
    bias = torch.randn(7, generator=generator, dtype=torch.float64) if with_bias else None
    expected = functional.conv_transpose2d(x, weight, bias, stride=2, padding=1)
    if with_bias:
        expected = expected.relu()
    layer = getattr(fast_layers, layout)(weight.permute(2, 3, 0, 1), bias, torch.float64)
    found = layer(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch without oneDNN")
@torch.inference_mode()
def test_a_convolution_packed_for_onednn_is_a_convolution():
    generator = torch.Generator().manual_seed(1)
    x, weight = torch.randn(2, 16, 9, 9, generator=generator), torch.randn(8, 16, 3, 3)
    bias = torch.randn(8, generator=generator)
    layer = fast_layers.Packed(weight.to(memory_format=torch.channels_last), bias, 1)
    for count in (2, 1):  # packed for two, used for one
        expected = functional.conv2d(x[:count], weight, bias, padding=1)
        torch.testing.assert_close(layer(x[:count]), expected, rtol=1e-4, atol=1e-4)
