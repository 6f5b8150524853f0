"""Precision, recall, density and coverage: do two sets cover each other?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import BadInputError
from ..names import LABELS
from .measure import (
    LEARNED,
    LIKENESS,
    Inputs,
    Measure,
    Numbers,
    Progress,
    Result,
    Statement,
    SummaryColumn,
)
from .statistics import Estimate, check_sizes, mean_estimate, percent, subsample
from .two_sample import compared_pairs, pair_numbers, pair_panel, percent_column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 4_000
"""Segments compared of each set; larger ones are subsampled, for all pairs are compared."""


@dataclass(frozen=True)
class Shares:
    """Precision, recall, density and coverage as bare numbers."""

    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True)
class Fidelity:
    """How two sets cover each other, by balls around each segment that reach its k-th neighbor.

    Attributes:
        precision: share of the other set within the real set's balls (Kynkäänniemi et al. 2019).
        recall: share of the real set within the other set's balls.
        density: real balls around a segment of the other set, over k (Naeem et al. 2020).
        coverage: share of real balls that hold a segment of the other set.
        expected: what all of them are where the other set is of the real one's distribution.
        k: neighbors that a ball reaches.
        compared: segments of each set, equally many.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate
    expected: Shares
    k: int
    compared: tuple[int, int]


def fidelity(real: np.ndarray, other: np.ndarray, *, k: int = 5, seed: int = 0) -> Fidelity:
    """Measure how a set covers the real one and the other way round.

    Of the larger set as many are drawn as the smaller one has: shares of unequal sets depend on
    their sizes (of one distribution, coverage is 0.84 at 2,414 against 1,000 and 1.00 at 57 against
    500).

    Args:
        real, other: features (N, D) and (M, D); of more than ``MOST`` so many are taken.
        k: neighbors that a ball reaches.
        seed: of the draw and of the bootstrap that gives the intervals.

    Raises:
        BadInputError: if a set has no more than k segments, or k is below 1.
    """
    from sklearn.metrics import pairwise_distances

    if k < 1:
        raise BadInputError(f"k is {k}: expected 1 or more.")
    check_sizes(real, other, k + 1)
    real, other = equal_sizes(real, other, seed=seed)
    within, other_within = pairwise_distances(real), pairwise_distances(other)
    found = balls(within, other_within, pairwise_distances(real, other), k)
    rng = np.random.default_rng(seed)
    return Fidelity(
        precision=mean_estimate(found.precision, rng),
        recall=mean_estimate(found.recall, rng),
        density=mean_estimate(found.density, rng),
        coverage=mean_estimate(found.coverage, rng),
        expected=_expected(within, k),
        k=k,
        compared=(len(real), len(other)),
    )


