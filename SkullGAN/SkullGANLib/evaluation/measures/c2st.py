"""Two-sample test (C2ST): can a classifier that the GAN never met tell two sets apart?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..names import LABELS
from .drawing import GUIDE
from .measure import LIKENESS, Inputs, Measure, Numbers, Progress, Result, Statement, SummaryColumn
from .statistics import (
    Estimate,
    area_under_curve,
    check_sizes,
    estimate_of,
    percent,
    resample_groups,
)
from .two_sample import compared_pairs, pair_numbers, pair_panel, percent_column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FOLDS = 5
_GUESSING = 0.5
_TWO_SIDED, _FOUR_OF_FIVE = 1.96, 0.84
"""Quantiles of the normal distribution: of a 95 % interval, and of power 80 %."""


@dataclass(frozen=True)
class TwoSampleTest:
    """How well a classifier tells two sets apart; 0.5 where it cannot, 1 where it always can.

    Attributes:
        accuracy: mean of the shares of both sets that were classified correctly, each segment by a
            classifier that has not seen it.
        auc: area under the receiver-operating curve of the same scores, over the pairs that one
            classifier scored: the scores of two have no common scale (Forman & Scholz 2010).
        folds: parts of the cross-validation.
        by_subject: whether no subject was on both sides of it.
        compared: segments of each set.
    """

    accuracy: Estimate
    auc: Estimate
    folds: int
    by_subject: bool
    compared: tuple[int, int]


def two_sample_test(
    real: np.ndarray,
    other: np.ndarray,
    *,
    subjects: tuple[Sequence[str] | np.ndarray, Sequence[str] | np.ndarray] | None = None,
    seed: int = 0,
) -> TwoSampleTest:
    """Train a classifier to tell two sets apart and see how well it does (Lopez-Paz & Oquab 2017).

    Gradient-boosted trees, for they see differences in spread and in combinations as well as in
    the mean. Intervals by a bootstrap of subjects, where they are known, else of segments, and
    wider by √(1 + folds / (folds - 1)), 1.5 for 5 folds (Nadeau & Bengio 2003): the bootstrap knows
    nothing of the chance in what the classifiers were trained on. Of 50 pairs of like sets of 80,
    the AUC varied by 0.070, where the bootstrap alone gave 0.046.

    Args:
        real, other: features (N, D) and (M, D).
        subjects: of both sets; an empty text is a segment of no subject. A subject is then never
            trained on and classified; where either set has but one subject it cannot be so.
        seed: of folds, classifier and bootstrap.

    Raises:
        BadInputError: if a set has less than 4 segments.
    """
    check_sizes(real, other, 4)
    x = np.concatenate([real, other])
    y = np.repeat([1, 0], [len(real), len(other)])
    groups, by_subject = _groups(y, subjects)
    folds = min(_FOLDS, *(len(set(groups[y == label])) for label in (0, 1)))
    scores, fold = _cross_validated(x, y, groups, folds, seed)
    weights = resample_groups(y, groups, seed)
    right = ((scores > 0) == (y == 1)).astype(float)
    shares = [weights @ (right * (y == c)) / (weights @ (y == c)) for c in (0, 1)]
    return TwoSampleTest(
        accuracy=_widened(estimate_of(np.mean(shares, axis=0)), folds),
        auc=_widened(estimate_of(area_under_curve(scores, y, weights, fold)), folds),
        folds=folds,
        by_subject=by_subject,
        compared=(len(real), len(other)),
    )


def _cross_validated(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give each segment's score (N,), above 0 for real, and the fold (N,) that gave it."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    scores, fold = np.empty(len(y)), np.empty(len(y), int)
    parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for number, (train, test) in enumerate(parts.split(x, y, groups)):
        classifier = HistGradientBoostingClassifier(
            max_iter=50,
            learning_rate=0.2,
            max_leaf_nodes=8,
            min_samples_leaf=min(20, max(2, len(train) // 20)),
            early_stopping=False,
            random_state=seed,
        )
        # Trees this small spend more time waiting for threads than growing, most of all beside a
        # training that has the cores.
        with threadpool_limits(1, "openmp"):
            odds = classifier.fit(x[train], y[train]).decision_function(x[test])
        # As if both sets were as large; class weights say the same and take a minute to bin 2,000.
        scores[test] = odds - np.log(np.sum(y[train] == 1) / np.sum(y[train] == 0))
        fold[test] = number
    return scores, fold


def _groups(
    y: np.ndarray, subjects: tuple[Sequence[str] | np.ndarray, Sequence[str] | np.ndarray] | None
) -> tuple[np.ndarray, bool]:
    """Number what must stay together: a subject's segments, or each for itself."""
    alone = np.arange(len(y))
    if subjects is None:
        return alone, False
    names = np.concatenate([np.asarray(one, dtype=str) for one in subjects])
    known = names != ""
    _, number = np.unique(names, return_inverse=True)
    groups = np.where(known, number, alone + len(y))
    enough = all(len(set(groups[y == label])) > 1 for label in (0, 1))
    return (groups, bool(known.any())) if enough else (alone, False)


