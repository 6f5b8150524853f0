"""The figures of an evaluation, each as PNG and SVG: one function a figure, all told in words.

``write`` draws what an ``Evaluation`` holds and gives for each figure its path, a text for those
who cannot see it, and a caption in HTML that says what to conclude.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import memorization
from .evaluation import COMPARED, Evaluation, Memorised
from .evaluationsets import Examined, drawn
from .figures import write_figure, write_violins
from .pictures import used_rows
from .usefulness import TARGETS, Usefulness

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
COLOURS = {
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
_ACROSS = 6
_PAIRS = 6
_GAP_PX = 5
_WINDOW_HU = (0, 2000)
_DIFFERENCE_HU = 1000


@dataclass(frozen=True)
class Picture:
    """A figure that was written: its PNG, what it shows in plain text, its caption in HTML."""

    path: Path
    alternative: str
    caption: str


def write(
    folder: Path, sets: Mapping[str, Examined], found: Evaluation, seed: int = 0
) -> dict[str, Picture]:
    """Draw all that was found into a folder, and give what was drawn by name."""
    pictures: dict[str, Picture] = {}

    def add(
        name: str,
        size: tuple[float, float],
        draw: Callable[[Figure], None],
        alternative: str,
        caption: str,
    ) -> None:
        write_figure(folder / f"{name}.png", size, draw, svg=True)
        pictures[name] = Picture(folder / f"{name}.png", alternative, caption)

    add(
        "segments",
        (11, 0.3 + 0.8 * len(sets)),
        lambda figure: _segments(figure, sets, seed),
        "Some segments of each set",
        "Segments of each set, drawn by chance; outside of the head up, black 0 HU, white 2000 HU. "
        "Judge for yourself whether a row stands out.",
    )
    write_violins(
        folder / "metrics.png",
        {LABELS[name]: one.metrics for name, one in sets.items()},
        {name: METRICS[name][:2] for name in COMPARED},
        limits={"sdr_peaks": 0.40},
        colours=[COLOURS[name] for name in sets],
        width=max(10, 2.6 * len(sets)),
        svg=True,
    )
    pictures["metrics"] = Picture(
        folder / "metrics.png",
        "Violins of skull density ratio, thickness and mean intensity for each set",
        "The wider a violin, the more segments have that value; white dot and number: median; dark "
        "bar: the middle half. Violins of like shape mean that a set measures like real bone, not "
        "that it looks like it: the artificial set is made to match here. Dashed: SDR 0.40, below "
        "which treatment is commonly not offered (for a patient&rsquo;s mean, not one segment).",
    )
    if found.embedding:
        add(
            "tsne",
            (10.5, 5.2),
            lambda figure: _embeddings(figure, found),
            "Segments in a plane by t-SNE of metrics and of pixels, coloured by set",
            "Each dot a segment, near others that are alike; the axes of t-SNE have no meaning. "
            "Colours that mix cannot be told apart this way, islands of one colour can. In the "
            "legend: share of a segment&rsquo;s ten nearest dots from its own set, and what it "
            "would be by chance.",
        )
    if found.discriminator:
        add(
            "discriminator",
            (12, 4.2),
            lambda figure: _discriminator(figure, found),
            "Realness per set, receiver-operating curves and calibration of the discriminator",
            "Left: the discriminator&rsquo;s output for each segment, the number its share judged "
            "real (0.5 or more). Middle: how well it tells made from real segments at any "
            "threshold; along the diagonal it guesses. Right: where dots leave the diagonal, the "
            "output is no probability. It is the GAN&rsquo;s own judge and was trained against "
            "these very segments: a weak witness.",
        )
    if any(judged.test or judged.fidelity or judged.kernel for judged in found.judges.values()):
        add(
            "judges",
            (12, 1.6 + 0.62 * len(found.judges)),
            lambda figure: _judges(figure, found),
            "Two-sample test, precision, recall, density, coverage and kernel distance per set",
            f"Each set against {LABELS[found.reference or 'test'].lower()} (real), by judges that "
            "the GAN never met; lines are 95 % intervals. Left: a classifier that cannot tell them "
            "apart has 0.5. Middle: precision and density low: it makes what is not real; recall "
            "and coverage low: it does not make all that is real. Right: 0 for equal "
            "distributions. <b>Compare with the row of the other real set</b>, if there is one: "
            "patients and scanners differ, too.",
        )
    if found.memorisation:
        add(
            "memorisation",
            (10, 3.6),
            lambda figure: _ratios(figure, found),
            "How near synthetic and held-out segments come to their nearest training segment",
            "Distance to the nearest training segment over that to the next five. Copies lie at "
            "the left, below one half; segments that are as new as the held-out real ones follow "
            "their curve. Dashed: only 1 % of held-out segments lie left of it.",
        )
    for way, one in found.memorisation.items():
        add(
            f"neighbours-{way}",
            (12, 2.9),
            lambda figure, one=one: _neighbours(figure, sets, one, seed),
            f"Synthetic segments, the nearest training segment of each by {WAYS[way]}, difference",
            f"Nearest training segment by {WAYS[way]}, turned and shifted to lie over it, and the "
            "difference. Copies come first, then suspects, then some by chance. A copy&rsquo;s "
            "difference is white throughout; red and blue patterns of bone mean two different "
            "pieces of skull.",
        )
    if found.usefulness:
        add(
            "usefulness",
            (10, 3.4),
            lambda figure: _usefulness(figure, found.usefulness),
            "Errors of regressors trained on real, on synthetic and on both, on real segments",
            "Mean error, on held-out real segments, of a small regressor that tells thickness and "
            "SDR from a coarse picture; lines are 95 % intervals. Synthetic as low as real: worth "
            "as much to learn from; both lower than real: they add something; as high as a guess "
            "(always the mean): useless.",
        )
    return pictures


def pairs(one: Memorised, seed: int = 0) -> np.ndarray:
    """Give which rows of the neighbours are shown: copies, then suspects, then some by chance."""
    known = np.flatnonzero(one.synthetic.nearest >= 0)
    first: list[int] = []
    if one.verdict is not None:
        row_of = {int(segment): row for row, segment in enumerate(one.synthetic.segment)}
        named = [*one.verdict.copies, *one.verdict.suspects]
        first = list(dict.fromkeys(row_of[int(segment)] for segment in named))
    others = np.setdiff1d(known, first)
    chosen = others[drawn(len(others), max(0, _PAIRS - len(first)), seed)]
    return np.array([*first, *chosen], int)[:_PAIRS]


def _segments(figure: Figure, sets: Mapping[str, Examined], seed: int) -> None:
    shown = {n: one.segments.hu[drawn(len(one.segments), _ACROSS, seed)] for n, one in sets.items()}
    rows = used_rows(np.concatenate(list(shown.values())))
    lines = np.atleast_1d(figure.subplots(len(sets), 1))
    for axes, (name, hu) in zip(lines, shown.items(), strict=True):
        _row(axes, hu[:, rows], _ACROSS)
        axes.set_ylabel(LABELS[name], color=COLOURS[name], fontweight="bold")


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
    colours = "RdBu_r" if difference else "gray"
    return axes.imshow(line, cmap=colours, vmin=low, vmax=high, interpolation="nearest")


def _embeddings(figure: Figure, found: Evaluation) -> None:
    titles = {"metrics": "a. By SDR, thickness and intensity", "pixels": "b. By all pixels"}
    shown = [by for by in titles if by in found.embedding]
    for axes, by in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        one = found.embedding[by]
        order = np.random.default_rng(0).permutation(len(one.points))  # no set hides another
        colours = np.array([COLOURS[name] for name in one.which[order]])
        size = float(np.clip(8000 / len(order), 3, 18))
        axes.scatter(*one.points[order].T, s=size, c=colours, linewidths=0, rasterized=True)
        for name, same in one.same.items():
            label = f"{LABELS[name]}: {100 * same:.0f} % (chance {100 * one.chance[name]:.0f} %)"
            axes.plot([], [], "o", color=COLOURS[name], label=label)
        axes.set_title(titles[by])
        axes.set_xticks([])
        axes.set_yticks([])
        axes.legend(
            frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2, fontsize=8
        )


def _discriminator(figure: Figure, found: Evaluation) -> None:
    said = found.discriminator
    spread, curves, calibration = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
    names = list(said.realness)
    for place, name in enumerate(reversed(names)):
        values = said.realness[name]
        beside = np.random.default_rng(0).uniform(-0.28, 0.28, len(values))
        spread.plot(
            values, place + beside, ".", color=COLOURS[name], alpha=0.35, markersize=4,
            markeredgewidth=0, rasterized=True,
        )  # fmt: skip
        share = f"{100 * said.share[name].value:.1f} %"
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
        axes.set_aspect("equal")
    for name, one in said.roc.items():
        label = f"{LABELS[name]}: AUC {one.auc.value:.2f}"
        curves.plot(one.false_positive, one.true_positive, color=COLOURS[name], label=label)
    for name, one in said.calibration.items():
        calibration.plot(one.score, one.real, "o-", color=COLOURS[name], label=LABELS[name])
    real = LABELS[said.real].lower() if said.real else "real"
    curves.set(xlabel="share of made called real", ylabel=f"share of {real} called real")
    curves.set_title("Receiver-operating curve")
    calibration.set(xlabel="realness", ylabel="share that is real")
    calibration.set_title("Calibration")
    if said.roc:
        curves.legend(frameon=False, loc="lower right", fontsize=8)
        calibration.legend(frameon=False, loc="upper left", fontsize=8)


def _judges(figure: Figure, found: Evaluation) -> None:
    test, cover, kernel = figure.subplots(1, 3, width_ratios=(1, 1.5, 0.9), sharey=True)
    names = list(found.judges)
    for place, name in enumerate(reversed(names)):
        one = found.judges[name]
        measures = (
            (test, one.test, ("accuracy", "auc"), "os"),
            (cover, one.fidelity, ("precision", "recall", "density", "coverage"), "osD^"),
            (kernel, one.kernel, ("mmd2",), "o"),
        )
        for axes, numbers, whats, markers in measures:
            for rank, (what, marker) in enumerate(zip(whats, markers, strict=True)):
                if numbers is not None:
                    estimate = getattr(numbers, what)
                    at = place + 0.16 * ((len(whats) - 1) / 2 - rank)
                    axes.plot([estimate.low, estimate.high], [at, at], color=COLOURS[name])
                    axes.plot([estimate.value], [at], marker, color=COLOURS[name], markersize=5)
    for axes, whats, markers in (
        (test, ("accuracy", "AUC"), "os"),
        (cover, ("precision", "recall", "density", "coverage"), "osD^"),
    ):
        for what, marker in zip(whats, markers, strict=True):
            axes.plot([], [], marker, color="#777777", markersize=5, label=what)
        axes.legend(
            frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=4, fontsize=8
        )
    test.set_yticks(range(len(names)), [LABELS[name] for name in reversed(names)])
    test.set_ylim(-0.5, len(names) - 0.5)
    test.axvline(0.5, **_GUIDE)
    test.set_xlim(min(0.4, test.get_xlim()[0]), 1.02)
    kernel.axvline(0, **_GUIDE)
    cover.set_xlim(-0.03, max(1.03, cover.get_xlim()[1]))
    test.set(title="Told apart by a classifier", xlabel="0.5: cannot tell, 1: always")
    cover.set(title="Precision and coverage", xlabel="share (density: may exceed 1)")
    kernel.set(title="Kernel distance (MMD²)", xlabel="0: equal distributions")


def _ratios(figure: Figure, found: Evaluation) -> None:
    panels = np.atleast_1d(figure.subplots(1, len(found.memorisation)))
    for axes, (way, one) in zip(panels, found.memorisation.items(), strict=True):
        bins = np.linspace(0, 1.05, 43)
        for name, each in (("test", one.held_out), ("synthetic", one.synthetic)):
            if each is None:
                continue
            ratio = each.ratio[np.isfinite(each.ratio)]
            weights = np.full(len(ratio), 100 / max(1, len(ratio)))
            axes.hist(
                ratio, bins, weights=weights, color=COLOURS[name], histtype="stepfilled",
                alpha=0.3, edgecolor=COLOURS[name],
            )  # fmt: skip
            label = f"{LABELS[name]} ({len(ratio):,})"
            axes.plot([], [], color=COLOURS[name], linewidth=4, alpha=0.6, label=label)
        axes.axvspan(0, memorization.COPY_RATIO, color="#f3d9d9", zorder=0, linewidth=0)
        if one.verdict:
            axes.axvline(one.verdict.threshold, **_GUIDE)
        axes.set_title(f"By {WAYS[way]}")
        axes.set_xlim(0, 1.05)
        axes.set(xlabel="distance to the nearest / to the next ones", ylabel="% of segments")
        axes.text(0.02, 0.95, "copies", transform=axes.transAxes, va="top", color="#8a2a2a")
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.88), fontsize=8)


def _neighbours(figure: Figure, sets: Mapping[str, Examined], one: Memorised, seed: int) -> None:
    from dataclasses import replace

    rows = pairs(one, seed)
    some = replace(
        one.synthetic,
        **{
            name: getattr(one.synthetic, name)[rows]
            for name in ("segment", "nearest", "distance", "ratio", "flipped", "shift_px")
        },
    )
    near = memorization.aligned(sets["train"].segments, some)
    own = sets["synthetic"].segments.hu[some.segment]
    copies = set() if one.verdict is None else set(map(int, one.verdict.copies))
    suspects = set() if one.verdict is None else set(map(int, one.verdict.suspects))
    used = used_rows(np.concatenate([own, near])) if len(own) else slice(0, 32)
    gaps = memorization.differences(own, near, some.shift_px)
    lines = figure.subplots(3, 1)
    for axes, pictures, label in zip(
        lines,
        (own, near, gaps),
        ("Synthetic", "Nearest\ntraining", "Difference"),
        strict=True,
    ):
        shown = _row(axes, pictures[:, used], _PAIRS, difference=label == "Difference")
        axes.set_ylabel(label)
    for column, segment in enumerate(map(int, some.segment)):
        word = "COPY" if segment in copies else "suspect" if segment in suspects else ""
        number = int(sets["synthetic"].place[segment])
        lines[0].text(
            column * (own.shape[2] + _GAP_PX),
            -2,
            f"{word} no. {number}, ratio {some.ratio[column]:.2f}".strip(),
            fontsize=8,
            color="#b00020" if word == "COPY" else _INK,
            fontweight="bold" if word else "normal",
        )
    figure.colorbar(shown, ax=list(lines), shrink=0.5, pad=0.01, label="difference (HU)")


def _usefulness(figure: Figure, found: Mapping[str, Usefulness]) -> None:
    names = {
        "real": ("real", COLOURS["train"]),
        "synthetic": ("synthetic", COLOURS["synthetic"]),
        "both": ("both", "#777777"),
        "guess": ("guess", "#bbbbbb"),
    }
    titles = {"thickness_mm": "Error of thickness (mm)", "sdr_peaks": "Error of SDR (peaks)"}
    panels = figure.subplots(1, len(TARGETS))
    for axes, target in zip(panels, TARGETS, strict=True):
        for place, (what, (_, colour)) in enumerate(names.items()):
            error = found[target].error[what]
            axes.bar(place, error.value, width=0.6, color=colour, alpha=0.7)
            axes.plot([place, place], [error.low, error.high], color=_INK, linewidth=1.4)
            axes.text(place + 0.05, error.value, f"{error.value:.3g}", va="bottom", fontsize=8)
        axes.set_xticks(range(len(names)), [label for label, _ in names.values()])
        axes.set_title(titles[target])
        axes.set(xlabel="trained on", ylabel="mean absolute error")
