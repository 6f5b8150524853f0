"""Scores as a classifier: how well they tell real from fake, and whether they are probabilities.

The scores may be of any kind; realness, the discriminator's output, is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import BadInputError
from .statistics import RESAMPLES, Estimate, area_under_curve, estimate_of, resample_groups


@dataclass(frozen=True)
class Roc:
    """A receiver-operating curve: at each threshold, the shares of fake and of real called real."""

    false_positive: np.ndarray
    true_positive: np.ndarray
    auc: Estimate


@dataclass(frozen=True)
class Calibration:
    """Whether scores may be read as the probability of being real, with as many real as fake.

    Attributes:
        score, real, count: per tenth of [0, 1] that holds any, the mean score, the share of real
            ones and how many there are.
        brier: mean squared difference of score and truth; 0.25 for always one half.
        ece: expected calibration error, the mean distance of ``score`` and ``real``.
        p_value: chance of such an error or more if the scores were probabilities.
        is_probability: whether nothing speaks against it: ``p_value`` of 0.05 or more.
    """

    score: np.ndarray
    real: np.ndarray
    count: np.ndarray
    brier: float
    ece: float
    p_value: float
    is_probability: bool


def roc(real: np.ndarray, fake: np.ndarray, *, seed: int = 0) -> Roc:
    """Give the receiver-operating curve of scores; higher ones should be real.

    Args:
        real, fake: float (N,) and (M,).
        seed: of the bootstrap that gives the interval.

    Raises:
        BadInputError: if either has no scores, or one is no number.
    """
    from sklearn.metrics import roc_curve

    y, scores = _joined(real, fake)
    false_positive, true_positive, _ = roc_curve(y, scores)
    weights = resample_groups(y, np.arange(len(y)), seed)
    return Roc(false_positive, true_positive, estimate_of(area_under_curve(scores, y, weights)))


def calibration(real: np.ndarray, fake: np.ndarray, *, seed: int = 0) -> Calibration:
    """Find whether scores in [0, 1] may be read as the probability of being real.

    The larger set is subsampled to the size of the smaller: a probability depends on how many of
    each there are. Chance alone gives some error, and how much is found by drawing the truth from
    the scores themselves, again and again (Bröcker & Smith 2007).

    Args:
        real, fake: float (N,) and (M,).
        seed: of all chance.

    Raises:
        BadInputError: if either has no scores, or one is not in [0, 1].
    """
    y, scores = _joined(real, fake)
    if scores.min() < 0 or scores.max() > 1:
        raise BadInputError(
            f"Scores go from {scores.min():g} to {scores.max():g}: expected 0 to 1."
        )
    rng = np.random.default_rng(seed)
    count = min(np.sum(y == 1), np.sum(y == 0))
    kept = np.concatenate([rng.permutation(np.flatnonzero(y == c))[:count] for c in (1, 0)])
    y, scores = y[kept], scores[kept]
    bins = np.minimum((scores * 10).astype(int), 9)
    held = np.bincount(bins, minlength=10)
    filled = held > 0
    total = np.bincount(bins, scores, minlength=10)
    simulated = rng.random((RESAMPLES, len(scores))) < scores
    truths = np.concatenate([y[None], simulated]) @ np.eye(10)[bins]
    errors = np.abs(truths - total).sum(axis=1) / len(scores)
    p_value = float((1 + np.sum(errors[1:] >= errors[0] - 1e-12)) / (1 + RESAMPLES))
    return Calibration(
        score=total[filled] / held[filled],
        real=truths[0, filled] / held[filled],
        count=held[filled],
        brier=float(np.mean((scores - y) ** 2)),
        ece=float(errors[0]),
        p_value=p_value,
        is_probability=p_value >= 0.05,
    )


def _joined(real: np.ndarray, fake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    real, fake = np.asarray(real, float), np.asarray(fake, float)
    if len(real) == 0 or len(fake) == 0:
        raise BadInputError(
            f"There are {len(real)} scores of real and {len(fake)} of fake segments: expected at "
            "least one of each."
        )
    scores = np.concatenate([real, fake])
    if not np.isfinite(scores).all():
        raise BadInputError("Some scores are NaN or infinite: expected numbers.")
    return np.repeat([1, 0], [len(real), len(fake)]), scores
