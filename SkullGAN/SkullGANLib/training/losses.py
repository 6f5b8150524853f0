"""What the two networks are to minimize.

With the loss "bce" (Goodfellow et al. 2014; labels as the recipe has them) the discriminator learns
to call reals real, and generated or blurred images fake; the generator learns to have its images
called real, by the non-saturating loss. With "relativistic" (Jolicoeur-Martineau 2019) each learns
how the two logits of a pair of a real and a fake differ.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as functional
from torch import Tensor

from .recipe import Recipe


def discriminator_loss(logit_real: Tensor, logit_fake: Tensor, recipe: Recipe) -> Tensor:
    """Give what the discriminator is to minimize.

    It is the cross entropy of reals with ``real_label`` plus that of fakes with ``fake_label``; or
    the mean of softplus(fake - real) over the pairs of a batch.

    Args:
        logit_real, logit_fake: what the discriminator gives, float (N,).
        recipe: its loss and labels.

    Returns:
        Without dimensions.
    """
    if recipe.loss == "relativistic":
        return functional.softplus(logit_fake - logit_real).mean()
    loss = _cross_entropy(logit_real, recipe.real_label)
    return loss + _cross_entropy(logit_fake, recipe.fake_label)


def generator_loss(logit_generated: Tensor, logit_real: Tensor | None = None) -> Tensor:
    """Give what the generator is to minimize.

    Args:
        logit_generated: what the discriminator gives of generated images, float (N,).
        logit_real: and of reals, for the relativistic loss, the mean of softplus(real - generated);
            without, it is the cross entropy of generated images with 1.

    Example:
        >>> round(generator_loss(torch.zeros(3)).item(), 3)  # log 2: neither real nor fake
        0.693
    """
    if logit_real is not None:
        return functional.softplus(logit_real - logit_generated).mean()
    return _cross_entropy(logit_generated, 1.0)


def gradient_penalty(
    discriminate: Callable[..., Tensor], images: Tensor, conditions: Tensor | None = None
) -> Tensor:
    """Give half the squared norm of the discriminator's gradient at images, their mean.

    R1 at reals and R2 at fakes (Mescheder et al. 2018, equations 9 and 10, without gamma). The
    norm is over all pixels, intensities being in [-1, 1].

    Args:
        discriminate: gives logits; differentiable twice.
        images: as the discriminator sees them, float32 (N, 1, rows, columns).
        conditions: what it is told beside them, where it is.

    Returns:
        Without dimensions, differentiable in the discriminator's weights.

    Example:
        >>> round(gradient_penalty(lambda x: 3 * x.sum((1, 2, 3)), torch.ones(2, 1, 4, 4)).item())
        72
    """
    images = images.detach().requires_grad_()
    logits = discriminate(images) if conditions is None else discriminate(images, conditions)
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean() / 2


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
