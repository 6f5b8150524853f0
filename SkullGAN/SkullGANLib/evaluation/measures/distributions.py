"""One number a segment, in two sets: how far apart the distributions lie, and what chance gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .statistics import Estimate, check_sizes, estimate_of

LEAST = 4
"""Segments that a set must have to be compared."""
_BOOTSTRAP = 200
_PERMUTATIONS = 300


@dataclass(frozen=True)
class Comparison:
    """How far apart two distributions of one number lie.

    Attributes:
        difference: of the means, the other's minus the real set's; with a 95 % interval.
        wasserstein: mean distance by which one must be moved to become the other; its interval is
            that of resampled sets, which lie further apart than the sets themselves.
        ks: Kolmogorov-Smirnov statistic: 0 for equal samples, 1 for such that do not overlap.
        chance_ks: what 95 % of random splits of both sets together stay below: the smallest
            statistic that these numbers of segments could have told from chance.
        p_value: share of random splits with such a statistic or more. Segments are taken for
            independent.
        by_subject: whether intervals are those of resampled subjects, not of segments.
        measured: segments of each set.
    """

    difference: Estimate
    wasserstein: Estimate
    ks: float
    chance_ks: float
    p_value: float
    by_subject: bool
    measured: tuple[int, int]


def compare(
    real: np.ndarray,
    other: np.ndarray,
    subjects: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    seed: int = 0,
) -> Comparison:
    """Compare the distributions of one number.

    Args:
        real, other: float (N,) and (M,); NaN are left out.
        subjects: texts (N,) and (M,), who each segment is of, empty for nobody. Of a set of two or
            more subjects, these are resampled.
        seed: of bootstrap and permutations.

    Raises:
        BadInputError: if a set has less than ``LEAST`` numbers.
    """
    known = np.isfinite(real), np.isfinite(other)
    real, other = real[known[0]], other[known[1]]
    check_sizes(real, other, LEAST)
    values = np.concatenate([real, other])
    y = np.repeat([1, 0], [len(real), len(other)])
    named = None
    if subjects is not None:
        named = (subjects[0][known[0]], subjects[1][known[1]])
    groups, by_subject = groups_of(y, named)
    rng = np.random.default_rng(seed)
    weights = np.zeros((1 + _BOOTSTRAP, len(y)))
    for label in (1, 0):
        weights[:, y == label] = _resampled(groups[y == label], rng)
    means = [weights @ (values * (y == c)) / (weights @ (y == c)) for c in (1, 0)]
    _, moved = _distances(values, weights * (y == 1), weights * (y == 0))
    labels = rng.permuted(np.tile(y, (_PERMUTATIONS, 1)), axis=1)
    labels[0] = y
    ks, _ = _distances(values, labels == 1, labels == 0)
    return Comparison(
        difference=estimate_of(means[1] - means[0]),
        wasserstein=estimate_of(moved),
        ks=float(ks[0]),
        chance_ks=float(np.quantile(ks[1:], 0.95)),
        p_value=float(np.mean(ks >= ks[0] - 1e-12)),
        by_subject=by_subject,
        measured=(len(real), len(other)),
    )


def groups_of(
    y: np.ndarray, subjects: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, bool]:
    """Number what is resampled together: a subject's segments, or each segment for itself.

    Args:
        y: int (N,), 1 for real segments and 0 for others.
        subjects: of the real and of the others, as for ``compare``.

    Returns:
        int (N,), and whether any set was grouped by its subjects.
    """
    groups = np.arange(len(y))
    grouped = False
    for label, names in zip((1, 0), subjects or (), strict=False):
        _, number = np.unique(np.asarray(names, dtype=str), return_inverse=True)
        if "" not in names and number.max(initial=0) > 0:
            groups[y == label] = len(y) * (1 + label) + number
            grouped = True
    return groups, grouped


def mean_of(values: np.ndarray, subjects: np.ndarray, seed: int = 0) -> Estimate:
    """Give the mean of values (N,) with the interval of a bootstrap of subjects or segments."""
    known = np.isfinite(values)
    values, y = values[known], np.ones(int(known.sum()), int)
    if not len(y):
        return Estimate(np.nan, np.nan, np.nan)
    groups, _ = groups_of(y, (subjects[known], subjects[:0]))
    weights = _resampled(groups, np.random.default_rng(seed))
    return estimate_of(weights @ values / weights.sum(axis=1))


def _resampled(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give weights (1 + R, N) of groups (N,) drawn with replacement, the first all 1."""
    names, number = np.unique(groups, return_inverse=True)
    share = np.full(len(names), 1 / len(names))
    times = rng.multinomial(len(names), share, _BOOTSTRAP)
    return np.concatenate([np.ones((1, len(groups))), times[:, number]])


def _distances(
    values: np.ndarray, real: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give Kolmogorov-Smirnov and Wasserstein distance (R,) for weights (R, N) of both sets."""
    order = np.argsort(values, kind="stable")
    steps = np.diff(values[order])
    shares = []
    for weights in (real, other):
        reached = np.cumsum(weights[:, order], axis=1, dtype=np.float64)
        shares.append(reached[:, :-1] / reached[:, -1:])
    apart = np.abs(shares[0] - shares[1])
    # Between equal values the curves have not arrived yet.
    return np.max(apart * (steps > 0), axis=1, initial=0.0), apart @ steps
