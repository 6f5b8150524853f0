"""Measuring by every metric of the registry: the segments of a set, or any profiles."""

from __future__ import annotations

import logging

import numpy as np

from ..data.segment_set import SegmentSet
from .profiles import Profiles, columns_of, mean_per_segment
from .registry import METRICS

_SEGMENTS_AT_ONCE = 256  # 8,192 profiles of float64 stay in a core's cache; memory stays flat

_log = logging.getLogger(__name__)


def measure(segments: SegmentSet) -> dict[str, np.ndarray]:
    """Measure every segment of a set.

    Args:
        segments: N segments.

    Returns:
        float64 (N,) for each of ``METRICS``: the mean over the columns that count, or what the
        metric makes of the whole segment. NaN where a segment has no column that counts; how many
        those are goes to the log as a warning.
    """
    found = {name: np.full(len(segments), np.nan) for name in METRICS}
    unmeasured = 0
    for start in range(0, len(segments), _SEGMENTS_AT_ONCE):
        part = slice(start, start + _SEGMENTS_AT_ONCE)
        hu = segments.hu[part]
        columns = columns_of(hu, segments.mask[part], segments.pixel_spacing_mm)
        for name, values in _of_segments(columns, hu).items():
            found[name][part] = values
        counts = columns.walls.count.reshape(len(hu), -1)
        unmeasured += int(np.count_nonzero(~counts.any(axis=1)))
    if unmeasured:
        _log.warning(
            "%d of %d segments have no column of bone without air: SDR and thickness are NaN.",
            unmeasured,
            len(segments),
        )
    return found


def measure_profiles(profiles: Profiles) -> dict[str, np.ndarray]:
    """Measure profiles across the skull.

    Returns:
        float64 (M,) for each of ``METRICS``; NaN where the profile meets air or no bone.
    """
    return {
        name: np.where(profiles.walls.count, metric.of_profiles(profiles), np.nan)
        for name, metric in METRICS.items()
    }


def _of_segments(columns: Profiles, hu: np.ndarray) -> dict[str, np.ndarray]:
    by_column = measure_profiles(columns)
    return {
        name: metric.of_segments(hu)
        if metric.of_segments
        else mean_per_segment(by_column[name], len(hu))
        for name, metric in METRICS.items()
    }
