"""What happens to images before the discriminator sees them: flips, blurred reals, disturbances,
and augmentation whose strength adapts to how sure the discriminator is of reals.

All of it happens on the device of the images, with random numbers of the given generator.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

from ..networks.dcgan import BACKGROUND
from .process_group import ALONE, ProcessGroup, ShardedGenerator
from .recipe import Recipe

ADAPTED_EVERY = 4
"""Iterations between two changes of the augmentation's strength (Karras et al. 2020)."""
_STRONGEST = 0.8
"""Above it, a generator begins to make what is augmented (Karras et al. 2020, section 3.2)."""
_SHIFT_PX = 8
_TURN = math.radians(5)
_CUTOUT_PX = 32
_BRIGHTNESS, _CONTRAST, _NOISE = 0.1, 0.2, 0.1
"""Standard deviations on [-1, 1]; that of contrast is its logarithm's."""


def blurred(images: Tensor, sigma_px: float | Tensor) -> Tensor:
    """Blur with a 3 x 3 Gaussian, edges repeated.

    Args:
        images: float (N, slices, rows, columns).
        sigma_px: the Gaussian's standard deviation; a tensor without dimensions is not fetched.

    Example:
        >>> round(blurred(torch.ones(1, 1, 4, 4), 0.8).mean().item(), 6)
        1.0
    """
    taps = torch.exp(-0.5 * (torch.arange(-1.0, 2.0, device=images.device) / sigma_px) ** 2)
    taps = taps / taps.sum()
    padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    kernel = (taps[:, None] * taps).to(images.dtype).expand(images.shape[1], 1, 3, 3)
    return functional.conv2d(padded, kernel, groups=images.shape[1])


def with_blurred(generated: Tensor, reals: Tensor, count: Tensor, sigma_px: Tensor) -> Tensor:
    """Replace the first of the generated images by blurred reals, which are put behind the others.

    Args:
        generated: float (N, slices, rows, columns).
        reals: float (M, slices, rows, columns), as many as may be blurred.
        count: how many are replaced, at most M; int64 without dimensions; it is not fetched.
        sigma_px: of the blur, without dimensions.
    """
    both = torch.cat([generated, blurred(reals, sigma_px)])
    return both[torch.arange(len(generated), device=generated.device) + count]


def augment(
    images: Tensor,
    recipe: Recipe,
    generator: ShardedGenerator,
    noise_std: Tensor | None = None,
    strength: Tensor | None = None,
) -> Tensor:
    """Make of images what the discriminator sees: moved, noisy, augmented, if the recipe says so.

    Reals and fakes alike go through it, so that the generator does not learn the disturbances
    (Zhao et al. 2020, Differentiable Augmentation; Sønderby et al. 2017, instance noise; Karras et
    al. 2020, Training GANs with Limited Data).

    Args:
        images: float (N, slices, rows, columns).
        recipe: how far they are moved and stretched.
        generator: where all random numbers come from.
        noise_std: of the noise, without dimensions; None for no noise.
        strength: of the adaptive augmentation; None for none.
    """
    if recipe.shift_px:
        images = moved(images, recipe.shift_px, generator)
    if recipe.contrast_std:
        images = stretched(images, recipe.contrast_std, generator)
    if noise_std is not None:
        images = images + noise_std * generator.randn(*images.shape).to(images.dtype)
    return images if strength is None else augment_adaptively(images, strength, generator)


def moved(images: Tensor, most_px: int, generator: ShardedGenerator) -> Tensor:
    """Move each image by its own whole number of pixels, the slices of a stack alike; what is at
    the edge is repeated."""
    count, slices, rows, columns = images.shape
    device = images.device
    down, right = (
        generator.randint(2 * most_px + 1, count, 1) + torch.arange(size, device=device)
        for size in (rows, columns)
    )
    padded = functional.pad(images, (most_px,) * 4, mode="replicate")
    which = torch.arange(count, device=device)[:, None, None, None]
    each = torch.arange(slices, device=device)[None, :, None, None]
    return padded[which, each, down[:, None, :, None], right[:, None, None, :]]


def stretched(images: Tensor, std: float, generator: ShardedGenerator) -> Tensor:
    """Stretch each image's contrast about the background by e to a normal number."""
    gain = (generator.randn(len(images), 1, 1, 1) * std).exp().to(images.dtype)
    return (images - BACKGROUND) * gain + BACKGROUND


def without_background(images: Tensor, floor: float) -> Tensor:
    """Set what is not above a floor to background, as it is set where a wall is cut out.

    The gradient passes as if nothing had been done, so that a wall can grow where there is none.

    Args:
        images: float (N, slices, rows, columns).
        floor: intensity in [-1, 1].

    Example:
        >>> without_background(torch.tensor([-0.9, 0.5]), -0.8)
        tensor([-1.0000,  0.5000])
    """
    cut = torch.where(images > floor, images, BACKGROUND)
    return images + (cut - images).detach()


def half_mirrored(images: Tensor, generator: ShardedGenerator) -> Tensor:
    """Mirror each image from left to right with a probability of one half."""
    mirrored = generator.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(mirrored, images.flip(3), images)


def augment_adaptively(images: Tensor, strength: Tensor, generator: ShardedGenerator) -> Tensor:
    """Mirror, move, turn, brighten and stretch images, add noise and cut a square out of them.

    Each of it happens to an image with the probability ``strength``, independently of the others.
    All is differentiable in the images.

    Args:
        images: float (N, slices, size, size) in [-1, 1], -1 being background; the slices of a stack
            are changed alike, but for the noise.
        strength: 0 to 1, without dimensions, on the device of the images; it is not fetched.
        generator: where all random numbers come from.
    """
    images = _transformed(images, strength, generator)
    images = _with_other_intensities(images, strength, generator)
    return _cut_out(images, strength, generator)


