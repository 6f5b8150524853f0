"""t-SNE: segments of several sets in a plane, by raw pixels or by metrics.

``embed`` gives, beside the plane, a number for what the eye sees in it: the share of neighbors
from the same set, and what it would be by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from ...metrics import measure
from ..names import COLORS, LABELS
from .drawing import writer
from .features import principal_components, standardized
from .measure import (
    Chart,
    Column,
    Inputs,
    Measure,
    Numbers,
    PerSegment,
    Progress,
    Result,
    Scatter,
    SummaryColumn,
)
from .measure import Figure as ReportFigure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 4_000
"""Segments laid out in all; larger sets are subsampled."""
METRICS = ("sdr_peaks", "thickness_mm", "mean_intensity_hu")
"""What segments are laid out by: pinned, so that a new metric changes no numbers."""
WAYS = {"metrics": "radiological metrics", "pixels": "pixels"}
"""What segments are laid out by, in words."""

_PIXEL_COMPONENTS = 50
_NEIGHBORS = 10
_TSNE_STEPS = 400
_TSNE_ANGLE = 1.0
"""Barnes and Hut's trade of exactness for speed: of 4,000 segments, 400 steps at 1.0 kept as many
neighbors (trustworthiness 0.9995 by metrics and 0.996 by pixels) as 500 at 0.5, and put as many of
one set together (within 0.01), in little more than half the time."""


@dataclass(frozen=True)
class Embedding:
    """Segments of several sets in a plane.

    Attributes:
        points: float (N, 2).
        which: (N,) texts, the set of each.
        place: int (N,), its place in that set.
        same: per set, the share of the ten nearest neighbors that is of the same set.
        chance: per set, what that share is where the sets are mixed.
    """

    points: np.ndarray
    which: np.ndarray
    place: np.ndarray
    same: Mapping[str, float]
    chance: Mapping[str, float]


def embed(
    sets: Mapping[str, SegmentSet],
    *,
    by: str = "pixels",
    seed: int = 0,
    metrics: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> Embedding:
    """Lay segments out in a plane by t-SNE (paper, Figure 7a and b).

    Args:
        sets: by name; of more than ``MOST`` segments in all, as many of each as there is room for
            are taken by chance.
        by: "pixels", all 16,384 of a segment, by their 50 first principal components; or "metrics",
            SDR, thickness and mean intensity.
        seed: of all chance.
        metrics: of the sets' segments, where they are known.

    Raises:
        BadInputError: if there are less than 4 segments that can be laid out, all are alike, or
            ``by`` is neither.
    """
    from sklearn.neighbors import NearestNeighbors

    if by not in WAYS:
        raise BadInputError(f"by is {by!r}: expected 'pixels' or 'metrics'.")
    places = _room_for({name: len(one) for name, one in sets.items()}, seed)
    if by == "metrics":
        known = metrics or {name: measure(one) for name, one in sets.items()}
        parts = [
            np.stack([known[name][metric][place] for metric in METRICS], axis=1)
            for name, place in places.items()
        ]
    else:
        parts = _pixels(sets, places)
    whole = [np.isfinite(part).all(axis=1) for part in parts]
    which = np.repeat(list(places), [keep.sum() for keep in whole])
    place = np.concatenate([p[keep] for p, keep in zip(places.values(), whole, strict=True)])
    x = np.concatenate([part[keep] for part, keep in zip(parts, whole, strict=True)])
    if len(x) < 4:
        raise BadInputError(f"{len(x)} segments cannot be embedded: expected at least 4.")
    if np.all(x == x[0]):
        raise BadInputError(
            f"{len(x)} segments that are all alike cannot be embedded: expected different ones."
        )
    if by == "metrics":
        x = standardized(x)
    else:
        x = principal_components(x, _PIXEL_COMPONENTS, seed)
        x /= max(x.std(axis=0).max(), 1e-12)
    points = _in_a_plane(x, seed)
    near = NearestNeighbors(n_neighbors=min(_NEIGHBORS, len(x) - 1)).fit(points)
    alike = which[near.kneighbors(return_distance=False)] == which[:, None]
    names = list(dict.fromkeys(which.tolist()))
    return Embedding(
        points=points,
        which=which,
        place=place,
        same={name: float(alike[which == name].mean()) for name in names},
        chance={name: float((np.sum(which == name) - 1) / (len(x) - 1)) for name in names},
    )


def _in_a_plane(x: np.ndarray, seed: int) -> np.ndarray:
    """Lay points (N, D) out in a plane, float64 (N, 2)."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    tsne = TSNE(
        perplexity=min(30, (len(x) - 1) / 3),
        init="pca",
        max_iter=_TSNE_STEPS,
        angle=_TSNE_ANGLE,
        random_state=seed,
        n_jobs=1,
    )
    with threadpool_limits(1, "openmp"):  # as for the trees
        points: np.ndarray = tsne.fit_transform(x.astype(np.float32))
    return points.astype(np.float64)


