"""How fine grids are, and what lies between pixels."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.acoustics.grid import (
    grid_spacing_mm,
    interpolated,
    interpolation_weights,
    refined_count,
)
from SkullGANLib.errors import BadInputError


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, 0.45),
        ({"refine": 3}, 0.15),
        ({"spacing_mm": 0.2}, 0.2),
        ({"points_per_wavelength": 8}, 0.375),  # 1500 m/s at 500 kHz are 3 mm
        ({"points_per_wavelength": 4}, 0.45),  # pixels are finer than the 0.75 mm that are needed
    ],
)
def test_a_grid_is_as_fine_as_is_asked_for_and_never_coarser_than_pixels(wish, expected):
    assert grid_spacing_mm(0.45, 1500.0, 500.0, **wish) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"refine": 0}, "refine is 0, expected 1 to 64"),
        ({"spacing_mm": 0.6}, "grid of 0.6 mm was asked for, expected at most the 0.45 mm"),
        ({"points_per_wavelength": 1}, "1 points per wavelength carry no wave"),
        ({"refine": 2, "spacing_mm": 0.2}, "refine and spacing-mm were given, expected one"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(wish, sentence):
    with pytest.raises(BadInputError, match=sentence):
        grid_spacing_mm(0.45, 1500.0, 500.0, **wish)


@pytest.mark.parametrize("finer_mm", [0.45, 0.225, 0.15, 0.375, 0.31])
def test_a_straight_rise_stays_straight_on_finer_grids(finer_mm):
    weights = interpolation_weights(20, 0.45, finer_mm)
    assert len(weights) == refined_count(20, 0.45, finer_mm)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    centers = (np.arange(20) - 9.5) * 0.45
    finer = (np.arange(len(weights)) - (len(weights) - 1) / 2) * finer_mm
    inside = np.abs(finer) <= centers[-1]
    np.testing.assert_allclose((weights @ (7 * centers))[inside], 7 * finer[inside], atol=1e-12)


def test_axes_are_interpolated_one_after_the_other():
    values = np.array([[0, 4], [8, 12]], np.int16)
    weights = interpolation_weights(2, 1.0, 0.5)
    found = interpolated(values, {0: weights, 1: weights})
    np.testing.assert_allclose(found[:, 0], [0, 2, 6, 8])
    np.testing.assert_allclose(found[0], [0, 1, 3, 4])
