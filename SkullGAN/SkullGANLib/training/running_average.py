"""A generator's running average, which is the model that a training gives."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class RunningAverage(Generic[Network]):
    """Weights and statistics that follow those of a network.

    Args:
        network: is followed.

    Attributes:
        network: the average, of the network's kind.
    """

    def __init__(self, network: Network) -> None:
        self.network = copy.deepcopy(network)
        means, now = self.network.state_dict(), network.state_dict()
        averaged = [name for name, mean in means.items() if mean.is_floating_point()]
        self._means = [means[name] for name in averaged]
        self._now = [now[name] for name in averaged]
        self._counts = [(means[name], now[name]) for name in means if name not in averaged]

    @torch.no_grad()
    def update(self, weight: Tensor) -> None:
        """Follow by a step.

        Args:
            weight: how much of the network's own is taken in, float32 without dimensions, on its
                device (``Schedule.average_weight``).
        """
        # All of them in a few kernels: one by one, a GPU waits for their launches.
        torch._foreach_lerp_(self._means, self._now, [weight] * len(self._now))
        for count, now in self._counts:
            count.copy_(now)
