"""What lies around the bone: water, brain and scalp as ultrasound finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

NEPER_DB = 8.685889638
"""Decibels of a neper: 20 log10(e)."""


@dataclass(frozen=True)
class Tissue:
    """A homogeneous medium.

    Attributes:
        name: what options call it.
        density: kg/m³.
        sound_speed: m/s.
        alpha_coeff: attenuation in dB/(cm MHz^y), with y the ``alpha_power``.
        alpha_power: y.
    """

    name: str
    density: float
    sound_speed: float
    alpha_coeff: float
    alpha_power: float

    def coefficient(self, frequency_khz: float, alpha_power: float) -> float:
        """Give the coefficient that with another power attenuates as much at a frequency.

        A simulator takes one power for the whole grid.

        Example:
            >>> Tissue("a", 1000.0, 1500.0, 0.2, 2.0).coefficient(500.0, 1.0)
            0.1
        """
        return self.alpha_coeff * (frequency_khz / 1000) ** (self.alpha_power - alpha_power)


WATER = Tissue("water", 1000.0, 1500.0, 2.17e-3, 2.0)
BRAIN = Tissue("brain", 1046.0, 1546.0, 0.59, 1.2)
SCALP = Tissue("scalp", 1090.0, 1610.0, 0.4, 1.0)
# Density and speed of water and scalp: the ITRUSST benchmarks (Aubry et al. 2022, J. Acoust. Soc.
# Am. 152, 1003); brain and water's attenuation: IT'IS database, as PRESTUS has them.

TISSUES: Mapping[str, Tissue] = MappingProxyType({one.name: one for one in (WATER, BRAIN)})
"""What may be chosen for the background, by name; scalp is a layer of a chosen thickness."""
