"""Whether a replayed iteration is the iteration: copies of a training's tensors, and how far apart
two outcomes of an iteration are.

Two runs of one iteration on a GPU need not be the same to the bit: sums of atomics come in any
order, and Adam's first steps are as long for a gradient that is nothing but rounding as for any
other. So an outcome is compared as a whole, in parts of which each is a norm over a network, by how
far an iteration moves them; and gradients may be as far apart as a few times what the iteration
itself is when it is repeated. Of another batch, other noise or another learning rate, or where
nothing was done, a part is about as far off as it moves, or farther.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .state import TrainingState

WEIGHTS, AVERAGE, MOMENTS = "weights", "average", "moments"
NUMBERS, RATES, COUNTS = "numbers", "rates", "counts"

_LIMITS = {WEIGHTS: 0.7, AVERAGE: 0.3, MOMENTS: 0.05, NUMBERS: 0.05, RATES: 1e-3, COUNTS: 0.0}
"""How far apart parts may be: of what the iteration changes, but numbers of themselves or of 1,
where they are less; rates of themselves; counts not at all."""
_OF_REPEATED = 4.0
"""How far moments may be apart of what they are when the iteration is repeated as it is,"""
_MOST = 0.5
"""but never as far as this."""


@dataclass(frozen=True)
class Outcome:
    """What a training was at a moment, in memory of its own.

    Attributes:
        tensors: all that an iteration changes.
        random: the state of its random numbers.
        found: what was reported of the iteration; empty before one.
        rates: learning rates of generator and discriminator.
    """

    tensors: dict[str, Tensor]
    random: Tensor
    found: dict[str, Tensor]
    rates: Tensor

    @classmethod
    def of(cls, state: TrainingState, found: Mapping[str, Tensor] | None = None) -> Outcome:
        """Copy what a training is now; nothing is fetched."""
        return cls(
            {name: tensor.detach().clone() for name, tensor in state.tensors().items()},
            state.noise_generator.generator.get_state(),
            {name: tensor.detach().clone() for name, tensor in (found or {}).items()},
            _rates(state).clone(),
        )

    @torch.no_grad()
    def restore(self, state: TrainingState) -> None:
        """Let the training be again what it was, in the tensors that it has."""
        for name, tensor in state.tensors().items():
            tensor.copy_(self.tensors[name])
        state.noise_generator.generator.set_state(self.random)


@torch.no_grad()
def apart(
    state: TrainingState, found: Mapping[str, Tensor], expected: Outcome, before: Outcome
) -> dict[str, float]:
    """Give how far an iteration, which the training has just done, is from its expected outcome.

    Args:
        state: after it.
        found: what was reported of it.
        expected: the outcome to compare with.
        before: the iteration.

    Returns:
        By part, its name beginning with its kind: 0 where it is the same; NaN or infinite where it
        cannot be compared.
    """
    sums: dict[str, list[Tensor]] = {}
    learned = _names_of_weights(state)
    for name, now in state.tensors().items():
        part = _part(name, now, learned)
        then, was = expected.tensors[name], before.tensors[name]
        off = _norm(now, then)
        if part.startswith((WEIGHTS, AVERAGE, MOMENTS)):
            _add(sums, part, off, _norm(then, was))
        elif part == COUNTS:
            _add(sums, part, off, torch.zeros_like(off))
        else:
            _add(sums, part, off, then.float().abs().clamp(min=1).square().sum())
    for name, value in expected.found.items():
        off = _norm(found[name], value)
        _add(sums, f"{NUMBERS} of {name}", off, value.float().abs().clamp(min=1).square())
    _add(sums, RATES, _norm(_rates(state), expected.rates), expected.rates.square().sum())
    fetched = torch.stack([torch.stack(pair) for pair in sums.values()]).sqrt().tolist()
    result = {
        part: off / scale if scale else (0.0 if off == 0 else float("inf"))
        for part, (off, scale) in zip(sums, fetched, strict=True)
    }
    same = torch.equal(state.noise_generator.generator.get_state(), expected.random)
    return result | {f"{COUNTS} of random numbers": 0.0 if same else float("inf")}


def farther_than_allowed(found: Mapping[str, float], repeated: Mapping[str, float]) -> str:
    """Name the first part that is farther off than it may be, and by how much; empty if none is.

    Args:
        found: what ``apart`` gave of a replay.
        repeated: what it gave of the iteration done twice as it is.
    """
    for part, off in found.items():
        kind = part.split(" ", 1)[0]
        limit = _LIMITS[kind]
        if kind == MOMENTS:
            limit = min(max(limit, _OF_REPEATED * repeated[part]), _MOST)
        if not off <= limit:
            return f"{part} by {off:.2g}, expected at most {limit:.2g}"
    return ""


def _rates(state: TrainingState) -> Tensor:
    optimizers = (state.generator_optimizer, state.discriminator_optimizer)
    return torch.stack([optimizer.learning_rate for optimizer in optimizers])


def _names_of_weights(state: TrainingState) -> set[str]:
    networks = {"generator": state.generator, "discriminator": state.discriminator}
    return {
        f"{p}.{name}" for p, network in networks.items() for name, _ in network.named_parameters()
    }


def _part(name: str, tensor: Tensor, weights: set[str]) -> str:
    """Which part of the outcome a tensor belongs to."""
    prefix, last = name.split(".", 1)[0], name.rsplit(".", 1)[-1]
    if not tensor.is_floating_point() or last == "step":
        return COUNTS
    if prefix == "average":
        return AVERAGE
    if name in weights:
        return f"{WEIGHTS} of {prefix}"
    if ".adam." in name:
        return f"{MOMENTS} of {prefix}, {last}"
    if prefix in ("generator", "discriminator"):
        return f"{MOMENTS} of {prefix}, statistics"
    return f"{NUMBERS} of {name}"


def _norm(one: Tensor, other: Tensor) -> Tensor:
    """The squared norm of a difference, of which what is the same, infinite or not, is no part."""
    off = (one.float() - other.float()).masked_fill_(one == other, 0)
    return torch.linalg.vector_norm(off).square()


def _add(sums: dict[str, list[Tensor]], part: str, off: Tensor, scale: Tensor) -> None:
    for number, value in enumerate((off, scale)):
        pair = sums.setdefault(part, [torch.zeros_like(value), torch.zeros_like(value)])
        pair[number] = pair[number] + value
