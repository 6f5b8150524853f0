"""The fine structure of walls: grain, its tails, and a grid."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.metrics.fine_structure import fine_structure


def walls(grain: np.ndarray) -> SegmentSet:
    """Straight walls of 1,200 HU with a grain of (N, 40, 128) HU."""
    hu = np.zeros((len(grain), 128, 128), np.int16)
    hu[:, 20:60] = 1200 + grain
    return segment_set.without_patient(hu, hu != 0, np.arange(len(grain)))


def test_white_grain_keeps_what_the_gaussian_leaves_of_it_and_shows_no_grid():
    grain = np.random.default_rng(0).normal(0, 100, (30, 40, 128))
    found = fine_structure(walls(grain))
    # Of white noise less its Gaussian mean, 1 - 2 k(0) + sum k^2 is left; k(0) = 1 / (2 pi s^2).
    left = 1 - 2 / (2 * np.pi * 1.5**2) + 1 / (4 * np.pi * 1.5**2)
    assert found.std_hu == pytest.approx(100 * np.sqrt(left), rel=0.01)
    assert found.kurtosis == pytest.approx(3, abs=0.1)
    assert found.grid < 0.03
    assert found.along_row[0] == pytest.approx(-0.1, abs=0.05)


@pytest.mark.parametrize("axis", [1, 2])
def test_a_grid_shows_in_its_standard_deviations(axis):
    phase = np.arange((40, 128)[axis - 1]) % 4 == 1
    shape = [1, 1, 1]
    shape[axis] = -1
    grain = np.random.default_rng(0).normal(0, 100, (30, 40, 128)) + 80 * phase.reshape(shape)
    assert fine_structure(walls(grain)).grid > 0.4


def test_heavy_tails_have_a_larger_kurtosis():
    grain = np.random.default_rng(0).laplace(0, 70, (30, 40, 128))
    assert fine_structure(walls(grain)).kurtosis > 4


def test_many_segments_are_measured_as_a_few_at_once():
    grain = np.random.default_rng(0).normal(0, 100, (300, 40, 128))
    whole, half = fine_structure(walls(grain)), fine_structure(walls(grain[:150]))
    assert whole.std_hu == pytest.approx(half.std_hu, rel=0.02)


def test_segments_without_a_wall_have_none():
    assert np.isnan(fine_structure(walls(np.full((2, 40, 128), -1200))).std_hu)
