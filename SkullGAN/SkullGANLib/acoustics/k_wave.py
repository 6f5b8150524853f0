"""k-Wave's conversion of CT numbers to density, and speed from density."""

from __future__ import annotations

import numpy as np

from .convention import Conditions, Convention
from .tissues import WATER

OFFSET_HU = 1000.0
"""k-Wave's pieces begin at air = 0: what calls itself HU in them is HU + 1000."""
UNIFORM_DB_CM_MHZ = 13.3
"""Attenuation of skull at 1 MHz in dB/cm (Pinton et al. 2012, as k-Plan has it), absorption and
scattering together."""

_PIECES = (
    (-np.inf, 1.025793065681423, -5.680404011488714),
    (930.0, 0.9082709691264, 103.6151457847139),
    (np.nextafter(1098.0, np.inf), 0.5108369316599, 539.9977189228704),
    (1260.0, 0.6625370912451, 348.8555178455294),
)
"""From which CT number on, slope and intercept."""


def density_of_ct_numbers(numbers: np.ndarray) -> np.ndarray:
    """Give the density in kg/m³ of CT numbers, in which air is 0 and water 1000.

    Four linear pieces, fitted to Schneider et al. (1996), Phys. Med. Biol. 41, 111-124: what
    k-Wave's ``hounsfield2density`` gives.

    Args:
        numbers: HU + 1000, float64 of any shape.

    Example:
        >>> density_of_ct_numbers(np.array([0.0, 1500 + OFFSET_HU])).round(2)
        array([  -5.68, 2005.2 ])
    """
    starts, slopes, intercepts = np.array(_PIECES).T
    piece = np.searchsorted(starts, numbers, side="right") - 1
    return slopes[piece] * numbers + intercepts[piece]


def speed_of_density(density: np.ndarray) -> np.ndarray:
    """Give the speed of sound in m/s, 1.33 ρ + 167, not below that of water (as k-Plan)."""
    return np.maximum(1.33 * density + 167, WATER.sound_speed)


def _of_hu(hu: np.ndarray, conditions: Conditions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    density = np.maximum(density_of_ct_numbers(hu + OFFSET_HU), WATER.density)
    return density, speed_of_density(density), np.full(hu.shape, UNIFORM_DB_CM_MHZ)


CONVENTION = Convention(
    name="k-wave",
    source="hounsfield2density of k-Wave, a fit to Schneider et al. 1996, Phys. Med. Biol. 41, "
    "111-124; speed and attenuation as k-Plan has them, for k-Wave's own speed is of soft tissue "
    "and it has no attenuation",
    formula="density in four linear pieces of HU + 1000 (0.6625371 (HU + 1000) + 348.8555 kg/m3 "
    "from 260 HU on); speed 1.33 density + 167 m/s; attenuation 13.3 dB/(cm MHz)",
    of_hu=_of_hu,
    hu_range=(-1000.0, 2100.0),
    caution="PRESTUS caps the density at 2100 kg/m3 (1643 HU); here it grows on.",
)
