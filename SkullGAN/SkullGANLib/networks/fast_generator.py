"""Inference: a trained generator laid out for speed, numerically the same network.

``prepared`` takes a generator and gives a function from latent vectors and noise to images, as
``Generator.forward`` is in evaluation mode. What makes it faster:

- batch norm is folded into the convolution before it, and all weights are laid out once;
- a stride-2, 4 x 4 transposed convolution is four 2 x 2 convolutions on the small grid, and in
  float32 on a CPU one needs 9 products in them where the definition takes 16 (``_Karatsuba``),
  while in bf16 the smallest grids are gathered for matrix products (``_Gathered``);
- the noise layers pass through the image in pieces that stay in the cache, with a standard
  deviation 7 times as fast as torch's over a large plane;
- activations are channels-last, the wide last layers go image by image, and there are no gradients;
- bf16 where the processor has matrix units for it.

Nothing is chosen by a stopwatch, so that two runs on one machine give the same bytes.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import lru_cache
from threading import Lock
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import BadInputError
from .dcgan import Generator, inject_noise

PRECISIONS = ("auto", "fp32", "bf16")

_NARROW = 128
"""Input channels below which products are too small to pay for the additions around them: a layer
of 64 to 32 channels took 0.8 ms as it is, 1.6 by ``_Karatsuba``; one of 128 to 64, 0.8 and 0.7."""

_SMALL_GRID = 8
"""Rows and columns up to which a bf16 layer gathers its inputs for matrix products."""

_TAPS_OF_PARITY = ([3, 1], [2, 0])
"""Of a transposed convolution, for even and for odd rows (or columns) of the output."""

_PIECE = 2**17
"""Numbers that a noise layer works on at once (512 KiB in float32)."""

_log = logging.getLogger(__name__)

Images = Callable[[Tensor, tuple[Tensor, Tensor]], Tensor]


class _Layer(Protocol):
    def __call__(self, x: Tensor) -> Tensor: ...


def chosen_precision(name: str, device: torch.device | str, width: int) -> str:
    """Turn "auto" into "fp32" or "bf16", whichever is faster there.

    bf16 is chosen on CUDA devices that compute in it, and on CPUs with AMX. AVX-512's bf16
    instructions alone double the float32 rate at best, which the 9 products in place of 16 of the
    float32 path almost make up for; nor is there a gain in narrow networks, where arithmetic is
    the smaller part.

    Args:
        name: "auto", "fp32" or "bf16".
        device: where the network is to run.
        width: of the generator.

    Raises:
        BadInputError: if the name is another one.
    """
    if name not in PRECISIONS:
        raise BadInputError(f"The precision is {name!r}, needed is {', '.join(PRECISIONS)}.")
    if name != "auto":
        return name
    return "bf16" if width >= 8 * _NARROW and _has_matrix_units(torch.device(device)) else "fp32"


def has_bf16(device: torch.device | str) -> bool:
    """Tell whether bf16 is more than emulated there; where it is not, it takes forever."""
    device = torch.device(device)
    if device.type != "cpu":
        return _has_matrix_units(device)
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def _has_matrix_units(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()


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
            rare pixel that rounding carries over a noise layer's threshold. "bf16" rounds weights
            and activations up to the second noise layer to 8 bits; noise, what follows it, and
            the sums within every product stay in float32.

    Returns:
        A function of latent vectors, float32 (N, latent_size), and two noises, float32
        (N, *shape), whose images are float32 (N, 1, 128, 128) in [-1, 1]. N is at most
        ``images_together``, on a GPU exactly that. Noise in channels-last memory is the fastest.
    """
    on = next(generator.parameters()).device
    network = _Laid(generator, torch.bfloat16 if precision == "bf16" else torch.float32)
    if on.type != "cuda":
        return torch.inference_mode()(network)

    @torch.inference_mode()
    def images(latent: Tensor, noise: tuple[Tensor, Tensor]) -> Tensor:
        # cuDNN's default, TF32, keeps 10 bits of a float32.
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with exact if precision == "fp32" else nullcontext():
            return network(latent, noise)

    return images


