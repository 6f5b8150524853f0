"""Distances between the distributions of radiological metrics (paper, Figure 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...metrics import METRICS, SDR_LIMIT
from ...metrics.registry import compared
from ...plots.charts import write_violins
from ..names import COLORS, LABELS
from .drawing import WIDTH_IN
from .measure import (
    LEARNED,
    LIKENESS,
    Chart,
    Figure,
    Inputs,
    Measure,
    Numbers,
    Progress,
    Result,
    Statement,
    SummaryColumn,
    Violins,
    known_number,
)


@dataclass(frozen=True)
class Distance:
    """How far apart two distributions of one metric lie.

    Attributes:
        wasserstein: mean distance, in the metric's unit, by which one must be moved to become the
            other.
        ks: two-sample Kolmogorov-Smirnov statistic, 0 for equal samples, 1 for separate ones.
        p_value: chance of such a statistic or more between samples of one distribution, if all
            segments were independent; those of one subject are not, which makes it too small.
        measured: segments of each set.
    """

    wasserstein: float
    ks: float
    p_value: float
    measured: tuple[int, int]


def metric_distances(
    reference: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]
) -> dict[str, Distance]:
    """Compare the distributions of the metrics that are compared (``Metric.compared``).

    Args:
        reference, other: what ``metrics.measure`` gave for each; NaN are left out, and a metric
            that nothing in either set has is, too.
    """
    from scipy import stats

    found = {}
    for name in compared():
        one, two = (each[name][np.isfinite(each[name])] for each in (reference, other))
        if len(one) and len(two):
            test = stats.ks_2samp(one, two)
            found[name] = Distance(
                wasserstein=float(stats.wasserstein_distance(one, two)),
                ks=float(test.statistic),
                p_value=float(test.pvalue),
                measured=(len(one), len(two)),
            )
    return found


def _parts(inputs: Inputs) -> Sequence[str]:
    return [name for name in inputs.pairs if name != LEARNED]


def _run(inputs: Inputs, pair: str, report_progress: Progress) -> dict[str, Distance]:
    real, other = inputs.pairs[pair]
    return metric_distances(inputs.sets[real].metrics, inputs.sets[other].metrics)


def _describe(inputs: Inputs, found: Mapping[str, Mapping[str, Distance]]) -> Result:
    return Result(
        numbers={"distances": found},
        statements=_statements(found.get("synthetic", {})),
        figures=(
            Figure(
                "metrics",
                "Violins of the radiological metrics for each set",
                "The wider a violin, the more segments have that value; white dot and number: "
                "median; dark bar: the middle half. Violins of like shape mean that a set measures "
                "like real bone, not that it looks like it: the artificial set is made to match "
                f"here. Dashed: SDR {SDR_LIMIT:.2f}, below which treatment is commonly not offered "
                "(for a patient's mean, not one segment).",
                lambda path: _write_violins(inputs, path),
            ),
        ),
    )


def _statements(distances: Mapping[str, Distance]) -> tuple[Statement, ...]:
    if not distances:
        return ()
    name, worst = max(distances.items(), key=lambda one: one[1].ks)
    metric = METRICS[name]
    reason = (
        f"Of the radiological metrics, {metric.quantity.lower()} differs most: by "
        f"{metric.text(worst.wasserstein)} on average (Kolmogorov-Smirnov {worst.ks:.2f})."
    )
    return (Statement(LIKENESS, reasons=(reason,)),)


def _write_violins(inputs: Inputs, path: Path) -> None:
    metrics = {name: METRICS[name] for name in compared()}
    write_violins(
        path,
        {LABELS[name]: one.metrics for name, one in inputs.sets.items()},
        {name: (one.axis_label, f".{one.digits}f") for name, one in metrics.items()},
        limits={name: one.limit for name, one in metrics.items() if one.limit is not None},
        colors=[COLORS[name] for name in inputs.sets],
        width=WIDTH_IN,
        svg=True,
    )


def _charts(numbers: Numbers) -> Sequence[Chart]:
    return [
        Violins(
            metric.quantity,
            metric.title,
            name,
            limit=None
            if metric.limit is None
            else (metric.limit, f"{metric.short} {metric.text(metric.limit)}"),
        )
        for name in compared()
        if (metric := METRICS[name])
    ]


def _summary(numbers: Numbers) -> Sequence[SummaryColumn]:
    columns = []
    reference = f"Wasserstein distance from the {numbers['reference']} set"
    for name in compared():
        metric = METRICS[name]
        unit = f" ({metric.unit})" if metric.unit else ""
        means = {
            one: known_number(described, "metrics", name, "mean")
            for one, described in numbers["sets"].items()
        }
        apart = {
            one: known_number(by_metric, name, "wasserstein")
            for one, by_metric in numbers["distances"].items()
        }
        columns += [
            SummaryColumn(
                f"{metric.short}{unit}", means, metric.unit, "Mean of the set",
                metric.digits_of_means,
            ),
            SummaryColumn(
                f"{metric.short} apart{unit}", apart, metric.unit, reference,
                metric.digits_of_means,
            ),
        ]  # fmt: skip
    return columns


MEASURE: Measure[dict[str, Distance]] = Measure(
    name="distances",
    title="Radiological metrics",
    run=_run,
    describe=_describe,
    parts=_parts,
    weight=0.1,
    charts=_charts,
    summary=_summary,
)
