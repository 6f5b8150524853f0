"""Networks compiled for a training, where that is possible and gains something."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable

import torch
from torch import Tensor, nn

_log = logging.getLogger(__name__)


def compiled(network: nn.Module, device: torch.device, processes: int) -> Callable[..., Tensor]:
    """Give a network compiled, or as it is where the device says so, which is logged.

    Args:
        network: on the device.
        device: where it trains.
        processes: that share its batches.
    """
    lack = why_not(device, processes)
    if lack:
        _log.info("The networks run uncompiled: %s.", lack)
        return network
    # The discriminator is first called with weights that learn. That order matters: whether
    # they do is not among the conditions on which a compiled network is made again.
    return torch.compile(network, dynamic=False)


def why_not(device: torch.device, processes: int) -> str:
    """Say why networks are not compiled; empty where they are."""
    if device.type != "cuda":
        return f"compiling gains nothing on {device.type}"
    if torch.cuda.get_device_capability(device) < (7, 0):
        return "Triton wants a GPU of compute capability 7.0 or more"
    if not importlib.util.find_spec("triton"):
        return "Triton is not installed"
    if processes > 1:
        return "batch norm over several processes does not compile"
    return ""
