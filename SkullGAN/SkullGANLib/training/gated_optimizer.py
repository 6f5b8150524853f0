"""One side of the adversarial game: a network, its optimizer and when it may learn.

The update gate and the learning rate on plateau are decided on the device, from losses that are
never fetched: a host that waits for a loss every iteration would leave a GPU idle.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .process_group import ALONE, ProcessGroup
from .recipe import Recipe
from .schedule import Schedule

_SKIPS = ("cpu", "cuda")
"""Devices whose fused Adam leaves everything alone where found_inf is 1; on MPS it steps."""


class GatedOptimizer:
    """A network with its optimizer, its update gate and its learning rate on plateau.

    Args:
        network: is updated in place.
        recipe: the settings of gate, plateaus and Adam.
        rate: learning rate at the beginning.
        factor: what the rate is reduced by on a plateau.
        group: the processes whose gradients and losses are averaged.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        rate: float,
        factor: float,
        group: ProcessGroup = ALONE,
    ) -> None:
        self.network = network
        self._group = group
        self._recipe = recipe
        self._factor = factor
        device = next(network.parameters()).device
        self._skips = device.type in _SKIPS
        self.rate = torch.tensor(rate, device=device)
        """Learning rate as the plateaus have left it."""
        self._best = torch.tensor(torch.inf, device=device)
        self._waited = torch.tensor(0.0, device=device)
        # The first batch has no last batch; 0 lets the gate "below" open.
        self._last_loss = torch.tensor(0.0, device=device)
        self._optimizer = torch.optim.Adam(
            network.parameters(),
            lr=rate,
            betas=(recipe.adam_beta1, recipe.adam_beta2),
            fused=True,
            # Changes nothing of a fused step; without, Adam refuses to be captured (step_graph).
            capturable=recipe.cuda_graph and device.type == "cuda",
        )
        # Else it would warn that its first steps are not captured.
        self._optimizer._warned_capturable_if_run_uncaptured = True
        # Given to Adam itself, a tensor would be fetched to see whether it is positive.
        self._optimizer.param_groups[0]["lr"] = self.rate.clone()

    @property
    def learning_rate(self) -> Tensor:
        return self._optimizer.param_groups[0]["lr"]

    def backward_and_step(self, loss: Tensor, schedule: Schedule) -> Tensor:
        """Backpropagate the loss and step, if the update gate is open; give 1 if it was, else 0.

        Args:
            loss: without dimensions.
            schedule: of the iteration, which gate and learning rate follow.
        """
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        loss = loss.detach()
        gradients = (p.grad for p in self.network.parameters())
        self._group.mean_([loss, *(g for g in gradients if g is not None)])
        is_open = gate_is_open(self._recipe, schedule.is_gated, loss, self._last_loss)
        self.learning_rate.copy_(self.rate * schedule.learning_rate_factor)
        self._step_if(is_open)
        self._last_loss.copy_(loss)
        self._reduce_on_plateau(loss)
        return is_open

    @torch.no_grad()
    def _step_if(self, is_open: Tensor) -> None:
        """Step where the gate is open; the host does not know whether."""
        if self._skips:
            # The way in which gradient scalers skip a step.
            self._optimizer.found_inf = 1 - is_open  # type: ignore[attr-defined]
            self._optimizer.step()
            return
        if self._recipe.update_gate == "off":
            self._optimizer.step()
            return
        before = {name: tensor.clone() for name, tensor in self._stepped().items()}
        self._optimizer.step()
        for name, tensor in self._stepped().items():
            # Of a moment that this step made, 0 was before.
            old = before.get(name, torch.zeros_like(tensor))
            tensor.copy_(torch.where(is_open.to(torch.bool), tensor, old))

    def _stepped(self) -> dict[str, Tensor]:
        """All that a step changes: weights and what Adam knows of them."""
        found = {f"weight.{n}": p for n, p in enumerate(self.network.parameters())}
        return found | self._adams()

    def _adams(self) -> dict[str, Tensor]:
        return {
            f"adam.{index}.{name}": tensor
            for index, parameter in enumerate(self.network.parameters())
            for name, tensor in self._optimizer.state.get(parameter, {}).items()
        }

    def tensors(self) -> dict[str, Tensor]:
        """Give all that the next step depends on, beside the weights."""
        found = {
            "rate": self.rate,
            "best": self._best,
            "waited": self._waited,
            "last_loss": self._last_loss,
        }
        return found | self._adams()

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take back what ``tensors`` gave, into the tensors that are there, if Adam has stepped."""
        for name in ("rate", "best", "waited", "last_loss"):
            getattr(self, name if name == "rate" else f"_{name}").copy_(tensors[name])
        for index, parameter in enumerate(self.network.parameters()):
            prefix = f"adam.{index}."
            for name in (n.removeprefix(prefix) for n in tensors if n.startswith(prefix)):
                saved = tensors[prefix + name].to(parameter.device)
                there = self._optimizer.state[parameter].get(name)
                if there is not None:
                    there.copy_(saved)
                    continue
                # The moments must lie in memory as their weights do, for the fused Adam walks
                # them side by side.
                like = torch.empty_like(parameter) if saved.shape == parameter.shape else saved
                self._optimizer.state[parameter][name] = like.detach().copy_(saved)

    def _reduce_on_plateau(self, loss: Tensor) -> None:
        """Multiply the rate when the loss has not fallen for longer than the patience.

        As PyTorch's ReduceLROnPlateau with its default threshold of 1e-4, relative.
        """
        if self._recipe.plateau_patience == 0:
            return
        better = loss < self._best * (1 - 1e-4)
        self._best.copy_(torch.where(better, loss, self._best))
        self._waited.copy_(torch.where(better, 0, self._waited + 1))
        spent = self._waited > self._recipe.plateau_patience
        self.rate.mul_(torch.where(spent, self._factor, 1.0))
        self._waited.mul_(~spent)


def gate_is_open(recipe: Recipe, is_gated: Tensor, loss: Tensor, last_loss: Tensor) -> Tensor:
    """Give whether a network may be updated: 1.0 or 0.0, on the losses' device.

    Args:
        recipe: its ``update_gate`` is read as ``recipe.UPDATE_GATES`` says.
        is_gated: bool without dimensions; where it is false, the gate is open (early epochs).
        loss: the network's loss in this batch.
        last_loss: its loss in the batch before.

    Example:
        >>> from SkullGANLib.training.presets import named
        >>> high, low, gated = torch.tensor(1.2), torch.tensor(0.3), torch.tensor(True)
        >>> gate_is_open(named("paper"), gated, loss=high, last_loss=low)
        tensor(1.)
        >>> gate_is_open(named("published"), gated, loss=low, last_loss=high)
        tensor(0.)
    """
    if recipe.update_gate == "off":
        return torch.ones_like(loss)
    if recipe.update_gate == "below":
        is_open = last_loss < recipe.update_gate_loss
    else:
        is_open = loss > recipe.update_gate_loss
    return (is_open | ~is_gated).to(loss.dtype)
