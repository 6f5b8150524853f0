"""Usefulness: does what learned from synthetic segments work on real ones?

"Train on synthetic, test on real" against "train on real, test on real" (Esteban et al. 2017).
``compare`` trains small regressors, which tell the thickness and the SDR of a segment from a coarse
picture of it, on real training segments, on as many synthetic ones and on both, and tests each on
the same held-out real segments. The ratio of their errors is what a user gains or loses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError
from ...metrics import measure
from .c2st import Estimate

TARGETS = ("thickness_mm", "sdr_peaks")
"""What is told from the pictures, of ``metrics.METRICS``."""
FEWEST = 20
"""Segments to train on, at least."""
MOST = 2_000

_BLOCK = (2, 16)  # rows, columns averaged: a wall lies flat
_RESAMPLES = 1000
_LEAST_SPREAD = 0.01
"""Of the first component's standard deviation; a component of less counts by as much less."""


@dataclass(frozen=True)
class Usefulness:
    """How well one target is told on real test segments, after training on this or that.

    Attributes:
        error: mean absolute error, in the target's unit, by what it was trained on: "real",
            "synthetic", "both" (the two together), and "guess" (always the mean of the real ones).
        ratio: error after synthetic over error after real; 1 where they are worth as much.
        gain: error after both over error after real; below 1 where synthetic segments help.
        trained_on: segments of "real" and of "synthetic" alike.
        tested_on: real segments.
    """

    error: Mapping[str, Estimate]
    ratio: Estimate
    gain: Estimate
    trained_on: int
    tested_on: int


def compare(
    real: SegmentSet, synthetic: SegmentSet, test: SegmentSet, *, seed: int = 0
) -> dict[str, Usefulness]:
    """Compare training on synthetic with training on real segments, for each of ``TARGETS``.

    Both train on equally many: of the larger set, and of more than ``MOST``, so many are drawn.
    Intervals are a bootstrap of the test set's subjects, where they are known, else of its
    segments; they do not know the chance in what was trained on.

    Args:
        real, synthetic: to train on.
        test: real segments of other subjects.
        seed: of draw, trees and bootstrap.

    Raises:
        BadInputError: if fewer than ``FEWEST`` segments can be measured to train on, or none to
            test on.
    """
    (real_x, real_y), (made_x, made_y), (x, y) = map(_learnable, (real, synthetic, test))
    rng = np.random.default_rng(seed)
    count = min(len(real_x), len(made_x), MOST)
    if count < FEWEST or len(x) == 0:
        raise BadInputError(
            f"{len(real_x)} real and {len(made_x)} synthetic segments to train on and {len(x)} to "
            f"test on can be measured, at least {FEWEST} of each and one to test on are needed."
        )
    of_real, of_made = (np.sort(rng.permutation(n)[:count]) for n in (len(real_x), len(made_x)))
    real_x, real_y, made_x, made_y = (
        real_x[of_real],
        real_y[of_real],
        made_x[of_made],
        made_y[of_made],
    )
    sources = {
        "real": (real_x, real_y),
        "synthetic": (made_x, made_y),
        "both": (np.concatenate([real_x, made_x]), np.concatenate([real_y, made_y])),
    }
    measurable = np.isfinite(_targets(test)).all(axis=1)
    weights = _resampled(test.subject[measurable], rng)
    found = {}
    for place, target in enumerate(TARGETS):
        misses = {
            name: np.abs(_trained(inputs, truth[:, place], seed)(x) - y[:, place])
            for name, (inputs, truth) in sources.items()
        }
        misses["guess"] = np.abs(real_y[:, place].mean() - y[:, place])
        errors = {name: weights @ miss / weights.sum(axis=1) for name, miss in misses.items()}
        least = np.maximum(errors["real"], 1e-12)
        found[target] = Usefulness(
            error={name: _estimate(each) for name, each in errors.items()},
            ratio=_estimate(errors["synthetic"] / least),
            gain=_estimate(errors["both"] / least),
            trained_on=count,
            tested_on=len(x),
        )
    return found


def _learnable(segments: SegmentSet) -> tuple[np.ndarray, np.ndarray]:
    """Give coarse pictures (N, pixels) and targets (N, 2) of what can be measured."""
    targets = _targets(segments)
    whole = np.isfinite(targets).all(axis=1)
    rows, columns = _BLOCK
    hu = segments.hu[whole]
    blocks = hu.reshape(len(hu), SIZE // rows, rows, SIZE // columns, columns)
    pictures = blocks.mean(axis=(2, 4), dtype=np.float64)
    return pictures.reshape(len(hu), SIZE // rows * (SIZE // columns)), targets[whole]


def _targets(segments: SegmentSet) -> np.ndarray:
    measured = measure(segments)
    return np.stack([measured[name] for name in TARGETS], axis=1)


def _trained(x: np.ndarray, y: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a quadratic in the first principal components; gives what tells targets (N,)."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    components = PCA(min(24, len(x) // 2), random_state=seed, svd_solver="randomized")
    with np.errstate(invalid="ignore", divide="ignore"):  # pictures that are all alike
        components.fit(x)
    spread = np.sqrt(components.explained_variance_)
    # Standardized, what is left of alike pictures would be rounding, blown up.
    scale = np.maximum(spread, max(_LEAST_SPREAD * spread[0], 1e-9))
    regressor = make_pipeline(
        PolynomialFeatures(2, include_bias=False), RidgeCV(np.logspace(0, 4, 9))
    ).fit(components.transform(x) / scale, y)
    return lambda pictures: regressor.predict(components.transform(pictures) / scale)


def _resampled(subject: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw subjects with putting back: weights (1 + 1000, N), the first all 1."""
    alone = np.array([f"{place}" for place in range(len(subject))])
    _, group = np.unique(np.where(subject == "", alone, subject), return_inverse=True)
    if group.max() == 0:  # one subject alone has no spread
        group = np.arange(len(subject))
    count = group.max() + 1
    times = rng.multinomial(count, np.full(count, 1 / count), _RESAMPLES)
    return np.vstack([np.ones(len(group)), times[:, group]])


def _estimate(values: np.ndarray) -> Estimate:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Estimate(float(values[0]), float(low), float(high))
