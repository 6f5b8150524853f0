"""In which order an epoch shows the segments."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def shuffled(among: int, shown: int, generator: torch.Generator) -> Tensor:
    """Give so many of the numbers below ``among``: shuffled copies, one after the other.

    Returns:
        int64 (shown,), on the generator's device.
    """
    copies = [
        torch.randperm(among, generator=generator, device=generator.device)
        for _ in range(-(-shown // among))
    ]
    return torch.cat(copies)[:shown]


def balanced(subjects: np.ndarray, shown: int, generator: torch.Generator) -> Tensor:
    """Give segments in which every subject is equally often, each subject's shuffled.

    Args:
        subjects: of each segment, texts (N,).
        shown: how many.
        generator: where chance comes from.

    Returns:
        int64 (shown,), on the generator's device.
    """
    whose = np.unique(subjects, return_inverse=True)[1]
    turns = shuffled(int(whose.max()) + 1, shown, generator)
    order = torch.empty_like(turns)
    for subject in range(int(whose.max()) + 1):
        own = torch.from_numpy(np.flatnonzero(whose == subject)).to(generator.device)
        slots = (turns == subject).nonzero()[:, 0]
        order[slots] = own[shuffled(len(own), max(len(slots), 1), generator)[: len(slots)]]
    return order
