"""Every convention at known HU, and one place to add another."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.acoustics import CONVENTIONS, Conditions, Convention, MediumSettings, registered
from SkullGANLib.acoustics.registry import checked_convention
from SkullGANLib.errors import BadInputError

HU = np.array([-1000, 0, 300, 1000, 1500, 2000], np.int16)
CONDITIONS = Conditions(frequency_khz=600.0, densest_hu=2000.0)
BY_HAND = {
    # HU + 1000 is 0, 1000, 1300, 2000, 2500, 3000: 0.90827 x 1000 + 103.615, then
    # 0.662537 x number + 348.8555; the first is below water. Speed: 1.33 x density + 167.
    "k-wave": (
        [1000, 1011.89, 1210.15, 1673.93, 2005.20, 2336.47],
        [1500, 1512.81, 1776.50, 2393.33, 2833.91, 3274.50],
        [13.3] * 6,
    ),
    # 1060 + 240 / 2; 1530; 1530 + 500 x 620 / 950; 2150 + 50 x 620 / 950.
    "k-plan": (
        [1000, 1000, 1180, 1530, 1856.32, 2182.63],
        [1500, 1500, 1736.4, 2201.9, 2635.90, 3069.90],
        [13.3] * 6,
    ),
    # 0, 0, 0, 7/17, 12/17 and all of the way to 2100 kg/m3 and 3360 m/s.
    "marsac": (
        [1000, 1000, 1000, 1452.94, 1776.47, 2100],
        [1500, 1500, 1500, 2265.88, 2812.94, 3360],
        [13.3] * 6,
    ),
    # k-Wave's pieces of HU themselves: 302.06 is below 997; 1011.89, 1342.66, 1673.93.
    "tusnet": (
        [997, 997, 997, 1011.89, 1342.66, 1673.93],
        [1493.01, 1493.01, 1493.01, 1512.81, 1952.74, 2393.33],
        [0.53, 0.53, 13.3, 13.3, 13.3, 13.3],
    ),
    # Polynomials of 1013.67, 1317.38, 2026.04, 2532.23 and 3038.41 kg/m3.
    "mcdannold": (
        [1013.67, 1013.67, 1317.38, 2026.04, 2532.23, 3038.41],
        [1567.81, 1567.81, 1919.58, 2896.41, 3502.91, 3861.05],
        [104.01, 104.01, 50.64, 21.90, 25.34, 25.80],
    ),
    # Densities cut to 1242 and 2900; 0.58304 of the way from 270 to 836 kHz.
    "pichardo": (
        [1242, 1242, 1317.38, 2026.04, 2532.23, 2900],
        None,
        None,
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_each_convention_gives_what_is_worked_out_by_hand(name):
    found = CONVENTIONS[name].properties(HU, CONDITIONS)
    density, speed, attenuation = BY_HAND[name]
    np.testing.assert_allclose(found.density, density, atol=0.006)
    if speed is not None:
        np.testing.assert_allclose(found.sound_speed, speed, atol=0.006)
        np.testing.assert_allclose(found.alpha_coeff, attenuation, atol=0.006)


def test_pichardo_is_linear_between_its_tables():
    """At 2000 kg/m³: 2410.5 and 2494.6 m/s, 19.6 and 247.9 Np/m at 270 and 836 kHz."""
    hu = np.array([(2000 - 1013.66593) / 1.01237293])
    low, middle, high = (
        CONVENTIONS["pichardo"].properties(hu, Conditions(khz)) for khz in (270.0, 553.0, 836.0)
    )
    speeds = [one.sound_speed.item() for one in (low, middle, high)]
    assert speeds == pytest.approx([2410.5, 2452.55, 2494.6])
    neper = [
        one.attenuation_np_m(khz).item()
        for one, khz in ((low, 270.0), (middle, 553.0), (high, 836.0))
    ]
    assert neper == pytest.approx([19.6, 133.75, 247.9])


def test_forgetting_the_thousand_of_k_wave_makes_bone_a_third_lighter():
    """REFERENCE: at 1500 HU 2005 kg/m³, and 1343 as in TUSNet's script."""
    hu = np.array([1500])
    found = {
        name: CONVENTIONS[name].properties(hu, CONDITIONS).density.item()
        for name in ("k-wave", "tusnet")
    }
    assert found == pytest.approx({"k-wave": 2005.2, "tusnet": 1342.66}, abs=0.01)
    assert "offset of 1000" in CONVENTIONS["tusnet"].caution


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=lambda one: one.name)
def test_each_convention_says_where_it_comes_from_and_is_never_lighter_than_water(convention):
    assert convention.source
    assert convention.formula
    found = convention.properties(np.arange(-1024, 3072), CONDITIONS)
    assert found.density.min() >= 997
    assert found.sound_speed.min() > 1490
    assert found.sound_speed.max() < 4500
    assert found.alpha_coeff.min() > 0
    for one in (found.density, found.sound_speed, found.alpha_coeff):
        assert np.isfinite(one).all()


TOY = Convention(
    name="toy",
    source="nobody",
    formula="1",
    of_hu=lambda hu, conditions: (hu * 0 + 1000, hu * 0 + 1500, hu * 0),
)


def test_one_place_is_enough_to_add_a_convention():
    with registered(TOY):
        assert MediumSettings(medium="toy").convention is TOY
        with pytest.raises(BadInputError, match="Convention 'toy' exists"), registered(TOY):
            pass
    with pytest.raises(BadInputError, match=r"out of k-wave, k-plan, .*found 'toy'"):
        checked_convention("toy")
