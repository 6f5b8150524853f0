"""Train on synthetic, test on real (TSTR): does what learned from synthetic segments work?

Against "train on real, test on real" (Esteban et al. 2017). ``compare`` trains small regressors,
which predict the thickness and the SDR of a segment from a coarse picture of it, on real training
segments, on as many synthetic ones, and on real ones together with as many others: synthetic ones,
the real ones themselves moved and mirrored (what augmentation gives for nothing), and artificial
ones (which are no skull). All are tested on the same held-out real segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError
from ...metrics import METRICS, measure
from ..names import COLORS
from .clusters import alike
from .disturbances import augmented
from .drawing import INK, writer
from .measure import USE, Inputs, Measure, Progress, Result, Statement
from .measure import Figure as ReportFigure
from .regressor import Fit, Regressor
from .statistics import Estimate, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TARGETS = ("thickness_mm", "sdr_peaks")
"""What is predicted from the pictures, of ``metrics.METRICS``."""
FEWEST = 20
"""Segments to train on, at least."""
MOST = 2_000
RESAMPLES = 100
"""Bootstrap samples of what is trained on and of what is tested on, together."""

_BLOCK = (2, 16)  # rows, columns averaged: a wall lies flat
_Z = 1.96
"""Standard deviations of a 95 % interval."""


@dataclass(frozen=True)
class Tstr:
    """How well one target is predicted on real test segments, after training on this or that.

    Attributes:
        error: mean absolute error, in the target's unit, by what it was trained on: "real",
            "synthetic", "both" (the two together), "augmented" (real ones and as many of them moved
            and mirrored), "artificial" (real and artificial ones; only if there are any), "guess"
            (always the mean of the real ones).
        ratio: error after synthetic over error after real; 1 where they are worth as much.
        gain: error after both over error after real; below 1 where synthetic segments help.
        augmentation: error after augmented over error after real.
        beyond: error after both over error after augmented; below 1 where synthetic segments help
            more than augmentation does.
        artificial: error after artificial over error after real; None without artificial segments.
        beyond_artificial: error after both over error after artificial; None as well.
        trained_on: segments of "real" and of each of the others alike.
        tested_on: real segments.
    """

    error: Mapping[str, Estimate]
    ratio: Estimate
    gain: Estimate
    augmentation: Estimate
    beyond: Estimate
    artificial: Estimate | None
    beyond_artificial: Estimate | None
    trained_on: int
    tested_on: int


def compare(
    real: SegmentSet,
    synthetic: SegmentSet,
    test: SegmentSet,
    *,
    artificial: SegmentSet | None = None,
    seed: int = 0,
    metrics: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> dict[str, Tstr]:
    """Compare training on synthetic with training on real segments, for each of ``TARGETS``.

    All train on equally many: larger sets, and of more than ``MOST``, are subsampled. Intervals are
    a bootstrap of what is trained on and of the test set's subjects, where they are known, else of
    places in the head (``clusters.alike``), both at once.

    Args:
        real, synthetic: to train on.
        test: real segments of other subjects.
        artificial: segments that are plainly no skull, to train on in place of synthetic ones.
        seed: of subsample, augmentation and bootstrap.
        metrics: of "real", "synthetic", "test" and "artificial" segments, where they are known.

    Raises:
        BadInputError: if fewer than ``FEWEST`` segments can be measured to train on, or none to
            test on.
    """
    rng = np.random.default_rng(seed)
    given = {"real": real, "synthetic": synthetic, "test": test}
    if artificial is not None and len(artificial) >= FEWEST:
        given["artificial"] = artificial
    targets = {name: _targets(one, (metrics or {}).get(name)) for name, one in given.items()}
    measurable = {name: np.flatnonzero(_is_known(one)) for name, one in targets.items()}
    tested = measurable.pop("test")
    count = min(*map(len, measurable.values()), MOST)
    if count < FEWEST or len(tested) == 0:
        raise BadInputError(
            f"{len(measurable['real'])} real and {len(measurable['synthetic'])} synthetic segments "
            f"to train on and {len(tested)} to test on can be measured: expected at least {FEWEST} "
            "of each and one to test on."
        )
    taken = {
        name: places[np.sort(rng.permutation(len(places))[:count])]
        for name, places in measurable.items()
    }
    learned = {
        name: (_pictures(given[name].hu[places]), targets[name][places])
        for name, places in taken.items()
    }
    learned["augmented"] = _augmented(real[taken["real"]], seed)
    pictures, truth = _pictures(test.hu[tested]), targets["test"][tested]
    regressor = Regressor(learned["real"][0], seed)
    mixtures = {"real": ("real",), "synthetic": ("synthetic",), "both": ("real", "synthetic")}
    mixtures |= {name: ("real", name) for name in ("augmented", "artificial") if name in learned}
    misses = _misses(regressor, learned, mixtures, pictures, truth, alike(test[tested]), rng)
    return {
        target: _summed_up(misses[:, :, place], list(mixtures), count, len(tested))
        for place, target in enumerate(TARGETS)
    }


def _misses(
    regressor: Regressor,
    learned: Mapping[str, tuple[np.ndarray, np.ndarray]],
    mixtures: Mapping[str, Sequence[str]],
    pictures: np.ndarray,
    truth: np.ndarray,
    groups: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Give mean absolute errors (1 + R, mixtures + 1, targets); the first row is of all segments.

    In each further row what is trained on and what is tested on are resampled. The last mixture is
    a guess.
    """
    fits = {name: Fit(regressor.expanded(x), y) for name, (x, y) in learned.items()}
    asked = regressor.expanded(pictures)
    penalty = {
        name: regressor.penalty(sum((fits[one] for one in parts[1:]), fits[parts[0]]))
        for name, parts in mixtures.items()
    }
    names, group = np.unique(groups, return_inverse=True)
    found = np.empty((1 + RESAMPLES, len(mixtures) + 1, truth.shape[1]))
    for row in range(1 + RESAMPLES):
        drawn = fits if row == 0 else {name: one.resampled(rng) for name, one in fits.items()}
        times = np.ones(len(names))
        if row and len(names) > 1:
            times = rng.multinomial(len(names), np.full(len(names), 1 / len(names))).astype(float)
        weight = times[group] / times[group].sum()
        for place, (name, parts) in enumerate(mixtures.items()):
            whole = sum((drawn[one] for one in parts[1:]), drawn[parts[0]])
            found[row, place] = weight @ np.abs(whole.predicted(asked, penalty[name]) - truth)
        found[row, -1] = weight @ np.abs(drawn["real"].mean - truth)
    return found