class AdaptiveAugmentation:
    """How strongly reals and fakes are augmented, steered on the device (Karras et al. 2020).

    The discriminator begins to know the reals by heart where an overfitting sign is above the
    recipe's ``ada_target``. By ``ada_reference`` it is r_t of that paper, the mean sign of the
    logits of reals that are learned from: 1 if all of them are called real, 0 if half are; or r_v:
    how much realer they look than held-out ones, as a share of how much realer than fakes: 0
    where held-out ones look as real, 1 where they look like fakes.

    Args:
        recipe: its augmentation settings.
        iterations: of the whole training.
        device: where ``strength`` lives.
        group: the processes that share a batch.

    Attributes:
        strength: the probability of each augmentation, float32 without dimensions.
    """

    def __init__(
        self, recipe: Recipe, iterations: int, device: torch.device, group: ProcessGroup = ALONE
    ) -> None:
        self.strength = torch.tensor(0.0, device=device)
        self._signs = torch.tensor(0.0, device=device)
        self._logits = torch.zeros(3, device=device)
        """Of learned reals, held-out reals and fakes, summed since the last change."""
        self._target = recipe.ada_target
        self._step = ADAPTED_EVERY / (recipe.ada_ramp_fraction * iterations)
        self._group = group

    def update(
        self,
        logit_real: Tensor,
        others: tuple[Tensor, Tensor] | None = None,
        *,
        adapts: bool,
    ) -> None:
        """Take in the logits of an iteration.

        Args:
            logit_real: of reals that are learned from.
            others: of held-out reals and of fakes, for r_v; None for r_t.
            adapts: whether the strength changes now, as it does every ``ADAPTED_EVERY`` iterations.
        """
        if others is None:
            self._signs += logit_real.detach().sign().mean() / ADAPTED_EVERY
        else:
            means = [one.detach().mean() for one in (logit_real, *others)]
            self._logits += torch.stack(means)
        if not adapts:
            return
        self._group.mean_([self._signs, self._logits])
        sign = self._signs
        if others is not None:
            learned, held_out, fake = self._logits
            # Where fakes look as real as reals, nothing can be known by heart.
            sign = (learned - held_out) / (learned - fake).clamp(min=1e-6)
        self.strength += self._step * (sign - self._target).sign()
        self.strength.clamp_(0, _STRONGEST)
        self._signs.zero_()
        self._logits.zero_()

    def tensors(self) -> dict[str, Tensor]:
        """Give all that the next iteration depends on."""
        return {"value": self.strength, "signs": self._signs, "logits": self._logits}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take back what ``tensors`` gave; runs of earlier versions have no ``logits``."""
        self.strength.copy_(tensors["value"])
        self._signs.copy_(tensors["signs"])
        if "logits" in tensors:
            self._logits.copy_(tensors["logits"])


def _chosen(images: Tensor, strength: Tensor, generator: ShardedGenerator) -> Tensor:
    """1.0 for the images that something happens to, else 0.0: (N,)."""
    return (generator.rand(len(images)) < strength).to(images.dtype)


def _transformed(images: Tensor, strength: Tensor, generator: ShardedGenerator) -> Tensor:
    """Mirrored, moved and turned in one interpolation; what is at the edge is repeated."""
    count, size = len(images), images.shape[-1]
    mirrored = _chosen(images, strength, generator) * (generator.rand(count) < 0.5)
    whole, part = generator.randint(2 * _SHIFT_PX + 1, count, 2).T, generator.rand(count, 2).T
    whole = _chosen(images, strength, generator) * (whole - _SHIFT_PX)
    part = _chosen(images, strength, generator) * (2 * part - 1) * _SHIFT_PX
    angle = _chosen(images, strength, generator) * (generator.rand(count) * 2 - 1) * _TURN
    right, down = (whole + part) * (2 / size)  # in halves of the image, as affine_grid has it
    side = 1 - 2 * mirrored
    cosine, sine = angle.cos(), angle.sin()
    rows = [
        torch.stack(row, 1) for row in ((side * cosine, -sine, right), (side * sine, cosine, down))
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    changed = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    # What was not chosen must not be interpolated: it would be rounded.
    same = (mirrored == 0) & (right == 0) & (down == 0) & (angle == 0)
    return torch.where(same[:, None, None, None], images, changed)


def _with_other_intensities(
    images: Tensor, strength: Tensor, generator: ShardedGenerator
) -> Tensor:
    """Contrast is stretched about the background, all is brightened, noise is added."""
    count = len(images)
    gain, shift, noise = (
        (_chosen(images, strength, generator) * generator.randn(count) * deviation)[
            :, None, None, None
        ]
        for deviation in (_CONTRAST, _BRIGHTNESS, _NOISE)
    )
    images = (images + 1) * gain.exp() - 1 + shift
    return images + noise.abs() * generator.randn(*images.shape)


def _cut_out(images: Tensor, strength: Tensor, generator: ShardedGenerator) -> Tensor:
    """A square anywhere becomes background: what lies in the middle of [-1, 1] is cortical bone,
    and a square of it would be a wall."""
    size = images.shape[-1]
    along = torch.arange(size, device=images.device)
    down, right = (
        (along - generator.rand(len(images), 1) * size).abs() < _CUTOUT_PX / 2 for _ in range(2)
    )
    square = (
        down[:, :, None]
        & right[:, None, :]
        & (_chosen(images, strength, generator) > 0)[:, None, None]
    )
    return images.masked_fill(square[:, None], BACKGROUND)
