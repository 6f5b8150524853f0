"""Marsac's model: density and speed linear between water and the densest bone."""

from __future__ import annotations

import numpy as np

from .convention import Conditions, Convention
from .k_wave import UNIFORM_DB_CM_MHZ
from .tissues import WATER

_LOWEST_HU = 300.0
_DENSITY = 2100.0
_SPEED = 3360.0


def _of_hu(hu: np.ndarray, conditions: Conditions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    densest = conditions.densest_hu
    assert densest is not None
    share = np.clip((hu - _LOWEST_HU) / (densest - _LOWEST_HU), 0, 1)
    return (
        WATER.density + (_DENSITY - WATER.density) * share,
        WATER.sound_speed + (_SPEED - WATER.sound_speed) * share,
        np.full(hu.shape, UNIFORM_DB_CM_MHZ),
    )


CONVENTION = Convention(
    name="marsac",
    source="Marsac et al. 2017, Int. J. Hyperthermia 33, 635-645, with the constants of PRESTUS; "
    "attenuation, of which it says nothing, as k-Plan has it",
    formula="density and speed linear from water (1000 kg/m3, 1500 m/s) at 300 HU to 2100 kg/m3 "
    "and 3360 m/s at the densest bone; attenuation 13.3 dB/(cm MHz)",
    of_hu=_of_hu,
    hu_range=(300.0, 3071.0),
    normalized=True,
    caution="Scaled by the densest bone of the set: media of two sets can be compared only with "
    "the same densest HU (PRESTUS: 2000).",
)
