"""The noise layers of a generator laid out for speed, numerically ``dcgan.inject_noise``."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from .dcgan import inject_noise
from .precision import NARROW

_PIECE = 2**17
"""Numbers that a noise layer works on at once (512 KiB in float32)."""

_TRITON_CAPABILITY = (7, 0)

_log = logging.getLogger(__name__)

Injection = Callable[[Tensor, Tensor, torch.dtype], Tensor]
"""Gives activations with noise injected, in a dtype: (activations, noise, dtype)."""


def injection(width: int, device: torch.device) -> Injection:
    """Choose how noise is injected into activations of a generator of that width on a device."""
    return _inject_on_cpu if device.type == "cpu" else _injection_on_gpu(width, device)


def _injection_on_gpu(width: int, device: torch.device) -> Injection:
    """Choose how a noise layer is computed on a GPU: compiled, where that is worth the seconds.

    Compiled it reads its input twice and writes once; step by step it passes a dozen times, which
    takes a wide network as long as its convolutions. Triton is what PyTorch compiles with there.
    """
    if width < 8 * NARROW:
        return _inject_on_gpu
    if not importlib.util.find_spec("triton"):
        _log.warning("Triton is not installed: noise layers are not compiled, and slower.")
        return _inject_on_gpu
    if device.type == "cuda" and torch.cuda.get_device_capability(device) < _TRITON_CAPABILITY:
        _log.warning("%s is too old for Triton: noise layers are not compiled, and slower.", device)
        return _inject_on_gpu
    return _compiled_injection()


@lru_cache(maxsize=1)
def _compiled_injection() -> Injection:
    return _OrAsItIs(torch.compile(_inject_on_gpu, dynamic=False), _inject_on_gpu)


class _OrAsItIs:
    """A compiled noise layer, and the layer as it is from when compiling fails.

    That takes a C compiler, Python's headers and a GPU that Triton knows, and fails at the first
    call where one is missing.
    """

    def __init__(self, compiled: Injection, as_it_is: Injection) -> None:
        self._compiled: Injection | None = compiled
        self._as_it_is = as_it_is

    def __call__(self, x: Tensor, noise: Tensor, dtype: torch.dtype) -> Tensor:
        if self._compiled is not None:
            try:
                return self._compiled(x, noise, dtype)
            except torch.cuda.OutOfMemoryError:
                raise
            except Exception as error:  # of any of the tools of which compiling consists
                self._compiled = None
                reason = str(error).strip().splitlines()[0][:200] if str(error) else repr(error)
                _log.warning("Noise layers cannot be compiled, and are slower: %s", reason)
        return self._as_it_is(x, noise, dtype)


def _inject_on_gpu(x: Tensor, noise: Tensor, dtype: torch.dtype) -> Tensor:
    return inject_noise(x.float(), noise).to(dtype)


def _inject_on_cpu(x: Tensor, noise: Tensor, dtype: torch.dtype) -> Tensor:
    """Do what ``dcgan.inject_noise`` does, in place where x is channels-last float32.

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
    for piece, part in zip(flat.split(step, dim=1), noise.split(step, dim=1), strict=True):
        moderate = (piece + middle).abs_().le_(reach)
        piece.addcmul_((part * sigma).mul_(piece), moderate)
    return flat.view(count, rows, columns, channels).permute(0, 3, 1, 2).to(dtype)


def _over_pixels(wide: Tensor, channels: int, reduce: Callable[..., Tensor]) -> Tensor:
    """Reduce (N, 1, pixels · channels) over its pixels, and repeat the result for each of them."""
    by_pixel = wide.view(len(wide), -1, channels)
    return reduce(by_pixel, dim=1, keepdim=True).repeat(1, 1, by_pixel.shape[1])