def _pixels(sets: Mapping[str, SegmentSet], places: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Give the pixels of some segments of each set, without the rows that all leave empty."""
    rows = np.any([one.hu.any(axis=(0, 2)) for one in sets.values()], axis=0)
    rows = rows if rows.any() else np.ones_like(rows)
    return [
        sets[name].hu[place][:, rows].reshape(len(place), -1).astype(np.float32)
        for name, place in places.items()
    ]


def _room_for(sizes: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
    """Give places in each set: all of them, or as many that ``MOST`` suffice for all sets."""
    rng = np.random.default_rng(seed)
    left, places = MOST, {}
    # From the smallest on: what it leaves over is for the others.
    for number, name in enumerate(sorted(sizes, key=sizes.__getitem__)):
        count = min(sizes[name], left // (len(sizes) - number))
        places[name] = np.sort(rng.permutation(sizes[name])[:count])
        left -= count
    return {name: places[name] for name in sizes}


def _parts(inputs: Inputs) -> Sequence[str]:
    return tuple(WAYS)


def _run(inputs: Inputs, by: str, report_progress: Progress) -> Embedding:
    metrics = {name: one.metrics_of(inputs.places[name]) for name, one in inputs.sets.items()}
    return embed(inputs.compared, by=by, seed=inputs.seed, metrics=metrics)


def _describe(inputs: Inputs, found: Mapping[str, Embedding]) -> Result:
    numbers = {
        by: {"same": one.same, "chance": one.chance, "segments": len(one.points)}
        for by, one in found.items()
    }
    return Result(
        numbers={"tsne": numbers},
        figures=_figures(inputs, found),
        columns=tuple(one for by, each in found.items() for one in _columns(inputs, by, each)),
    )


def _columns(inputs: Inputs, by: str, one: Embedding) -> list[PerSegment]:
    found = []
    for name in one.same:
        here = one.which == name
        places = inputs.places[name][one.place[here]]
        for axis, values in zip("xy", one.points[here].T, strict=True):
            found.append(PerSegment(f"tsne_{by}_{axis}", name, places, values))
    return found


def _figures(inputs: Inputs, found: Mapping[str, Embedding]) -> tuple[ReportFigure, ...]:
    if not found:
        return ()
    triangles = " Triangles: artificial segments made to be plainly no skull."
    return (
        ReportFigure(
            "tsne",
            "Segments in a plane by t-SNE of metrics and of pixels, colored by set",
            "Each dot a segment, near others that are alike; the axes of t-SNE have no meaning. "
            "Colors that mix cannot be told apart this way, islands of one color can. In the "
            "legend: share of a segment's ten nearest dots from its own set, and what it "
            "would be by chance." + triangles * ("artificial" in inputs.sets),
            writer(6.2, lambda figure: _draw(figure, inputs, found)),
        ),
    )


def _draw(figure: Figure, inputs: Inputs, found: Mapping[str, Embedding]) -> None:
    titles = {"metrics": "a. By SDR, thickness and intensity", "pixels": "b. By all pixels"}
    shown = [by for by in titles if by in found]
    for axes, by in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        _draw_plane(axes, found[by], _unrealistic(inputs, found[by]))
        axes.set_title(titles[by])


def _draw_plane(axes: Axes, one: Embedding, odd: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(len(one.points))  # no set hides another
    colors = np.array([COLORS[name] for name in one.which])
    size = float(np.clip(8000 / len(order), 4, 18))
    for which, marker, larger in ((~odd[order], "o", 1), (odd[order], "^", 1.6)):
        places = order[which]
        across, up = one.points[places].T
        axes.scatter(
            across, up, s=larger * size, c=colors[places], marker=marker,
            linewidths=0, rasterized=True,
        )  # fmt: skip
    for name, same in one.same.items():
        label = f"{LABELS[name]}: {100 * same:.0f} % (chance {100 * one.chance[name]:.0f} %)"
        axes.plot([], [], "o", color=COLORS[name], label=label)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set(visible=True, color="#cccccc")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2)


def _unrealistic(inputs: Inputs, one: Embedding) -> np.ndarray:
    """Find the points of artificial segments that were made to be plainly no skull."""
    from ...generation import artificial

    odd = np.zeros(len(one.which), bool)
    here = one.which == "artificial"
    if here.any():
        segments = inputs.sets["artificial"].segments
        places = inputs.places["artificial"][one.place[here]]
        odd[here] = artificial.styles_of(segments)[places] == "unrealistic"
    return odd


def _charts(numbers: Numbers) -> Sequence[Chart]:
    return [
        Scatter(f"t-SNE of {WAYS[by]}", (f"tsne_{by}_x", f"tsne_{by}_y"))
        for by in numbers.get("tsne", {})
    ]


def _summary(numbers: Numbers) -> Sequence[SummaryColumn]:
    return [
        SummaryColumn(
            f"{title}, {by} (%)",
            {name: 100 * share for name, share in laid_out[key].items()},
            "%",
            description,
        )
        for by, laid_out in numbers.get("tsne", {}).items()
        for title, key, description in (
            ("Neighbors own", "same", "Of the ten nearest in t-SNE, share from the same set"),
            ("Neighbors by chance", "chance", "What that share would be if sets were mixed"),
        )
    ]


MEASURE: Measure[Embedding] = Measure(
    name="tsne",
    title="t-SNE",
    run=_run,
    describe=_describe,
    parts=_parts,
    weight=6,
    columns=tuple(
        Column(f"tsne_{by}_{axis}", title=f"t-SNE of {by}, {axis}") for by in WAYS for axis in "xy"
    ),
    charts=_charts,
    summary=_summary,
)
