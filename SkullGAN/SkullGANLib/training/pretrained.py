"""What a training begins with: the weights of a model that was trained before.

Networks that are told conditions may begin with a model that was told nothing, and networks of
stacks with one of single segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..networks.architecture import Architecture
from .recipe import Recipe
from .setting import as_text

if TYPE_CHECKING:
    from torch import Tensor, nn

_WITHOUT_WEIGHTS = ("generator_smoothing", "noise_scales", "generator_activation")
_FIRST_LAYER = "main1.0.weight"
_NEW = "projection."


def check_pretrained(architecture: Architecture, recipe: Recipe) -> None:
    """Raise ``BadInputError`` if a model of that architecture does not suit a recipe.

    What changes no weight's shape may differ: a training may go on with another noise. Networks
    that are told conditions may begin with a model that was told nothing, and stacks with one of
    single segments, see ``for_slices``.
    """
    for one in fields(Architecture):
        untold = one.name == "conditions" and not architecture.conditions
        if one.name in _WITHOUT_WEIGHTS or untold:
            continue
        found, expected = (getattr(each, one.name) for each in (architecture, recipe.architecture))
        if one.name == "slices" and found == 1:
            continue
        if found != expected:
            raise BadInputError(
                f"The pre-trained model has {one.name} {_as_set(found)}, expected "
                f"{_as_set(expected)} as the recipe has; set {one.name} to {_as_set(found)}, or "
                "take another model."
            )


def begin_with(network: nn.Module, given: nn.Module) -> None:
    """Give a network the weights of another one that ``check_pretrained`` let through, in place."""
    take_over(network, for_slices(given.state_dict(), network.state_dict()))


def for_slices(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Make the weights of a network of single segments those of one of stacks.

    Every slice is made as the one image was, and what is seen is the mean of the slices; they part
    as the training goes on. Weights of the same shape stay as they are.

    Args:
        given: weights of the generator or discriminator of single segments.
        own: those of the network that takes them, by the same names.
    """
    found = {}
    for name, weight in given.items():
        shape = own[name].shape
        if weight.shape == shape:
            found[name] = weight
        elif weight.ndim == 4 and weight.shape[0] == 1:  # the generator's last layer
            found[name] = weight.expand(shape).clone()
        elif weight.ndim == 4 and weight.shape[1] == 1:  # the discriminator's first
            found[name] = weight.expand(shape) / shape[1]
        elif weight.ndim == 4:  # the generator's first, of conditions (``take_over``)
            found[name] = weight
        else:  # what spectral norm has found of it, and finds again
            found[name] = own[name]
    return found


def take_over(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Begin with a model's weights, in place.

    Of a model that was told nothing, a network that is told conditions takes all there is: what
    its first layer makes of the latent vector, and everything behind it. What it makes of the
    conditions stays as it was drawn.

    Args:
        network: generator or discriminator of the same architecture, but for the conditions.
        weights: its state dict.
    """
    own = network.state_dict()
    taken = dict(weights)
    for name, tensor in own.items():
        if name.startswith(_NEW) and name not in taken:
            taken[name] = tensor
    if _FIRST_LAYER in taken and taken[_FIRST_LAYER].shape != own[_FIRST_LAYER].shape:
        first = own[_FIRST_LAYER].clone()
        first[: len(taken[_FIRST_LAYER])] = taken[_FIRST_LAYER]
        taken[_FIRST_LAYER] = first
    network.load_state_dict(taken)


def _as_set(value: object) -> str:
    """Write a part of an architecture as ``--set`` takes it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "''"
    return as_text(value) if isinstance(value, bool) else str(value)