def equal_sizes(
    real: np.ndarray, other: np.ndarray, *, most: int = MOST, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw equally many of two sets by chance, ``most`` at most; in order.

    Example:
        >>> [len(one) for one in equal_sizes(np.zeros((9, 2)), np.zeros((4, 2)))]
        [4, 4]
    """
    count = min(len(real), len(other), most)
    return real[subsample(len(real), count, seed)], other[subsample(len(other), count, seed)]


@dataclass(frozen=True, eq=False)
class Balls:
    """What each segment adds: to precision and density (M,), to recall and coverage (N,)."""

    precision: np.ndarray
    recall: np.ndarray
    density: np.ndarray
    coverage: np.ndarray


def balls(real: np.ndarray, other: np.ndarray, between: np.ndarray, k: int) -> Balls:
    """Give for each segment what it adds to the shares, of the distances within and between sets.

    Args:
        real, other, between: float (N, N), (M, M) and (N, M).
        k: neighbors that a ball reaches.
    """
    # The k-th of the others: the nearest of all is the segment itself.
    real_reach, other_reach = (np.partition(one, k, axis=1)[:, k] for one in (real, other))
    in_real_ball = between <= real_reach[:, None]
    in_other_ball = between <= other_reach
    return Balls(
        precision=np.asarray(in_real_ball.any(axis=0)),
        recall=np.asarray(in_other_ball.any(axis=1)),
        density=in_real_ball.sum(axis=0) / k,
        coverage=np.asarray(in_real_ball.any(axis=1)),
    )


def _expected(within: np.ndarray, k: int) -> Shares:
    """Give the shares where both sets are of one distribution and size.

    Density is 1 and coverage 1 - prod (N - i) / (2 N - i), i to k (Naeem et al. 2020, Lemma 2).
    Precision and recall depend on how the segments lie: each real one is left out in turn, and is
    then in a ball of the others if it is among the k nearest of any.
    """
    count = len(within)
    nearest = np.argpartition(within + np.diag(np.full(count, np.inf)), k - 1, axis=1)[:, :k]
    reached = len(np.unique(nearest)) / count
    steps = np.arange(1, k + 1)
    coverage = 1 - float(np.prod((count - steps) / (2 * count - steps)))
    return Shares(reached, reached, 1.0, coverage)


def _run(inputs: Inputs, pair: str, report_progress: Progress) -> Fidelity:
    return fidelity(*inputs.features.of(*inputs.pairs[pair]), seed=inputs.seed)


def _describe(inputs: Inputs, found: Mapping[str, Fidelity]) -> Result:
    return Result(
        numbers=pair_numbers(inputs, "fidelity", found),
        statements=_statements(inputs, found),
        figures=pair_panel(
            inputs,
            found,
            {"precision": ">", "recall": "<", "density": "D", "coverage": "^"},
            _finish,
            alternative="precision, recall, density and coverage",
            caption="Precision and density low: it makes what is not real; recall and coverage "
            "low: it does not make all that is real. Sets are compared at equal numbers.",
            width=1.5,
        ),
    )


def _statements(inputs: Inputs, found: Mapping[str, Fidelity]) -> tuple[Statement, ...]:
    reasons = []
    if "synthetic" in found and inputs.reference:
        real, training = LABELS[inputs.reference].lower(), found.get("train")
        in_place = (
            f"; of the training set in their place, it would be "
            f"{100 * training.precision.value:.0f} % and {100 * training.coverage.value:.0f} %"
            if training
            else ""
        )
        reasons.append(f"Against {real}: {_covered(found['synthetic'])}{in_place}.")
    if LEARNED in found:
        learned = _covered(found[LEARNED])
        reasons.append(f"Against training, which the model learned from: {learned}.")
    return (Statement(LIKENESS, reasons=tuple(reasons)),) if reasons else ()


def _covered(one: Fidelity) -> str:
    return (
        f"{percent(one.precision)} of the synthetic segments lie where real ones do "
        f"(precision), and {percent(one.coverage)} of the real ones have a synthetic one among "
        f"their like (coverage), where equal distributions would give "
        f"{100 * one.expected.precision:.0f} % and {100 * one.expected.coverage:.0f} %"
    )


def _finish(axes: Axes) -> None:
    axes.set_xlim(-0.03, max(1.03, axes.get_xlim()[1]))
    axes.set(title="Precision and coverage", xlabel="share (density: may exceed 1)")


def _summary(numbers: Numbers) -> tuple[SummaryColumn, ...]:
    return (
        percent_column(
            "Precision (%)",
            numbers,
            ("fidelity", "precision", "value"),
            "Share that lies where real segments do",
        ),
        percent_column(
            "Coverage (%)",
            numbers,
            ("fidelity", "coverage", "value"),
            "Share of real segments that have one of the set among their like",
        ),
    )


MEASURE: Measure[Fidelity] = Measure(
    name="prdc",
    title="Precision and coverage",
    run=_run,
    describe=_describe,
    parts=compared_pairs,
    weight=0.5,
    summary=_summary,
)
