"""Following a real set: which of a model's segments to keep so that they measure as real ones do.

A model's distribution of SDR, thickness and mean intensity is not that of the heads somebody
simulates. ``Tilt.fitted`` learns on a first sample of draws by which weight each should count, as
entropy balancing does (Hainmueller 2012, Political Analysis 20:25-46): of all weights that give the
sample the moments of the real set, those nearest to equal ones. The moments are those of hat
functions between quantiles of each metric, which hold its distribution, and the products of two,
which hold their correlations. The weights are the exponential of a sum over these functions, so
that they hold for any later draw, and a draw is kept with a chance that is in proportion.

Chance alone leaves the distributions of some hundred segments uneven. ``Quotas`` cap how many are
kept between two deciles of a metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import hdf5
from ..errors import BadInputError
from ..metrics.registry import METRICS
from ..utils.atomic_files import sha256
from .artificial import METRICS as FOLLOWED
from .artificial import match
from .selection import Limits

LEAST_REAL = 30
"""Real segments that are needed to speak of their distributions."""

_KNOTS = 12
_SEGMENTS_TO_A_KNOT = 10
_RIDGE = 1e-4  # of squared coefficients; with 1e-3 one head's SDR was missed by 0.07
_FARTHEST = 3.0  # standard deviations that a product of two metrics takes in
_CELLS = 10


@dataclass(frozen=True, eq=False)
class RealSet:
    """What is known of the real set.

    Attributes:
        name: of its file, for sentences.
        values: float64 (N, 3), ``FOLLOWED`` of its segments within limits.
        segments: how many the file holds, those outside of the limits included.
        sha256: of the file.
    """

    name: str
    values: np.ndarray
    segments: int
    sha256: str

    def as_source(self, ks: float) -> dict[str, object]:
        """Give what is no patient's as a set's ``source`` holds it: counts and a digest."""
        return {
            "sha256": self.sha256,
            "segments": self.segments,
            "followed": len(self.values),
            "metrics": list(FOLLOWED),
            "ks": ks,
        }


def check_real(path: str | Path) -> None:
    """Raise BadInputError unless a file is a set of real segments; no segment is read."""
    kind = hdf5.read(path, slice(0)).kind
    if kind != "real":
        raise BadInputError(
            f"{path}: holds {kind} segments, expected real ones, whose distributions are followed."
        )


def read_real(path: str | Path, limits: Limits) -> RealSet:
    """Measure the set that is followed.

    Raises:
        BadInputError: if it is no set of real segments, or too few of them have all metrics and
            are within the limits.
    """
    from ..metrics.measurement import measure

    check_real(path)
    values, segments = [], 0
    for batch in hdf5.iterate(path):
        metrics = measure(batch)
        found = values_of(metrics)
        values.append(found[limits.accept(metrics) & np.isfinite(found).all(axis=1)])
        segments += len(batch)
    whole = np.concatenate(values) if values else np.empty((0, len(FOLLOWED)))
    if len(whole) < LEAST_REAL:
        within = " and are within the limits" if limits else ""
        raise BadInputError(
            f"{path}: {len(whole)} of its {segments} segments have SDR, thickness and mean "
            f"intensity{within}, expected at least {LEAST_REAL} to follow."
        )
    return RealSet(Path(path).name, whole, segments, sha256(path))


def values_of(metrics: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give ``FOLLOWED`` of what ``metrics.measure`` gave: float64 (N, 3)."""
    return np.stack([metrics[name] for name in FOLLOWED], axis=1)


