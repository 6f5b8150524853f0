"""Fréchet's distance of two sets, as of FID, in features of our own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .measure import Inputs, Measure, Progress, Result
from .statistics import check_sizes
from .two_sample import compared_pairs, pair_numbers


def frechet_distance(real: np.ndarray, other: np.ndarray) -> float:
    """Give Fréchet's distance of two normal distributions with the sets' means and covariances.

    |m - m'|² + tr(C + C' - 2 (C C')^½), which of features of the Inception network is FID (Heusel
    et al. 2017). It falls with the number of segments: of two sets of one distribution it is not 0.

    Args:
        real, other: features (N, D) and (M, D).

    Raises:
        BadInputError: if a set has less than 2 segments.

    Example:
        >>> x = np.array([[-1.0], [1.0]])
        >>> frechet_distance(x, x + 3), round(frechet_distance(x, 2 * x), 6)
        (9.0, 2.0)
    """
    check_sizes(real, other, 2)
    mean, roots = [], []
    for one in (real, other):
        mean.append(one.mean(axis=0))
        # C = R'R, and tr (C C')^½ is the sum of the singular values of R R'^T: no root is taken of
        # a matrix that lacks rank, as sets smaller than D give.
        roots.append(np.linalg.qr(one - mean[-1], mode="r") / np.sqrt(len(one) - 1))
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    spread = sum(np.sum(root**2) for root in roots)
    return float(max(0.0, np.sum((mean[0] - mean[1]) ** 2) + spread - 2 * shared))


def _run(inputs: Inputs, pair: str, report_progress: Progress) -> float:
    return frechet_distance(*inputs.features.of(*inputs.pairs[pair]))


def _describe(inputs: Inputs, found: Mapping[str, float]) -> Result:
    return Result(numbers=pair_numbers(inputs, "frechet", found))


MEASURE: Measure[float] = Measure(
    name="frechet",
    title="Fréchet distance",
    run=_run,
    describe=_describe,
    parts=compared_pairs,
    weight=0.1,
)
