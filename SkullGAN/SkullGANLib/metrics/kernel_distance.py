"""Kernel distance of two sets of points: the squared maximum mean discrepancy (MMD)."""

from __future__ import annotations

import numpy as np


def cubic_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Give (x · y / D + 1)³ of all pairs, the kernel of KID (Bińkowski et al. 2018).

    Args:
        x, y: float (N, D) and (M, D).
    """
    return (x @ y.T / x.shape[1] + 1) ** 3


def squared_kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Give the unbiased estimate of the squared MMD: 0 for equal distributions, may be below 0.

    Args:
        x, y: float (N, D) and (M, D), at least two points each.
    """
    within = [
        (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))
        for kernel in (cubic_kernel(x, x), cubic_kernel(y, y))
    ]
    return float(sum(within) - 2 * cubic_kernel(x, y).mean())
