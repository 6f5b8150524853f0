"""Which segments resemble each other because of where they come from."""

from __future__ import annotations

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from .statistics import groups_of, numbered

BLOCK_MM = 15.0
"""Cuts of one head whose middles lie in one cube of this size show nearly the same bone."""


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


_MIDDLE_ROW = 24.0
"""About where walls lie in a segment."""