class _Laid:
    """The generator's layers as functions on channels-last tensors, in the order of Table 1."""

    def __init__(self, generator: Generator, dtype: torch.dtype) -> None:
        self._dtype = dtype
        taps, bias = _folded(*generator.main1[:2])
        # On a 1 x 1 grid a transposed convolution is a matrix product.
        self._first = taps.permute(2, 0, 1, 3).flatten(1).to(dtype)
        self._first_bias = bias.repeat(16).to(dtype)
        self._channels = len(bias)
        blocks = (getattr(generator, f"main{n}") for n in range(2, 7))
        grids = (4, 8, 16, 32, 64)
        layers = [
            _upward(*_folded(*block[:2]), dtype, grid)
            for block, grid in zip(blocks, grids, strict=True)
        ]
        self._deep, self._wide = layers[:3], layers[3:]  # up to 32 x 32, and from there on
        self._conv1, self._conv2 = (
            _plain(layer, dtype) for layer in (generator.conv1, generator.conv2)
        )
        self._conv3, self._conv4 = (
            _plain(layer, torch.float32) for layer in (generator.conv3, generator.conv4)
        )
        self._on_cpu = taps.device.type == "cpu"
        self._inject = _inject_on_cpu if self._on_cpu else _injection_on_gpu(generator.width)
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
        x = x.view(len(latent), 4, 4, self._channels).permute(0, 3, 1, 2)
        for layer in self._deep:
            x = layer(x)
        return x

    def _from_32(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        for layer in self._wide:
            x = layer(x)
        x = self._inject(x, first, self._dtype)
        x = self._inject(self._conv2(self._conv1(x)), second, torch.float32)
        return torch.tanh(self._conv4(self._conv3(x)))


def _folded(
    convolution: nn.ConvTranspose2d, norm: nn.BatchNorm2d | None = None
) -> tuple[Tensor, Tensor | None]:
    """Fold batch norm in evaluation mode: (w·x - mean)·scale + shift, scale = γ / √(var + ε).

    Returns:
        Weights (4, 4, inputs, outputs) and bias (outputs,), None without batch norm.
    """
    weight = convolution.weight.detach()
    taps = weight.flatten(2).flatten(0, 1).t().contiguous().view(4, 4, *weight.shape[:2])
    if norm is None:
        return taps, None
    scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
    return taps.mul_(scale), norm.bias.detach() - norm.running_mean * scale


def _upward(taps: Tensor, bias: Tensor | None, dtype: torch.dtype, grid: int) -> _Layer:
    """Choose how to compute a stride-2 transposed convolution of a grid of ``grid`` x ``grid``, and
    ReLU where there is a bias."""
    if taps.device.type != "cpu" or taps.shape[2] < _NARROW:
        return _Transposed(taps, bias, dtype)
    if dtype == torch.float32:
        return _Karatsuba(taps, bias, dtype)
    if grid <= _SMALL_GRID and bias is not None and has_bf16("cpu"):
        return _Gathered(taps, bias, dtype)
    return _FourPhases(taps, bias, dtype)


class _Transposed:
    """A stride-2, 4 x 4 transposed convolution as torch has it, then ReLU where there is a bias."""

    def __init__(self, taps: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        self._weight = taps.permute(2, 3, 0, 1).to(dtype, memory_format=torch.channels_last)
        self._bias = None if bias is None else bias.to(dtype)

    def __call__(self, x: Tensor) -> Tensor:
        y = functional.conv_transpose2d(x, self._weight, self._bias, stride=2, padding=1)
        return y if self._bias is None else y.relu_()


class _FourPhases:
    """The same as four 2 x 2 convolutions, one for each parity of the output's row and column.

    With output row = 2·input row - 1 + tap, even rows take tap 1 of their own input row and tap 3
    of the one before, odd rows tap 2 of their own and tap 0 of the next. oneDNN gets the weights
    in its own order once; torch would lay them out anew at every call.
    """

    def __init__(self, taps: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        self._relu = bias is not None
        bias = None if bias is None else bias.to(dtype)
        self._phases = [
            [
                _convolution(taps[rows][:, columns].permute(3, 2, 0, 1), bias, dtype, 0)
                for columns in _TAPS_OF_PARITY
            ]
            for rows in _TAPS_OF_PARITY
        ]

    def __call__(self, x: Tensor) -> Tensor:
        count, _, rows, columns = x.shape
        x = functional.pad(x, (1, 1, 1, 1))
        y = None
        for r in (0, 1):
            for c in (0, 1):
                part = self._phases[r][c](x[:, :, r : r + rows + 1, c : c + columns + 1])
                if y is None:
                    size = (count, part.shape[1], 2 * rows, 2 * columns)
                    y = part.new_empty(size).contiguous(memory_format=torch.channels_last)
                y[:, :, r::2, c::2] = part
        return y.relu_() if self._relu else y


class _Gathered:
    """The same with each phase as one matrix product, of the 2 x 2 inputs around each output.

    On the smallest grids oneDNN's convolutions make little of the processor's matrix units: 4096 to
    2048 channels on 4 x 4 of 8 images took 351 ms, this 38; 2048 to 1024 on 8 x 8 took 32 and 26,
    and from 16 x 16 on there is nothing in it.
    """

    def __init__(self, taps: Tensor, bias: Tensor, dtype: torch.dtype) -> None:
        self._outputs = taps.shape[3]
        self._bias = bias.to(dtype)
        self._weights = [
            taps[rows][:, columns].flatten(0, 2).t().to(dtype).contiguous()
            for rows in _TAPS_OF_PARITY
            for columns in _TAPS_OF_PARITY
        ]
        self._packed_for = 0

    def __call__(self, x: Tensor) -> Tensor:
        count, _, rows, columns = x.shape
        places = count * rows * columns
        if self._packed_for != places:  # at the first call: images always come so many together
            reorder = torch.ops.mkldnn._reorder_linear_weight
            self._weights = [reorder(weight, places) for weight in self._weights]
            self._packed_for = places
        x = functional.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
        y = x.new_empty(count, rows, 2, columns, 2, self._outputs)
        for phase, weight in enumerate(self._weights):
            r, c = divmod(phase, 2)
            around = [
                x[:, r + i : r + i + rows, c + j : c + j + columns] for i in (0, 1) for j in (0, 1)
            ]
            gathered = torch.cat(around, dim=-1).view(places, -1)
            part = torch.ops.mkldnn._linear_pointwise(gathered, weight, self._bias, "relu", [], "")
            y[:, :, r, :, c] = part.view(count, rows, columns, self._outputs)
        return y.view(count, 2 * rows, 2 * columns, self._outputs).permute(0, 3, 1, 2)


class _Karatsuba:
    """The same with 9 products where the definition takes 16, by Karatsuba's identity.

    Two neighboring inputs x0, x1 under two taps a, b give x0·a, x0·b + x1·a and x1·b, and the
    middle one is (x0 + x1)·(a + b) less the two others: 3 products for 4, in rows and in columns.
    So 2 x 2 inputs give 6 x 6 outputs (3 each of two parities), laid every 4 pixels with an overlap
    of 2, as sums of 9 matrix products of all input with all output channels. Rounding stays that of
    a sum of twice the length.
    """

    def __init__(self, taps: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        self._bias = bias
        inputs, self._outputs = taps.shape[2:]
        weight = taps.new_empty(3, 3, inputs, 2, 2, self._outputs, dtype=dtype)
        for r in (0, 1):
            for c in (0, 1):
                # Output row = 2·input row - 1 + tap: a parity's two taps lie two apart.
                ours = weight[:, :, :, r, c]
                ours[::2, ::2] = taps[r::2, c::2]
                torch.add(ours[::2, 0], ours[::2, 2], out=ours[::2, 1])
                torch.add(ours[0], ours[2], out=ours[1])
        self._weight = weight.view(9, inputs, -1)

    def __call__(self, x: Tensor) -> Tensor:
        count, inputs, rows, columns = x.shape
        n, m = rows // 2, columns // 2
        pairs = x.permute(0, 2, 3, 1).reshape(count, n, 2, m, 2, inputs)
        left = x.new_empty(3, 3, count, n, m, inputs)
        left[::2, ::2] = pairs.permute(2, 4, 0, 1, 3, 5)
        torch.add(left[::2, 0], left[::2, 2], out=left[::2, 1])
        torch.add(left[0], left[2], out=left[1])
        p = torch.bmm(left.view(9, -1, inputs), self._weight)
        p = p.view(3, 3, count, n, m, 2, 2, self._outputs)
        # Columns, then rows: the middle, and what belongs to the neighbors. Of the six outputs
        # 0 ... 5 of a block, 1 ... 4 are its own, 0 is the one before's 4 and 5 the next one's 1.
        p[:, 1] -= p[:, 0]
        p[:, 1] -= p[:, 2]
        p[:, 2, :, :, :-1, :, 0] += p[:, 0, :, :, 1:, :, 0]
        p[:, 0, :, :, 1:, :, 1] += p[:, 2, :, :, :-1, :, 1]
        y = x.new_empty(count, n, 4, m, 4, self._outputs)
        for column in range(4):
            q = p[:, (column + 1) // 2, :, :, :, :, (column + 1) % 2]
            q[1] -= q[0]
            q[1] -= q[2]
            q[2, :, :-1, :, 0] += q[0, :, 1:, :, 0]
            q[0, :, 1:, :, 1] += q[2, :, :-1, :, 1]
            for row in range(4):
                y[:, :, row, :, column] = q[(row + 1) // 2, :, :, :, (row + 1) % 2]
        y = y.view(count, 2 * rows, 2 * columns, self._outputs).permute(0, 3, 1, 2)
        if self._bias is None:
            return y
        return y.add_(self._bias[:, None, None]).relu_()


def _plain(layer: nn.Conv2d, dtype: torch.dtype) -> _Layer:
    bias = None if layer.bias is None else layer.bias.detach().to(dtype)
    return _convolution(layer.weight.detach(), bias, dtype, 1)


def _convolution(weight: Tensor, bias: Tensor | None, dtype: torch.dtype, padding: int) -> _Layer:
    weight = weight.to(dtype, memory_format=torch.channels_last)
    if weight.device.type == "cpu" and dtype == torch.bfloat16 and has_bf16("cpu"):
        return _Packed(weight, bias, padding)
    return lambda x: functional.conv2d(x, weight, bias, padding=padding)


class _Packed:
    """A convolution whose weights oneDNN lays out for itself at the first call, for its size."""

    def __init__(self, weight: Tensor, bias: Tensor | None, padding: int) -> None:
        self._weight, self._bias, self._padding = weight, bias, [padding, padding]
        self._is_packed, self._lock = False, Lock()

    def __call__(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        how = (self._padding, [1, 1], [1, 1], 1)  # and stride, dilation, groups
        with self._lock:
            if not self._is_packed:
                self._weight = torch.ops.mkldnn._reorder_convolution_weight(
                    self._weight, *how, list(x.shape)
                )
                self._is_packed = True
        return torch.ops.mkldnn._convolution_pointwise(
            x, self._weight, self._bias, *how, "none", [], ""
        )


def _injection_on_gpu(width: int) -> Callable[[Tensor, Tensor, torch.dtype], Tensor]:
    """Choose how a noise layer is computed on a GPU: compiled, where that is worth the seconds.

    Compiled it reads its input twice and writes once; step by step it passes a dozen times, which
    takes a wide network as long as its convolutions. Triton is what PyTorch compiles with there.
    """
    if width < 8 * _NARROW:
        return _inject_on_gpu
    if not importlib.util.find_spec("triton"):
        _log.warning("Triton is not installed: noise layers are not compiled, and slower.")
        return _inject_on_gpu
    return _compiled_injection()


@lru_cache(maxsize=1)
def _compiled_injection() -> Callable[[Tensor, Tensor, torch.dtype], Tensor]:
    return torch.compile(_inject_on_gpu, dynamic=False)


def _inject_on_gpu(x: Tensor, noise: Tensor, dtype: torch.dtype) -> Tensor:
    return inject_noise(x.float(), noise).to(dtype)


def _inject_on_cpu(x: Tensor, noise: Tensor, dtype: torch.dtype) -> Tensor:
    """Do what ``networks.inject_noise`` does, in place where x is channels-last float32.

    -M/2 ≤ x ≤ M/4 is |x + M/8| ≤ 3M/8. Sums over pixels are matrix products with ones: torch.std
    took 14 ms of an image's 128 channels, this 2.
    """
    x = x.float()
    count, channels, rows, columns = x.shape
    pixels = rows * columns
    # Rows of 64 numbers or more, of 1, 2, 4 ... whole pixels: short ones are vectorized badly.
    across = 1 << max(0, (128 // channels).bit_length() - 1)
    wide = (count, pixels // across, across * channels)
    flat = x.permute(0, 2, 3, 1).reshape(wide)
    noise = noise.permute(0, 2, 3, 1).reshape(wide)

    ones = x.new_ones(1, wide[1])
    mean = _over_pixels(torch.matmul(ones, flat), channels, torch.sum) / pixels
    squares = torch.matmul(ones, (flat - mean).square_())
    sigma = (_over_pixels(squares, channels, torch.sum) / (pixels - 1)).sqrt_()
    largest = _over_pixels(flat.amax(dim=1, keepdim=True), channels, torch.amax)
    middle, reach = largest / 8, largest * (3 / 8)
    step = max(1, _PIECE // (count * wide[2]))
    for piece, drawn in zip(flat.split(step, dim=1), noise.split(step, dim=1), strict=True):
        moderate = (piece + middle).abs_().le_(reach)
        piece.addcmul_((drawn * sigma).mul_(piece), moderate)
    return flat.view(count, rows, columns, channels).permute(0, 3, 1, 2).to(dtype)


def _over_pixels(wide: Tensor, channels: int, reduce: Callable[..., Tensor]) -> Tensor:
    """Reduce (N, 1, pixels · channels) over its pixels, and repeat the result for each of them."""
    by_pixel = wide.view(len(wide), -1, channels)
    return reduce(by_pixel, dim=1, keepdim=True).repeat(1, 1, by_pixel.shape[1])
