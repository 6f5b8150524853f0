"""Waves through layers whose answer can be worked out by hand, and through a simulation of them."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.acoustics.convention import Properties
from SkullGANLib.acoustics.layers import transmit
from SkullGANLib.acoustics.tissues import WATER, Tissue
from walls import layered

Z_WATER = 1.5e6


def materials(*layers: tuple[float, float, float]) -> Properties:
    """Density, speed and attenuation in dB/(cm MHz) of each material."""
    density, speed, attenuation = np.array(layers, float).T
    return Properties(density, speed, attenuation, 1.0)


def test_water_passes_all_and_delays_nothing():
    found = transmit(np.zeros((2, 50), int), materials((1000, 1500, 0)), 0.45, 500.0)
    np.testing.assert_allclose(found.amplitude, 1)
    np.testing.assert_allclose(found.delay_rad, 0, atol=1e-9)


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_one_layer_passes_what_the_textbook_says(rows):
    """|t|⁻² = 1 + ((Z/Z₀ - Z₀/Z) sin(kd) / 2)²: Kinsler et al., Fundamentals of Acoustics, 6.3."""
    bone = materials((2000, 3000, 0))
    found = transmit(np.zeros((1, rows), int), bone, 0.45, 500.0)
    kd = 2 * np.pi * 500e3 / 3000 * 0.45e-3 * rows
    ratio = 6e6 / Z_WATER
    expected = (1 + (ratio - 1 / ratio) ** 2 * np.sin(kd) ** 2 / 4) ** -0.5
    np.testing.assert_allclose(found.amplitude, expected)


def test_a_layer_of_half_a_wave_is_not_there_but_for_its_phase():
    """3 mm of 3000 m/s at 500 kHz: half a cycle, where water has a whole one."""
    found = transmit(np.zeros((1, 10), int), materials((2000, 3000, 0)), 0.3, 500.0)
    np.testing.assert_allclose(found.amplitude, 1)
    np.testing.assert_allclose(found.delay_rad, -np.pi)


def test_one_boundary_passes_twice_the_impedance_over_the_sum():
    """Into a half-space of Z = 6 MRayl: 2 x 6 / (6 + 1.5) of the pressure."""
    behind = Tissue("bone", 2000.0, 3000.0, 0.0, 1.0)
    found = transmit(np.zeros((1, 1), int), materials((1000, 1500, 0)), 0.45, 500.0, behind=behind)
    np.testing.assert_allclose(found.amplitude, 1.6)


def test_attenuation_without_reflection_is_exponential():
    """2 cm of 10 dB/(cm MHz) at 500 kHz: 10 dB."""
    found = transmit(np.zeros((1, 200), int), materials((1000, 1500, 10)), 0.1, 500.0)
    np.testing.assert_allclose(20 * np.log10(found.amplitude), -10, atol=0.02)


def test_thin_layers_of_one_material_are_one_thick_layer():
    bone = materials((1850, 2800, 8), (1700, 2300, 8))
    thick = transmit(np.array([[0, 1, 0]]), bone, 1.8, 650.0)
    thin = transmit(np.repeat([[0, 1, 0]], 4, axis=1), bone, 0.45, 650.0)
    np.testing.assert_allclose(thin.amplitude, thick.amplitude)
    np.testing.assert_allclose(thin.delay_rad, thick.delay_rad)


def test_what_passes_is_the_same_from_either_side():
    bone = materials((1850, 2800, 8), (1700, 2300, 8), (1300, 1800, 4))
    one = np.array([[0, 0, 1, 1, 1, 2, 0, 2]])
    there, back = (transmit(each, bone, 0.9, 500.0) for each in (one, one[:, ::-1]))
    np.testing.assert_allclose(there.amplitude, back.amplitude)
    np.testing.assert_allclose(there.delay_rad, back.delay_rad)


def test_delays_of_more_than_a_cycle_are_not_wrapped():
    """30 mm of bone twice as fast as water at 1 MHz: ten cycles ahead."""
    found = transmit(np.zeros((1, 100), int), materials((1000, 3000, 0)), 0.3, 1000.0)
    np.testing.assert_allclose(found.delay_rad, -20 * np.pi)


def test_a_profile_of_many_layers_is_what_a_simulation_of_it_gives():
    """Finite differences in time over the same walls, without and with attenuation."""
    walls = layered((1600, 4), (700, 6), (1900, 3))[0, 16:40, :1].T
    table = {0: 0, 700: 1, 1600: 2, 1900: 3}
    column = np.vectorize(table.get)(walls)
    for attenuation in (0.0, 13.3):
        bone = materials(
            (1000, 1500, 0),
            (1380, 2000, attenuation),
            (1920, 2720, attenuation),
            (2117, 2983, attenuation),
        )
        found = transmit(column, bone, 0.45, 500.0)
        amplitude, phase = simulated(column[0], bone, 0.45, 500.0)
        assert found.amplitude.item() == pytest.approx(amplitude, rel=0.015)
        assert np.angle(np.exp(1j * (found.delay_rad.item() - phase))) == pytest.approx(0, abs=0.02)


def simulated(
    column: np.ndarray, properties: Properties, spacing_mm: float, frequency_khz: float
) -> tuple[float, float]:
    """Pressure behind a column over that without it, and its phase: a staggered grid in time.

    dp/dt = -ρc² dv/dx - 2αc p, dv/dt = -1/ρ dp/dx, whose waves decay with α where αc is far below
    the angular frequency.
    """
    fine, f = 12, 1000 * frequency_khz
    dx = spacing_mm / 1000 / fine
    water = round(12e-3 / dx)
    results = []
    for there in (True, False):
        place = np.pad(np.repeat(column, fine), water) if there else None
        count = 2 * water + fine * len(column)
        density, speed, decay = (
            np.full(count, of_water) if place is None else values[place]
            for values, of_water in (
                (properties.density, WATER.density),
                (properties.sound_speed, WATER.sound_speed),
                (properties.attenuation_np_m(frequency_khz), 0.0),
            )
        )
        results.append(_steady_pressure(density, speed, decay, dx, f))
    ratio = results[0] / results[1]
    return abs(ratio), float(np.angle(ratio))


def _steady_pressure(density, speed, decay, dx: float, f: float) -> complex:
    dt = 0.9 * dx / speed.max()
    between = (density[1:] + density[:-1]) / 2
    stiffness, damping = density * speed**2 * dt / dx, decay * speed * dt
    p, v = np.zeros(len(density)), np.zeros(len(density) - 1)
    c_edge, found, steps = 1500.0, 0j, round(60e-6 / dt)
    last = round(6 / f / dt)
    absorb = (c_edge * dt - dx) / (c_edge * dt + dx)
    for step in range(steps):
        t = step * dt
        edges = p[1], p[-2], p[0], p[-1]
        v -= dt / dx / between * np.diff(p)
        p[1:-1] = ((1 - damping) * p / (1 + damping))[1:-1] - (stiffness / (1 + damping))[
            1:-1
        ] * np.diff(v)
        p[0] = edges[0] + absorb * (p[1] - edges[2])  # Mur's boundary lets waves out
        p[-1] = edges[1] + absorb * (p[-2] - edges[3])
        rise = min(1.0, t * f / 6)
        p[20] += dt * rise**2 * (3 - 2 * rise) * np.sin(2 * np.pi * f * t)
        if step >= steps - last:
            found += p[-20] * np.exp(2j * np.pi * f * (t + dt))
    return found / last
