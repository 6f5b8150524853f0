"""The page's section on a reader study: what readers could tell, reader by reader."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...plots.charts import COLORS
from ...plots.html import Cell, Table
from ..evaluation_set import EvaluationSet
from ..measures.drawing import GUIDE, writer
from ..study.study_folder import Key, score_folder, score_numbers
from .figures import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "study"
"""Of the numbers and of the figure."""
QUESTION = "Can readers tell them apart?"
_MOST_CURVES = len(COLORS)
_RATES = {
    "accuracy": "Right",
    "sensitivity": "Synthetic called synthetic",
    "specificity": "Real called real",
    "auc": "AUC",
}


def study_numbers(
    folder: str | Path, sets: Mapping[str, EvaluationSet], seed: int = 0
) -> dict[str, Any]:
    """Score a study for the report.

    Args:
        folder: of the study, with answers.
        sets: what is evaluated: whether its segments were the study's is said.
        seed: of the bootstrap.

    Raises:
        BadInputError: as ``score_folder``.
    """
    key, found = score_folder(folder, seed=seed)
    return score_numbers(key, found) | {"concern": _concern(key, sets)}


def study_table(study: Mapping[str, Any] | None) -> Table | None:
    """Lay out what each reader told, and all together."""
    if not study:
        return None
    rows = [
        [
            Cell(reader["reader"]),
            *(_stacked(reader["rates"][name], name) for name in _RATES),
            Cell(f"{100 * reader['unsure']:.0f} %"),
            Cell(f"{reader['answered']} of {study['real'] + study['synthetic']}"),
            Cell("" if reader["seconds"] is None else f"{reader['seconds']:.0f} s"),
        ]
        for reader in study["readers"]
    ]
    if len(rows) > 1:
        together = [_stacked(study["rates"][name], name) for name in _RATES]
        rows.append([Cell("All readers", strong=True), *together, *[Cell("")] * 3])
    return Table(
        ("Reader", *_RATES.values(), "Unsure", "Answered", "Time on a case"),
        rows,
        f"{study['real']} real and {study['synthetic']} synthetic segments, shuffled, their truth "
        "unknown to readers. Who was unsure counts as right half the time. AUC: share of pairs in "
        "which the synthetic segment was called so more surely than the real one. Small numbers: "
        "95 % intervals by a bootstrap of cases, and for all readers of readers, too.",
        numbers_from=1,
    )


def write_study_figure(folder: Path, study: Mapping[str, Any]) -> Picture:
    """Draw what readers told into a folder.

    Raises:
        OutputError: if it cannot be written.
    """
    path = folder / f"{NAME}.png"
    writer(4.2, lambda figure: _draw(figure, study))(path)
    return Picture(
        path,
        "Share of cases that each reader had right, and receiver-operating curves of readers",
        "Left: share right of each reader with its 95 % interval; dashed: guessing. Right: real "
        "and synthetic segments called synthetic at each degree of certainty; along the diagonal a "
        "reader guesses.",
    )


def _concern(key: Key, sets: Mapping[str, EvaluationSet]) -> str:
    evaluated = {str(one) for each in sets.values() for one in each.digest}
    others = sum(case.digest not in evaluated for case in key.cases)
    if not others:
        return ""
    return (
        f"{others} of the {len(key.cases)} segments that readers saw are not among the sets of "
        "this report: what they told is said of other segments."
    )


def _stacked(one: Mapping[str, float | None], name: str) -> Cell:
    if one["value"] is None:
        return Cell("")
    scale, digits, unit = (1, 2, "") if name == "auc" else (100, 0, " %")
    value, low, high = (f"{scale * (one[key] or 0):.{digits}f}" for key in ("value", "low", "high"))
    return Cell(f"{value}{unit}", note=f"{low} to {high}{unit}")


def _draw(figure: Figure, study: Mapping[str, Any]) -> None:
    shares, curves = figure.subplots(1, 2, width_ratios=(1.6, 1))
    _draw_shares(shares, study)
    curves.plot([0, 1], [0, 1], **GUIDE)
    for number, reader in enumerate(study["readers"][:_MOST_CURVES]):
        real, synthetic = np.array(reader["roc"]).T
        curves.plot(real, synthetic, "o-", color=COLORS[number], markersize=3, linewidth=1.2)
    curves.set(xlabel="share of real called synthetic", ylabel="share of synthetic called so")
    curves.set_title("Receiver-operating curves")
    curves.set_xlim(-0.02, 1.02)
    curves.set_ylim(-0.02, 1.02)


def _draw_shares(axes: Axes, study: Mapping[str, Any]) -> None:
    rows = [(one["reader"], one["rates"]["accuracy"]) for one in study["readers"]]
    if len(rows) > 1:
        rows.append(("All readers", study["rates"]["accuracy"]))
    for place, (_, one) in enumerate(reversed(rows)):
        number = len(rows) - 1 - place
        color = COLORS[number % len(COLORS)] if number < len(study["readers"]) else "#222222"
        if one["value"] is not None:
            axes.plot([100 * one["low"], 100 * one["high"]], [place, place], color=color)
            axes.plot([100 * one["value"]], [place], "o", color=color)
    axes.axvline(50, **GUIDE)
    axes.set_yticks(range(len(rows)), [_short(name) for name, _ in reversed(rows)])
    for text in axes.get_yticklabels():
        text.set_parse_math(False)  # a reader's name may hold a dollar sign
    axes.set_xlim(0, 102)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(axis="x", color="#eeeeee")
    axes.grid(axis="y", visible=False)
    axes.set(title="Right", xlabel="% of cases")


def _short(name: str) -> str:
    return name if len(name) <= 24 else name[:23] + "…"
