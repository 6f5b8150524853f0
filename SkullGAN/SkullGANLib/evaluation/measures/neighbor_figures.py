"""Figures of nearest training segments: how near they come, and how they look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...data.segment_set import SIZE
from ...plots.contact_sheet import used_rows
from ..names import COLORS, LABELS
from .drawing import GAP_PX, GUIDE, INK, WIDTH_IN, draw_row, line_height, writer
from .measure import Figure as ReportFigure
from .measure import Inputs
from .neighbors import Neighbors, aligned, differences
from .statistics import subsample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PAIRS = 6
_ONE_IN_HUNDRED = 0.01


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown of one way of comparing.

    Attributes:
        title: of the way.
        synthetic, held_out: neighbors of the segments of these sets.
        copies, suspects: places in the synthetic set.
        threshold: ratio below which a segment is suspect, if that is known.
        copy_ratio: ratio below which a suspect may be a copy.
        rate: share of held-out segments below the threshold, if that is known.
    """

    title: str
    synthetic: Neighbors
    held_out: Neighbors | None
    copies: tuple[int, ...]
    suspects: tuple[int, ...]
    threshold: float | None
    copy_ratio: float
    rate: float | None


def neighbor_figures(inputs: Inputs, ways: Mapping[str, Shown]) -> tuple[ReportFigure, ...]:
    """Give the figures of all ways of comparing, or none where there is none."""
    if not ways:
        return ()
    distribution = ReportFigure(
        "memorization",
        "How near synthetic and held-out segments come to their nearest training segment",
        "Distance to the nearest training segment over that to the next five. Copies lie at the "
        "left, where no held-out segment does; segments that are as new as the held-out real ones "
        f"follow their curve.{what_is_dashed(ways)}",
        writer(3.8, lambda figure: _draw_ratios(figure, ways)),
    )
    return (distribution, *(_pairs_figure(inputs, way, one) for way, one in ways.items()))


def what_is_dashed(ways: Mapping[str, Shown]) -> str:
    """Say what the dashed line is: 1 % can only be said of a hundred held-out segments or more."""
    rates = [one.rate for one in ways.values() if one.rate is not None]
    if not rates:
        return ""
    if max(rates) <= _ONE_IN_HUNDRED:
        return " Dashed: at most 1 % of held-out segments lie left of it."
    return " Dashed: the least ratio of a held-out segment, or 1 % of them lie left of it."


def pairs(shown: Shown, seed: int = 0) -> np.ndarray:
    """Give which rows of the neighbors are shown: copies, then suspects, then some by chance."""
    known = np.flatnonzero(shown.synthetic.nearest >= 0)
    row_of = {int(segment): row for row, segment in enumerate(shown.synthetic.segment)}
    first = list(dict.fromkeys(row_of[one] for one in (*shown.copies, *shown.suspects)))
    others = np.setdiff1d(known, first)
    chosen = others[subsample(len(others), max(0, _PAIRS - len(first)), seed)]
    return np.array([*first, *chosen], int)[:_PAIRS]


def _pairs_figure(inputs: Inputs, way: str, shown: Shown) -> ReportFigure:
    nearest = _laid_over(inputs, shown)
    return ReportFigure(
        f"neighbors-{way}",
        f"Synthetic segments, the nearest training segment of each by {shown.title}, difference",
        f"Synthetic segments, the nearest training segment of each by {shown.title}, turned, "
        "moved, mirrored and scaled in HU to lie over it, and the difference. Copies come "
        "first, then suspects, then some by chance. A copy's difference is white "
        "throughout; red (denser in the synthetic one) and blue patterns of bone mean two "
        "different pieces of skull. Ratio: distance over that to the next five.",
        writer(
            3 * line_height(nearest.rows, WIDTH_IN - 1.6, _PAIRS, 0.34),
            partial(_draw_pairs, nearest=nearest),
        ),
    )


