"""McDannold's polynomials, fitted to the heating of treatments at 660 kHz."""

from __future__ import annotations

import numpy as np

from .convention import Conditions, Convention
from .tissues import NEPER_DB

_FITTED_MHZ = 0.66
_SLOWNESS = (1.24e-3, -7.63e-7, 1.69e-10, 5.31e-16, -2.79e-18)
_ATTENUATION = (5.71e3, -9.02, 5.40e-3, -1.41e-6, 1.36e-10)
_HU_RANGE = (0.0, 2000.0)


def apparent_density(hu: np.ndarray) -> np.ndarray:
    """Give the density in kg/m³ on the line through air (-1000 HU, 1.3) and tissue (27, 1041)."""
    return 1013.66593 + 1.01237293 * hu


def _of_hu(hu: np.ndarray, conditions: Conditions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    density = apparent_density(np.clip(hu, *_HU_RANGE))
    speed = 1 / np.polynomial.polynomial.polyval(density, _SLOWNESS)
    np_m = np.polynomial.polynomial.polyval(density, _ATTENUATION)
    return density, speed, np_m * NEPER_DB / 100 / _FITTED_MHZ


CONVENTION = Convention(
    name="mcdannold",
    source="McDannold et al. 2019, Phys. Rev. Research 1, 033205, with BabelBrain's density",
    formula="density 1013.666 + 1.012373 HU kg/m3; 1 / speed = 1.24e-3 - 7.63e-7 d + 1.69e-10 d^2 "
    "+ 5.31e-16 d^3 - 2.79e-18 d^4 s/m; attenuation at 660 kHz 5.71e3 - 9.02 d + 5.40e-3 d^2 - "
    "1.41e-6 d^3 + 1.36e-10 d^4 Np/m, growing with the frequency; HU cut to 0 to 2000",
    of_hu=_of_hu,
    hu_range=_HU_RANGE,
    frequency_range_khz=(500.0, 800.0),
    sharp_kernel=True,
    caution="Fitted to temperatures of whole treatments at 660 kHz: the attenuation of light bone "
    "stands for scattering, too.",
)
