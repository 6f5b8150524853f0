"""Whether a model's segments are what was asked for: asked against measured.

What a conditioned model was told follows from each segment's seed and from what the set's source
says was asked; what the segment is, is measured as every segment is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import BadInputError
from ...generation.conditions import told_of
from ...metrics.registry import METRICS
from ...networks.conditions import BONE, QUANTITIES
from ...plots.charts import COLORS, write_figure
from .drawing import WIDTH_IN
from .measure import MODEL, Figure, Inputs, Measure, Numbers, Progress, Result, Statement
from .tables import ReportTable, TableColumn

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

NAME = "conditions"
FOLLOWED = "Are they what was asked for?"
CLOSE, LOOSE = 0.8, 0.5
"""Correlations from which measured values follow what was asked, and follow it in part."""
_FEWEST = 8
_BINS = 8


@dataclass(frozen=True, eq=False)
class Pairs:
    """What was asked and what came of it.

    Attributes:
        asked, measured: float64 (N,); where both are known.
    """

    asked: np.ndarray
    measured: np.ndarray

    @property
    def correlation(self) -> float | None:
        """Pearson's; None where one thing alone was asked for, or too little was measured."""
        if len(self.asked) < _FEWEST or not np.ptp(self.asked) > 0 or not np.ptp(self.measured) > 0:
            return None
        return float(np.corrcoef(self.asked, self.measured)[0, 1])

    @property
    def slope(self) -> float | None:
        """By how much the measured value rises with the asked one, by least squares."""
        if self.correlation is None:
            return None
        return float(self.correlation * self.measured.std() / self.asked.std())

    @property
    def offset(self) -> float | None:
        """Measured less asked, the mean."""
        return float((self.measured - self.asked).mean()) if len(self.asked) else None

    @property
    def error(self) -> float | None:
        """How far the measured value is from the asked one, the mean."""
        return float(np.abs(self.measured - self.asked).mean()) if len(self.asked) else None

    def bins(self) -> list[dict[str, float]]:
        """Give the calibration: of equally many segments each, by what was asked, the means of
        asked and measured, and the quartiles of measured."""
        order = np.argsort(self.asked, kind="stable")
        found = []
        for part in np.array_split(order, min(_BINS, max(1, len(order) // _FEWEST))):
            if len(part):
                low, high = np.quantile(self.measured[part], (0.25, 0.75))
                found.append(
                    {
                        "asked": float(self.asked[part].mean()),
                        "measured": float(self.measured[part].mean()),
                        "low": float(low),
                        "high": float(high),
                    }
                )
        return found


Found = Mapping[str, Pairs]


def _parts(inputs: Inputs) -> Sequence[str]:
    """Nothing to do where the model is told nothing."""
    return ("",) if inputs.model is not None and inputs.model.conditions is not None else ()


def _run(inputs: Inputs, part: str, report_progress: Progress) -> Found:
    assert inputs.model is not None
    one = inputs.sets["synthetic"]
    told = told_of(inputs.model, one.segments)
    if told is None:
        raise BadInputError(
            "The synthetic set does not say what was asked of this model: expected one file that "
            "skullgan generate made with it."
        )
    found = {}
    for name, asked in told.items():
        if name == BONE:
            continue
        measured = one.metrics[QUANTITIES[name].metric][one.place]
        known = np.isfinite(measured)
        found[name] = Pairs(np.asarray(asked, float)[known], measured[known])
    return found


def _describe(inputs: Inputs, found: Mapping[str, Found]) -> Result:
    pairs = found.get("")
    if not pairs:
        return Result()
    numbers = {
        name: {
            "correlation": one.correlation,
            "slope": one.slope,
            "offset": one.offset,
            "error": one.error,
            "count": len(one.asked),
            "calibration": one.bins(),
        }
        for name, one in pairs.items()
    }
    return Result(
        numbers={NAME: numbers},
        statements=(Statement(FOLLOWED, short_answer(pairs), _reasons(pairs)),),
        figures=(
            Figure(
                NAME,
                "Measured against asked values, a panel for each quantity, with the line of equals",
                "Every dot is a synthetic segment: what was asked of the model and what was "
                "measured. Dark: means and middle halves of equally many segments each; on the "
                "dashed line both are equal.",
                lambda path: write_calibration(path, pairs),
            ),
        ),
    )


def short_answer(pairs: Found) -> str:
    """Give the answer in a few words."""
    known = {name: one.correlation for name, one in pairs.items() if one.correlation is not None}
    if not known:
        return "Not known: one value alone was asked for"
    worst = min(known, key=lambda name: known[name] or 0.0)
    lowest = known[worst] or 0.0
    if lowest >= CLOSE:
        return "Yes"
    label = QUANTITIES[worst].label
    return f"In part: {label} less than the rest" if lowest >= LOOSE else f"No: not by {label}"


def _reasons(pairs: Found) -> tuple[str, ...]:
    sentences = []
    for name, one in pairs.items():
        quantity = QUANTITIES[name]
        label = quantity.label[0].upper() + quantity.label[1:]
        if one.error is None or one.offset is None:
            sentences.append(f"{label} could be measured of none.")
            continue
        digits = METRICS[quantity.metric].digits
        unit = f" {quantity.unit}" if quantity.unit else ""
        follows = (
            f"{label}: one value alone was asked for"
            if one.correlation is None or one.slope is None
            else f"{label}: asked and measured correlate by {one.correlation:.2f}, and of a "
            f"difference asked for {one.slope:.0%} are measured"
        )
        sentences.append(
            f"{follows}; on average, measured is {abs(one.offset):.{digits}f}{unit} "
            f"{'above' if one.offset >= 0 else 'below'} asked, and {one.error:.{digits}f}{unit} "
            f"off ({len(one.asked):,} segments)."
        )
    return tuple(sentences)


def write_calibration(path: Path, pairs: Found) -> None:
    """Draw asked against measured, a panel for each quantity; PNG and SVG."""

    def draw(figure: Drawing) -> None:
        panels = np.atleast_1d(figure.subplots(1, len(pairs)))
        for number, (axes, (name, one)) in enumerate(zip(panels, pairs.items(), strict=True)):
            quantity = QUANTITIES[name]
            unit = f" ({quantity.unit})" if quantity.unit else ""
            color = COLORS[number % len(COLORS)]
            axes.plot(one.asked, one.measured, "o", color=color, alpha=0.25, markersize=3, mew=0)
            both = np.concatenate([one.asked, one.measured])
            if both.size:
                axes.axline((both.min(),) * 2, slope=1, color="#555555", linestyle=(0, (4, 3)))
            bins = one.bins()
            asked = [each["asked"] for each in bins]
            axes.vlines(
                asked,
                [each["low"] for each in bins],
                [each["high"] for each in bins],
                color="#222222",
                linewidth=3,
            )
            axes.plot(asked, [each["measured"] for each in bins], "o-", color="#222222")
            axes.set_xlabel(f"asked{unit}")
            axes.set_ylabel(f"measured{unit}")
            known = one.correlation
            label = quantity.label[0].upper() + quantity.label[1:]
            axes.set_title(label if known is None else f"{label}: correlation {known:.2f}")

    write_figure(path, (WIDTH_IN, 4.2), draw, svg=True)


def _tables(numbers: Numbers) -> Sequence[ReportTable]:
    found = numbers.get(NAME)
    if not found:
        return ()
    units = [f", {QUANTITIES[name].unit}" if QUANTITIES[name].unit else "" for name in found]
    titles = [QUANTITIES[name].label + unit for name, unit in zip(found, units, strict=True)]

    def column(title: str, key: str, digits: int = 2, description: str = "") -> TableColumn:
        values = [one[key] for one in found.values()]
        return TableColumn(title, values, digits=digits, description=description)

    columns = [
        TableColumn("What", titles),
        column("Correlation", "correlation", description="Pearson's, of asked and measured"),
        column("Slope", "slope", description="Measured by asked, by least squares"),
        column("Offset", "offset", 3, "Measured less asked, the mean"),
        column("Error", "error", 3, "Distance of measured and asked, the mean"),
        column("n", "count", 0),
    ]
    caption = (
        "Of synthetic segments, against what the model was told. Slope 1 and offset 0: what is "
        "asked for is what comes. Whether the bone is followed shows in its other values alone."
    )
    return (ReportTable(NAME, "Asked and measured", columns, caption),)


MEASURE: Measure[Found] = Measure(
    name=NAME,
    title="Asked and measured",
    run=_run,
    describe=_describe,
    parts=_parts,
    needs=("synthetic", MODEL),
    needs_explained=True,
    weight=0.1,
    tables=_tables,
)