def _draw_ratios(figure: Figure, ways: Mapping[str, Shown]) -> None:
    panels = np.atleast_1d(figure.subplots(1, len(ways)))
    for axes, one in zip(panels, ways.values(), strict=True):
        _draw_histograms(axes, {"test": one.held_out, "synthetic": one.synthetic})
        axes.axvspan(0, one.copy_ratio, color="#f3d9d9", zorder=0, linewidth=0)
        if one.threshold is not None:
            axes.axvline(one.threshold, **GUIDE)
        axes.set_title(f"By {one.title}")
        axes.set_xlim(0, 1.05)
        axes.set(
            xlabel="distance to the nearest over that to the next five", ylabel="% of segments"
        )
        axes.text(
            0.02, 0.95, "copies lie here", transform=axes.transAxes, va="top", color="#8a2a2a"
        )
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.88))


def _draw_histograms(axes: Axes, neighbors: Mapping[str, Neighbors | None]) -> None:
    bins = np.linspace(0, 1.05, 43).tolist()
    for name, each in neighbors.items():
        if each is None:
            continue
        ratio = each.ratio[np.isfinite(each.ratio)]
        weights = np.full(len(ratio), 100 / max(1, len(ratio)))
        axes.hist(
            ratio, bins, weights=weights, color=COLORS[name], histtype="stepfilled",
            alpha=0.3, edgecolor=COLORS[name],
        )  # fmt: skip
        label = f"{LABELS[name]} (n = {len(ratio):,})"
        axes.plot([], [], color=COLORS[name], linewidth=4, alpha=0.6, label=label)


@dataclass(frozen=True, eq=False)
class _Nearest:
    """Synthetic segments and their nearest training ones, the rows in use, and the captions."""

    own: np.ndarray
    near: np.ndarray
    gaps: np.ndarray
    rows: slice
    above: tuple[list[str], list[str], list[str]]


def _laid_over(inputs: Inputs, shown: Shown) -> _Nearest:
    rows = pairs(shown, inputs.seed)
    some = shown.synthetic[rows]
    synthetic, train = inputs.sets["synthetic"], inputs.sets["train"]
    laid = aligned(train.segments, some)
    near = np.nan_to_num(laid)  # black where it ends; the difference is white there
    own = synthetic.segments.hu[some.segment]
    words = [
        "COPY: " if segment in shown.copies else "suspect: " if segment in shown.suspects else ""
        for segment in map(int, some.segment)
    ]
    places = synthetic.place[some.segment].tolist()
    near_places = train.place[some.nearest].tolist()
    return _Nearest(
        own=own,
        near=near,
        gaps=differences(own, laid),
        rows=used_rows(np.concatenate([own, near])) if len(own) else slice(0, 32),
        above=(
            [f"{word}no. {place}" for word, place in zip(words, places, strict=True)],
            [
                f"no. {place}{', mirrored' * flipped}"
                for place, flipped in zip(near_places, some.flipped.tolist(), strict=True)
            ],
            [f"ratio {ratio:.2f}" for ratio in some.ratio],
        ),
    )


def _draw_pairs(figure: Figure, nearest: _Nearest) -> None:
    lines = figure.subplots(3, 1)
    for axes, pictures, label, above in zip(
        lines,
        (nearest.own, nearest.near, nearest.gaps),
        ("Synthetic", "Nearest\ntraining", "Difference"),
        nearest.above,
        strict=True,
    ):
        shown = draw_row(axes, pictures[:, nearest.rows], _PAIRS, difference=label == "Difference")
        axes.set_ylabel(label, fontweight="bold")
        for column, text in enumerate(above):
            marked = text.startswith(("COPY", "suspect"))
            axes.text(
                column * (SIZE + GAP_PX),
                -2,
                text,
                color="#b00020" if text.startswith("COPY") else INK,
                fontweight="bold" if marked else "normal",
            )
    figure.colorbar(shown, ax=list(lines), shrink=0.6, pad=0.01, label="difference (HU)")
