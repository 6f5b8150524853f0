"""A plane wave through layers: what passes, and by how much it is ahead or behind.

``transmit`` takes profiles across the skull wall, every sample a homogeneous layer between two
half-spaces, and a wave that meets them head on. Per profile the transfer matrices of all layers are
multiplied (Brekhovskikh & Godin 1990, Acoustics of Layered Media I, section 2.5): reflections
between the layers are all in it. What is not: refraction and shear waves where the wall slopes
against the wave, diffraction from column to column, and scattering by what is smaller than a pixel,
but for the part that the attenuation stands for. Speed is taken as that at the frequency; no
dispersion is added to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .convention import Properties
from .tissues import WATER, Tissue


@dataclass(frozen=True, eq=False)
class Transmission:
    """What comes through M profiles.

    Attributes:
        amplitude: float64 (M,), pressure of the wave behind the layers over that before them.
        delay_rad: float64 (M,), phase by which it comes later than through as much of the medium
            before the layers; negative where it is ahead, and not wrapped: -7 is more than a cycle.
    """

    amplitude: np.ndarray
    delay_rad: np.ndarray


def transmit(
    materials: np.ndarray,
    properties: Properties,
    spacing_mm: float,
    frequency_khz: float,
    *,
    before: Tissue = WATER,
    behind: Tissue = WATER,
) -> Transmission:
    """Send a plane wave through profiles of layers.

    With e^(-iωt), wave number k = ω / c + iα and impedance Z = ρω / k, a layer of thickness d takes
    pressure and velocity behind it to those before it by

        p = cos(kd) p' - i Z sin(kd) v',    v = -i sin(kd) / Z p' + cos(kd) v',

    and of a wave of pressure 1 that comes in, t = 2 / (p + Z₀ v) goes out, where p and v follow
    from p' = 1, v' = 1 / Z₁ behind all layers.

    Args:
        materials: int (M, samples), places in ``properties``, from the side of the wave on.
        properties: of K materials, arrays (K,).
        spacing_mm: thickness of a sample.
        frequency_khz: of the wave.
        before, behind: the half-spaces; their attenuation does not count.

    Example:
        >>> bone = Properties(np.array([2000.0]), np.array([3000.0]), np.array([0.0]), 1.0)
        >>> half_a_wave = transmit(np.zeros((1, 3), int), bone, 1.0, 500.0)
        >>> half_a_wave.amplitude.round(6), (half_a_wave.delay_rad / np.pi).round(6)
        (array([1.]), array([-1.]))
    """
    omega = 2000 * np.pi * frequency_khz
    number = omega / properties.sound_speed + 1j * properties.attenuation_np_m(frequency_khz)
    impedance = properties.density * omega / number
    path = number * spacing_mm / 1000
    straight = np.cos(path)
    to_pressure = -1j * impedance * np.sin(path)
    to_velocity = -1j * np.sin(path) / impedance
    pressure = np.ones(len(materials), complex)
    velocity = np.full(len(materials), 1 / (behind.density * behind.sound_speed), complex)
    for layer in materials.T[::-1]:
        along = straight[layer]
        pressure, velocity = (
            along * pressure + to_pressure[layer] * velocity,
            to_velocity[layer] * pressure + along * velocity,
        )
    passed = 2 / (pressure + before.density * before.sound_speed * velocity)
    # One pass without reflections says how many cycles it is; the rest is less than half of one.
    single = path.real[materials].sum(axis=1)
    rest = np.angle(passed * np.exp(-1j * single))
    as_before = omega / before.sound_speed * spacing_mm / 1000 * materials.shape[1]
    return Transmission(np.abs(passed), single + rest - as_before)
