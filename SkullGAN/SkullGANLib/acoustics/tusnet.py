"""What TUSNet was trained on: k-Wave's densities without the offset of 1000."""

from __future__ import annotations

import numpy as np

from .convention import Conditions, Convention
from .k_wave import UNIFORM_DB_CM_MHZ, density_of_ct_numbers
from .tissues import Tissue

_BACKGROUND_BELOW_HU = 25.0
_BONE_ABOVE_HU = 100.0
_LEAST_DENSITY = 997.0
_BACKGROUND = Tissue("water", _LEAST_DENSITY, 1.33 * _LEAST_DENSITY + 167, 0.53, 1.5)


def _of_hu(hu: np.ndarray, conditions: Conditions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hu = np.where(hu < _BACKGROUND_BELOW_HU, 0.0, hu)
    density = np.maximum(density_of_ct_numbers(hu), _LEAST_DENSITY)
    alpha_coeff = np.where(hu > _BONE_ABOVE_HU, UNIFORM_DB_CM_MHZ, _BACKGROUND.alpha_coeff)
    return density, 1.33 * density + 167, alpha_coeff


CONVENTION = Convention(
    name="tusnet",
    source="the simulations that TUSNet (Naftchi-Ardebili et al. 2024) was trained on",
    formula="below 25 HU 0; density by k-Wave's hounsfield2density of HU, not of HU + 1000, at "
    "least 997 kg/m3; speed 1.33 density + 167 m/s; attenuation 13.3 dB/(cm MHz^1.5) above 100 HU, "
    "else 0.53",
    of_hu=_of_hu,
    hu_range=(0.0, 2734.53),
    alpha_power=1.5,
    background=_BACKGROUND,
    caution="Densities lack k-Wave's offset of 1000: 1343 instead of 2005 kg/m3 at 1500 HU. For "
    "what is to go with TUSNet, and nothing else.",
)
