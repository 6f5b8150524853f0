"""The paper's Figures 5, 6, 7a, 7b and 7c of other data, with their numbers and panels.

For whoever repeats the study: what each shows, its sets and definitions are the paper's (t-SNE
without the test set, SDR by equation 2 over the mask), where the report's own figures say more. The
captions lie beside them as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from ...generation import artificial
from ...metrics import METRICS
from ...plots.charts import write_figure, write_violins
from ...plots.contact_sheet import used_rows
from ..evaluation import Evaluation
from ..evaluation_set import EvaluationSet
from ..measures import discriminator, drawing, nearest_neighbors, tsne
from ..measures.neighbors import Neighbors, aligned, differences
from ..measures.statistics import subsample
from ..names import COLORS, LABELS
from .set_description import write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = "paper"
"""In the folder of figures."""
CAPTIONS = "captions.txt"

_PAIRS = 3
_METRICS = ("sdr_literal", "mean_intensity_hu", "thickness_literal_mm")
_SETS_OF_6 = ("train", "synthetic", "control", "artificial")
_MOST = 1_000
"""Segments of a set in Figures 7a and 7b: 4,000 in all."""
_NAMES = LABELS | {"synthetic": "SkullGAN"}
_ODD = "#E69F00"


@dataclass(frozen=True)
class PaperFigure:
    """One figure: its number, caption and what writes it."""

    number: str
    caption: str
    write: Callable[[Path], None]


def write_paper_figures(
    folder: Path, sets: Mapping[str, EvaluationSet], found: Evaluation, seed: int = 0
) -> list[Path]:
    """Write the figures that there are sets for, as PNG and SVG, and their captions.

    Args:
        folder: where they go.
        sets: what was evaluated.
        found: what came of it.
        seed: of what is taken by chance.

    Returns:
        The paths of the PNGs.

    Raises:
        OutputError: if one cannot be written.
    """
    made, lines = [], []
    for number, make in _MAKERS.items():
        try:
            one = make(sets, found, seed)
        except BadInputError as error:
            lines.append(f"Figure {number} was left out: {error}")
            continue
        path = folder / f"figure-{number}.png"
        one.write(path)
        made.append(path)
        lines.append(f"Figure {number}. {one.caption}")
    write_text(folder / CAPTIONS, "\n\n".join(lines) + "\n")
    return made


def figure_5(sets: Mapping[str, EvaluationSet], found: Evaluation, seed: int) -> PaperFigure:
    """Samples, their closest real counterparts and the difference, by MSE and by SIFT."""
    _needs(sets, "train", "synthetic")
    ways = found.findings_of(nearest_neighbors.MEASURE)
    pairs = {}
    for way, one in ways.items():
        known = np.flatnonzero(one.synthetic.nearest >= 0)
        rows = known[subsample(len(known), _PAIRS, seed)]
        if len(rows):
            pairs[way] = _laid_over(sets, one.synthetic[rows])
    if not pairs:
        raise BadInputError("No closest real counterpart was found, expected one for 5.")
    return PaperFigure(
        "5",
        "Random SkullGAN samples, their closest real counterparts, and the difference maps between "
        "them (rows that hold no bone are left out). Hounsfield unit values of 0 correspond to "
        "water, and above 700 to bone. Closest by pixel-wise mean squared error (MSE) and by "
        "scale-invariant feature transform (SIFT).",
        lambda path: write_figure(path, (12, 3.4), partial(_draw_5, pairs=pairs), svg=True),
    )


def figure_6(sets: Mapping[str, EvaluationSet], found: Evaluation, seed: int) -> PaperFigure:
    """Violins of the radiological metrics of all sets but the test set."""
    shown = [name for name in _SETS_OF_6 if name in sets]
    if not shown:
        raise BadInputError("There is no training or made set, expected one for 6.")
    titles = {name: (METRICS[name].axis_label, f".{METRICS[name].digits}f") for name in _METRICS}
    return PaperFigure(
        "6",
        "Violin plots of the quantitative radiological metrics for the "
        f"{_listed([_spoken(name) for name in shown])} sets. SDR and thickness are the "
        "paper's: over all that the mask holds.",
        lambda path: write_violins(
            path,
            {_NAMES[name]: sets[name].metrics for name in shown},
            titles,
            colors=[COLORS[name] for name in shown],
            width=drawing.WIDTH_IN,
            svg=True,
        ),
    )


def figure_7_embedding(
    sets: Mapping[str, EvaluationSet], found: Evaluation, seed: int, *, by: str, letter: str
) -> PaperFigure:
    """t-SNE by metrics or by pixels, without the test set."""
    shown = {name: sets[name] for name in _SETS_OF_6 if name in sets}
    if len(shown) < 2:
        raise BadInputError(f"Fewer than two sets are there, expected two or more for {letter}.")
    # As many of each as of the largest made set, which the training set would else outnumber.
    most = min(_MOST, max([len(one.segments) for name, one in shown.items() if name != "train"]))
    taken = {name: subsample(len(one.segments), most, seed) for name, one in shown.items()}
    segments = {name: one.segments[taken[name]] for name, one in shown.items()}
    one = tsne.embed(segments, by=by, seed=seed)
    words = (
        "the radiological features shown in Figure 6 (SDR between the cortical peaks)"
        if by == "metrics"
        else "the unrolled skulls, where each image is a vector of size 16,384"
    )
    shares = ", ".join(
        f"{_NAMES[name]} {100 * same:.0f} % ({100 * one.chance[name]:.0f} % by chance)"
        for name, same in one.same.items()
    )
    return PaperFigure(
        letter,
        f"Visual representation of t-SNE applied to {words}; {len(one.points):,} segments. Of the "
        f"ten nearest dots of a segment are from its own set: {shares}.",
        lambda path: write_figure(path, (5.5, 5.2), partial(_draw_7ab, one, segments), svg=True),
    )


def figure_7c(sets: Mapping[str, EvaluationSet], found: Evaluation, seed: int) -> PaperFigure:
    """What the discriminator makes of each set."""
    one = found.findings_of(discriminator.MEASURE).get("")
    if one is None:
        raise BadInputError("No model was given, expected one for 7c.")
    shares = ", ".join(
        f"{_spoken(name)} {100 * share.value:.1f} %" for name, share in one.share.items()
    )
    return PaperFigure(
        "7c",
        "Classifications of each dataset by the SkullGAN discriminator. The dotted line represents "
        "the 0.5 mark: from there on, segments are classified as real, below as fake. Classified "
        f"as real: {shares}.",
        lambda path: write_figure(path, (9, 4), partial(_draw_7c, one), svg=True),
    )


_MAKERS: Mapping[str, Callable[[Mapping[str, EvaluationSet], Evaluation, int], PaperFigure]] = {
    "5": figure_5,
    "6": figure_6,
    "7a": partial(figure_7_embedding, by="metrics", letter="7a"),
    "7b": partial(figure_7_embedding, by="pixels", letter="7b"),
    "7c": figure_7c,
}


def _needs(sets: Mapping[str, EvaluationSet], *names: str) -> None:
    missing = [name for name in names if name not in sets]
    if missing:
        raise BadInputError(f"There is no {' and no '.join(missing)} set, expected one.")


def _laid_over(sets: Mapping[str, EvaluationSet], some: Neighbors) -> tuple[np.ndarray, ...]:
    own = sets["synthetic"].segments.hu[some.segment]
    near = aligned(sets["train"].segments, some)
    rows = used_rows(np.concatenate([own, np.nan_to_num(near)]))
    gaps = differences(own, near)
    return own[:, rows], near[:, rows], gaps[:, rows]


def _draw_5(figure: Figure, pairs: Mapping[str, tuple[np.ndarray, ...]]) -> None:
    parts = figure.subfigures(1, len(pairs), squeeze=False)[0]
    for part, (way, pictures) in zip(parts, pairs.items(), strict=True):
        part.suptitle({"mse": "MSE", "sift": "SIFT"}.get(way, way), fontweight="bold")
        lines = part.subplots(len(pictures), 1)
        for axes, shown, label in zip(
            lines, pictures, ("SkullGAN", "Closest\nreal", "Difference"), strict=True
        ):
            image = drawing.draw_row(axes, shown, _PAIRS, difference=label == "Difference")
            axes.set_ylabel(label)
        part.colorbar(image, ax=list(lines), shrink=0.5, pad=0.01, label="difference (HU)")


def _draw_7ab(one: tsne.Embedding, segments: Mapping[str, SegmentSet], figure: Figure) -> None:
    axes = figure.subplots()
    groups = _groups(one, segments)
    order = np.random.default_rng(0).permutation(len(one.points))  # no set hides another
    colors = np.empty(len(order), object)
    for color, here in groups.values():
        colors[here] = color
    across, up = one.points[order].T
    size = float(np.clip(6000 / len(order), 2, 16))
    axes.scatter(across, up, s=size, c=colors[order].tolist(), linewidths=0, rasterized=True)
    for label, (color, _) in groups.items():
        axes.plot([], [], "o", color=color, label=label)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set(visible=True, color="#cccccc")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3)


def _groups(
    one: tsne.Embedding, segments: Mapping[str, SegmentSet]
) -> dict[str, tuple[str, np.ndarray]]:
    """Give color and dots (N,) of each set; of the artificial one by what it was made to look."""
    groups = {
        _NAMES[name]: (COLORS[name], one.which == name) for name in segments if name != "artificial"
    }
    here = one.which == "artificial"
    if here.any():
        odd = np.zeros(len(here), bool)
        odd[here] = artificial.styles_of(segments["artificial"])[one.place[here]] == "unrealistic"
        groups["Artificial (idealized)"] = (COLORS["artificial"], here & ~odd)
        groups["Artificial (unrealistic)"] = (_ODD, odd)
    return {name: group for name, group in groups.items() if group[1].any()}


def _draw_7c(one: discriminator.Judgment, figure: Figure) -> None:
    axes: Axes = figure.subplots()
    rng = np.random.default_rng(0)
    names = list(one.realness)[::-1]
    for place, name in enumerate(names):
        values = one.realness[name]
        axes.plot(
            values, place + rng.uniform(-0.3, 0.3, len(values)), ".", color=COLORS[name],
            alpha=0.5, markersize=float(np.clip(60 / np.sqrt(len(values)), 2, 6)),
            markeredgewidth=0, rasterized=True,
        )  # fmt: skip
        share = f"{100 * one.share[name].value:.1f} % real"
        axes.text(1.03, place, share, va="center")
    axes.axvline(0.5, color="#222222", linewidth=1, linestyle=":")
    axes.set_yticks(range(len(one.realness)), [_NAMES[name] for name in names])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("discriminator's classification (0 fake, 1 real)")
    axes.grid(axis="y", visible=False)


def _spoken(name: str) -> str:
    return "SkullGAN" if name == "synthetic" else _NAMES[name].lower()


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
