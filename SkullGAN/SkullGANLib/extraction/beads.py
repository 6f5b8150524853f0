"""Beads: the steps that coarse slices leave in a cut across them.

Where the wall leans against thick slices, each shows it a little further on, and a cut across them
has an edge that swells and shrinks once a slice, like a string of beads. Thickness, SDR and texture
are then those of the slices. ``bead_mm`` measures how far the edges swing. A CT resampled from
coarser slices to finer ones has smooth edges but tables that are bright in each of the old slices
and dim between them: ``table_wave`` measures that. ``has_beads`` asks both.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..data.segment_set import SIZE
from .moving_polynomial import slope, smooth

REASON = "beads of coarse slices"
"""Under which such cuts are counted among those dropped."""
MOST_MM = 0.19
"""Swing of the edges (half of peak to peak) from which beads dominate a cut. In coronal cuts of
``pcir_bone`` of which every third slice was kept (1.9 mm) it is 0.21 to 0.34 and beads are plain to
see; with the mean of every three slices it is 0.07 to 0.12. In 700 cuts of six heads with slices of
0.6 to 1.5 mm it is 0.04, at most 0.18 where the frontal crest joins the wall."""

MOST_WAVE, MOST_SHARE = 0.026, 0.27
"""Swing of the tables' HU (half of peak to peak, of their height) and its share of all that varies
in them (of their variance) from which together beads dominate a cut. In the 53 cuts across slices
of ``invesalius_cranium`` that both drop (2 mm, resampled to 1.5 mm) the swing is up to 0.06 and the
share up to 0.5, and beads are plain to see; so too in coronal cuts of ``pcir_bone`` with the mean
of every three slices (0.036 to 0.061, 0.24 to 0.40). In 492 cuts of five CTs with voxels of 0.5 to
1 mm none has both: of those that swing enough the share is at most 0.24, of those with a share that
is enough the swing at most 0.021."""

_SHORTEST_PIXELS, _LONGEST_PIXELS = 2.2, 7.0  # a period; longer ones are anatomy
_LEAST_COSINE = 0.5  # a cut that runs along the slices crosses too few of them
_MOST_MULTIPLE = 4  # a grid finer than the slices that it was made of repeats them
_SHARE = 0.8  # of the columns swing less than what is given
_TABLE_MM = 2.5  # a table's highest HU lies at most so deep

_LONGEST_IN_TABLE = 9.0  # pixels; slices of 2 mm that cross the wall at half a right angle: 6 to 9
_THICKEST_MM = 2.5  # slices that a grid that may be cut (``single_ct.COARSEST_MM``) is made of
_COARSEST_AXIS = 0.99  # voxels are coarsest across slices; of a cube every axis may be that
_COARSER_SLICES = 1.2  # than the pixels within them
_STEPS = 0.01  # of slices a voxel, to scan: a wall crosses 30 voxels, so 0.01 is a third of a turn
_LEAST_COLUMNS = 80  # of 128; beads in fewer columns count for so much less
_FORM_PIXELS = 21  # a moving cubic over so many columns is a table's form, no beads
_LEAST_HU = 100.0  # of a table; keeps the logarithm of empty columns finite


def has_beads(
    hu: np.ndarray,
    wall: np.ndarray,
    pixel_to_ras: np.ndarray,
    ijk_to_ras: np.ndarray,
    spacing_mm: float,
) -> bool:
    """Whether beads dominate a cut; the arguments are those of ``bead_mm``."""
    cut = (hu, wall, pixel_to_ras, ijk_to_ras, spacing_mm)
    if bead_mm(*cut) > MOST_MM:
        return True
    voxel_mm = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    if voxel_mm.max() < _COARSER_SLICES * voxel_mm.min():
        return False  # no slices are coarser: what swings with a cube's grid is its texture
    wave, share = table_wave(*cut)
    return wave > MOST_WAVE and share > MOST_SHARE


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
    from scipy import ndimage

    reach = max(2 * round(1.25 * period) + 1, 7)
    steps = edge - smooth(edge, reach, 3)
    turned = steps * np.exp(-2j * np.pi * np.arange(SIZE) / period)
    parts = [
        ndimage.gaussian_filter1d(part, period, mode="nearest")
        for part in (turned.real, turned.imag)
    ]
    return float(np.quantile(2.0 * np.hypot(*parts), _SHARE))


def table_wave(
    hu: np.ndarray,
    wall: np.ndarray,
    pixel_to_ras: np.ndarray,
    ijk_to_ras: np.ndarray,
    spacing_mm: float,
) -> tuple[float, float]:
    """Give how far the tables' HU swing in step with slices that the voxels may be made of.

    The slices need not be those of the grid: along its coarsest axis all distances from one voxel
    to ``_THICKEST_MM`` are tried. Their phase is taken where the table is, as a bent wall crosses
    them ever faster.

    Args:
        hu: (128, 128), HU, 0 outside the wall.
        wall: (128, 128), nonzero in the wall.
        pixel_to_ras: float64 (4, 4), takes (column, row, 0, 1) to RAS mm.
        ijk_to_ras: float64 (4, 4), of the CT.
        spacing_mm: size of a pixel.

    Returns:
        Amplitude of the strongest wave as a share of the table's HU, and the share of the HU's
        variance that it makes up; both the means of the two tables.
    """
    height = np.where(wall.astype(bool), hu, 0).astype(np.float64)
    tables = [_table(side, spacing_mm) for side in (height, height[::-1])]
    rows = [tables[0][1], SIZE - 1 - tables[1][1]]
    to_ijk = np.linalg.inv(ijk_to_ras) @ pixel_to_ras
    found = [(0.0, 0.0)]
    steps_mm = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    for axis in np.flatnonzero(steps_mm > _COARSEST_AXIS * steps_mm.max()):
        slices = np.arange(steps_mm[axis] / _THICKEST_MM, 1.0 + _STEPS / 2, _STEPS)
        if not len(slices):
            continue
        voxels = [to_ijk[axis] @ [np.arange(SIZE), row, 0 * row, 0 * row + 1] for row in rows]
        waves = [_wave(hu, at, slices) for (hu, _row), at in zip(tables, voxels, strict=True)]
        amplitude, share = np.mean(waves, axis=0)
        best = amplitude.argmax()
        found.append((float(amplitude[best]), float(share[best])))
    return max(found)


def _table(height: np.ndarray, spacing_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm (128,) of the highest HU of the outer table, its form taken off; its row."""
    first = (height > 0).argmax(0)
    depth = np.arange(round(_TABLE_MM / spacing_mm))[:, None]
    highest = np.take_along_axis(height, np.minimum(first + depth, SIZE - 1), axis=0).max(0)
    log = np.log(np.maximum(highest, _LEAST_HU))
    row = _edge_mm(height, spacing_mm) / spacing_mm
    return (
        log - smooth(log, _FORM_PIXELS, 3),
        smooth(row, _FORM_PIXELS, 3),
    )


def _wave(steps: np.ndarray, voxels: np.ndarray, slices: np.ndarray) -> tuple[np.ndarray, ...]:
    """Amplitude and share of variance of a wave in a table, for each number of slices a voxel.

    Args:
        steps: (128,), logarithm of HU, form taken off.
        voxels: (128,), where the columns lie, in voxels along an axis of the CT.
        slices: (waves,), slices a voxel.
    """
    voxels_a_column = np.abs(slope(voxels, 15, 2))
    rate = slices[:, None] * voxels_a_column
    shows = (rate > 1 / _LONGEST_IN_TABLE) & (rate < 1 / _SHORTEST_PIXELS)
    columns = np.maximum(shows.sum(1), _LEAST_COLUMNS)
    used = shows.any(1)
    turned = shows[used] * steps * np.exp(-2j * np.pi * slices[used, None] * voxels)
    amplitude = np.zeros(len(slices))
    amplitude[used] = 2.0 * np.abs(turned.sum(1)) / columns[used]
    variance = (shows * steps**2).sum(1) / columns
    return amplitude, amplitude**2 / 2.0 / np.maximum(variance, 1e-12)
