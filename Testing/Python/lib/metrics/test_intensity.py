"""Mean intensity of a few pixels."""

import numpy as np
from SkullGANLib.metrics import mean_intensity_hu


def test_mean_intensity_leaves_out_background_and_what_is_below_10_hu():
    hu = np.zeros((2, 128, 128), np.int16)
    hu[0, 0, :4] = [10, 11, 1001, -500]

    found = mean_intensity_hu(hu)

    assert found[0] == 506
    assert np.isnan(found[1])
