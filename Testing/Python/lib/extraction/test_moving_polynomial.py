"""Moving polynomials along a cut, against SciPy's and against polynomials, which they keep."""

import numpy as np
import pytest
from scipy import signal
from SkullGANLib.data.segment_set import SIZE
from SkullGANLib.extraction import moving_polynomial

NOISE = np.random.default_rng(0).standard_normal(SIZE)


@pytest.mark.parametrize(("window", "order"), [(7, 3), (11, 3), (21, 3), (15, 2)])
def test_values_are_those_of_the_filter_of_savitzky_and_golay(window, order):
    expected = signal.savgol_filter(NOISE, window, order)
    assert moving_polynomial.smooth(NOISE, window, order) == pytest.approx(expected, abs=1e-10)


def test_slopes_are_those_of_the_filter_of_savitzky_and_golay():
    expected = signal.savgol_filter(NOISE, 15, 2, deriv=1)
    assert moving_polynomial.slope(NOISE, 15, 2) == pytest.approx(expected, abs=1e-10)


def test_a_cubic_stays_what_it_is_up_to_the_ends():
    x = np.linspace(-1.0, 1.0, SIZE)
    cubic = 2.0 * x**3 - x + 0.5
    assert moving_polynomial.smooth(cubic, 21, 3) == pytest.approx(cubic, abs=1e-10)