@dataclass(frozen=True, eq=False)
class Tilt:
    """By which chance a segment is kept, for its metrics alone.

    Attributes:
        knots: of the hat functions, one array for each of ``FOLLOWED``.
        middle, spread: float64 (3,), of the real set, for the products.
        coefficients: float64, of all functions.
        ceiling: logarithm of the weight from which on a segment is kept for sure.
    """

    knots: tuple[np.ndarray, ...]
    middle: np.ndarray
    spread: np.ndarray
    coefficients: np.ndarray
    ceiling: float

    @classmethod
    def fitted(cls, sample: np.ndarray, real: RealSet, ks: float) -> Tilt:
        """Fit the weights to a first sample of draws.

        Args:
            sample: float64 (N, 3), ``FOLLOWED`` of draws within limits, all finite.
            real: what is followed.
            ks: largest Kolmogorov-Smirnov statistic that is allowed. The weights are cut where
                that costs no more than half of it: cut at the highest, few segments were kept.

        Raises:
            BadInputError: if no weights give the sample distributions that near, telling of which
                metric the model does not make what is wanted.
        """
        from scipy import optimize, special

        knots = _knots(real.values, len(sample))
        spread = real.values.std(axis=0)
        spread[spread == 0] = 1
        start = cls(knots, np.median(real.values, axis=0), spread, np.empty(0), 0.0)
        functions, wanted = start._functions(sample), start._functions(real.values).mean(axis=0)

        def dual(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
            logarithms = functions @ coefficients
            total = special.logsumexp(logarithms)
            slope = np.exp(logarithms - total) @ functions - wanted + _RIDGE * coefficients
            ridge = _RIDGE / 2 * coefficients @ coefficients
            return float(total - wanted @ coefficients + ridge), slope

        found = optimize.minimize(
            dual, np.zeros(len(wanted)), jac=True, method="L-BFGS-B", options={"maxiter": 1000}
        ).x
        ceiling = _ceiling(functions @ found, sample, real, ks)
        return cls(knots, start.middle, start.spread, found, ceiling)

    def chances(self, values: np.ndarray) -> np.ndarray:
        """Give the chance, float64 (N,), of segments with these metrics (N, 3); NaN have none."""
        whole = np.isfinite(values).all(axis=1)
        chances = np.zeros(len(values))
        logarithms = self._functions(values[whole]) @ self.coefficients
        chances[whole] = np.exp(np.minimum(logarithms - self.ceiling, 0))
        return chances

    def _functions(self, values: np.ndarray) -> np.ndarray:
        """Give all functions of (N, 3) values; a metric's hats add up to 1, so one is left out."""
        hats = [_hats(each, knots)[:, 1:] for each, knots in zip(values.T, self.knots, strict=True)]
        standard = np.clip((values - self.middle) / self.spread, -_FARTHEST, _FARTHEST)
        pairs = [standard[:, [a]] * standard[:, [b]] for a, b in ((0, 1), (0, 2), (1, 2))]
        return np.concatenate([*hats, *pairs], axis=1)


class Quotas:
    """How many segments may be kept between two deciles of each metric, and how many are.

    Args:
        real: what is followed.
        count: segments to be kept in all.
        ks: largest Kolmogorov-Smirnov statistic that is allowed; a tenth of it is left as room, so
            that no quota has to be waited for.
    """

    def __init__(self, real: RealSet, count: int, ks: float) -> None:
        shares = np.linspace(0, 1, _CELLS + 1)[1:-1]
        self._edges = [np.unique(np.quantile(each, shares)) for each in real.values.T]
        self._real = [
            np.bincount(cells, minlength=len(edges) + 1) / len(real.values)
            for cells, edges in zip(self._cells(real.values), self._edges, strict=True)
        ]
        room = max(1, round(ks / 10 * count))
        self._count = count
        self._most = [np.ceil(count * shares).astype(int) + room for shares in self._real]
        self._kept = [np.zeros(len(most), int) for most in self._most]

    def take(self, values: np.ndarray) -> bool:
        """Count a segment, its metrics (3,), in; False, and not counted, where no room is left."""
        cells = [int(cell[0]) for cell in self._cells(values[None])]
        if any(
            kept[cell] >= most[cell]
            for kept, most, cell in zip(self._kept, self._most, cells, strict=True)
        ):
            return False
        for kept, cell in zip(self._kept, cells, strict=True):
            kept[cell] += 1
        return True

    def lacking(self) -> str:
        """Say which part of the real distributions is filled the least."""
        worst, total = [], int(self._kept[0].sum())
        for name, edges, shares, kept in zip(
            FOLLOWED, self._edges, self._real, self._kept, strict=True
        ):
            cell = int(np.argmax(shares * total - kept))
            lack = shares[cell] * total - kept[cell]
            worst.append((lack, name, edges, cell, round(shares[cell] * self._count), kept[cell]))
        _, name, edges, cell, wanted, kept = max(worst, key=lambda one: one[0])
        metric = METRICS[name]
        low = f"from {metric.text(edges[cell - 1])}" if cell else ""
        high = f"up to {metric.text(edges[cell])}" if cell < len(edges) else ""
        where = " ".join(filter(None, (low, high)))
        return f"{metric.quantity} {where} lacks most: {wanted} were to be kept, {kept} are."

    def _cells(self, values: np.ndarray) -> list[np.ndarray]:
        return [
            np.searchsorted(edges, each, side="right")
            for each, edges in zip(values.T, self._edges, strict=True)
        ]


def ks_of(real: RealSet, kept: np.ndarray) -> dict[str, float]:
    """Give the two-sample Kolmogorov-Smirnov statistic of each metric of what is kept (N, 3)."""
    one, other = (dict(zip(FOLLOWED, values.T, strict=True)) for values in (real.values, kept))
    return dict(match(one, other).ks)


def _knots(real: np.ndarray, count: int) -> tuple[np.ndarray, ...]:
    """Give knots at quantiles of each metric, as many as the smaller of the two samples bears."""
    bears = min(count, len(real)) // _SEGMENTS_TO_A_KNOT
    shares = np.linspace(0.01, 0.99, int(np.clip(bears, 3, _KNOTS)))
    found = (np.unique(np.quantile(each, shares)) for each in real.T)
    return tuple(one if len(one) > 1 else one[0] + np.array([0.0, 1.0]) for one in found)


def _hats(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Give the hat functions of K knots, (N, K): 1 at their own knot, 0 at the others, the outer
    ones 1 beyond."""
    clipped = np.clip(values, knots[0], knots[-1])
    below = np.clip(np.searchsorted(knots, clipped, side="right") - 1, 0, len(knots) - 2)
    share = (clipped - knots[below]) / (knots[below + 1] - knots[below])
    rows = np.arange(len(values))
    hats = np.zeros((len(values), len(knots)))
    hats[rows, below], hats[rows, below + 1] = 1 - share, share
    return hats


def _ceiling(logarithms: np.ndarray, sample: np.ndarray, real: RealSet, ks: float) -> float:
    """Find where to cut the weights; raises as ``Tilt.fitted`` says."""
    falling = np.sort(logarithms)[::-1]

    def missed(ceiling: float) -> list[tuple[float, float, float, float]]:
        weights = np.exp(np.minimum(logarithms - ceiling, 0))
        return [
            _gap(each, weights, of_real)
            for each, of_real in zip(sample.T, real.values.T, strict=True)
        ]

    uncut = missed(falling[0])
    largest = max(gap for gap, *_ in uncut)
    if largest > ks:
        raise BadInputError(_unreachable(uncut, real, ks))
    best = falling[0]
    # Half of the weights cut keep more than every second draw: no need to go on.
    for ceiling in falling[: len(falling) // 2 : max(1, len(falling) // 256)]:
        if max(gap for gap, *_ in missed(ceiling)) > max(ks / 2, largest):
            break
        best = ceiling
    return float(best)


def _gap(
    values: np.ndarray, weights: np.ndarray, real: np.ndarray
) -> tuple[float, float, float, float]:
    """Give the Kolmogorov-Smirnov statistic of a weighted sample against a real one, where the gap
    is, and which share of the real and of the weighted one lies up to there."""
    order = np.argsort(values)
    share = np.append(0.0, np.cumsum(weights[order]) / weights.sum())
    places = np.sort(np.concatenate([values, real]))
    of_real = np.searchsorted(np.sort(real), places, side="right") / len(real)
    of_sample = share[np.searchsorted(values[order], places, side="right")]
    at = int(np.argmax(np.abs(of_real - of_sample)))
    gap = float(abs(of_real[at] - of_sample[at]))
    return gap, float(places[at]), float(of_real[at]), float(of_sample[at])


def _unreachable(missed: list[tuple[float, float, float, float]], real: RealSet, ks: float) -> str:
    parts = []
    for name, (gap, place, of_real, of_sample) in zip(FOLLOWED, missed, strict=True):
        if gap > ks:
            metric = METRICS[name]
            parts.append(
                f"{metric.quantity}: up to {metric.text(place)} lie {of_real:.0%} of the real "
                f"segments, {of_sample:.0%} of what can be selected (KS {gap:.2f})"
            )
    return (
        f"The model cannot follow {real.name} to a Kolmogorov-Smirnov statistic (KS) of {ks:g}. "
        f"{'; '.join(parts)}. Expected a model that makes such segments, limits, or a larger KS."
    )
