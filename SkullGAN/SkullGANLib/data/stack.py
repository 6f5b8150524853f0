"""Where segments lie that are stacked as the slices of one volume."""

from __future__ import annotations

import numpy as np

from .segment_set import SIZE

SLICE_DISTANCE_MM = 1.0
"""Distance of neighboring segments in a stack: a slice's S coordinate is its number."""


def stack_geometry(
    pixel_spacing_mm: float, size: int = SIZE, slice_distance_mm: float = SLICE_DISTANCE_MM
) -> np.ndarray:
    """Give the geometry of stacked segments, centered about the origin.

    An axial view shows each segment upright, its outer table up. The position means nothing, and
    the slices are 1 mm apart because some distance has to be given.

    Args:
        pixel_spacing_mm: of the segments.
        size: rows and columns of a slice.
        slice_distance_mm: of neighbors; that of a set with depth is known.

    Returns:
        float64 (4, 4), takes (column, row, segment, 1) to RAS mm.

    Example:
        >>> (stack_geometry(0.5) @ [0, 0, 3, 1]).tolist()
        [31.75, 31.75, 3.0, 1.0]
    """
    matrix = np.diag([-pixel_spacing_mm, -pixel_spacing_mm, slice_distance_mm, 1.0])
    matrix[:2, 3] = pixel_spacing_mm * (size - 1) / 2
    return matrix