def _summed_up(misses: np.ndarray, names: list[str], trained_on: int, tested_on: int) -> Tstr:
    """Make estimates of errors (1 + R, mixtures + 1)."""
    error = dict(zip([*names, "guess"], np.maximum(misses, 1e-12).T, strict=True))

    def against(one: str, other: str) -> Estimate:
        return _ratio(error[one] / error[other])

    has_artificial = "artificial" in error
    return Tstr(
        error={name: _ratio(each) for name, each in error.items()},
        ratio=against("synthetic", "real"),
        gain=against("both", "real"),
        augmentation=against("augmented", "real"),
        beyond=against("both", "augmented"),
        artificial=against("artificial", "real") if has_artificial else None,
        beyond_artificial=against("both", "artificial") if has_artificial else None,
        trained_on=trained_on,
        tested_on=tested_on,
    )


def _ratio(values: np.ndarray) -> Estimate:
    """Take the first of positive values (1 + R,) for the estimate and the others for its spread.

    In logarithms, about the estimate and not about the others' mean: who learns from resampled
    segments learns from fewer different ones, and errs more.
    """
    reach = np.exp(_Z * np.std(np.log(values[1:]), ddof=1))
    return Estimate(float(values[0]), float(values[0] / reach), float(values[0] * reach))


def _augmented(segments: SegmentSet, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Give pictures and targets of segments that were moved and mirrored."""
    moved = augmented(segments, seed)
    targets = _targets(moved)
    known = _is_known(targets)
    return _pictures(moved.hu[known]), targets[known]


def _pictures(hu: np.ndarray) -> np.ndarray:
    """Give coarse pictures, float64 (N, pixels)."""
    rows, columns = _BLOCK
    blocks = hu.reshape(len(hu), SIZE // rows, rows, SIZE // columns, columns)
    return blocks.mean(axis=(2, 4), dtype=np.float64).reshape(len(hu), -1)


def _targets(segments: SegmentSet, metrics: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """Give what is predicted, (N, 2); NaN where it cannot be measured."""
    metrics = measure(segments) if metrics is None else metrics
    return np.stack([metrics[name] for name in TARGETS], axis=1)


def _is_known(targets: np.ndarray) -> np.ndarray:
    return np.asarray(np.isfinite(targets).all(axis=1))


def _run(inputs: Inputs, part: str, report_progress: Progress) -> dict[str, Tstr]:
    sets = inputs.compared["train"], inputs.compared["synthetic"], inputs.sets["test"].segments
    compared = {"real": "train", "synthetic": "synthetic", "artificial": "artificial"}
    metrics = {
        name: inputs.sets[of].metrics_of(inputs.places[of])
        for name, of in compared.items()
        if of in inputs.sets
    }
    metrics["test"] = inputs.sets["test"].metrics_of()
    return compare(
        *sets, artificial=inputs.compared.get("artificial"), seed=inputs.seed, metrics=metrics
    )


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
                "Errors on real segments of regressors trained on real, synthetic and other ones",
                "Mean error, on held-out real segments, of a small regressor that predicts "
                "thickness and SDR from a coarse picture; lines are 95 % intervals. Synthetic as "
                "low as real: worth as much to learn from. Real with synthetic lower than real "
                "with augmented (the same real ones, moved and mirrored): they add what costs "
                "nothing otherwise. Real with artificial is a control: no skull should teach less. "
                "As high as a guess (always the mean): useless.",
                writer(3.6, lambda figure: _draw(figure, targets)),
            ),
        ),
    )


def _statement(targets: Mapping[str, Tstr]) -> Statement:
    reasons = tuple(_in_words(METRICS[target].short, one) for target, one in targets.items())
    short = "; ".join(_worth(targets))
    return Statement(USE, short[:1].upper() + short[1:], reasons)


def _in_words(what: str, one: Tstr) -> str:
    control = (
        ""
        if one.artificial is None
        else f", with artificial ones, which are no skull, {interval(one.artificial, '.2f')} times"
    )
    return (
        f"{what}: learned from {one.trained_on:,} synthetic segments, the error on real ones is "
        f"{interval(one.ratio, '.2f')} times that of as many real ones. With as many synthetic "
        f"added to the real ones it is {interval(one.gain, '.2f')} times; with the real ones "
        f"themselves, moved and mirrored, {interval(one.augmentation, '.2f')} times{control}."
    )


def _worth(targets: Mapping[str, Tstr]) -> Iterator[str]:
    for target, one in targets.items():
        metric = METRICS[target]
        yield f"for {metric.abbreviation or metric.quantity.lower()} {worth(one)}"


def worth(one: Tstr) -> str:
    """Say in a few words what synthetic segments are worth to learn from."""
    errors = {name: each.value for name, each in one.error.items()}
    if errors["real"] >= errors["guess"]:
        return "not known, since real ones teach nothing either"
    if is_of_use(one):
        return "yes, they add more to real ones than augmentation gives"
    if one.gain.high < 1 and one.beyond.high < 1:
        return "no, they add no more to real ones than artificial ones do"
    if one.gain.high < 1:
        return "no more than augmentation gives"
    if errors["synthetic"] >= errors["guess"]:
        return "no, they teach less than a guess"
    if one.ratio.low <= 1:
        return "as much as the same number of real ones, as far as this can show, but nothing more"
    return "less than as many real ones"


def is_of_use(one: Tstr) -> bool:
    """Whether they add something to real ones, and more than augmentation and no skulls do."""
    control = one.beyond_artificial
    return max(one.gain.high, one.beyond.high, 0.0 if control is None else control.high) < 1


def _draw(figure: Figure, targets: Mapping[str, Tstr]) -> None:
    for axes, (target, one) in zip(figure.subplots(1, len(targets)), targets.items(), strict=True):
        _draw_errors(axes, one)
        metric = METRICS[target]
        details = metric.unit or metric.definition
        name = metric.abbreviation or metric.quantity.lower()
        axes.set_title(f"Error of {name} ({details})")
        axes.set(xlabel="trained on", ylabel="mean absolute error")


def _draw_errors(axes: Axes, one: Tstr) -> None:
    shown = {
        "real": ("real", COLORS["train"]),
        "synthetic": ("synthetic", COLORS["synthetic"]),
        "both": ("real and\nsynthetic", "#777777"),
        "augmented": ("real and\naugmented", "#999999"),
        "artificial": ("real and\nartificial", COLORS["artificial"]),
        "guess": ("guess", "#bbbbbb"),
    }
    names = [name for name in shown if name in one.error]
    for place, name in enumerate(names):
        error, (_, color) = one.error[name], shown[name]
        axes.bar(place, error.value, width=0.6, color=color, alpha=0.7)
        axes.plot([place, place], [error.low, error.high], color=INK, linewidth=1.4)
        axes.text(place + 0.05, error.value, f"{error.value:.3g}", va="bottom")
    axes.set_xticks(range(len(names)), [shown[name][0] for name in names])


MEASURE: Measure[dict[str, Tstr]] = Measure(
    name="tstr",
    title="Train on synthetic, test on real",
    run=_run,
    describe=_describe,
    needs=("train", "test", "synthetic"),
    needs_explained=True,
    weight=1.5,
)
