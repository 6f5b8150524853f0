"""Thickness of the skull wall, between the points of half height of its two tables."""

from __future__ import annotations

import numpy as np

from .metric import Metric
from .profiles import Profiles, columns_of, mean_per_segment


def thickness_mm(
    hu: np.ndarray, mask: np.ndarray, pixel_spacing_mm: float, surroundings_hu: float = 0.0
) -> np.ndarray:
    """Give the mean thickness of the wall in segments, over every 4th column (paper, equation 3).

    The wall of a column goes from where the HU, coming from outside, first reach half the height
    between the surroundings and the outer table, to the same point of the inner table; both by
    linear interpolation between pixels (``Profiles.edges``).

    What lies outside the mask is taken for the surroundings: a segment stores 0 HU there, and scalp
    and brain (-100 to 60 HU) would move an edge by less than 0.02 mm. Hence a layer of n whole
    pixels measures n pixels exactly, and a blurred edge measures right if the mask takes in its
    pixels down to half height and one more; if the mask ends at half height, the pixel that is
    missing counts as 0 HU and the edge lies up to half a pixel too far inside.

    Args:
        hu: int16 (N, 128, 128), HU; row 0 is outside the head.
        mask: uint8 (N, 128, 128), 1 in the skull wall.
        pixel_spacing_mm: size of the square pixels.
        surroundings_hu: HU of what is next to the bone.

    Returns:
        float64 (N,), mm; NaN where no column counts (as in ``sdr.skull_density_ratio``).

    Raises:
        BadInputError: if the shapes differ.
    """
    profiles = columns_of(hu, mask, pixel_spacing_mm, surroundings_hu)
    return mean_per_segment(thickness_of_profiles(profiles), len(hu))


def thickness_of_profiles(profiles: Profiles) -> np.ndarray:
    """Give the thickness of the skull along profiles, as defined in ``thickness_mm``.

    Returns:
        float64 (M,), mm; NaN where the profile meets air or no bone.
    """
    outer, inner = profiles.edges
    return (inner - outer) * profiles.spacing_mm


def literal_thickness_of_profiles(profiles: Profiles) -> np.ndarray:
    """Give the thickness as the paper has it: the mask's pixels in a profile times their size.

    It is whole pixels, and it measures where the mask was cut; it is for comparison with the paper
    alone.

    Returns:
        float64 (M,), mm.
    """
    return np.count_nonzero(profiles.bone, axis=1) * profiles.spacing_mm


METRIC = Metric(
    name="thickness_mm",
    quantity="Thickness",
    unit="mm",
    digits=1,
    digits_of_means=2,
    color_range=(0.0, 12.0),
    description="Mean thickness of the segment's wall",
    method="between the points of half height of the outer and of the inner table, by "
    "interpolation between pixels",
    of_profiles=thickness_of_profiles,
)

LITERAL = Metric(
    name="thickness_literal_mm",
    quantity="Thickness",
    definition="literal",
    unit="mm",
    digits=1,
    digits_of_means=2,
    color_range=(0.0, 12.0),
    compared=False,
    description="Mean thickness of the segment's mask",
    method="the paper's equation 3, pixels of the mask times their size; it depends on where the "
    "mask was cut",
    of_profiles=literal_thickness_of_profiles,
)
