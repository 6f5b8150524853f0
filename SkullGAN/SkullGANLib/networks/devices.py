"""The devices on which networks run, by the names that commands take."""

from __future__ import annotations

import torch

from ..errors import BadInputError


def chosen_device(name: str) -> torch.device:
    """Turn "auto", "cpu", "cuda", "cuda:1" or "mps" into a device that is there.

    "auto" is the first GPU, or the CPU where there is none.

    Raises:
        BadInputError: if the text is no device, or the device is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BadInputError(
            f"The device is {name!r}, expected auto, cpu, cuda, cuda:<number> or mps."
        ) from error
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(_has_mps())}
    if (device.index or 0) >= counts.get(device.type, 0):
        raise BadInputError(
            f"The device is {name!r}, but this machine (with this PyTorch, {torch.__version__}) "
            f"has {torch.cuda.device_count()} CUDA device(s); cpu always works."
        )
    return device


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
