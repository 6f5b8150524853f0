"""What is done to images before the discriminator judges them: flips, blurred reals, disturbances.

All of it happens on the device of the images, with the chance that is handed in.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor

from .recipe import Recipe

_NOISELESS_FROM = 0.8
"""Share of the training after which nothing is added to what is judged."""


def blurred(images: Tensor, sigma_px: float) -> Tensor:
    """Blur with a 3 x 3 Gaussian, edges repeated.

    Args:
        images: float (N, 1, rows, columns).
        sigma_px: the Gaussian's standard deviation.

    Example:
        >>> round(blurred(torch.ones(1, 1, 4, 4), 0.8).mean().item(), 6)
        1.0
    """
    taps = torch.exp(-0.5 * (torch.arange(-1.0, 2.0, device=images.device) / sigma_px) ** 2)
    taps = taps / taps.sum()
    padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(padded, (taps[:, None] * taps)[None, None].to(images.dtype))


def with_blurred(generated: Tensor, reals: Tensor, recipe: Recipe, epoch: int) -> Tensor:
    """Replace some of the generated images by blurred reals, more with every epoch."""
    most = int(recipe.blurred_share * len(reals))
    count = min(max(epoch - recipe.blurred_from_epoch, 0), most)
    if count == 0:
        return generated
    sigma_px = max(recipe.blur_sigma_least_px, recipe.blur_sigma_epochs / epoch)
    return torch.cat([generated[count:], blurred(reals[:count], sigma_px)])


def judged(images: Tensor, recipe: Recipe, share_done: float, chance: torch.Generator) -> Tensor:
    """Make of images what the discriminator sees: moved and noisy, if the recipe says so.

    Reals and fakes alike go through it, so that the generator does not learn the disturbances
    (Zhao et al. 2020, Differentiable Augmentation; Sønderby et al. 2017, instance noise).
    """
    if recipe.shift_px:
        images = moved(images, recipe.shift_px, chance)
    noise = recipe.judge_noise * max(0.0, 1 - share_done / _NOISELESS_FROM)
    if noise:
        images = images + noise * torch.randn(
            images.shape, device=images.device, generator=chance
        ).to(images.dtype)
    return images


def moved(images: Tensor, most_px: int, chance: torch.Generator) -> Tensor:
    """Move each image by its own whole number of pixels; what is at the edge is repeated."""
    count, _, rows, columns = images.shape
    device = images.device
    down, right = (
        torch.randint(0, 2 * most_px + 1, (count, 1), device=device, generator=chance)
        + torch.arange(size, device=device)
        for size in (rows, columns)
    )
    padded = functional.pad(images, (most_px,) * 4, mode="replicate")
    which = torch.arange(count, device=device)[:, None, None]
    return padded[which, 0, down[:, :, None], right[:, None, :]][:, None]


def half_mirrored(images: Tensor, chance: torch.Generator) -> Tensor:
    """Mirror each image from left to right with a chance of one half."""
    mirrored = torch.rand(len(images), 1, 1, 1, device=images.device, generator=chance) < 0.5
    return torch.where(mirrored, images.flip(3), images)
