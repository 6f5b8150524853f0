"""Finer grids: how fine a simulation needs them, and HU between pixels, interpolated once."""

from __future__ import annotations

import numpy as np

from ..errors import BadInputError

_MOST_REFINED = 64
_SAME = 1e-6


def grid_spacing_mm(
    pixel_spacing_mm: float,
    slowest_m_s: float,
    frequency_khz: float,
    *,
    refine: int | None = None,
    spacing_mm: float | None = None,
    points_per_wavelength: float | None = None,
) -> float:
    """Give the spacing of a simulation's grid; without any wish that of the pixels.

    Args:
        pixel_spacing_mm: of what there is; a grid is never coarser.
        slowest_m_s: speed of sound of what has the shortest waves.
        frequency_khz: of the ultrasound.
        refine: grid points for a pixel along each axis.
        spacing_mm: as it is to be.
        points_per_wavelength: in the slowest medium; where pixels are finer than that, theirs.

    Raises:
        BadInputError: if more than one is given, or one makes no sense.

    Example:
        >>> grid_spacing_mm(0.45, 1500.0, 500.0, points_per_wavelength=8)
        0.375
    """
    given = {
        "refine": refine,
        "spacing-mm": spacing_mm,
        "points-per-wavelength": points_per_wavelength,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if len(given) > 1:
        raise BadInputError(f"{' and '.join(given)} were given, expected one of them.")
    if refine is not None:
        if not 1 <= refine <= _MOST_REFINED:
            raise BadInputError(f"refine is {refine}, expected 1 to {_MOST_REFINED}.")
        return pixel_spacing_mm / refine
    if points_per_wavelength is not None:
        if not 2 <= points_per_wavelength < np.inf:
            raise BadInputError(
                f"{points_per_wavelength:g} points per wavelength carry no wave, expected 2 or "
                "more (k-Wave's users take 4 to 10)."
            )
        return min(pixel_spacing_mm, slowest_m_s / frequency_khz / points_per_wavelength)
    if spacing_mm is None:
        return pixel_spacing_mm
    if not 0 < spacing_mm <= pixel_spacing_mm * (1 + _SAME):
        raise BadInputError(
            f"A grid of {spacing_mm:g} mm was asked for, expected at most the {pixel_spacing_mm:g} "
            "mm of the pixels: a coarser one loses the tables of the bone."
        )
    return min(spacing_mm, pixel_spacing_mm)


def refined_count(count: int, spacing_mm: float, finer_mm: float) -> int:
    """Give how many finer samples fit into ``count`` ones.

    Example:
        >>> refined_count(128, 0.45, 0.375), refined_count(128, 0.45, 0.15)
        (153, 384)
    """
    return max(1, int(count * spacing_mm / finer_mm + _SAME))


def interpolation_weights(count: int, spacing_mm: float, finer_mm: float) -> np.ndarray:
    """Give the weights by which finer samples are linear between the others.

    Samples stand for intervals of their spacing side by side; the finer ones lie in the middle of
    the same length. Beyond the middle of the first and the last sample these go on.

    Returns:
        float64 (``refined_count``, ``count``), each row of sum 1.

    Example:
        >>> interpolation_weights(2, 1.0, 0.5) @ [0.0, 4.0]
        array([0., 1., 3., 4.])
    """
    finer = refined_count(count, spacing_mm, finer_mm)
    place = (np.arange(finer) - (finer - 1) / 2) * finer_mm / spacing_mm + (count - 1) / 2
    place = np.clip(place, 0, count - 1)
    first = np.minimum(place.astype(int), max(count - 2, 0))
    weights = np.zeros((finer, count))
    weights[np.arange(finer), first] = 1 - (place - first)
    if count > 1:
        weights[np.arange(finer), first + 1] += place - first
    return weights


def interpolated(values: np.ndarray, weights: dict[int, np.ndarray]) -> np.ndarray:
    """Interpolate along axes.

    Args:
        values: of any shape and type.
        weights: of ``interpolation_weights``, by axis.

    Returns:
        float64.
    """
    found = np.asarray(values, np.float64)
    for axis, weight in weights.items():
        found = np.moveaxis(np.tensordot(weight, found, (1, axis)), 0, axis)
    return found
