"""Beads: the steps of coarse slices in a cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SkullGANLib.extraction import beads
from SkullGANLib.extraction.beads import bead_mm

MM = 0.45
ROWS, COLUMNS = np.mgrid[0:128, 0:128]


def _cut(swing_mm, period_mm):
    """A wall of 6 mm whose edges swing."""
    swing = swing_mm / MM * np.sin(2 * np.pi * COLUMNS * MM / period_mm)
    inside = np.clip(ROWS - 20 - swing, 0, 1) * np.clip(33 + swing - ROWS, 0, 1)
    hu = np.rint(1500 * inside).astype(np.int16)
    return hu, (hu > 0).astype(np.uint8)


def _laid(along):
    """``pixel_to_ras`` whose columns run along a direction, rows along another."""
    matrix = np.eye(4)
    matrix[:3, 0] = MM * np.asarray(along, float)
    matrix[:3, 1] = MM * np.roll(np.asarray(along, float), 1)
    return matrix


@pytest.mark.parametrize("swing_mm", [0.1, 0.3])
def test_the_swing_of_an_edge_in_step_with_the_slices_is_measured(swing_mm):
    hu, wall = _cut(swing_mm, period_mm=2.0)
    found = bead_mm(hu, wall, _laid([0, 0, 1]), np.diag([0.5, 0.5, 2.0, 1.0]), MM)
    assert found == pytest.approx(swing_mm, abs=0.06)


def test_a_grid_finer_than_the_slices_it_was_made_of_shows_them_all_the_same():
    hu, wall = _cut(0.3, period_mm=1.875)
    assert bead_mm(hu, wall, _laid([0, 0, 1]), np.diag([0.5, 0.5, 0.625, 1.0]), MM) > beads.MOST_MM


def test_a_straight_or_a_gently_bent_wall_has_no_beads():
    ijk_to_ras = np.diag([0.5, 0.5, 2.0, 1.0])
    for period_mm in (1e9, 40.0):
        hu, wall = _cut(1.0, period_mm)
        assert bead_mm(hu, wall, _laid([0, 0, 1]), ijk_to_ras, MM) < 0.1


def test_swings_out_of_step_with_the_voxels_are_no_beads():
    hu, wall = _cut(0.3, period_mm=4.5)
    assert bead_mm(hu, wall, _laid([0, 0, 1]), np.diag([1.0, 1.0, 1.2, 1.0]), MM) < beads.MOST_MM


def test_coronal_cuts_of_slices_that_a_grid_repeats_are_dropped_as_beads(sample_ct):
    """Slices of 2 mm on a grid of 1 mm, as a nearest-neighbor resampling writes them."""
    from SkullGANLib.extraction.single_ct import extract

    repeated = replace(sample_ct, hu=sample_ct.hu[::2].repeat(2, axis=0)[: len(sample_ct.hu)])
    fine, coarse = (extract(one, planes=["axial", "coronal"]) for one in (sample_ct, repeated))
    assert beads.REASON not in fine.dropped
    assert coarse.dropped[beads.REASON] > 10
    assert (coarse.segments.plane == "axial").sum() > 30
