"""The figures of an evaluation, each as PNG and SVG: one function a figure, all told in words.

``write`` draws what an ``Evaluation`` holds and gives for each figure its path, a text for those
who cannot see it, and a caption in plain text that says what to conclude.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.segment_set import SIZE
from ...generation import artificial
from ...plots.charts import write_figure, write_violins
from ...plots.contact_sheet import used_rows
from ..evaluation import COMPARED, Evaluation, Memorized
from ..evaluation_set import EvaluationSet, subsample
from ..measures import nearest_neighbors
from ..measures.tsne import Embedding
from ..measures.tstr import TARGETS, Usefulness

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS = {
    "train": "Training",
    "test": "Test",
    "synthetic": "Synthetic",
    "control": "Control",
    "artificial": "Artificial",
}
COLORS = {
    "train": "#0072B2",
    "test": "#56B4E9",
    "synthetic": "#D55E00",
    "control": "#CC79A7",
    "artificial": "#009E73",
}
METRICS = {
    "sdr_peaks": ("Skull density ratio (peaks)", ".2f", ""),
    "thickness_mm": ("Thickness (mm)", ".2f", " mm"),
    "mean_intensity_hu": ("Mean intensity (HU)", ".0f", " HU"),
}
WAYS = {"mse": "pixel differences (MSE)", "sift": "SIFT"}

_INK = "#222222"
_GUIDE = {"color": "#555555", "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 1}
_WIDTH = 12.0
"""Inches of a figure: as wide as the page, so that text is as large as it is meant."""
_FIGURES = 9  # at most
_ACROSS = 6
_PAIRS = 6
_GAP_PX = 5
_WINDOW_HU = (0, 2000)
_DIFFERENCE_HU = 1000


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

    ``on_progress`` is called with the share that is drawn.
    """
    pictures: dict[str, Picture] = {}
    across = SIZE * next(iter(sets.values())).segments.pixel_spacing_mm

    def add(
        name: str,
        size: tuple[float, float],
        draw: Callable[[Figure], None],
        alternative: str,
        caption: str,
    ) -> None:
        if on_progress:
            on_progress(len(pictures) / _FIGURES)
        write_figure(folder / f"{name}.png", size, draw, svg=True)
        pictures[name] = Picture(folder / f"{name}.png", alternative, caption)

    some = {
        n: one.segments.hu[subsample(len(one.segments), _ACROSS, seed)] for n, one in sets.items()
    }
    rows = used_rows(np.concatenate(list(some.values())))
    add(
        "segments",
        (_WIDTH, len(sets) * _height(rows, _WIDTH - 0.4, _ACROSS, 0.08)),
        lambda figure: _segments(figure, some, rows),
        "Some segments of each set",
        f"Segments of each set, drawn by chance; {across:.1f} mm across, outside of the head up, "
        "black 0 HU, white 2000 HU. Judge for yourself whether a row stands out.",
    )
    write_violins(
        folder / "metrics.png",
        {LABELS[name]: one.metrics for name, one in sets.items()},
        {name: METRICS[name][:2] for name in COMPARED},
        limits={"sdr_peaks": 0.40},
        colors=[COLORS[name] for name in sets],
        width=_WIDTH,
        svg=True,
    )
    pictures["metrics"] = Picture(
        folder / "metrics.png",
        "Violins of skull density ratio, thickness and mean intensity for each set",
        "The wider a violin, the more segments have that value; white dot and number: median; dark "
        "bar: the middle half. Violins of like shape mean that a set measures like real bone, not "
        "that it looks like it: the artificial set is made to match here. Dashed: SDR 0.40, below "
        "which treatment is commonly not offered (for a patient's mean, not one segment).",
    )
    if found.embedding:
        add(
            "tsne",
            (_WIDTH, 6.2),
            lambda figure: _embeddings(figure, sets, found),
            "Segments in a plane by t-SNE of metrics and of pixels, colored by set",
            "Each dot a segment, near others that are alike; the axes of t-SNE have no meaning. "
            "Colors that mix cannot be told apart this way, islands of one color can. In the "
            "legend: share of a segment's ten nearest dots from its own set, and what it "
            "would be by chance."
            + " Triangles: artificial segments made to be plainly no skull."
            * ("artificial" in sets),
        )
    if found.discriminator:
        add(
            "discriminator",
            (_WIDTH, 4.6),
            lambda figure: _discriminator(figure, found),
            "Realness per set, receiver-operating curves and calibration of the discriminator",
            "Left: the discriminator's output for each segment, the number its share judged "
            "real (0.5 or more). Middle: how well it tells made from real segments at any "
            "threshold; along the diagonal it guesses, below it takes made ones for real. Right: "
            "where dots leave the diagonal, the output is no probability; the larger a dot, the "
            "more segments. It is the GAN's own judge and was trained against these very "
            "segments: a weak witness.",
        )
    if any(judged.test or judged.fidelity or judged.kernel for judged in found.judges.values()):
        add(
            "judges",
            (_WIDTH, 1.5 + 0.62 * (len(found.judges) + (found.learned is not None))),
            lambda figure: _judges(figure, found),
            "Two-sample test, precision, recall, density, coverage and kernel distance per set",
            f"Each set against {LABELS[found.reference or 'test'].lower()} (real), by judges that "
            "the GAN never met; lines are 95 % intervals. Left: a classifier that cannot tell them "
            "apart has 0.5. Middle: precision and density low: it makes what is not real; recall "
            "and coverage low: it does not make all that is real. Right: 0 for equal "
            "distributions. Compare with the row of the other real set, if there is one: "
            "patients and scanners differ, too. Last row: against the training set, which shows "
            "whether the model has learned what it saw.",
        )
    if found.memorization:
        add(
            "memorization",
            (_WIDTH, 3.8),
            lambda figure: _ratios(figure, found),
            "How near synthetic and held-out segments come to their nearest training segment",
            "Distance to the nearest training segment over that to the next five. Copies lie at "
            "the left, below one half; segments that are as new as the held-out real ones follow "
            "their curve. Dashed: only 1 % of held-out segments lie left of it.",
        )
    for way, one in found.memorization.items():
        nearest = _nearest(sets, one, seed)
        add(
            f"neighbors-{way}",
            (_WIDTH, 3 * _height(nearest.rows, _WIDTH - 1.6, _PAIRS, 0.34)),
            lambda figure, way=way, nearest=nearest: _neighbors(figure, nearest, way),
            f"Synthetic segments, the nearest training segment of each by {WAYS[way]}, difference",
            f"Synthetic segments, the nearest training segment of each by {WAYS[way]}, turned left "
            "to right and shifted if need be to lie over it, and the difference. Copies come "
            "first, then suspects, then some by chance. A copy's difference is white "
            "throughout; red (denser in the synthetic one) and blue patterns of bone mean two "
            "different pieces of skull. Ratio: distance over that to the next five.",
        )
    if found.usefulness:
        add(
            "usefulness",
            (_WIDTH, 3.6),
            lambda figure: _usefulness(figure, found.usefulness),
            "Errors of regressors trained on real, on synthetic and on both, on real segments",
            "Mean error, on held-out real segments, of a small regressor that tells thickness and "
            "SDR from a coarse picture; lines are 95 % intervals. Synthetic as low as real: worth "
            "as much to learn from; both lower than real: they add something; as high as a guess "
            "(always the mean): useless.",
        )
    return pictures


