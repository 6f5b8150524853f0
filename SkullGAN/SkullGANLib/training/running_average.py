"""A generator's running average, which is the model that a training gives."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


class RunningAverage(Generic[Network]):
    """Weights and statistics that follow those of a network.

    Args:
        network: is followed.
        decay: what is left of the average at each step; less at the beginning, or the initial
            weights would stay in it.

    Attributes:
        network: the average, of the network's kind.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network)
        self._decay = decay
        means, now = self.network.state_dict(), network.state_dict()
        averaged = [name for name, mean in means.items() if mean.is_floating_point()]
        self._means = [means[name] for name in averaged]
        self._now = [now[name] for name in averaged]
        self._counts = [(means[name], now[name]) for name in means if name not in averaged]

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Follow by a step.

        Args:
            iteration: how many were done before.
        """
        decay = min(self._decay, (1 + iteration) / (10 + iteration))
        # All of them in a few kernels: one by one, a GPU waits for their launches.
        torch._foreach_lerp_(self._means, self._now, 1 - decay)
        for count, now in self._counts:
            count.copy_(now)
