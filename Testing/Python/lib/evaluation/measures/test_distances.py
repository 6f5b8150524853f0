"""Distances of distributions that were moved by a known amount."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.evaluation.measures import distances
from SkullGANLib.metrics.registry import compared


def test_distances_of_moved_distributions_are_how_far_they_moved():
    values = {name: np.arange(10.0) for name in compared()}
    moved = {name: np.append(each + 3, np.nan) for name, each in values.items()}

    one = distances.metric_distances(values, moved)["sdr_peaks"]

    assert one.wasserstein == pytest.approx(3)
    assert one.ks == pytest.approx(0.3)
    assert one.measured == (10, 10)
