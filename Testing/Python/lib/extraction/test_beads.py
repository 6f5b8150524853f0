"""Beads: the steps of coarse slices in a cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SkullGANLib.extraction import beads
from SkullGANLib.extraction.beads import bead_mm, has_beads, table_wave

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


def _striped(depth, period_mm, slant, texture=0.0):
    """A bent wall of 6 mm with two tables, whose HU swing with slices slanted to its columns."""
    deep = ROWS - 20 - (COLUMNS - 64) ** 2 / 300
    inside = np.clip(deep, 0, 1) * np.clip(14 - deep, 0, 1)
    inside *= 0.3 + sum(np.exp(-(((deep - table) / 1.5) ** 2)) for table in (2, 12))
    along_mm = (np.cos(slant) * COLUMNS + np.sin(slant) * ROWS) * MM
    stripes = 1 + depth * np.cos(2 * np.pi * along_mm / period_mm)
    spots = 1 + texture * np.random.default_rng(3).standard_normal(ROWS.shape)
    hu = np.rint(1500 * inside * stripes * spots).astype(np.int16)
    return hu, (inside > 0).astype(np.uint8)


def _slanted(slant):
    """``pixel_to_ras`` whose columns and rows go across slices like those of ``_striped``."""
    return _laid_in([0, -np.sin(slant), np.cos(slant)], [0, np.cos(slant), np.sin(slant)])


def _laid_in(columns, rows):
    matrix = np.eye(4)
    matrix[:3, :2] = MM * np.transpose([columns, rows])
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


@pytest.mark.parametrize("step_mm", [1.0, 1.5, 2.0])
def test_tables_bright_in_each_slice_are_beads_whatever_grid_they_were_resampled_to(step_mm):
    hu, wall = _striped(0.1, period_mm=2.0, slant=0.6)
    cut = (hu, wall, _slanted(0.6), np.diag([0.5, 0.5, step_mm, 1.0]), MM)
    wave, share = table_wave(*cut)
    assert wave == pytest.approx(0.1, rel=0.25)
    assert share > 0.6
    assert bead_mm(*cut) < beads.MOST_MM
    assert has_beads(*cut)


def test_tables_that_swing_less_than_their_own_texture_are_no_beads():
    ijk_to_ras = np.diag([0.5, 0.5, 2.0, 1.0])
    for depth, texture in ((0.02, 0.0), (0.04, 0.15), (0.0, 0.15)):
        hu, wall = _striped(depth, period_mm=2.0, slant=0.6, texture=texture)
        assert not has_beads(hu, wall, _slanted(0.6), ijk_to_ras, MM)


def test_slices_thicker_than_any_that_may_be_cut_are_not_searched_for():
    hu, wall = _striped(0.1, period_mm=2.0, slant=0.6)
    assert table_wave(hu, wall, _slanted(0.6), np.diag([5.0, 5.0, 5.0, 1.0]), MM) == (0.0, 0.0)


def test_coronal_cuts_of_slices_that_a_grid_repeats_are_dropped_as_beads(sample_ct):
    """Slices of 2 mm on a grid of 1 mm, as a nearest-neighbor resampling writes them."""
    from SkullGANLib.extraction.single_ct import extract

    repeated = replace(sample_ct, hu=sample_ct.hu[::2].repeat(2, axis=0)[: len(sample_ct.hu)])
    fine, coarse = (extract(one, planes=["axial", "coronal"]) for one in (sample_ct, repeated))
    assert beads.REASON not in fine.dropped
    assert coarse.dropped[beads.REASON] > 10
    assert (coarse.segments.plane == "axial").sum() > 30


@pytest.mark.slow
def test_cuts_across_slices_that_were_resampled_to_finer_ones_are_dropped(shared_ct):
    """Its tables swing three times in four slices: slices of 2 mm that became some of 1.5 mm."""
    from SkullGANLib.ct.volume import read_ct
    from SkullGANLib.extraction.single_ct import extract

    found = extract(read_ct(shared_ct / "invesalius_cranium.nii.gz"))
    assert 45 <= found.dropped[beads.REASON] <= 60
    assert (found.segments.plane == "axial").sum() > 45


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nlm_harvard02.nii.gz", "nlm_vhf_iowa.nii.gz"])
def test_a_sharp_and_a_soft_head_with_slices_of_a_millimeter_have_no_beads(shared_ct, name):
    from SkullGANLib.ct.volume import read_ct
    from SkullGANLib.extraction.single_ct import extract

    assert beads.REASON not in extract(read_ct(shared_ct / name)).dropped
