"""Numbers with their intervals, and the chance that these come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ...errors import BadInputError

RESAMPLES = 1000
"""Bootstrap samples of an interval."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def proportion(hits: float, of: float) -> Estimate:
    """Give a share with its 95 % interval by Wilson's score, which holds for few and for none.

    Example:
        >>> proportion(0, 10)
        Estimate(value=0.0, low=0.0, high=0.2775...)
    """
    z2 = 1.959964**2
    middle = (hits + z2 / 2) / (of + z2)
    reach = np.sqrt(z2 * (hits * (of - hits) / of + z2 / 4)) / (of + z2)
    low, high = np.clip([middle - reach, middle + reach], 0, 1)
    return Estimate(hits / of, float(min(low, hits / of)), float(max(high, hits / of)))


def estimate_of(values: np.ndarray) -> Estimate:
    """Take the first of values (1 + R,) for the estimate and the others for its spread."""
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return Estimate(float(values[0]), float(low), float(high))


def mean_estimate(values: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Give the mean of values (N,) with the interval of a bootstrap."""
    values = np.asarray(values, float)
    means = [rng.choice(values, len(values)).mean() for _ in range(RESAMPLES)]
    return estimate_of(np.array([values.mean(), *means]))


def numbered(names: np.ndarray) -> np.ndarray:
    """Number texts from 0 on, int (N,); an empty one is -1.

    Example:
        >>> numbered(np.array(["b", "", "a", "b"])).tolist()
        [1, -1, 0, 1]
    """
    names = np.asarray(names, str)
    known = np.unique(names[names != ""])
    return np.where(names == "", -1, np.searchsorted(known, names))


def groups_of(names: np.ndarray) -> np.ndarray:
    """Number what must be resampled together: the segments of a name, or each of none for itself.

    Example:
        >>> groups_of(np.array(["b", "", "a", "b", ""])).tolist()
        [1, 2, 0, 1, 3]
    """
    number = numbered(names)
    alone = number < 0
    number[alone] = number.max(initial=-1) + 1 + np.arange(alone.sum())
    return number


def proportion_by(hits: np.ndarray, groups: np.ndarray) -> Estimate:
    """Give a share with a 95 % interval that knows of groups whose members resemble each other.

    Wilson's interval for as many independent ones as would vary as much (the design effect of
    Kish 1965, by the variance between groups). Where all or none are hits that cannot be seen, and
    as many as there are groups count.

    Args:
        hits: bool (N,).
        groups: int (N,), for instance of ``groups_of``; of one group alone each counts for itself.

    Example:
        >>> one = proportion_by(np.repeat([True, False], 50), np.arange(100))
        >>> other = proportion_by(np.repeat([True, False], 50), np.arange(100) // 10)
        >>> one == proportion(50, 100), other.high - other.low > 2 * (one.high - one.low)
        (True, True)
    """
    count, share = len(hits), float(np.mean(hits))
    _, group = np.unique(groups, return_inverse=True)
    several = int(group.max()) + 1
    if several in (1, count):
        return proportion(int(np.sum(hits)), count)
    if share in (0.0, 1.0):
        effective = float(several)
    else:
        sums = np.bincount(group, np.asarray(hits, float) - share)
        variance = np.sum(sums**2) / count**2 * several / (several - 1)
        effective = min(float(count), share * (1 - share) / max(variance, 1e-12))
    one = proportion(share * effective, effective)
    return Estimate(share, one.low, one.high)


def resample_groups(y: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Resample groups with replacement, class by class.

    Args:
        y: int (N,), 1 for real segments and 0 for others.
        groups: int (N,), what stays together.

    Returns:
        Weights, float64 (1 + 1000, N), the first all 1.
    """
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + RESAMPLES, len(y)))
    for label in (0, 1):
        here = np.flatnonzero(y == label)
        names, number = np.unique(groups[here], return_inverse=True)
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
        weights[1:, here] = times[:, number]
    return weights


def area_under_curve(
    scores: np.ndarray, y: np.ndarray, weights: np.ndarray, fold: np.ndarray | None = None
) -> np.ndarray:
    """Give the area under the receiver-operating curve for each row of weights; ties count half.

    It is the share of pairs of a real and a fake in which the real one scores higher, of pairs of
    one fold if folds are given; NaN for weights that leave no such pair.

    Args:
        scores: float (N,).
        y: int (N,), 1 for real and 0 for fake.
        weights: float (R, N).
        fold: int (N,).

    Returns:
        float64 (R,).
    """
    higher, pairs = np.zeros((2, len(weights)))
    for part in [slice(None)] if fold is None else [fold == each for each in np.unique(fold)]:
        _, rank = np.unique(scores[part], return_inverse=True)
        places = rank.max() + 1
        real, fake = (
            np.stack([np.bincount(rank, row, places) for row in weights[:, part] * (y[part] == c)])
            for c in (1, 0)
        )
        higher += np.sum(real * (np.cumsum(fake, axis=1) - fake / 2), axis=1)
        pairs += real.sum(axis=1) * fake.sum(axis=1)
    return np.divide(higher, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def subsample(size: int, most: int, seed: int, together: int = 1) -> np.ndarray:
    """Give all places of a set, or ``most`` of them by chance, in order: int (n,).

    Of so many places ``together``, as of the slices of a stack, all or none are taken.

    Example:
        >>> np.diff(subsample(8, 5, seed=1, together=2).reshape(-1, 2)).ravel().tolist()
        [1, 1]
    """
    if size <= most:
        return np.arange(size)
    if together > 1 and size % together == 0:
        first = subsample(size // together, max(1, most // together), seed) * together
        return (first[:, None] + np.arange(together)).ravel()
    return np.sort(np.random.default_rng(seed).choice(size, most, replace=False))


def check_sizes(real: np.ndarray, other: np.ndarray, least: int) -> None:
    """Check that two sets are large enough to be compared.

    Raises:
        BadInputError: if one has less than ``least`` segments.
    """
    if min(len(real), len(other)) < least:
        raise BadInputError(
            f"Sets of {len(real)} and {len(other)} segments cannot be compared: expected at least "
            f"{least} in each."
        )


def percent(estimate: Estimate | Mapping[str, float]) -> str:
    """Put a share and its interval into per cent.

    Example:
        >>> percent(Estimate(0.5, 0.25, 0.75))
        '50 % (25 to 75 %)'
    """
    one = estimate if isinstance(estimate, Mapping) else asdict(estimate)
    value, low, high = (f"{100 * one[key]:.0f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high} %)"


def interval(estimate: Estimate | Mapping[str, float], digits: str) -> str:
    """Put a number and its interval into words, by a format such as ``.2f``.

    Example:
        >>> interval(Estimate(1.0, 0.9, 1.25), ".2f")
        '1.00 (0.90 to 1.25)'
    """
    one = estimate if isinstance(estimate, Mapping) else asdict(estimate)
    value, low, high = (format(one[key], digits) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
