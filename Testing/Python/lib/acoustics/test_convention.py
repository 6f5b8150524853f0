"""A convention says under which conditions it holds."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.acoustics.convention import Conditions, Properties
from SkullGANLib.acoustics.registry import CONVENTIONS
from SkullGANLib.acoustics.tissues import Tissue
from SkullGANLib.errors import BadInputError


@pytest.mark.parametrize(
    ("name", "conditions", "sentence"),
    [
        ("mcdannold", Conditions(250.0), "mcdannold holds for 500 to 800 kHz, found 250 kHz"),
        ("pichardo", Conditions(1000.0), "pichardo holds for 270 to 836 kHz, found 1000 kHz"),
        ("k-plan", Conditions(0.0), "frequency is 0 kHz, expected more than 0"),
        ("marsac", Conditions(), "scaled by the densest bone .* found none"),
        ("marsac", Conditions(500.0, 300.0), "expected its HU, above 700, found 300 HU"),
    ],
)
def test_a_convention_beyond_its_conditions_is_refused(name, conditions, sentence):
    with pytest.raises(BadInputError, match=sentence):
        CONVENTIONS[name].properties(np.array([1000]), conditions)


def test_the_share_of_hu_beyond_a_convention_is_known():
    hu = np.array([-1000, 0, 1950, 1951])
    assert CONVENTIONS["k-plan"].beyond(hu) == 0.5
    assert CONVENTIONS["k-plan"].beyond(hu[:0]) == 0


def test_attenuation_in_neper_grows_with_the_power_of_the_frequency():
    # 8.686 dB/cm at 1 MHz are 100 Np/m; at 4 MHz with a power of 1.5, eight times as much.
    found = Properties(np.array([1.0]), np.array([1.0]), np.array([8.685889638]), 1.5)
    np.testing.assert_allclose(found.attenuation_np_m(1000.0), [100.0])
    np.testing.assert_allclose(found.attenuation_np_m(4000.0), [800.0])


def test_a_tissue_is_the_last_of_the_materials():
    bone = Properties(np.array([2000.0]), np.array([3000.0]), np.array([10.0]), 1.0)
    found = bone.with_tissue(Tissue("gel", 1040.0, 1540.0, 0.4, 2.0), 500.0)
    assert found.density.tolist() == [2000.0, 1040.0]
    assert found.sound_speed.tolist() == [3000.0, 1540.0]
    assert found.alpha_coeff.tolist() == [10.0, 0.2]  # 0.1 dB/cm at 0.5 MHz
