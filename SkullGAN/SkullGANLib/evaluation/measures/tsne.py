"""Embedding: segments of several sets in a plane, by t-SNE of raw pixels or of metrics.

``embed`` gives, beside the plane, a number for what the eye sees in it: the share of neighbors
from the same set, and what it would be by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from ...metrics import measure
from .c2st import principal_components, standardized

MOST = 4_000
"""Segments laid out in all; of larger sets so many are drawn."""

_PIXEL_COMPONENTS = 50
_NEIGHBORS = 10
_TSNE_STEPS = 500
_TSNE_ANGLE = 0.8
"""Barnes and Hut's trade of exactness for speed: of 4,000 segments, 0.8 kept as many neighbors
(0.992) and put as many of one set together (within 0.003) as 0.5, in two thirds of the time."""


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


def embed(sets: Mapping[str, SegmentSet], *, by: str = "pixels", seed: int = 0) -> Embedding:
    """Lay segments out in a plane by t-SNE (paper, Figure 7a and b).

    Args:
        sets: by name; of more than ``MOST`` segments in all, as many of each as there is room for
            are drawn.
        by: "pixels", all 16,384 of a segment, by their 50 first principal components; or "metrics",
            SDR, thickness and mean intensity.
        seed: of all chance.

    Raises:
        BadInputError: if there are less than 4 segments that can be laid out, all are alike, or
            ``by`` is neither.
    """
    from sklearn.manifold import TSNE
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    if by not in ("pixels", "metrics"):
        raise BadInputError(f"by is {by!r}, needed is 'pixels' or 'metrics'.")
    places = _room_for({name: len(one) for name, one in sets.items()}, seed)
    rows = np.any([one.hu.any(axis=(0, 2)) for one in sets.values()], axis=0)
    parts = [_laid_out_by(by, sets[name][place], rows) for name, place in places.items()]
    whole = [np.isfinite(part).all(axis=1) for part in parts]
    which = np.repeat(list(places), [keep.sum() for keep in whole])
    place = np.concatenate([p[keep] for p, keep in zip(places.values(), whole, strict=True)])
    x = np.concatenate([part[keep] for part, keep in zip(parts, whole, strict=True)])
    if len(x) < 4:
        raise BadInputError(f"{len(x)} segments were to be embedded, at least 4 are needed.")
    if np.all(x == x[0]):
        raise BadInputError(
            f"{len(x)} segments that are all alike were to be embedded, unlike ones are needed."
        )
    if by == "metrics":
        x = standardized(x)
    else:
        x = principal_components(x, _PIXEL_COMPONENTS, seed)
        x /= max(x.std(axis=0).max(), 1e-12)
    tsne = TSNE(
        perplexity=min(30, (len(x) - 1) / 3),
        init="pca",
        max_iter=_TSNE_STEPS,
        angle=_TSNE_ANGLE,
        random_state=seed,
        n_jobs=1,
    )
    with threadpool_limits(1, "openmp"):  # as for the trees
        points = tsne.fit_transform(x.astype(np.float32)).astype(np.float64)
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


def _laid_out_by(by: str, segments: SegmentSet, rows: np.ndarray) -> np.ndarray:
    if by == "pixels":  # without the rows that all sets leave empty, which tell nothing
        hu = segments.hu[:, rows] if rows.any() else segments.hu
        return hu.reshape(len(hu), -1).astype(np.float32)
    metrics = measure(segments)
    names = ("sdr_peaks", "thickness_mm", "mean_intensity_hu")
    return np.stack([metrics[name] for name in names], axis=1)


def _room_for(sizes: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
    """Give places in each set, all of them or drawn so that ``MOST`` suffice for all sets."""
    rng = np.random.default_rng(seed)
    left, places = MOST, {}
    # From the smallest on: what it leaves over is for the others.
    for number, name in enumerate(sorted(sizes, key=sizes.__getitem__)):
        count = min(sizes[name], left // (len(sizes) - number))
        places[name] = np.sort(rng.permutation(sizes[name])[:count])
        left -= count
    return {name: places[name] for name in sizes}
