"""Rows of segments in a figure: side by side, with gaps, in the window of bone."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from SkullGANLib.evaluation.measures import drawing


def test_pictures_stand_side_by_side_with_gaps_and_free_places():
    shown = drawing.draw_row(Figure().subplots(), np.full((2, 4, 128), 700), 3)
    line = shown.get_array()
    assert line.shape == (4, 3 * 128 + 2 * drawing.GAP_PX)
    assert (line[:, :128] == 700).all()
    assert np.isnan(np.asarray(line.filled(np.nan))[:, 128 : 128 + drawing.GAP_PX]).all()
    assert shown.get_clim() == (0, 2000)


def test_differences_are_white_in_the_middle():
    shown = drawing.draw_row(Figure().subplots(), np.zeros((1, 4, 128)), 1, difference=True)
    low, high = shown.get_clim()
    assert low == -high


def test_a_line_is_as_high_as_its_rows_are_wide():
    assert drawing.line_height(slice(0, 64), 12.0, 6, 0.5) == 12 / 6 / 2 + 0.5
