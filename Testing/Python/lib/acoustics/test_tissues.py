"""One power for a whole grid: what attenuates with another is given at the frequency."""

import pytest
from SkullGANLib.acoustics.tissues import BRAIN, NEPER_DB, SCALP, TISSUES, WATER


def test_a_coefficient_of_another_power_attenuates_alike_at_the_frequency():
    for frequency_khz in (250.0, 500.0, 1000.0):
        mhz = frequency_khz / 1000
        one = BRAIN.coefficient(frequency_khz, 1.0) * mhz
        assert one == pytest.approx(BRAIN.alpha_coeff * mhz**BRAIN.alpha_power)


def test_water_is_the_slowest_and_scalp_is_no_background():
    assert WATER.sound_speed < BRAIN.sound_speed < SCALP.sound_speed
    assert list(TISSUES) == ["water", "brain"]
    assert pytest.approx(1.0) == 10 ** (NEPER_DB / 20) / 2.718281828
