"""The weights that a network begins with."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .dcgan import LEAK, Discriminator


def initialize(network: nn.Module, weight_std: float, generator: torch.Generator) -> None:
    """Draw the initial weights: convolutions N(0, weight_std), batch-norm scale N(1, 0.01).

    Biases and shifts start at 0, running statistics at mean 0 and variance 1.

    Args:
        network: a generator or a discriminator, changed in place.
        weight_std: standard deviation of the convolutions' weights; 0 chooses it layer by layer as
            sqrt(1 / inputs of an output pixel), which hands the variance on unchanged. A narrow
            network needs that: with few inputs a small fixed deviation makes signal and gradient
            fade from layer to layer.
        generator: where the weights are drawn from, on the network's device.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            std = weight_std or math.sqrt(_gain(network) / _inputs_of_an_output(layer))
            # Of a parametrized layer, "weight" is computed from what is learned.
            weight: Tensor = layer.weight
            if parametrize.is_parametrized(layer, "weight"):
                weight = cast("Any", layer).parametrizations.weight.original
            nn.init.normal_(weight, 0.0, std, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, layer.in_features**-0.5, generator=generator)
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            nn.init.normal_(layer.weight, 1.0, 0.01, generator=generator)
            nn.init.zeros_(layer.bias)


def _gain(network: nn.Module) -> float:
    """What a layer must multiply variances by for those of its activations to stay: leaky ReLU
    takes some, which a batch norm would give back (He et al. 2015)."""
    alone = isinstance(network, Discriminator) and network.norm != "batch"
    return 2 / (1 + LEAK**2) if alone else 1.0


def _inputs_of_an_output(layer: nn.Conv2d | nn.ConvTranspose2d) -> float:
    taps: float = layer.kernel_size[0] * layer.kernel_size[1]
    if isinstance(layer, nn.ConvTranspose2d):
        # Strided, each output pixel meets only its share of the kernel; unstrided on a 1 x 1
        # grid, exactly one tap.
        taps = taps / (layer.stride[0] * layer.stride[1]) if layer.stride[0] > 1 else 1
    return layer.in_channels * taps
