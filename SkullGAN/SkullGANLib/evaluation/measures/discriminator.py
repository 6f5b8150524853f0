"""The model's own discriminator as a classifier: what it calls real, whether it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..names import COLORS, LABELS
from .clusters import alike, files_of, strata_of
from .drawing import GUIDE, writer
from .measure import (
    MODEL,
    TRUST,
    Bars,
    Chart,
    Column,
    Inputs,
    Measure,
    Numbers,
    PerSegment,
    Progress,
    Result,
    Statement,
    SummaryColumn,
    Violins,
)
from .measure import Figure as ReportFigure
from .progress import for_each_set
from .scanners import other_scanner
from .scores import Calibration, Roc, calibration, roc
from .statistics import (
    Estimate,
    interval,
    percent,
    proportion,
    proportion_by,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ONE_SIDED, _TWO_SIDED = 1.645, 1.96
"""Quantiles of the normal distribution, of 5 % in one tail and in both."""
REALNESS = "realness"
"""The column of ``segments.csv``."""


@dataclass(frozen=True)
class Judgment:
    """What the discriminator makes of the sets.

    Attributes:
        realness: float (M,) in [0, 1], per set, of the segments that are compared.
        share: of each set, what is judged real: 0.5 or more; with a 95 % interval that knows that
            segments of a subject resemble each other.
        real: the real set that the curves are of.
        roc, calibration: of that set against each made one.
    """

    realness: Mapping[str, np.ndarray]
    share: Mapping[str, Estimate]
    real: str | None
    roc: Mapping[str, Roc]
    calibration: Mapping[str, Calibration]


def _run(inputs: Inputs, part: str, report_progress: Progress) -> Judgment:
    from . import realness

    assert inputs.model is not None
    work = partial(realness.of_segments, inputs.model)
    found = for_each_set(inputs.compared, work, report_progress)
    real, seed = inputs.reference, inputs.seed
    made = [(name, found[real], found[name]) for name in inputs.made] if real else []
    return Judgment(
        realness=found,
        share={
            name: proportion_by(each >= 0.5, alike(inputs.compared[name]))
            for name, each in found.items()
        },
        real=real,
        roc={name: roc(reals, fakes, seed=seed) for name, reals, fakes in made},
        calibration={name: calibration(reals, fakes, seed=seed) for name, reals, fakes in made},
    )


def _describe(inputs: Inputs, found: Mapping[str, Judgment]) -> Result:
    one = found.get("")
    if one is None:
        statement = Statement(TRUST, "Not known", ("No model was given.",))
        return Result(numbers={"discriminator": None}, statements=(statement,))
    return Result(
        numbers={
            "discriminator": {
                "share_judged_real": one.share,
                "roc_against": one.real,
                "roc": one.roc,
                "calibration": one.calibration,
                "label": _label(one),
                "by_stratum": _by_stratum(inputs, one),
                "by_file": _by_file(inputs, one),
            }
        },
        statements=(_statement(inputs, one),),
        figures=(
            ReportFigure(
                "discriminator",
                "Realness per set, receiver-operating curves and calibration of the discriminator",
                "Left: the discriminator's output for each segment, the number its share judged "
                "real (0.5 or more). Middle: how well it tells made from real segments at any "
                "threshold; along the diagonal it guesses, below it takes made ones for real. "
                "Right: where dots leave the diagonal, the output is no probability; the larger a "
                "dot, the more segments. It is the GAN's own judge and was trained against these "
                "very segments: a weak witness.",
                writer(4.6, lambda figure: _draw(figure, one)),
            ),
        ),
        columns=tuple(
            PerSegment(REALNESS, name, inputs.places[name], values)
            for name, values in one.realness.items()
        ),
    )


def _by_stratum(inputs: Inputs, found: Judgment) -> dict[str, dict[str, Estimate]]:
    """Give the share judged real of the real set, by bone, side and plane."""
    if found.real is None:
        return {}
    segments, hits = inputs.compared[found.real], found.realness[found.real] >= 0.5
    groups = alike(segments)
    return {
        by: {name: proportion_by(hits[here], groups[here]) for name, here in each.items()}
        for by, each in strata_of(segments).items()
    }


def _by_file(inputs: Inputs, found: Judgment) -> dict[str, Estimate]:
    """Give the share judged real of each file of the synthetic set, if there are several."""
    if "synthetic" not in found.realness:
        return {}
    hits = found.realness["synthetic"] >= 0.5
    files = files_of(inputs.sets["synthetic"], inputs.places["synthetic"])
    return {name: proportion(int(hits[here].sum()), len(here)) for name, here in files.items()}


def _label(found: Judgment) -> str:
    """Say whether realness may be read as a probability, of synthetic segments if there are any."""
    from . import realness

    known = found.calibration
    return realness.label(known.get("synthetic", next(iter(known.values()), None)))


def _statement(inputs: Inputs, found: Judgment) -> Statement:
    shares = ", ".join(
        f"{percent(one)} of {LABELS[name].lower()}" for name, one in found.share.items()
    )
    reasons = [f"It judges as real {shares}.", *_warnings(inputs, found)]
    calibration, roc = found.calibration.get("synthetic"), found.roc.get("synthetic")
    if calibration is None or roc is None or found.real is None:
        needed = "Whether its output is a probability needs real and synthetic segments."
        short = _BLIND if passes_artificial(found.share) else "Not known"
        return Statement(TRUST, short, (*reasons, needed))
    real = LABELS[found.real].lower()
    area = f"its area under the curve of {real} against synthetic is {interval(roc.auc, '.2f')}"
    guesses = roc.auc.low <= 0.5
    short = (
        "Nothing speaks against reading its output as a probability"
        if calibration.is_probability
        else "No: its output must NOT be read as a probability"
    )
    short += ", and it does not tell real from synthetic" * guesses
    if passes_artificial(found.share):
        short = _BLIND
    return Statement(
        TRUST,
        short,
        (
            *reasons,
            f"Where 0.50 is guessing, {area}.",
            f"Read as a probability for {real} against synthetic segments, its output is off by "
            f"{calibration.ece:.2f} on average (p = {calibration.p_value:.2g}).",
        ),
    )


_BLIND = "No: it passes artificial segments as often as those that it learned from"


def passes_artificial(share: Mapping[str, Estimate]) -> bool:
    """Whether no more of the training set is judged real than of what is no skull, as far as seen.

    By the difference of both shares over its standard deviation, one-sided at 5 %.
    """
    real = share.get("train", share.get("test"))
    artificial = share.get("artificial")
    if real is None or artificial is None:
        return False
    one, other = ((each.high - each.low) / (2 * _TWO_SIDED) for each in (real, artificial))
    return real.value - artificial.value < _ONE_SIDED * float(np.hypot(one, other))


def _warnings(inputs: Inputs, found: Judgment) -> list[str]:
    """Say what else than likeness the shares show."""
    warnings = []
    if passes_artificial(found.share):
        warnings.append(
            "Artificial segments, which are plainly no skull, pass as often: what passes need not "
            "look like a skull."
        )
    if {"train", "test"} <= found.share.keys():
        other = other_scanner(*(inputs.compared[name] for name in ("train", "test")))
        if other:
            warnings.append(
                f"The test set comes from another scanner ({other}): how much less of it is judged "
                "real than of the training set shows the scanner, and not what the network has "
                "learned of bone."
            )
    return warnings


def _draw(figure: Figure, found: Judgment) -> None:
    spread, curves, agreement = figure.subplots(1, 3, width_ratios=(1.35, 1, 1))
    _draw_spread(spread, found)
    for axes in (curves, agreement):
        axes.plot([0, 1], [0, 1], **GUIDE)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
    for name, one in found.roc.items():
        label = f"{LABELS[name]}: AUC {one.auc.value:.2f}"
        curves.plot(one.false_positive, one.true_positive, color=COLORS[name], label=label)
    for name, each in found.calibration.items():
        agreement.plot(each.score, each.real, color=COLORS[name], linewidth=1)
        sizes = 8 + 140 * each.count / each.count.sum()
        agreement.scatter(each.score, each.real, s=sizes, color=COLORS[name], zorder=3)
        agreement.plot([], [], "o-", color=COLORS[name], label=LABELS[name], linewidth=1)
    real = LABELS[found.real].lower() if found.real else "real"
    curves.set(xlabel="share of made ones called real", ylabel=f"share of {real} called real")
    curves.set_title("Receiver-operating curve")
    agreement.set(xlabel="realness", ylabel="share that is real")
    agreement.set_title("Calibration")
    if found.roc:
        for axes in (curves, agreement):
            axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.15))


def _draw_spread(axes: Axes, found: Judgment) -> None:
    names = list(found.realness)
    for place, name in enumerate(reversed(names)):
        values = found.realness[name]
        jitter = np.random.default_rng(0).uniform(-0.28, 0.28, len(values))
        axes.plot(
            values, place + jitter, ".", color=COLORS[name], alpha=0.5,
            markersize=float(np.clip(60 / np.sqrt(len(values)), 2.5, 6)), markeredgewidth=0,
            rasterized=True,
        )  # fmt: skip
        share = f"{100 * found.share[name].value:.0f} %"
        axes.text(1.03, place, share, va="center", fontweight="bold")
    axes.axvline(0.5, **GUIDE)
    axes.set_yticks(range(len(names)), [LABELS[name] for name in reversed(names)])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("realness (0 made, 1 real)")
    axes.set_title("Realness, and share judged real")


def _shares(numbers: Numbers) -> dict[str, float]:
    """Give what is judged real of each set, in per cent."""
    judged = (numbers.get("discriminator") or {}).get("share_judged_real", {})
    return {name: 100 * share["value"] for name, share in judged.items()}


def _charts(numbers: Numbers) -> Sequence[Chart]:
    shares = _shares(numbers)
    if not shares:
        return ()
    axis = "Realness (0 made, 1 real)"
    return (
        Violins("Realness", axis, REALNESS, value_range=(0.0, 1.0)),
        Bars("Judged real", "Judged real by the discriminator (%)", shares, (0.0, 100.0)),
    )


def _summary(numbers: Numbers) -> Sequence[SummaryColumn]:
    description = "Share at which realness is 0.5 or more"
    return (SummaryColumn("Judged real (%)", _shares(numbers), "%", description),)


MEASURE: Measure[Judgment] = Measure(
    name="discriminator",
    title="Discriminator",
    run=_run,
    describe=_describe,
    needs=(MODEL,),
    needs_explained=True,
    weight=15,
    alone=True,
    columns=(
        Column(
            REALNESS,
            title="Realness",
            description="What the model's discriminator says, from 0 (made) to 1 (real)",
        ),
    ),
    charts=_charts,
    summary=_summary,
)
