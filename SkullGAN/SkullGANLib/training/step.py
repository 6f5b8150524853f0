"""One iteration of the game: a step of the discriminator, then one of the generator.

``step`` is all that happens on the device in an iteration. It takes every number that changes from
one to the next from tensors (see ``schedule``) and asks no tensor for a number, so that the same
work can be captured and replayed (see ``step_graph``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from .losses import discriminator_loss, generator_loss
from .state import TrainingState


def iterate(state: TrainingState) -> dict[str, Tensor]:
    """Do one iteration; what is given is ``step``'s."""
    state.begin_iteration()
    found = step(state)
    state.iteration += 1
    return found


def step(state: TrainingState) -> dict[str, Tensor]:
    """Do the work of an iteration that was begun (``TrainingState.begin_iteration``).

    Returns:
        What is reported of it; all on the device, without dimensions.
    """
    schedule = state.schedule

    # The discriminator learns to tell reals from generated and blurred images.
    reals = state.next_reals()
    generated = state.generate()
    seen_reals, seen_fakes = state.seen(reals), state.seen(state.fakes(generated.detach(), reals))
    logit_real, logit_fake = state.logits(seen_reals), state.logits(seen_fakes)
    loss_d = discriminator_loss(logit_real, logit_fake, state.recipe)
    penalty = state.penalty(seen_reals, seen_fakes) if schedule.kind.has_penalty else None
    to_minimize = loss_d if penalty is None else loss_d + penalty
    updated_d = state.discriminator_optimizer.backward_and_step(to_minimize, schedule)

    # The generator learns to have its images called real, or realer than reals.
    with _held(state.discriminator):
        paired = None
        if state.recipe.loss == "relativistic":
            with torch.no_grad():
                paired = state.discriminate(reals)
        loss_g = generator_loss(state.discriminate(generated), paired)
        updated_g = state.generator_optimizer.backward_and_step(loss_g, schedule)
    state.update_average()
    logit_real, logit_fake = state.centered(logit_real, logit_fake)
    state.update_augmentation(logit_real, logit_fake)

    found = {
        "generator_loss": loss_g.detach(),
        "discriminator_loss": loss_d.detach(),
        "realness_real": logit_real.detach().sigmoid().mean(),
        "realness_fake": logit_fake.detach().sigmoid().mean(),
        "generator_updates": updated_g,
        "discriminator_updates": updated_d,
    }
    # Counted as often as it is there: means are over all iterations.
    return found if penalty is None else found | {"gradient_penalty": penalty.detach()}


@contextmanager
def _held(network: nn.Module) -> Iterator[None]:
    """Let a network learn nothing until the block ends."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
