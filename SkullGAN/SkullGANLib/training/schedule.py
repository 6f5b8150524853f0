"""What an iteration takes from its number, as tensors on the device: rates, shares and places.

A step that read these numbers on the host would be another sequence of work in every iteration. It
reads them from tensors instead, which the host fills before it, so that its work can be captured
once and replayed (see ``step_graph``). What cannot be a number in a tensor, because there is more
or less to do, is the ``StepKind``: a handful in a whole training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .augmentation import ADAPTED_EVERY
from .process_group import ALONE, ProcessGroup
from .recipe import Recipe

_LR_AT_THE_END = 0.05
"""What is left of a learning rate at the end, where the recipe lets it decay."""
_NOISELESS_FROM = 0.8
"""Share of the training after which no noise is added to what the discriminator sees."""
_MIDPOINT_SHARE = 0.01


@dataclass(frozen=True)
class StepKind:
    """What a step does that others may not do; all steps of a kind do the same.

    Attributes:
        has_penalty: the discriminator's gradients are penalized.
        blurred: reals that are blurred, of which some or all are among the fakes.
        has_noise: noise is added to what the discriminator sees.
        adapts: the strength of adaptive augmentation changes.
    """

    has_penalty: bool = False
    blurred: int = 0
    has_noise: bool = False
    adapts: bool = False


class Schedule:
    """The numbers of the present iteration, on the device.

    Args:
        recipe: what they follow from.
        iterations: of the whole training.
        batches_per_epoch: iterations in an epoch.
        device: of the training.
        group: the processes that share a batch.

    Attributes:
        kind: what the step does.
        few_kinds: whether as many reals are blurred as ever will be, and those that are not wanted
            are left out, so that there is one kind of such steps and not one for every epoch; on a
            CPU it is not so, for what a convolution gives of an image depends, by its rounding, on
            how many there are.
        first_row: of the epoch's order, where the batch begins; int64.
        learning_rate_factor: of both networks' rates; float32.
        is_gated: whether the update gate may be closed; bool.
        blurred: fakes of this process that are replaced by blurred reals; int64.
        blur_sigma_px: how much these are blurred; float32.
        noise_std: of the noise on what the discriminator sees; float32.
        average_weight: by how much the running average follows; float32.
        midpoint_weight: by how much the middle of the logits follows; float32.

    All tensors are without dimensions, and stay the same ones.
    """

    def __init__(
        self,
        recipe: Recipe,
        iterations: int,
        batches_per_epoch: int,
        device: torch.device,
        group: ProcessGroup = ALONE,
    ) -> None:
        self._recipe, self._group = recipe, group
        self._iterations, self._batches_per_epoch = iterations, batches_per_epoch
        self.kind = StepKind()
        self.few_kinds = device.type != "cpu"

        def number(dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros((), dtype=dtype, device=device)

        self.first_row, self.blurred = number(torch.int64), number(torch.int64)
        self.is_gated = number(torch.bool)
        self.learning_rate_factor, self.blur_sigma_px, self.noise_std = (
            number(),
            number(),
            number(),
        )
        self.average_weight, self.midpoint_weight = number(), number()
        self._filled: dict[str, float] = {}

    def begin(self, iteration: int) -> StepKind:
        """Fill all numbers for an iteration, counted from 0, and tell what its step does."""
        recipe = self._recipe
        epoch, batch = divmod(iteration, self._batches_per_epoch)
        progress = iteration / self._iterations
        blurred = blurred_fakes(recipe, epoch, self._group)
        noise_std = recipe.instance_noise_std * max(0.0, 1 - progress / _NOISELESS_FROM)
        self._fill(
            first_row=batch * recipe.batch_size,
            learning_rate_factor=lr_decay(recipe, progress),
            is_gated=epoch >= recipe.update_gate_from_epoch,
            blurred=blurred,
            blur_sigma_px=max(recipe.blur_sigma_least_px, recipe.blur_sigma_epochs / max(epoch, 1)),
            noise_std=noise_std,
            average_weight=average_weight(recipe.ema_decay, iteration),
            midpoint_weight=max(_MIDPOINT_SHARE, 1 / (1 + iteration)),
        )
        penalized = bool(recipe.r1_gamma or recipe.r2_gamma)
        self.kind = StepKind(
            has_penalty=penalized and iteration % recipe.penalty_every == 0,
            blurred=self._blurred_for(blurred),
            has_noise=noise_std > 0,
            adapts=recipe.ada_target > 0 and (iteration + 1) % ADAPTED_EVERY == 0,
        )
        return self.kind

    def _blurred_for(self, wanted: int) -> int:
        """How many reals are blurred where so many are wanted."""
        if not (wanted and self.few_kinds):
            return wanted
        return blurred_fakes(self._recipe, self._recipe.epochs, self._group)

    def _fill(self, **values: float) -> None:
        """Write what has changed; a number goes to a GPU with the kernel that writes it, so that
        neither waits for the other."""
        for name, value in values.items():
            if self._filled.get(name) != value:
                getattr(self, name).fill_(value)
                self._filled[name] = value


def lr_decay(recipe: Recipe, progress: float) -> float:
    """Give the factor of learning rates, which falls over the recipe's ``lr_decay_fraction``."""
    if not recipe.lr_decay_fraction:
        return 1.0
    return max(_LR_AT_THE_END, min(1.0, (1 - progress) / recipe.lr_decay_fraction))


def blurred_fakes(recipe: Recipe, epoch: int, group: ProcessGroup = ALONE) -> int:
    """Give how many fakes of this process are replaced by blurred reals, more with every epoch.

    They are the first of the whole batch, so that one process may have more of them than another.
    """
    count = min(
        max(epoch - recipe.blurred_from_epoch, 0), int(recipe.blurred_share * recipe.batch_size)
    )
    own = recipe.batch_size // group.size
    return min(max(count - group.rank * own, 0), own)


def average_weight(decay: float, iteration: int) -> float:
    """Give by how much a running average follows: more at the beginning, or the initial weights
    would stay in it."""
    return 1 - min(decay, (1 + iteration) / (10 + iteration))