def _widened(estimate: Estimate, folds: int) -> Estimate:
    factor = np.sqrt(1 + folds / (folds - 1))
    low, high = (
        float(np.clip(estimate.value + factor * (end - estimate.value), 0, 1))
        for end in (estimate.low, estimate.high)
    )
    return Estimate(estimate.value, low, high)


def _run(inputs: Inputs, pair: str, report_progress: Progress) -> TwoSampleTest:
    real, other = inputs.pairs[pair]
    subjects = inputs.compared[real].subject, inputs.compared[other].subject
    return two_sample_test(*inputs.features.of(real, other), subjects=subjects, seed=inputs.seed)


def _describe(inputs: Inputs, found: Mapping[str, TwoSampleTest]) -> Result:
    reference = LABELS[inputs.reference or "test"].lower()
    return Result(
        numbers=pair_numbers(inputs, "test", found),
        statements=(_statement(inputs, found),),
        figures=pair_panel(
            inputs,
            found,
            {"accuracy": "o", "auc": "s"},
            _finish,
            alternative="Two-sample test",
            caption=f"Each set against {reference} (real), by judges that the GAN never met; lines "
            "are 95 % intervals. Compare with the row of the other real set, if there is one: "
            "patients and scanners differ, too. Last row: against the training set, which shows "
            "whether the model has learned what it saw. A classifier that cannot tell sets apart "
            "has 0.5.",
        ),
    )


def _statement(inputs: Inputs, found: Mapping[str, TwoSampleTest]) -> Statement:
    if "synthetic" not in inputs.pairs or inputs.reference is None:
        return Statement(LIKENESS, "Not known", ("A real and a synthetic set are needed.",))
    test, both = found.get("synthetic"), found.get("train")
    if test is None:
        return Statement(LIKENESS, "Not known", ("There are too few segments to tell.",))
    reasons = [
        f"A classifier that the GAN never met tells synthetic from "
        f"{LABELS[inputs.reference].lower()} segments in {percent(test.accuracy)} of cases, where "
        f"50 % is guessing{_baseline(both)}."
    ]
    if has_twins(test):
        reasons.append(
            "Less than guessing means that segments of one set have near twins in the other, which "
            "the classifier has seen under the other name: segments that were copied, or cut "
            "beside each other. It says nothing for likeness."
        )
    elif not can_tell(test):
        reasons.append(
            f"With {test.compared[0]:,} and {test.compared[1]:,} segments, an accuracy of "
            f"{100 * told_from(test):.0f} % or more would most likely (in four of five cases) have "
            "been told from guessing; smaller differences would not."
        )
    return Statement(LIKENESS, _short(test, both), tuple(reasons))


def can_tell(test: TwoSampleTest) -> bool:
    """Whether the classifier tells the sets apart better than by guessing."""
    return test.accuracy.low > _GUESSING


def has_twins(test: TwoSampleTest) -> bool:
    """Whether it does worse than by guessing: segments of one set have twins in the other."""
    return test.accuracy.high < _GUESSING


def told_from(test: TwoSampleTest) -> float:
    """Give the least accuracy that these numbers tell from guessing in four of five cases."""
    deviation = (test.accuracy.high - test.accuracy.low) / (2 * _TWO_SIDED)
    return float(min(1.0, _GUESSING + (_TWO_SIDED + _FOUR_OF_FIVE) * deviation))


def _short(test: TwoSampleTest, both: TwoSampleTest | None) -> str:
    if has_twins(test):
        return "Not known: segments of one set have near twins in the other"
    if not can_tell(test):
        return "As far as these sets can show, they cannot be told from real ones"
    if both is None or both.by_subject != test.by_subject:
        return "Not quite: they can be told from real ones"
    if test.accuracy.value <= both.accuracy.value:
        return "They differ from real ones, but no more than two real sets differ from each other"
    return "No: they are told from real ones more surely than two real sets from each other"


def _baseline(both: TwoSampleTest | None) -> str:
    if both is None:
        return ""
    text = f"; it tells the two real sets, training and test, apart in {percent(both.accuracy)}"
    if both.by_subject:
        return text
    return text + " (of segments of patients that it has seen, for one of the sets has but one)"


def _finish(axes: Axes) -> None:
    axes.axvline(0.5, **GUIDE)
    axes.set_xlim(min(0.4, axes.get_xlim()[0]), 1.02)
    axes.set(title="Told apart by a classifier", xlabel="0.5: cannot tell, 1: always")


def _summary(numbers: Numbers) -> tuple[SummaryColumn, ...]:
    return (
        percent_column(
            "Told apart (%)",
            numbers,
            ("test", "accuracy", "value"),
            "By a classifier that the GAN never met, from the reference set; 50 is guessing",
        ),
    )


MEASURE: Measure[TwoSampleTest] = Measure(
    name="c2st",
    title="Two-sample classifier",
    run=_run,
    describe=_describe,
    parts=compared_pairs,
    weight=1.5,
    summary=_summary,
)
