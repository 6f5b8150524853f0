"""Inference: a trained generator laid out for speed, numerically the same network.

``prepared`` takes a generator and gives a function from latent vectors and noise to images, as
``Generator.forward`` is in evaluation mode. What makes it faster:

- batch norm is folded into the convolution before it, and all weights are laid out once;
- its transposed convolutions are laid out by ``fast_layers``: four small convolutions each, with 9
  products for 16 in float32 on a CPU; the low-pass that may follow them stays a step of its own,
  for folded into the taps it would let in what lies beyond the edges;
- the noise layers (``noise_layers``) pass through the image in pieces that stay in the cache, with
  a standard deviation 7 times as fast as torch's over a large plane;
- activations are channels-last, the wide last layers go image by image, and there are no gradients;
- bf16 where the processor has instructions for it.

Nothing is chosen by a stopwatch, so that two runs on one machine give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from .architecture import IMAGE_SIZE
from .dcgan import Generator, smoothed, with_all_rows
from .fast_layers import Layer, plain, upward
from .noise_layers import injection

Images = Callable[[Tensor, tuple[Tensor, Tensor]], Tensor]


def images_together(device: torch.device | str) -> int:
    """Tell how many images a prepared generator takes at once.

    The layers up to 32 x 32 always compute that many: with other numbers a processor shares the
    work out differently and rounds differently, which the noise layers' thresholds made 564 HU of
    in 15 pixels. Fewer weights than activations pass through the wide layers that follow, and
    there a CPU goes image by image.
    """
    return 64 if torch.device(device).type == "cuda" else 8


def prepared(generator: Generator, precision: str) -> Images:
    """Lay a generator out for inference, on the device where it is.

    Args:
        generator: is read and not changed; its weights are copied, at full width to 1.6 GB in
            float32 on a CPU, and 0.4 GB in bf16.
        precision: "fp32" agrees with the plain network to about 1e-6 (relative L2) but for the
            rare pixel that rounding carries over a noise layer's threshold; "tf32" is the same
            under ``precision.cuda_arithmetic``. "bf16" rounds weights and activations up to the
            second noise layer to 8 bits; noise, what follows it, and the sums within every product
            stay in float32.

    Returns:
        A function of latent vectors, float32 (N, latent_size), and two noises, float32
        (N, *shape), whose images are float32 (N, slices, 128, 128) in [-1, 1]. N is at most
        ``images_together``, on a GPU exactly that. Noise in channels-last memory is the fastest.
    """
    return torch.inference_mode()(
        _FastGenerator(generator, torch.bfloat16 if precision == "bf16" else torch.float32)
    )


def bytes_of_image(generator: Generator) -> int:
    """Reckon the memory that each of the images made together takes: its noise, and the largest
    activations three times over in float32 (input, output and what a noise layer is at)."""
    noises = [math.prod(shape) for shape in generator.noise_shapes]
    return 4 * (sum(noises) + 3 * max(noises))


class _FastGenerator:
    """The generator's layers as functions on channels-last tensors, in the order of Table 1."""

    def __init__(self, generator: Generator, dtype: torch.dtype) -> None:
        self._dtype = dtype
        taps, bias = _folded(generator.main1)
        # On a 1 x 1 grid a transposed convolution is a matrix product.
        self._first = taps.permute(2, 0, 1, 3).flatten(1).to(dtype)
        self._grid = generator.rows // 32, IMAGE_SIZE // 32
        self._first_bias = bias.repeat(self._grid[0] * self._grid[1]).to(dtype)
        self._channels = len(bias)
        blocks = (generator.main2, generator.main3, generator.main4, generator.main5)
        grids = (4, 8, 16, 32)
        layers = [
            _upward(
                block,
                dtype,
                (generator.rows * grid // IMAGE_SIZE, grid),
                smoothing=generator.smoothing and number >= 2,
            )
            for number, (block, grid) in enumerate(zip(blocks, grids, strict=True))
        ]
        layers.append(_last_upward(generator.main6, dtype, smoothing=generator.smoothing))
        self._deep, self._wide = layers[:3], layers[3:]  # up to 32 x 32, and from there on
        self._conv1, self._conv2 = (
            plain(layer, dtype) for layer in (generator.conv1, generator.conv2)
        )
        self._conv3, self._conv4 = (
            plain(layer, torch.float32) for layer in (generator.conv3, generator.conv4)
        )
        self._on_cpu = taps.device.type == "cpu"
        self._activated, self._scaled = generator.activated, generator.scaled
        self._inject = injection(generator.width, taps.device)
        self._threads = torch.get_num_threads()
        self._workers = ThreadPoolExecutor(min(self._threads, images_together("cpu")))

    def __call__(self, latent: Tensor, noise: tuple[Tensor, Tensor]) -> Tensor:
        if not self._on_cpu:
            return self._from_32(self._to_32(latent), *noise)
        wanted, together = len(latent), images_together("cpu")
        x = self._to_32(functional.pad(latent, (0, 0, 0, together - wanted)))[:wanted]
        # An image a thread: the threads wait for each other once, not at each of 60 small steps.
        images = (t.split(1) for t in (x, *noise))
        try:
            return torch.cat(list(self._workers.map(self._from_32_alone, *images)))
        finally:
            torch.set_num_threads(self._threads)  # new threads inherit what was set last

    @torch.inference_mode()
    def _from_32_alone(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        torch.set_num_threads(max(1, self._threads // images_together("cpu")))  # of this thread
        return self._from_32(x, first, second)

    def _to_32(self, latent: Tensor) -> Tensor:
        x = torch.addmm(self._first_bias, latent.to(self._dtype), self._first).relu_()
        x = x.view(len(latent), *self._grid, self._channels).permute(0, 3, 1, 2)
        for layer in self._deep:
            x = layer(x)
        return x

    def _from_32(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        for layer in self._wide:
            x = layer(x)
        x = self._inject(x, self._scaled(first), self._dtype)
        x = self._activated(self._conv2(self._activated(self._conv1(x))))
        x = self._inject(x, self._scaled(second), torch.float32)
        return with_all_rows(torch.tanh(self._conv4(self._activated(self._conv3(x)))))


def _upward(
    block: nn.Sequential, dtype: torch.dtype, grid: tuple[int, int], *, smoothing: bool
) -> Layer:
    """Lay out a transposed convolution with its low-pass, batch norm and ReLU."""
    taps, bias = _folded(block)
    if not smoothing:
        return upward(taps, bias, dtype, grid[1], grid[0])
    # The low-pass weighs zeros in at the edges, so that the bias has to follow it.
    layer, shift = upward(taps, None, dtype, grid[1], grid[0]), bias.to(dtype)[:, None, None]
    return lambda x: smoothed(layer(x)).add_(shift).relu_()


def _last_upward(block: nn.Sequential, dtype: torch.dtype, *, smoothing: bool) -> Layer:
    layer = upward(_taps(block), None, dtype, 64)
    return (lambda x: smoothed(layer(x))) if smoothing else layer


def _folded(block: nn.Sequential) -> tuple[Tensor, Tensor]:
    """Fold batch norm in evaluation mode: (w·x - mean)·scale + shift, scale = γ / √(var + ε).

    Args:
        block: a transposed convolution, its batch norm and what follows.

    Returns:
        Weights (rows, columns, inputs, outputs) and bias (outputs,).
    """
    norm = cast("nn.BatchNorm2d", block[1])
    mean, variance = cast("Tensor", norm.running_mean), cast("Tensor", norm.running_var)
    scale = norm.weight.detach() / torch.sqrt(variance + norm.eps)
    return _taps(block).mul_(scale), norm.bias.detach() - mean * scale


def _taps(block: nn.Sequential) -> Tensor:
    """Give the weights (rows, columns, inputs, outputs) of a block's transposed convolution,
    copied; 4 x 4 but in the first layer of an image of fewer rows."""
    weight = cast("nn.ConvTranspose2d", block[0]).weight.detach()
    taps = weight.flatten(2).flatten(0, 1).t().clone(memory_format=torch.contiguous_format)
    return taps.view(*weight.shape[2:], *weight.shape[:2])
