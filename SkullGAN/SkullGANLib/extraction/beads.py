"""Beads: the steps that coarse slices leave in a cut across them.

Where the wall leans against thick slices, each shows it a little further on, and a cut across them
has an edge that swells and shrinks once a slice, like a string of beads. Thickness, SDR and texture
are then those of the slices. ``bead_mm`` measures how far the edges swing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..data.segment_set import SIZE

REASON = "beads of coarse slices"
"""Under which such cuts are counted among those dropped."""
MOST_MM = 0.19
"""Swing of the edges (half of peak to peak) from which beads dominate a cut. In coronal cuts of
``pcir_bone`` of which every third slice was kept (1.9 mm) it is 0.21 to 0.34 and beads are plain to
see; with the mean of every three slices it is 0.07 to 0.12. In 700 cuts of six heads with slices of
0.6 to 1.5 mm it is 0.04, at most 0.18 where the frontal crest joins the wall."""

_SHORTEST_PIXELS, _LONGEST_PIXELS = 2.2, 7.0  # a period; longer ones are anatomy
_LEAST_COSINE = 0.5  # a cut that runs along the slices crosses too few of them
_MOST_MULTIPLE = 4  # a grid finer than the slices that it was made of repeats them
_SHARE = 0.8  # of the columns swing less than what is given
_TABLE_MM = 2.5  # a table's highest HU lies at most so deep


def bead_mm(
    hu: np.ndarray,
    wall: np.ndarray,
    pixel_to_ras: np.ndarray,
    ijk_to_ras: np.ndarray,
    spacing_mm: float,
) -> float:
    """Give how far the edges of a cut swing in step with the voxels that it goes across.

    Args:
        hu: (128, 128), HU, 0 outside the wall.
        wall: (128, 128), nonzero in the wall.
        pixel_to_ras: float64 (4, 4), takes (column, row, 0, 1) to RAS mm.
        ijk_to_ras: float64 (4, 4), of the CT.
        spacing_mm: size of a pixel.

    Returns:
        Amplitude in mm, the mean of the outer and the inner edge, where it is largest of all
        periods that voxels can have; 0 if they are too fine to show.
    """
    height = np.where(wall.astype(bool), hu, 0).astype(np.float64)
    edges = [_edge_mm(side, spacing_mm) for side in (height, height[::-1])]
    swings = [
        float(np.mean([_swing(edge, period) for edge in edges]))
        for period in _periods(pixel_to_ras, ijk_to_ras, spacing_mm)
    ]
    return max(swings, default=0.0)


def _periods(
    pixel_to_ras: np.ndarray, ijk_to_ras: np.ndarray, spacing_mm: float
) -> Iterator[float]:
    """Columns from one voxel, or a few of them, to the next, for each axis of the CT."""
    along = pixel_to_ras[:3, 0] / spacing_mm
    for axis in ijk_to_ras[:3, :3].T:
        step_mm = float(np.linalg.norm(axis))
        cosine = abs(float(along @ axis)) / step_mm
        for multiple in range(1, _MOST_MULTIPLE + 1):
            period = multiple * step_mm / max(cosine, 1e-6) / spacing_mm
            if cosine > _LEAST_COSINE and _SHORTEST_PIXELS < period < _LONGEST_PIXELS:
                yield period


def _edge_mm(height: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Depth (128,) at which columns first reach half of their outer table, between pixels."""
    columns = np.arange(SIZE)
    first = (height > 0).argmax(0)
    depth = np.arange(round(_TABLE_MM / spacing_mm))[:, None]
    half = np.take_along_axis(height, np.minimum(first + depth, SIZE - 1), axis=0).max(0) / 2
    at = (height >= np.maximum(half, 1.0)).argmax(0)
    reached = height[at, columns]
    before = np.where(at > 0, height[np.maximum(at - 1, 0), columns], 0.0)
    return (at - (reached - half) / np.maximum(reached - before, 1.0)) * spacing_mm


def _swing(edge: np.ndarray, period: float) -> float:
    """Amplitude of one period in an edge, its form taken off: a moving cubic and a moving wave."""
    from scipy import ndimage, signal

    reach = max(2 * round(1.25 * period) + 1, 7)
    steps = edge - signal.savgol_filter(edge, reach, 3)
    turned = steps * np.exp(-2j * np.pi * np.arange(SIZE) / period)
    parts = [
        ndimage.gaussian_filter1d(part, period, mode="nearest")
        for part in (turned.real, turned.imag)
    ]
    return float(np.quantile(2.0 * np.hypot(*parts), _SHARE))
