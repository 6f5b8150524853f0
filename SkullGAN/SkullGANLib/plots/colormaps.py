"""Color tables in which equal steps look equal, made by formula.

They are paths through OKLab, a space in which distance is perceived difference (B. Ottosson, "A
perceptual color space for image processing", 2020), walked at an even pace. ``sequential`` goes
from dark violet through green to pale yellow, lighter all the way, so that it also reads in gray
and with any common color blindness; ``diverging`` goes from blue through light gray to orange.
"""

from __future__ import annotations

import numpy as np

_FINE = 2000  # points of a path before it is sampled at even steps
_GAMUT_TURNS = 40  # halvings of the chroma's interval

# The matrices of OKLab: from its cube-rooted cone responses, and from these to linear sRGB.
_LAB_TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_CONES_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def sequential(count: int = 256) -> np.ndarray:
    """Give colors for a value from low to high, float64 (count, 3), sRGB in [0, 1].

    Example:
        >>> sequential(3).round(2)
        array([[0.23, 0.02, 0.35],
               [0.  , 0.58, 0.62],
               [0.99, 0.92, 0.48]])
    """
    t = np.linspace(0.0, 1.0, _FINE)
    lightness = 0.28 + 0.65 * t
    hue = np.deg2rad(308.0 - 208.0 * t)
    return _evenly_spaced(lightness, 0.135 * np.ones(_FINE), hue, count)


def diverging(count: int = 256) -> np.ndarray:
    """Give colors for a value from below to above zero, float64 (count, 3), sRGB in [0, 1]; the
    middle is a light gray."""
    t = np.linspace(-1.0, 1.0, _FINE)
    lightness = 0.93 - 0.48 * np.abs(t)
    hue = np.deg2rad(np.where(t < 0, 255.0, 45.0))
    return _evenly_spaced(lightness, 0.14 * np.abs(t), hue, count)


def to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Take sRGB in [0, 1] (..., 3) to OKLab."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ np.linalg.inv(_CONES_TO_RGB).T)
    return cones @ np.linalg.inv(_LAB_TO_CONES).T


def _evenly_spaced(
    lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray, count: int
) -> np.ndarray:
    """The colors at even distances along a path."""
    path = _reduced_to_gamut(lightness, chroma, hue)
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0.0, walked[-1], count)
    even = np.stack([np.interp(at, walked, path[:, axis]) for axis in range(3)], axis=1)
    rgb = _linear_rgb(even)
    rgb = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * np.abs(rgb) ** (1 / 2.4) - 0.055)
    return np.clip(rgb, 0.0, 1.0)


def _reduced_to_gamut(lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """OKLab (N, 3) of the chroma asked for, or the most of it that sRGB can show."""
    low, high = np.zeros_like(chroma), chroma.copy()

    def lab(chroma: np.ndarray) -> np.ndarray:
        return np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)

    for _ in range(_GAMUT_TURNS):
        middle = (low + high) / 2
        rgb = _linear_rgb(lab(middle))
        shown = ((rgb >= 0) & (rgb <= 1)).all(axis=1)
        low, high = np.where(shown, middle, low), np.where(shown, high, middle)
    return lab(low)


def _linear_rgb(lab: np.ndarray) -> np.ndarray:
    return (lab @ _LAB_TO_CONES.T) ** 3 @ _CONES_TO_RGB.T
