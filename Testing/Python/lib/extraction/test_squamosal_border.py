"""Where the parietal bone begins at the temple: walls with a known step, and the sample."""

import numpy as np
import pytest
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.extraction import squamosal_border

HEIGHTS = np.arange(-18.0, 20.0, 0.5)


def wall(*, foot_mm: float, above_mm: float) -> np.ndarray:
    """Seventeen lines, 2 mm thin below the foot and reaching their thickness 8 mm above it."""
    rise = np.clip((HEIGHTS - foot_mm) / 8.0, 0.0, 1.0)
    return np.tile(2.0 + rise * (above_mm - 2.0), (17, 1))


@pytest.mark.parametrize("foot_mm", [-12.0, -7.0, 0.0])
def test_the_border_is_the_foot_of_the_step_from_thin_to_thick(foot_mm):
    found = squamosal_border.border_mm(HEIGHTS, wall(foot_mm=foot_mm, above_mm=6.0))
    assert foot_mm < found <= foot_mm + 2.0


def test_a_wall_that_is_as_thick_below_as_above_has_no_border():
    assert squamosal_border.border_mm(HEIGHTS, wall(foot_mm=-7.0, above_mm=2.5)) is None


def test_lines_that_scatter_give_no_border():
    feet = np.resize([-16.0, -9.0, -2.0, 1.0], 17)
    walls = np.concatenate([wall(foot_mm=foot, above_mm=6.0)[:1] for foot in feet])
    assert squamosal_border.border_mm(HEIGHTS, walls) is None


def test_too_few_lines_with_a_wall_give_no_border():
    walls = wall(foot_mm=-7.0, above_mm=6.0)
    walls[8:] = np.nan
    assert squamosal_border.border_mm(HEIGHTS, walls) is None


def test_a_wall_that_ends_where_it_was_sawed_shows_no_thinner_wall_there():
    walls = np.full((17, len(HEIGHTS)), 6.0)
    walls[:, HEIGHTS < -5.0] = np.nan
    assert squamosal_border.border_mm(HEIGHTS, walls) is None


def test_the_sample_shows_the_border_where_the_eye_sees_it(sample_ct, sample_mask):
    """In coronal cuts the parietal bone ends 10.5 mm below the middle left, 9.5 mm right."""
    found = squamosal_border.measure(sample_ct, sample_mask, find_cavity(sample_ct))
    assert found["left"] == pytest.approx(-10.5, abs=2.5)
    assert found["right"] == pytest.approx(-9.5, abs=2.5)
    assert found["expected"] == pytest.approx(-7.3, abs=0.3)
    assert found["agrees"] == {"left": True, "right": True}


def test_a_round_head_has_no_squama(sphere_head, sphere_mask):
    found = squamosal_border.measure(sphere_head, sphere_mask, find_cavity(sphere_head))
    assert (found["left"], found["right"]) == (None, None)
    assert found["agrees"] == {"left": None, "right": None}
