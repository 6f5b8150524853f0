"""The noise of a CT, where it is known."""

from __future__ import annotations

import pytest
from examples import straight_walls
from SkullGANLib.evaluation.measures import disturbances
from SkullGANLib.evaluation.measures.noise import noise_hu


@pytest.mark.parametrize("deviation", [10, 60])
def test_the_noise_of_layered_walls_is_what_was_added(deviation):
    noisy = disturbances.noisy(straight_walls(20, 0, noise_hu=0), deviation)
    assert noise_hu(noisy) == pytest.approx(deviation, rel=0.1)


def test_smooth_walls_have_none_and_thin_ones_tell_nothing():
    walls = straight_walls(5, 0, noise_hu=0)
    assert noise_hu(walls) < 2
    walls.mask[:] = 0
    assert noise_hu(walls) == 0
