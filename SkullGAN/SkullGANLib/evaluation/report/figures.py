"""The figures of an evaluation, each as PNG and SVG: segments of each set, and what judges show.

``write`` draws what an ``Evaluation`` holds and gives for each figure its path, a text for those
who cannot see it, and a caption that says what to conclude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data.segment_set import SIZE
from ...plots.contact_sheet import used_rows
from ..evaluation import Evaluation
from ..evaluation_set import EvaluationSet
from ..measures import drawing
from ..measures.measure import Figure, Panel, Result
from ..measures.statistics import subsample
from ..names import COLORS, LABELS

if TYPE_CHECKING:
    from matplotlib import figure as matplotlib_figure

_ACROSS = 6


@dataclass(frozen=True)
class Picture:
    """A figure that was written: its PNG, what it shows and its caption, both in plain text."""

    path: Path
    alternative: str
    caption: str


def write(
    folder: Path,
    sets: Mapping[str, EvaluationSet],
    found: Evaluation,
    seed: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> dict[str, Picture]:
    """Draw all that was found into a folder, and give what was drawn by name.

    Args:
        folder: where PNG and SVG go.
        sets: what was evaluated.
        found: what came of it.
        seed: of the choice of segments that are shown.
        on_progress: called with the share that is drawn.

    Raises:
        OutputError: if a file cannot be written.
    """
    pictures: dict[str, Picture] = {}
    figures = [segments_figure(sets, seed), *figures_of(found.results.values())]
    for number, one in enumerate(figures):
        if on_progress:
            on_progress(number / len(figures))
        path = folder / f"{one.name}.png"
        one.write(path)
        pictures[one.name] = Picture(path, one.alternative, one.caption)
    return pictures


def figures_of(results: Iterable[Result]) -> list[Figure]:
    """Give the figures of judges in their order; panels that share a figure are joined."""
    shown = [one for result in results for one in result.figures]
    panels: dict[str, list[Panel]] = {}
    for one in shown:
        if isinstance(one, Panel):
            panels.setdefault(one.name, []).append(one)
    figures: dict[str, Figure] = {}
    for one in shown:
        if isinstance(one, Figure):
            figures[one.name] = one
        elif one.name not in figures:
            figures[one.name] = _joined(panels[one.name])
    return list(figures.values())


def segments_figure(sets: Mapping[str, EvaluationSet], seed: int = 0) -> Figure:
    """Give the figure with some segments of each set, a row a set."""
    across_mm = SIZE * next(iter(sets.values())).segments.pixel_spacing_mm
    some = {
        name: one.segments.hu[subsample(len(one.segments), _ACROSS, seed)]
        for name, one in sets.items()
    }
    rows = used_rows(np.concatenate(list(some.values())))
    height_in = drawing.line_height(rows, drawing.WIDTH_IN - 0.4, _ACROSS, 0.08)
    return Figure(
        "segments",
        "Some segments of each set",
        f"Segments of each set, taken by chance; {across_mm:.1f} mm across, outside of the head "
        "up, black 0 HU, white 2000 HU. Judge for yourself whether a row stands out.",
        drawing.writer(len(sets) * height_in, lambda figure: _draw_segments(figure, some, rows)),
    )


def _draw_segments(
    figure: matplotlib_figure.Figure, shown: Mapping[str, np.ndarray], rows: slice
) -> None:
    lines = np.atleast_1d(figure.subplots(len(shown), 1))
    for axes, (name, hu) in zip(lines, shown.items(), strict=True):
        drawing.draw_row(axes, hu[:, rows], _ACROSS)
        axes.set_ylabel(LABELS[name], color=COLORS[name], fontweight="bold")


def _joined(panels: Sequence[Panel]) -> Figure:
    """Give the figure of panels side by side, whose rows are the same."""

    def draw(figure: matplotlib_figure.Figure) -> None:
        axes = figure.subplots(
            1, len(panels), width_ratios=[one.width for one in panels], sharey=True
        )
        for one, place in zip(panels, np.atleast_1d(axes), strict=True):
            one.draw(place)

    return Figure(
        panels[0].name,
        f"{', '.join(one.alternative for one in panels)} per set",
        " ".join(one.caption for one in panels),
        drawing.writer(max(one.height_in for one in panels), draw),
    )
