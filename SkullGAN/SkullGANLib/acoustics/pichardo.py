"""Pichardo's measurements on fresh skulls, from 270 to 836 kHz."""

from __future__ import annotations

import numpy as np

from .convention import Conditions, Convention
from .mcdannold import apparent_density
from .tissues import NEPER_DB

_DENSITY = np.array([1242.0, *range(1300, 3000, 100)])
_MHZ = (0.27, 0.836)
_SPEED = np.array(
    [
        [1714.6, 1765.3, 1852.4, 1939.1, 2025.1, 2109.7, 2194.2, 2289.8, 2410.5, 2566.3, 2734.0,
         2890.7, 3039.2, 3184.1, 3329.9, 3476.5, 3622.6, 3766.8],
        [1888.7, 1959.4, 2066.9, 2152.2, 2218.8, 2278.9, 2343.1, 2414.4, 2494.6, 2585.5, 2688.7,
         2805.9, 2939.0, 3089.5, 3248.1, 3413.2, 3585.8, 3767.2],
    ]
)  # fmt: skip
_NP_M = np.array(
    [
        [107.2, 96.2, 78.1, 61.0, 45.4, 31.9, 21.9, 17.3, 19.6, 29.3, 45.1, 65.4, 88.3, 112.3,
         135.6, 158.4, 181.4, 205.6],
        [228.3, 206.1, 185.9, 185.9, 197.4, 211.7, 225.1, 237.3, 247.9, 256.2, 261.3, 263.6, 264.0,
         263.0, 261.5, 255.2, 238.5, 205.7],
    ]
)  # fmt: skip


def _of_hu(hu: np.ndarray, conditions: Conditions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    density = np.clip(apparent_density(hu), _DENSITY[0], _DENSITY[-1])
    mhz = conditions.frequency_khz / 1000
    place = (mhz - _MHZ[0]) / (_MHZ[1] - _MHZ[0])
    # Linear between the frequencies, as between densities.
    speed = np.interp(density, _DENSITY, (1 - place) * _SPEED[0] + place * _SPEED[1])
    np_m = np.interp(density, _DENSITY, (1 - place) * _NP_M[0] + place * _NP_M[1])
    return density, speed, np_m * NEPER_DB / 100 / mhz


CONVENTION = Convention(
    name="pichardo",
    source="Pichardo, Sin and Hynynen 2011, Phys. Med. Biol. 56, 219-250, as BabelBrain "
    "tabulates it",
    formula="density 1013.666 + 1.012373 HU kg/m3, cut to 1242 to 2900; speed and attenuation "
    "linear between tables at 270 and 836 kHz by steps of 100 kg/m3 (at 1600, 2000, 2400 kg/m3: "
    "2025, 2411, 3039 m/s and 45, 20, 88 Np/m; 2219, 2495, 2939 m/s and 197, 248, 264 Np/m)",
    of_hu=_of_hu,
    hu_range=(226.0, 1863.0),
    frequency_range_khz=(270.0, 836.0),
    sharp_kernel=True,
    caution="The attenuation is that at the frequency asked for, given as if it grew with the "
    "frequency: of other frequencies it says nothing.",
)
