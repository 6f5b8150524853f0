"""Strata: the likeness by bone, side and plane, and of several models or seeds side by side.

A mean hides that a model makes no temporal bone. ``by_stratum`` asks for each stratum of the real
segments how many of them have synthetic ones among their like, and how the metrics of both differ;
``by_file`` judges each file of the synthetic set (a model, a seed) alone, with the spread of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SegmentSet
from ...metrics.registry import compared
from .c2st import two_sample_test
from .clusters import alike, files_of, strata_of
from .distances import metric_distances
from .measure import Inputs, Measure, Progress, Result
from .prdc import MOST, balls, fidelity
from .statistics import Estimate, proportion_by, subsample
from .strata_tables import strata_tables

MOST_OF_A_FILE = 500
MOST_FILES = 8
_K = 5


@dataclass(frozen=True)
class Stratum:
    """Real segments of one bone, side or plane.

    Attributes:
        real, other: how many there are; of synthetic ones that do not know where in the skull they
            are, all.
        covered: share of the real ones that have a synthetic one among their like (coverage).
        expected: that share of all real ones together, were both of one distribution.
        means, other_means: of each metric that is compared.
        ks: of each metric, Kolmogorov-Smirnov statistic.
    """

    real: int
    other: int
    covered: Estimate
    expected: float
    means: Mapping[str, float]
    other_means: Mapping[str, float]
    ks: Mapping[str, float]


@dataclass(frozen=True)
class OfFile:
    """How one file of the synthetic set compares with real segments."""

    segments: int
    accuracy: Estimate
    precision: Estimate
    coverage: Estimate
    ks: Mapping[str, float]


@dataclass(frozen=True)
class Strata:
    """By what strata are told apart and their names, and by file."""

    strata: Mapping[str, Mapping[str, Stratum]]
    files: Mapping[str, OfFile]


def by_stratum(
    real: SegmentSet,
    other: SegmentSet,
    features: tuple[np.ndarray, np.ndarray],
    metrics: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]],
    seed: int = 0,
) -> dict[str, dict[str, Stratum]]:
    """Compare each stratum of real segments with synthetic ones.

    Args:
        real, other: N and M segments.
        features: of both.
        metrics: what ``metrics.measure`` gave for both, (N,) and (M,).
        seed: of the draw of equally many.
    """
    strata = strata_of(real)
    if not strata:
        return {}
    covered, expected = _covered(*features, seed)
    known, groups = np.isfinite(covered), alike(real)
    found: dict[str, dict[str, Stratum]] = {}
    for by, each in strata.items():
        for name, here in each.items():
            there = np.flatnonzero(getattr(other, by).astype(str) == name)
            # Made segments seldom know where they are; then all of them are compared.
            there = there if len(there) else np.arange(len(other))
            one, two = ({key: values[which] for key, values in its.items()}
                        for its, which in zip(metrics, (here, there), strict=True))  # fmt: skip
            inside = here[known[here]]
            if not len(inside):
                continue
            found.setdefault(by, {})[name] = Stratum(
                real=len(here),
                other=len(there),
                covered=proportion_by(covered[inside] > 0, groups[inside]),
                expected=expected,
                means=_means(one),
                other_means=_means(two),
                ks={key: gap.ks for key, gap in metric_distances(one, two).items()},
            )
    return found


def _covered(real: np.ndarray, other: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """Say of each real segment whether its ball holds one of the others, NaN if not drawn."""
    from sklearn.metrics import pairwise_distances

    count = min(len(real), len(other), MOST)
    which, beside = (subsample(len(one), count, seed) for one in (real, other))
    one, two = real[which], other[beside]
    k = min(_K, count - 1)
    within = pairwise_distances(one)
    held = balls(within, within, pairwise_distances(one, two), k).coverage
    covered = np.full(len(real), np.nan)
    covered[which] = held
    steps = np.arange(1, k + 1)
    return covered, 1 - float(np.prod((count - steps) / (2 * count - steps)))


def _means(metrics: Mapping[str, np.ndarray]) -> dict[str, float]:
    values = {name: metrics[name][np.isfinite(metrics[name])] for name in compared()}
    return {name: float(each.mean()) for name, each in values.items() if len(each)}


def _by_file(inputs: Inputs, real: str, work: Progress) -> dict[str, OfFile]:
    one = inputs.sets["synthetic"]
    files = files_of(one, inputs.places["synthetic"])
    features, others = inputs.features.of(real, "synthetic")
    whole = one.place[inputs.places["synthetic"]]
    found = {}
    for number, (name, here) in enumerate(list(files.items())[:MOST_FILES]):
        some = here[subsample(len(here), MOST_OF_A_FILE, inputs.seed)]
        opposite = subsample(len(features), len(some), inputs.seed)
        pair = features[opposite], others[some]
        cover = fidelity(*pair, seed=inputs.seed)
        metrics = {key: values[whole[here]] for key, values in one.metrics.items()}
        apart = metric_distances(inputs.sets[real].metrics, metrics)
        found[name] = OfFile(
            segments=len(some),
            accuracy=two_sample_test(*pair, seed=inputs.seed).accuracy,
            precision=cover.precision,
            coverage=cover.coverage,
            ks={key: gap.ks for key, gap in apart.items()},
        )
        work((number + 1) / len(files))
    return found


def _run(inputs: Inputs, part: str, report_progress: Progress) -> Strata:
    real = inputs.reference
    if real is None:
        return Strata({}, {})
    sets = [inputs.compared[name] for name in (real, "synthetic")]
    metrics = [inputs.sets[name].metrics_of(inputs.places[name]) for name in (real, "synthetic")]
    features = inputs.features.of(real, "synthetic")
    strata = by_stratum(
        sets[0], sets[1], (features[0], features[1]), (metrics[0], metrics[1]), inputs.seed
    )
    return Strata(strata, _by_file(inputs, real, report_progress))


def _describe(inputs: Inputs, found: Mapping[str, Strata]) -> Result:
    one = found.get("")
    return Result(
        numbers={
            "strata": {} if one is None else one.strata,
            "files": {} if one is None else one.files,
        }
    )


MEASURE: Measure[Strata] = Measure(
    name="strata",
    title="Strata",
    run=_run,
    describe=_describe,
    needs=("synthetic",),
    needs_explained=True,
    weight=0.5,
    tables=strata_tables,
)
