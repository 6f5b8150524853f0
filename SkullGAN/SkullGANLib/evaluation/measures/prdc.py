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
class Fidelity:
    """How two sets cover each other, by balls around each segment that reach its k-th neighbor.

    Attributes:
        precision: share of the other set within the real set's balls (Kynkäänniemi et al. 2019).
        recall: share of the real set within the other set's balls.
        density: real balls around a segment of the other set, over k (Naeem et al. 2020).
        coverage: share of real balls that hold a segment of the other set.
        k: neighbors that a ball reaches.
        compared: segments of each set.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate
    k: int
    compared: tuple[int, int]


def fidelity(real: np.ndarray, other: np.ndarray, *, k: int = 5, seed: int = 0) -> Fidelity:
    """Measure how a set covers the real one and the other way round.

    Of one distribution and size, coverage is 1 - 2^-k and density 1.

    Args:
        real, other: features (N, D) and (M, D); of more than ``MOST`` so many are taken.
        k: neighbors that a ball reaches.
        seed: of the subsample and of the bootstrap that gives the intervals.

    Raises:
        BadInputError: if a set has no more than k segments, or k is below 1.
    """
    from sklearn.metrics import pairwise_distances

    if k < 1:
        raise BadInputError(f"k is {k}: expected 1 or more.")
    check_sizes(real, other, k + 1)
    real, other = (one[subsample(len(one), MOST, seed)] for one in (real, other))
    # The k-th of the others: the nearest of all is the segment itself.
    real_reach, other_reach = (
        np.partition(pairwise_distances(one), k, axis=1)[:, k] for one in (real, other)
    )
    between = pairwise_distances(real, other)
    in_real_ball = between <= real_reach[:, None]
    in_other_ball = between <= other_reach
    rng = np.random.default_rng(seed)
    return Fidelity(
        precision=mean_estimate(in_real_ball.any(axis=0), rng),
        recall=mean_estimate(in_other_ball.any(axis=1), rng),
        density=mean_estimate(in_real_ball.sum(axis=0) / k, rng),
        coverage=mean_estimate(in_real_ball.any(axis=1), rng),
        k=k,
        compared=(len(real), len(other)),
    )


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
            "low: it does not make all that is real.",
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
        f"(precision), and {percent(one.coverage)} of the real ones have a synthetic "
        "one among their like (coverage)"
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
