"""What a convention is: a record of how HU of bone become acoustic properties, and who says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import BadInputError
from .tissues import NEPER_DB, Tissue

FREQUENCY_KHZ = 500.0
"""Default frequency: that of neuromodulation."""


@dataclass(frozen=True)
class Conditions:
    """What properties may depend on beside the HU.

    Attributes:
        frequency_khz: of the ultrasound.
        densest_hu: HU of the densest bone, of a whole set or head: the same for all that is to be
            compared. None where it is not known; only conventions that are ``normalized`` ask.
    """

    frequency_khz: float = FREQUENCY_KHZ
    densest_hu: float | None = None


@dataclass(frozen=True, eq=False)
class Properties:
    """Acoustic properties, arrays of one shape.

    Attributes:
        density: float64, kg/m³.
        sound_speed: float64, m/s.
        alpha_coeff: float64, attenuation in dB/(cm MHz^y).
        alpha_power: y.
    """

    density: np.ndarray
    sound_speed: np.ndarray
    alpha_coeff: np.ndarray
    alpha_power: float

    def attenuation_np_m(self, frequency_khz: float) -> np.ndarray:
        """Give the attenuation of amplitudes at a frequency, in neper per meter."""
        db_cm = self.alpha_coeff * (frequency_khz / 1000) ** self.alpha_power
        return db_cm * 100 / NEPER_DB

    def with_tissue(self, tissue: Tissue, frequency_khz: float) -> Properties:
        """Give those of a list of materials, float64 (K,), and a tissue behind them, (K + 1,)."""
        coefficient = tissue.coefficient(frequency_khz, self.alpha_power)
        return Properties(
            np.append(self.density, tissue.density),
            np.append(self.sound_speed, tissue.sound_speed),
            np.append(self.alpha_coeff, coefficient),
            self.alpha_power,
        )


@dataclass(frozen=True, kw_only=True)
class Convention:
    """A convention by which HU of bone become acoustic properties.

    Attributes:
        name: what ``--medium`` calls it.
        source: where it comes from.
        formula: in words and symbols, for the files that hold what it gave.
        of_hu: gives density, sound speed and attenuation coefficient, float64 of the shape of the
            HU, float64. What is less dense or slower than water is raised to water there.
        hu_range: HU that it was made for. Beyond, it goes on as ``formula`` says.
        frequency_range_khz: that it was made for; None is any.
        sharp_kernel: whether it was made for CTs of a sharp (bone) kernel alone.
        alpha_power: exponent y of the attenuation's growth with the frequency.
        normalized: whether it needs ``Conditions.densest_hu``.
        background: what it has around the bone, where that is not left to be chosen.
        caution: what its users must know.

    Example:
        >>> ten = lambda hu, conditions: (1000.0 + hu, 1500.0 + hu, 0 * hu + 10.0)
        >>> Convention(name="ten", source="none", formula="c = 1500 + HU", of_hu=ten).properties(
        ...     np.array([250]), Conditions()
        ... ).sound_speed
        array([1750.])
    """

    name: str
    source: str
    formula: str
    of_hu: Callable[[np.ndarray, Conditions], tuple[np.ndarray, np.ndarray, np.ndarray]]
    hu_range: tuple[float, float] = (-1024.0, 3071.0)
    frequency_range_khz: tuple[float, float] | None = None
    sharp_kernel: bool = False
    alpha_power: float = 1.0
    normalized: bool = False
    background: Tissue | None = None
    caution: str = ""

    def properties(self, hu: np.ndarray, conditions: Conditions) -> Properties:
        """Give the properties of bone.

        Args:
            hu: HU, of any shape and type.
            conditions: what else they depend on.

        Raises:
            BadInputError: as ``check``.
        """
        self.check(conditions)
        found = self.of_hu(np.asarray(hu, np.float64), conditions)
        density, sound_speed, alpha_coeff = (np.asarray(one, np.float64) for one in found)
        return Properties(density, sound_speed, alpha_coeff, self.alpha_power)

    def check(self, conditions: Conditions) -> None:
        """Raise unless the convention holds under such conditions.

        Raises:
            BadInputError: if the frequency is none that it was made for, or the densest bone is not
                known or no bone.
        """
        frequency = conditions.frequency_khz
        if not 0 < frequency < np.inf:
            raise BadInputError(f"The frequency is {frequency:g} kHz, expected more than 0.")
        if self.frequency_range_khz is not None:
            low, high = self.frequency_range_khz
            if not low <= frequency <= high:
                raise BadInputError(
                    f"The convention {self.name} holds for {low:g} to {high:g} kHz, found "
                    f"{frequency:g} kHz: expected a frequency among them or another convention."
                )
        densest = conditions.densest_hu
        if self.normalized and (densest is None or densest <= _LEAST_DENSEST_HU):
            found = "none" if densest is None else f"{densest:g} HU"
            raise BadInputError(
                f"The convention {self.name} is scaled by the densest bone of a set: expected its "
                f"HU, above {_LEAST_DENSEST_HU:g}, found {found}."
            )

    def beyond(self, hu: np.ndarray) -> float:
        """Give the share of HU that lie beyond what the convention was made for; 0 of none."""
        if hu.size == 0:
            return 0.0
        low, high = self.hu_range
        return float(np.count_nonzero((hu < low) | (hu > high)) / hu.size)


_LEAST_DENSEST_HU = 700.0  # what is less dense throughout is no skull
