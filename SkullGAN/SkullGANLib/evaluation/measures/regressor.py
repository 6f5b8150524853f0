"""A small regressor that can be trained a thousand times: a quadratic in principal components.

All trainings share one basis, so that a training set is the sums that least squares need (``Fit``):
sets are joined by adding them, and resampled by weighting what they are made of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COMPONENTS = 16
"""Principal components; with their squares and products 152 features."""

_PENALTIES = np.logspace(0, 5, 11)
_LEAST_SPREAD = 0.01
"""Of the first component's standard deviation; a component of less counts by as much less."""


class Regressor:
    """The basis, and how strongly coefficients are held back.

    Args:
        x: float64 (N, D), what the principal components are of.
        seed: of the decomposition.
    """

    def __init__(self, x: np.ndarray, seed: int) -> None:
        from sklearn.decomposition import PCA

        count = min(COMPONENTS, len(x) // 2, x.shape[1])
        self._components = PCA(count, random_state=seed, svd_solver="randomized")
        with np.errstate(invalid="ignore", divide="ignore"):  # pictures that are all alike
            self._components.fit(x)
        spread = np.sqrt(self._components.explained_variance_)
        # Standardized, what is left of alike pictures would be rounding, blown up.
        self._scale = np.maximum(spread, max(_LEAST_SPREAD * spread[0], 1e-9))

    def expanded(self, x: np.ndarray) -> np.ndarray:
        """Give the features of pictures (N, D): components, their squares and products."""
        first = self._components.transform(x) / self._scale
        one, other = np.triu_indices(first.shape[1])
        return np.hstack([first, first[:, one] * first[:, other]])

    def penalty(self, fit: Fit) -> np.ndarray:
        """Give the penalty of each target that generalized cross-validation likes best."""
        values, vectors = np.linalg.eigh(fit.square)
        values = np.maximum(values, 0)
        turned = vectors.T @ fit.product
        scores = []
        for penalty in _PENALTIES:
            shrunk = turned / (values + penalty)[:, None]
            left = fit.total - 2 * np.sum(shrunk * turned, 0) + values @ shrunk**2
            free = 1 - np.sum(values / (values + penalty)) / fit.count
            scores.append(left / max(free, 1e-6) ** 2)
        return _PENALTIES[np.argmin(scores, axis=0)]


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weighted sums over a training set: of weights, features, targets and their products."""

    count: float
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.count + other.count,
            self.x + other.x,
            self.y + other.y,
            self.xx + other.xx,
            self.xy + other.xy,
            self.yy + other.yy,
        )


class Fit:
    """A training set, as least squares see it.

    Args:
        features: float64 (N, F).
        targets: float64 (N, T).
    """

    def __init__(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        sums: _Sums | None = None,
    ) -> None:
        self._features, self._targets = features, targets
        self._sums = _sums(features, targets, np.ones(len(features))) if sums is None else sums

    def __add__(self, other: Fit) -> Fit:
        """Join two training sets, which can then no longer be resampled."""
        return Fit(self._features[:0], self._targets[:0], self._sums + other._sums)

    def resampled(self, rng: np.random.Generator) -> Fit:
        """Draw as many with replacement."""
        count = len(self._features)
        weights = np.bincount(rng.integers(count, size=count), minlength=count).astype(float)
        return Fit(self._features, self._targets, _sums(self._features, self._targets, weights))

    @property
    def count(self) -> float:
        """How many there are."""
        return self._sums.count

    @property
    def mean(self) -> np.ndarray:
        """The mean of each target."""
        return self._sums.y / self._sums.count

    @property
    def square(self) -> np.ndarray:
        """Products of the features with each other, about their means: (F, F)."""
        return self._sums.xx - np.outer(self._sums.x, self._sums.x) / self._sums.count

    @property
    def product(self) -> np.ndarray:
        """Products of features and targets, about their means: (F, T)."""
        return self._sums.xy - np.outer(self._sums.x, self._sums.y) / self._sums.count

    @property
    def total(self) -> np.ndarray:
        """Squares of the targets about their means: (T,)."""
        return self._sums.yy - self._sums.y**2 / self._sums.count

    def predicted(self, features: np.ndarray, penalty: np.ndarray) -> np.ndarray:
        """Give the targets (M, T) of features (M, F), learned at a penalty (T,) per target."""
        square, product = self.square, self.product
        found = np.empty((len(features), product.shape[1]))
        for value in np.unique(penalty):
            here = penalty == value
            slopes = np.linalg.solve(square + value * np.eye(len(square)), product[:, here])
            start = self.mean[here] - self._sums.x / self._sums.count @ slopes
            found[:, here] = features @ slopes + start
        return found


def _sums(features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> _Sums:
    weighted = features * weights[:, None]
    return _Sums(
        float(weights.sum()),
        weighted.sum(axis=0),
        weights @ targets,
        weighted.T @ features,
        weighted.T @ targets,
        weights @ targets**2,
    )
