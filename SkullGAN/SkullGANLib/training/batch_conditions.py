"""The conditions of a training: what generator and discriminator are told beside each batch.

Generator and discriminator are told the same rows: what the reals of the batch are, their fakes are
asked to be. A pair of a real and a fake then differs in nothing that was told, so that what the
discriminator adds for the conditions alone falls out of the relativistic loss.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..data.segment_set import SegmentSet
from ..generation import conditions as of_segments
from ..networks.conditions import Conditions
from .pictures import Pictures
from .recipe import Recipe


class BatchConditions:
    """What is known of a training set's conditions, and those of the present batch.

    Args:
        conditions: of the training set.
        segments: the training set; everything can be measured of each.
        device: of the training.
        held_out: reals that are not learned from, but may be judged.

    Attributes:
        conditions: as given.
        batch: float32 (batch, size), what was chosen last.
    """

    def __init__(
        self,
        conditions: Conditions,
        segments: SegmentSet,
        device: torch.device,
        held_out: SegmentSet | None = None,
    ) -> None:
        self.conditions = conditions
        self._device = device
        self._all = self._of(segments)
        self._held_out = None if held_out is None else self._of(held_out)
        self.batch = self._all[:0]

    @classmethod
    def learned(
        cls,
        recipe: Recipe,
        segments: SegmentSet | Pictures,
        device: torch.device,
        held_out: SegmentSet | None = None,
    ) -> BatchConditions | None:
        """Learn the conditions that a recipe asks for; None where it asks for none."""
        names = recipe.architecture.conditions
        if not names or not isinstance(segments, SegmentSet):
            return None
        known = of_segments.learned(names, segments, balanced_subjects=recipe.balanced_subjects)
        return cls(known, segments, device, held_out)

    def choose(self, rows: Tensor) -> None:
        """Let the batch be these rows of the training set."""
        self.batch = self._all[rows]

    def of_held_out(self, rows: Tensor) -> Tensor:
        """Give what is told of rows of the reals that are held out."""
        assert self._held_out is not None
        return self._held_out[rows]

    def beside(self, latent: Tensor) -> Tensor:
        """Put the batch's conditions behind its latent vectors (batch, latent_size)."""
        return torch.cat([latent, self.batch], 1)

    def _of(self, segments: SegmentSet) -> Tensor:
        """Measure segments and give what networks are told of them, float32 (N, size)."""
        values = of_segments.measured(self.conditions.names, segments)
        return torch.from_numpy(self.conditions.encode(values)).to(self._device)