def pairs(one: Memorized, seed: int = 0) -> np.ndarray:
    """Give which rows of the neighbors are shown: copies, then suspects, then some by chance."""
    known = np.flatnonzero(one.synthetic.nearest >= 0)
    first: list[int] = []
    if one.verdict is not None:
        row_of = {int(segment): row for row, segment in enumerate(one.synthetic.segment)}
        named = [*one.verdict.copies, *one.verdict.suspects]
        first = list(dict.fromkeys(row_of[int(segment)] for segment in named))
    others = np.setdiff1d(known, first)
    chosen = others[subsample(len(others), max(0, _PAIRS - len(first)), seed)]
    return np.array([*first, *chosen], int)[:_PAIRS]


def _height(rows: slice, width: float, across: int, beside: float) -> float:
    """Give the inches that a line of pictures takes, with what stands above or below it."""
    return width / across * (rows.stop - rows.start) / SIZE + beside


def _segments(figure: Figure, shown: Mapping[str, np.ndarray], rows: slice) -> None:
    lines = np.atleast_1d(figure.subplots(len(shown), 1))
    for axes, (name, hu) in zip(lines, shown.items(), strict=True):
        _row(axes, hu[:, rows], _ACROSS)
        axes.set_ylabel(LABELS[name], color=COLORS[name], fontweight="bold")


