"""Kernel distance: the maximum mean discrepancy (MMD) of two sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...metrics.kernel_distance import cubic_kernel
from .drawing import GUIDE
from .measure import Inputs, Measure, Progress, Result
from .statistics import Estimate, check_sizes, estimate_of, subsample
from .two_sample import compared_pairs, pair_numbers, pair_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 4_000
"""Segments compared of each set; larger ones are subsampled, for all pairs are compared."""
_SUBSETS = 200


@dataclass(frozen=True)
class KernelDistance:
    """Squared maximum mean discrepancy, 0 for equal distributions (unbiased: may be below 0).

    Attributes:
        mmd2: its interval holds 95 % of the estimates from halves of both sets.
        compared: segments of each set.
    """

    mmd2: Estimate
    compared: tuple[int, int]


def kernel_distance(real: np.ndarray, other: np.ndarray, *, seed: int = 0) -> KernelDistance:
    """Give the squared maximum mean discrepancy with the kernel (x · y / D + 1)³.

    The kernel and the unbiased estimate are those of KID (Bińkowski et al. 2018), in features of
    our own. The interval is that of halves of the sets, wider than the whole ones would have it.

    Args:
        real, other: features (N, D) and (M, D); of more than ``MOST`` so many are taken.
        seed: of the subsample and of the halves.

    Raises:
        BadInputError: if a set has less than 4 segments.
    """
    check_sizes(real, other, 4)
    real, other = (one[subsample(len(one), MOST, seed)] for one in (real, other))
    rng = np.random.default_rng(seed)
    w, v = (_halves(len(one), rng) for one in (real, other))
    mmd2 = (
        _mean_of_pairs(cubic_kernel(real, real), w)
        + _mean_of_pairs(cubic_kernel(other, other), v)
        - 2
        * np.einsum("ns,ns->s", w, cubic_kernel(real, other) @ v)
        / (w.sum(axis=0) * v.sum(axis=0))
    )
    return KernelDistance(estimate_of(mmd2), (len(real), len(other)))


def _halves(size: int, rng: np.random.Generator) -> np.ndarray:
    """Give 0 or 1 per segment and subset (size, 1 + 200): the first is all, the others half."""
    chosen = np.ones((size, 1 + _SUBSETS))
    for subset in chosen.T[1:]:
        subset[rng.permutation(size)[: size // 2]] = 0
    return chosen


def _mean_of_pairs(kernel: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Give the mean of the kernel over the pairs of different segments in each subset."""
    count = chosen.sum(axis=0)
    total = np.einsum("ns,ns->s", chosen, kernel @ chosen) - np.diag(kernel) @ chosen
    return total / (count * (count - 1))


def _run(inputs: Inputs, pair: str, report_progress: Progress) -> KernelDistance:
    return kernel_distance(*inputs.features.of(*inputs.pairs[pair]), seed=inputs.seed)


def _describe(inputs: Inputs, found: Mapping[str, KernelDistance]) -> Result:
    return Result(
        numbers=pair_numbers(inputs, "kernel", found),
        figures=pair_panel(
            inputs,
            found,
            {"mmd2": "o"},
            _finish,
            alternative="kernel distance",
            caption="Kernel distance: 0 for equal distributions.",
            width=0.9,
        ),
    )


def _finish(axes: Axes) -> None:
    axes.axvline(0, **GUIDE)
    axes.set(title="Kernel distance (MMD²)", xlabel="0: equal distributions")


MEASURE: Measure[KernelDistance] = Measure(
    name="mmd",
    title="Kernel distance",
    run=_run,
    describe=_describe,
    parts=compared_pairs,
    weight=0.5,
)
