"""Permutation tests: could two sets have been one, dealt out by chance?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .prdc import balls

PERMUTATIONS = 99
K = 5
"""Neighbors that a ball reaches."""


@dataclass(frozen=True)
class Tested:
    """A number, and how often sets dealt out by chance give one as extreme.

    Attributes:
        value: of the sets as they are.
        expected: mean over the permutations.
        p_value: one-sided; 0.01 at least, for there are 99 permutations.
    """

    value: float
    expected: float
    p_value: float


def permuted(real: np.ndarray, other: np.ndarray, seed: int = 0) -> dict[str, Tested]:
    """Test precision, coverage and kernel distance of two sets of equal size.

    Args:
        real, other: features (N, D).
        seed: of the permutations.

    Returns:
        ``precision`` and ``coverage``, whose p-value is of one as low, and ``kernel``, the squared
        maximum mean discrepancy, whose is of one as high.
    """
    from sklearn.metrics import pairwise_distances

    pooled = np.concatenate([real, other])
    distances = pairwise_distances(pooled)
    kernel = (pooled @ pooled.T / pooled.shape[1] + 1) ** 3
    rng = np.random.default_rng(seed)
    orders = [np.arange(len(pooled))] + [rng.permutation(len(pooled)) for _ in range(PERMUTATIONS)]
    measured = np.array([_measured(distances, kernel, order, len(real)) for order in orders])
    lowest = (np.less_equal, np.less_equal, np.greater_equal)
    return {
        name: _tested(values, extreme)
        for name, values, extreme in zip(
            ("precision", "coverage", "kernel"), measured.T, lowest, strict=True
        )
    }


def _tested(values: np.ndarray, extreme: Callable[..., np.ndarray]) -> Tested:
    others = values[1:]
    # Shares are of whole segments: what is equal but for rounding is equal.
    near = np.abs(others - values[0]) < 1e-9
    p_value = (1 + np.sum(extreme(others, values[0]) | near)) / (1 + len(others))
    return Tested(float(values[0]), float(others.mean()), float(p_value))


def _measured(
    distances: np.ndarray, kernel: np.ndarray, order: np.ndarray, count: int
) -> tuple[float, float, float]:
    one, other = order[:count], order[count:]
    within, beside = distances[np.ix_(one, one)], distances[np.ix_(other, other)]
    k = min(K, count - 1)
    found = balls(within, beside, distances[np.ix_(one, other)], k)
    mmd2 = (
        _mean_of_pairs(kernel[np.ix_(one, one)])
        + _mean_of_pairs(kernel[np.ix_(other, other)])
        - 2 * kernel[np.ix_(one, other)].mean()
    )
    return float(found.precision.mean()), float(found.coverage.mean()), float(mmd2)


def _mean_of_pairs(kernel: np.ndarray) -> float:
    count = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))
