"""What the two networks are to minimize (Goodfellow et al. 2014; labels as the recipe has them).

The discriminator learns to call reals real, and generated or blurred images fake; the generator
learns to have its images called real, by the non-saturating loss.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor

from .recipe import Recipe


def discriminator_loss(logit_real: Tensor, logit_fake: Tensor, recipe: Recipe) -> Tensor:
    """Give the cross entropy of reals with ``real_label`` plus that of fakes with ``fake_label``.

    Args:
        logit_real, logit_fake: what the discriminator gives, float (N,).
        recipe: its labels.

    Returns:
        Without dimensions.
    """
    loss = _cross_entropy(logit_real, recipe.real_label)
    return loss + _cross_entropy(logit_fake, recipe.fake_label)


def generator_loss(logit_generated: Tensor) -> Tensor:
    """Give the cross entropy of generated images with 1, which grows where they look fake.

    Example:
        >>> round(generator_loss(torch.zeros(3)).item(), 3)  # log 2: neither real nor fake
        0.693
    """
    return _cross_entropy(logit_generated, 1.0)


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
