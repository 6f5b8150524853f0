"""k-Plan's table of densities, and speed from density."""

from __future__ import annotations

import numpy as np

from .convention import Conditions, Convention
from .k_wave import UNIFORM_DB_CM_MHZ, speed_of_density
from .tissues import WATER

_HU = np.array([-990.0, 60.0, 1000.0, 1950.0])
_DENSITY = np.array([1.2, 1060.0, 1530.0, 2150.0])


def _of_hu(hu: np.ndarray, conditions: Conditions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    slopes = np.diff(_DENSITY) / np.diff(_HU)
    # The outer pieces go on beyond the table.
    piece = np.clip(np.searchsorted(_HU, hu, side="right") - 1, 0, len(slopes) - 1)
    density = np.maximum(_DENSITY[piece] + slopes[piece] * (hu - _HU[piece]), WATER.density)
    return density, speed_of_density(density), np.full(hu.shape, UNIFORM_DB_CM_MHZ)


CONVENTION = Convention(
    name="k-plan",
    source="default calibration and pipeline of k-Plan (Brainbox, University College London)",
    formula="density linear between -990, 60, 1000, 1950 HU: 1.2, 1060, 1530, 2150 kg/m3, and on "
    "beyond; speed 1.33 density + 167 m/s; attenuation 13.3 dB/(cm MHz)",
    of_hu=_of_hu,
    hu_range=(-990.0, 1950.0),
)
