"""Ultrasound arrays by name, for whoever has no file of their own.

Add one by a record in ``PRESETS``: the command's choices and the panel's list follow. Elements
are placed as in ``array_geometry``: the focus at 0, +x to the patient's right, +y to the front, +z
upwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..errors import BadInputError

_BOWL_RADIUS_MM, _BOWL_APERTURE_MM = 63.2, 64.0
_BOWL_POINTS = 256


@dataclass(frozen=True)
class ArrayPreset:
    """An array whose elements are known by formula.

    Attributes:
        name: as ``--array`` takes it.
        title: what people call it.
        elements: gives float64 (N, 3), mm.
    """

    name: str
    title: str
    elements: Callable[[], np.ndarray]


def bowl(side: float) -> np.ndarray:
    """A focused single element of 64 mm aperture and 63.2 mm radius of curvature, of the size that
    studies of neuromodulation use, as 256 points of equal area, over one temple.

    Args:
        side: +1 for the right temple, -1 for the left.
    """
    from .array_geometry import hemisphere

    half = np.rad2deg(np.arcsin(_BOWL_APERTURE_MM / 2 / _BOWL_RADIUS_MM))
    upright = hemisphere(_BOWL_POINTS, _BOWL_RADIUS_MM, half)
    # Turned about the front, from the top of the head to its side.
    return np.stack([side * upright[:, 2], upright[:, 1], -side * upright[:, 0]], axis=1)


def clinical_hemisphere() -> np.ndarray:
    """The elements of ``array_geometry.hemisphere``."""
    from .array_geometry import hemisphere  # brings SciPy, which the panel's list does not need

    return hemisphere()


DEFAULT = "hemisphere"
_records = (
    ArrayPreset(DEFAULT, "Hemisphere, 1,024 elements, 150 mm radius", clinical_hemisphere),
    ArrayPreset("right-temple", "Bowl at the right temple, 64 mm wide", lambda: bowl(1.0)),
    ArrayPreset("left-temple", "Bowl at the left temple, 64 mm wide", lambda: bowl(-1.0)),
)
PRESETS: Mapping[str, ArrayPreset] = MappingProxyType({one.name: one for one in _records})
"""The records by name, in order; the first is what is taken where none is named."""


def elements_of(name: str) -> np.ndarray:
    """Give the elements of a preset, float64 (N, 3), mm.

    Raises:
        BadInputError: if there is none of that name.
    """
    if name not in PRESETS:
        raise BadInputError(f"Expected an array out of {', '.join(PRESETS)}, found {name!r}.")
    return PRESETS[name].elements()