def _row(axes: Axes, pictures: np.ndarray, places: int, difference: bool = False) -> Any:
    """Draw pictures (N, rows, 128) side by side, as one: many axes take seconds to lay out."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.grid(False)
    _, height, width = pictures.shape
    line = np.full((height, places * (width + _GAP_PX) - _GAP_PX), np.nan)
    for place, picture in enumerate(pictures):
        left = place * (width + _GAP_PX)
        line[:, left : left + width] = picture
    low, high = (-_DIFFERENCE_HU, _DIFFERENCE_HU) if difference else _WINDOW_HU
    colors = "RdBu_r" if difference else "gray"
    return axes.imshow(line, cmap=colors, vmin=low, vmax=high, interpolation="nearest")


def _embeddings(figure: Figure, sets: Mapping[str, EvaluationSet], found: Evaluation) -> None:
    titles = {"metrics": "a. By SDR, thickness and intensity", "pixels": "b. By all pixels"}
    shown = [by for by in titles if by in found.embedding]
    for axes, by in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        one = found.embedding[by]
        order = np.random.default_rng(0).permutation(len(one.points))  # no set hides another
        colors = np.array([COLORS[name] for name in one.which])
        size = float(np.clip(8000 / len(order), 4, 18))
        odd = _unrealistic(sets, one, found)
        for which, marker, larger in ((~odd[order], "o", 1), (odd[order], "^", 1.6)):
            places = order[which]
            axes.scatter(
                *one.points[places].T, s=larger * size, c=colors[places], marker=marker,
                linewidths=0, rasterized=True,
            )  # fmt: skip
        for name, same in one.same.items():
            label = f"{LABELS[name]}: {100 * same:.0f} % (chance {100 * one.chance[name]:.0f} %)"
            axes.plot([], [], "o", color=COLORS[name], label=label)
        axes.set_title(titles[by])
        axes.set_xticks([])
        axes.set_yticks([])
        axes.grid(False)
        axes.spines[:].set(visible=True, color="#cccccc")
        axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2)


def _unrealistic(
    sets: Mapping[str, EvaluationSet], one: Embedding, found: Evaluation
) -> np.ndarray:
    """Tell which points are of artificial segments that were made to be plainly no skull."""
    odd = np.zeros(len(one.which), bool)
    here = one.which == "artificial"
    if here.any():
        segments = sets["artificial"].segments
        places = found.compared["artificial"][one.place[here]]
        odd[here] = artificial.styles_of(segments)[places] == "unrealistic"
    return odd


def _discriminator(figure: Figure, found: Evaluation) -> None:
    said = found.discriminator
    spread, curves, calibration = figure.subplots(1, 3, width_ratios=(1.35, 1, 1))
    names = list(said.realness)
    for place, name in enumerate(reversed(names)):
        values = said.realness[name]
        beside = np.random.default_rng(0).uniform(-0.28, 0.28, len(values))
        spread.plot(
            values, place + beside, ".", color=COLORS[name], alpha=0.5,
            markersize=float(np.clip(60 / np.sqrt(len(values)), 2.5, 6)), markeredgewidth=0,
            rasterized=True,
        )  # fmt: skip
        share = f"{100 * said.share[name].value:.0f} %"
        spread.text(1.03, place, share, va="center", fontweight="bold")
    spread.axvline(0.5, **_GUIDE)
    spread.set_yticks(range(len(names)), [LABELS[name] for name in reversed(names)])
    spread.set_xlim(-0.02, 1.02)
    spread.set_xlabel("realness (0 made, 1 real)")
    spread.set_title("Realness, and share judged real")
    for axes in (curves, calibration):
        axes.plot([0, 1], [0, 1], **_GUIDE)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
    for name, one in said.roc.items():
        label = f"{LABELS[name]}: AUC {one.auc.value:.2f}"
        curves.plot(one.false_positive, one.true_positive, color=COLORS[name], label=label)
    for name, one in said.calibration.items():
        calibration.plot(one.score, one.real, color=COLORS[name], linewidth=1)
        sizes = 8 + 140 * one.count / one.count.sum()
        calibration.scatter(one.score, one.real, s=sizes, color=COLORS[name], zorder=3)
        calibration.plot([], [], "o-", color=COLORS[name], label=LABELS[name], linewidth=1)
    real = LABELS[said.real].lower() if said.real else "real"
    curves.set(xlabel="share of made ones called real", ylabel=f"share of {real} called real")
    curves.set_title("Receiver-operating curve")
    calibration.set(xlabel="realness", ylabel="share that is real")
    calibration.set_title("Calibration")
    if said.roc:
        for axes in (curves, calibration):
            axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.15))


def _judges(figure: Figure, found: Evaluation) -> None:
    rows = [
        (LABELS[name] + "\n(real, too)" * (name == "train"), COLORS[name], one)
        for name, one in found.judges.items()
    ]
    if found.learned is not None:
        rows.append(("Synthetic against\ntraining", COLORS["synthetic"], found.learned))
    test, cover, kernel = figure.subplots(1, 3, width_ratios=(1, 1.5, 0.9), sharey=True)
    panels = (
        (test, "test", {"accuracy": "o", "auc": "s"}),
        (cover, "fidelity", {"precision": ">", "recall": "<", "density": "D", "coverage": "^"}),
        (kernel, "kernel", {"mmd2": "o"}),
    )
    for axes, part, markers in panels:
        for place, (_, color, one) in enumerate(reversed(rows)):
            for rank, (what, marker) in enumerate(markers.items()):
                numbers = getattr(one, part)
                if numbers is not None:
                    estimate = getattr(numbers, what)
                    at = place + 0.18 * ((len(markers) - 1) / 2 - rank)
                    axes.plot([estimate.low, estimate.high], [at, at], color=color)
                    axes.plot([estimate.value], [at], marker, color=color, markersize=5)
        for what, marker in markers.items() if part != "kernel" else ():
            label = "AUC" if what == "auc" else what
            axes.plot([], [], marker, color="#777777", markersize=5, label=label)
        if part != "kernel":
            axes.legend(
                frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.06), ncols=4,
                handletextpad=0.2, columnspacing=1,
            )  # fmt: skip
        axes.grid(axis="x", color="#eeeeee")
    test.set_yticks(range(len(rows)), [label for label, *_ in reversed(rows)])
    test.set_ylim(-0.5, len(rows) - 0.5)
    test.axvline(0.5, **_GUIDE)
    test.set_xlim(min(0.4, test.get_xlim()[0]), 1.02)
    kernel.axvline(0, **_GUIDE)
    cover.set_xlim(-0.03, max(1.03, cover.get_xlim()[1]))
    test.set(title="Told apart by a classifier", xlabel="0.5: cannot tell, 1: always")
    cover.set(title="Precision and coverage", xlabel="share (density: may exceed 1)")
    kernel.set(title="Kernel distance (MMD²)", xlabel="0: equal distributions")


def _ratios(figure: Figure, found: Evaluation) -> None:
    panels = np.atleast_1d(figure.subplots(1, len(found.memorization)))
    for axes, (way, one) in zip(panels, found.memorization.items(), strict=True):
        bins = np.linspace(0, 1.05, 43)
        for name, each in (("test", one.held_out), ("synthetic", one.synthetic)):
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
        axes.axvspan(0, nearest_neighbors.COPY_RATIO, color="#f3d9d9", zorder=0, linewidth=0)
        if one.verdict:
            axes.axvline(one.verdict.threshold, **_GUIDE)
        axes.set_title(f"By {WAYS[way]}")
        axes.set_xlim(0, 1.05)
        axes.set(
            xlabel="distance to the nearest over that to the next five", ylabel="% of segments"
        )
        axes.text(
            0.02, 0.95, "copies lie here", transform=axes.transAxes, va="top", color="#8a2a2a"
        )
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.88))


@dataclass(frozen=True, eq=False)
class _Nearest:
    """Synthetic segments and their nearest training ones, the rows in use, and what is said."""

    own: np.ndarray
    near: np.ndarray
    gaps: np.ndarray
    rows: slice
    above: tuple[list[str], list[str], list[str]]


def _nearest(sets: Mapping[str, EvaluationSet], one: Memorized, seed: int) -> _Nearest:
    rows = pairs(one, seed)
    some = replace(
        one.synthetic,
        **{
            name: getattr(one.synthetic, name)[rows]
            for name in ("segment", "nearest", "distance", "ratio", "flipped", "shift_px")
        },
    )
    near = nearest_neighbors.aligned(sets["train"].segments, some)
    own = sets["synthetic"].segments.hu[some.segment]
    copies = set() if one.verdict is None else set(map(int, one.verdict.copies))
    suspects = set() if one.verdict is None else set(map(int, one.verdict.suspects))
    words = [
        "COPY: " if segment in copies else "suspect: " if segment in suspects else ""
        for segment in map(int, some.segment)
    ]
    return _Nearest(
        own=own,
        near=near,
        gaps=nearest_neighbors.differences(own, near, some.shift_px),
        rows=used_rows(np.concatenate([own, near])) if len(own) else slice(0, 32),
        above=(
            [
                f"{word}no. {place}"
                for word, place in zip(
                    words, sets["synthetic"].place[some.segment].tolist(), strict=True
                )
            ],
            [
                f"no. {place}{', turned' * turned}"
                for place, turned in zip(
                    sets["train"].place[some.nearest].tolist(), some.flipped.tolist(), strict=True
                )
            ],
            [f"ratio {ratio:.2f}" for ratio in some.ratio],
        ),
    )


def _neighbors(figure: Figure, nearest: _Nearest, way: str) -> None:
    lines = figure.subplots(3, 1)
    for axes, pictures, label, above in zip(
        lines,
        (nearest.own, nearest.near, nearest.gaps),
        ("Synthetic", "Nearest\ntraining", "Difference"),
        nearest.above,
        strict=True,
    ):
        shown = _row(axes, pictures[:, nearest.rows], _PAIRS, difference=label == "Difference")
        axes.set_ylabel(label, fontweight="bold")
        for column, text in enumerate(above):
            marked = text.startswith(("COPY", "suspect"))
            axes.text(
                column * (SIZE + _GAP_PX),
                -2,
                text,
                color="#b00020" if text.startswith("COPY") else _INK,
                fontweight="bold" if marked else "normal",
            )
    figure.colorbar(shown, ax=list(lines), shrink=0.6, pad=0.01, label="difference (HU)")


def _usefulness(figure: Figure, found: Mapping[str, Usefulness]) -> None:
    names = {
        "real": ("real", COLORS["train"]),
        "synthetic": ("synthetic", COLORS["synthetic"]),
        "both": ("both", "#777777"),
        "guess": ("guess", "#bbbbbb"),
    }
    titles = {"thickness_mm": "Error of thickness (mm)", "sdr_peaks": "Error of SDR (peaks)"}
    panels = figure.subplots(1, len(TARGETS))
    for axes, target in zip(panels, TARGETS, strict=True):
        for place, (what, (_, color)) in enumerate(names.items()):
            error = found[target].error[what]
            axes.bar(place, error.value, width=0.6, color=color, alpha=0.7)
            axes.plot([place, place], [error.low, error.high], color=_INK, linewidth=1.4)
            axes.text(place + 0.05, error.value, f"{error.value:.3g}", va="bottom")
        axes.set_xticks(range(len(names)), [label for label, _ in names.values()])
        axes.set_title(titles[target])
        axes.set(xlabel="trained on", ylabel="mean absolute error")
