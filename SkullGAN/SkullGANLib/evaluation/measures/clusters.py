"""Which segments belong together because of where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from .statistics import groups_of, numbered

if TYPE_CHECKING:
    from ..evaluation_set import EvaluationSet

STRATA = ("bone", "side", "plane")
"""What segments are told apart by, of ``segment_set.TEXTS``."""
FEWEST = 20
"""Segments of a stratum, or of a file, that something is said of."""
BLOCK_MM = 15.0
"""Cuts of one head whose middles lie in one cube of this size show nearly the same bone."""


_MIDDLE_ROW = 24.0
"""About where walls lie in a segment."""


def alike(segments: SegmentSet) -> np.ndarray:
    """Number the segments that must be resampled together, int (N,).

    Those of a subject; of a set of one subject those from one place of its head; else, and where
    neither is known, each is for itself.
    """
    subjects = numbered(segments.subject)
    if subjects.max(initial=-1) > 0 or (subjects < 0).any():
        return groups_of(segments.subject)
    middle = np.array([(SIZE - 1) / 2, _MIDDLE_ROW, 0, 1])
    places = segments.pixel_to_ras @ middle
    if not np.isfinite(places).all():
        return np.arange(len(segments))
    cubes = np.floor(places[:, :3] / BLOCK_MM).astype(int)
    _, number = np.unique(cubes, axis=0, return_inverse=True)
    return number.reshape(-1)


def strata_of(segments: SegmentSet) -> dict[str, dict[str, np.ndarray]]:
    """Give the places of the segments of each bone, side and plane, int (n,).

    Left out are ``unknown`` ones, strata of fewer than 20 segments, and what tells none apart.
    """
    found = {}
    for by in STRATA:
        texts = getattr(segments, by).astype(str)
        each = {name: np.flatnonzero(texts == name) for name in sorted({*texts} - {"unknown"})}
        enough = {name: here for name, here in each.items() if len(here) >= FEWEST}
        if len(enough) > 1:
            found[by] = enough
    return found


def files_of(one: EvaluationSet, places: np.ndarray) -> dict[str, np.ndarray]:
    """Give which of the segments compared come from each file, int (n,); none of a single file.

    Args:
        one: the set.
        places: int (C,), of the segments compared, in ``one.segments``.
    """
    if len(one.sources) < 2:
        return {}
    ends = np.cumsum([source.count for source in one.sources])
    number = np.searchsorted(ends, one.place[places], side="right")
    names = [source.path.name for source in one.sources]
    if len(set(names)) < len(names):  # of one name in several folders
        names = [f"{source.path.parent.name}/{source.path.name}" for source in one.sources]
    if len(set(names)) < len(names):
        names = [f"{place + 1}: {name}" for place, name in enumerate(names)]
    each = {name: np.flatnonzero(number == place) for place, name in enumerate(names)}
    return {name: here for name, here in each.items() if len(here) >= FEWEST}
