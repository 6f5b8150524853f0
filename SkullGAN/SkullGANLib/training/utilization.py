"""How much of a device's arithmetic a training uses: a share of what matrix products reach there.

The work of an image is what both networks' layers compute of it in an iteration, forward and
backward, counted and not estimated; the peak is that of a large matrix product in the same
precision, measured on the same device. A share of the data sheet's number would be smaller and say
less: no product reaches it.
"""

from __future__ import annotations

import time
from functools import lru_cache

import torch

from ..networks.architecture import IMAGE_SIZE
from ..networks.dcgan import networks
from .recipe import Recipe

_SIZE, _SIZE_ON_CPU = 8192, 1024
_TURNS = 4


@lru_cache(maxsize=8)
def flops_per_image(recipe: Recipe) -> float:
    """Count the floating-point operations of an iteration for an image of its batch.

    The generator's pass and its backward pass; the discriminator's of a real and of a fake, and of
    the fake again for the generator; for the relativistic loss the real again, too. Gradient
    penalties, which come now and then, are left out.
    """
    from torch.utils.flop_counter import FlopCounterMode

    count = max(2, recipe.minibatch_std)
    with torch.device("meta"):
        generator, discriminator = networks(recipe.architecture)
        latent = torch.empty(count, generator.input_size)
        noise = [torch.empty(count, *shape) for shape in generator.noise_shapes]
        reals = torch.empty(count, 1, IMAGE_SIZE, IMAGE_SIZE)
        told = torch.empty(count, recipe.architecture.condition_size)
    with FlopCounterMode(display=False) as counter:
        images = generator(latent, (noise[0], noise[1]))
        seen = discriminator(images.detach(), told) + discriminator(reals, told)
        seen.sum().backward()
        discriminator.requires_grad_(False)
        discriminator(images, told).sum().backward()
        if recipe.loss == "relativistic":
            with torch.no_grad():
                discriminator(reals, told)
    return counter.get_total_flops() / count


@lru_cache(maxsize=8)
def peak_flops(device: torch.device, precision: str) -> float:
    """Measure the floating-point operations a second of a large matrix product.

    Args:
        device: where.
        precision: fp32 or bf16.
    """
    size = _SIZE_ON_CPU if device.type == "cpu" else _SIZE
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.ones(size, size, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(_TURNS):
        _wait(device)
        began = time.perf_counter()
        torch.mm(left, right)
        _wait(device)
        best = max(best, 2.0 * size**3 / max(time.perf_counter() - began, 1e-9))
    return best


def share(recipe: Recipe, images_per_s: float, device: torch.device, precision: str) -> float:
    """Give which share of the peak so many images a second of a device take, 0 to 1 or so."""
    return images_per_s * flops_per_image(recipe) / peak_flops(device, precision)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
