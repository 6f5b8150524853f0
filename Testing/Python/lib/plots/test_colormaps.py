"""Color tables whose steps look even."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.plots import colormaps


def steps(table: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(colormaps.to_oklab(table), axis=0), axis=1)


def test_oklab_of_white_and_of_red_are_the_published_ones():
    assert colormaps.to_oklab(np.ones(3)) == pytest.approx([1.0, 0.0, 0.0], abs=1e-4)
    red = colormaps.to_oklab(np.array([1.0, 0.0, 0.0]))
    assert red == pytest.approx([0.6280, 0.2249, 0.1258], abs=1e-3)


def test_the_sequential_table_gets_lighter_all_the_way_in_even_steps():
    table = colormaps.sequential(256)
    assert table.shape == (256, 3)
    assert ((table >= 0) & (table <= 1)).all()
    assert (np.diff(colormaps.to_oklab(table)[:, 0]) > 0).all()
    assert steps(table).min() / steps(table).max() > 0.9


def test_the_diverging_table_has_a_gray_middle_and_ends_of_equal_lightness():
    table = colormaps.diverging(255)
    assert np.ptp(table[127]) < 0.03
    lightness = colormaps.to_oklab(table)[:, 0]
    assert lightness[0] == pytest.approx(lightness[-1], abs=0.01)
    assert lightness.argmax() == 127
    assert table[0, 2] > table[0, 0]  # blue below zero
    assert table[-1, 0] > table[-1, 2]  # orange above


def test_tables_of_any_length_begin_and_end_alike():
    for count in (2, 9, 1024):
        table = colormaps.sequential(count)
        assert len(table) == count
        assert np.allclose(table[[0, -1]], colormaps.sequential(256)[[0, -1]], atol=1e-6)
