"""Train on synthetic, test on real (TSTR): does what learned from synthetic segments work?

Against "train on real, test on real" (Esteban et al. 2017). ``compare`` trains small regressors,
which predict the thickness and the SDR of a segment from a coarse picture of it, on real training
segments, on as many synthetic ones and on both, and tests each on the same held-out real segments.
The ratio of their errors is what a user gains or loses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError
from ...metrics import METRICS, measure
from ..names import COLORS
from .drawing import INK, writer
from .measure import USE, Inputs, Measure, Progress, Result, Statement
from .measure import Figure as ReportFigure
from .statistics import RESAMPLES, Estimate, estimate_of, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TARGETS = ("thickness_mm", "sdr_peaks")
"""What is predicted from the pictures, of ``metrics.METRICS``."""
FEWEST = 20
"""Segments to train on, at least."""
MOST = 2_000

_BLOCK = (2, 16)  # rows, columns averaged: a wall lies flat
_LEAST_SPREAD = 0.01
"""Of the first component's standard deviation; a component of less counts by as much less."""


@dataclass(frozen=True)
class Tstr:
    """How well one target is predicted on real test segments, after training on this or that.

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
) -> dict[str, Tstr]:
    """Compare training on synthetic with training on real segments, for each of ``TARGETS``.

    Both train on equally many: larger sets, and of more than ``MOST``, are subsampled.
    Intervals are a bootstrap of the test set's subjects, where they are known, else of its
    segments; they do not know the chance in what was trained on.

    Args:
        real, synthetic: to train on.
        test: real segments of other subjects.
        seed: of subsample, regressors and bootstrap.

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
            f"test on can be measured: expected at least {FEWEST} of each and one to test on."
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
        found[target] = Tstr(
            error={name: estimate_of(each) for name, each in errors.items()},
            ratio=estimate_of(errors["synthetic"] / least),
            gain=estimate_of(errors["both"] / least),
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
    """Fit a quadratic in the first principal components; gives what predicts targets (N,)."""
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
    """Resample subjects with replacement: weights (1 + 1000, N), the first all 1."""
    alone = np.array([f"{place}" for place in range(len(subject))])
    _, group = np.unique(np.where(subject == "", alone, subject), return_inverse=True)
    if group.max() == 0:  # one subject alone has no spread
        group = np.arange(len(subject))
    count = group.max() + 1
    times = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    return np.vstack([np.ones(len(group)), times[:, group]])


def _run(inputs: Inputs, part: str, report_progress: Progress) -> dict[str, Tstr]:
    sets = inputs.compared["train"], inputs.compared["synthetic"], inputs.sets["test"].segments
    return compare(*sets, seed=inputs.seed)


def _describe(inputs: Inputs, found: Mapping[str, Mapping[str, Tstr]]) -> Result:
    targets = found.get("", {})
    if not targets:
        needed = "A training, a test and a synthetic set of enough segments are needed."
        statement = Statement(USE, "Not known", (needed,))
        return Result(numbers={"usefulness": {}}, statements=(statement,))
    return Result(
        numbers={"usefulness": targets},
        statements=(_statement(targets),),
        figures=(
            ReportFigure(
                "usefulness",
                "Errors of regressors trained on real, on synthetic and on both, on real segments",
                "Mean error, on held-out real segments, of a small regressor that predicts "
                "thickness and SDR from a coarse picture; lines are 95 % intervals. Synthetic as "
                "low as real: worth as much to learn from; both lower than real: they add "
                "something; as high as a guess (always the mean): useless.",
                writer(3.6, lambda figure: _draw(figure, targets)),
            ),
        ),
    )


def _statement(targets: Mapping[str, Tstr]) -> Statement:
    reasons = tuple(
        f"{METRICS[target].short}: learned from {one.trained_on:,} synthetic segments, the error "
        f"on real ones is {interval(one.ratio, '.2f')} times that of as many real ones; with both "
        f"together {interval(one.gain, '.2f')} times."
        for target, one in targets.items()
    )
    short = "; ".join(_worth(targets))
    return Statement(USE, short[:1].upper() + short[1:], reasons)


def _worth(targets: Mapping[str, Tstr]) -> Iterator[str]:
    for target, one in targets.items():
        metric = METRICS[target]
        what = metric.abbreviation or metric.quantity.lower()
        errors = {name: each.value for name, each in one.error.items()}
        if errors["real"] >= errors["guess"]:
            yield f"for {what} not known, since real ones teach nothing either"
        elif one.gain.high < 1:
            yield f"for {what} yes, they add to real ones"
        elif errors["synthetic"] >= errors["guess"]:
            yield f"for {what} no, they teach less than a guess"
        elif one.ratio.low <= 1:
            yield f"for {what} as much as the same number of real ones, as far as this can show"
        else:
            yield f"for {what} less than as many real ones"


def _draw(figure: Figure, targets: Mapping[str, Tstr]) -> None:
    for axes, (target, one) in zip(figure.subplots(1, len(targets)), targets.items(), strict=True):
        _draw_errors(axes, one)
        metric = METRICS[target]
        details = metric.unit or metric.definition
        name = metric.abbreviation or metric.quantity.lower()
        axes.set_title(f"Error of {name} ({details})")
        axes.set(xlabel="trained on", ylabel="mean absolute error")


def _draw_errors(axes: Axes, one: Tstr) -> None:
    colors = {
        "real": COLORS["train"],
        "synthetic": COLORS["synthetic"],
        "both": "#777777",
        "guess": "#bbbbbb",
    }
    for place, (what, color) in enumerate(colors.items()):
        error = one.error[what]
        axes.bar(place, error.value, width=0.6, color=color, alpha=0.7)
        axes.plot([place, place], [error.low, error.high], color=INK, linewidth=1.4)
        axes.text(place + 0.05, error.value, f"{error.value:.3g}", va="bottom")
    axes.set_xticks(range(len(colors)), list(colors))


MEASURE: Measure[dict[str, Tstr]] = Measure(
    name="tstr",
    title="Train on synthetic, test on real",
    run=_run,
    describe=_describe,
    needs=("train", "test", "synthetic"),
    needs_explained=True,
    weight=1.5,
)
