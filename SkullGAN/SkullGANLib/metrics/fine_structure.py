"""The fine structure of the wall: what a Gaussian of 1.5 px takes away, well inside the wall.

It sees what the eye and the losses of a training do not: a generator's grid, whose mean depends on
where in a block of 4 x 4 pixels one looks, and grain that is too even.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..data.segment_set import SegmentSet

_SIGMA_PX = 1.5
_MARGIN_PX = 4
_BLOCK_PX = 4
"""The blocks that three transposed convolutions of stride 2 print, but for the coarsest."""
_AT_ONCE = 256


@dataclass(frozen=True)
class FineStructure:
    """What the fine structure of a set of segments is like.

    Attributes:
        std_hu: its standard deviation.
        kurtosis: its fourth moment over the squared variance; 3 where it is Gaussian.
        grid: the largest deviation of its mean by row or by column of blocks of 4 pixels, in its
            standard deviations; 0 where there is no grid.
        along_row: its autocorrelation one and two pixels along the rows.
    """

    std_hu: float
    kurtosis: float
    grid: float
    along_row: tuple[float, float]


def fine_structure(segments: SegmentSet) -> FineStructure:
    """Measure the fine structure of all segments of a set together.

    Only pixels at least 4 px inside the wall, above and below, count. All is NaN where there are
    none.
    """
    rows, values, products = _Sums(), _Sums(), {1: _Sums(), 2: _Sums()}
    columns = _Sums()
    for start in range(0, len(segments), _AT_ONCE):
        hu = segments.hu[start : start + _AT_ONCE].astype(np.float32)
        mask = segments.mask[start : start + _AT_ONCE] > 0
        fine = hu - ndimage.gaussian_filter(hu, (0, _SIGMA_PX, _SIGMA_PX))
        inside = ndimage.binary_erosion(mask, np.ones((1, 2 * _MARGIN_PX + 1, 1)))
        _, row, column = np.nonzero(inside)
        found = fine[inside]
        values.add(found, np.zeros(len(found), int))
        rows.add(found, row % _BLOCK_PX)
        columns.add(found, column % _BLOCK_PX)
        for lag, sums in products.items():
            both = inside[:, :, lag:] & inside[:, :, :-lag]
            here, there = fine[:, :, lag:][both], fine[:, :, :-lag][both]
            sums.add(here * there, np.zeros(int(both.sum()), int))
    mean, variance, fourth = values.moments()
    with np.errstate(divide="ignore", invalid="ignore"):
        std = np.sqrt(variance)
        grids = [np.abs(each.means() - mean).max() / std for each in (rows, columns)]
        lags = [float((each.means()[0] - mean**2) / variance) for each in products.values()]
        kurtosis = fourth / variance**2
    return FineStructure(
        std_hu=float(std),
        kurtosis=float(kurtosis),
        grid=float(np.max(grids)),
        along_row=(lags[0], lags[1]),
    )


class _Sums:
    """Sums of powers of values by phase, so that a large set need not be held at once."""

    def __init__(self) -> None:
        self._powers = np.zeros((5, _BLOCK_PX))

    def add(self, values: np.ndarray, phase: np.ndarray) -> None:
        values = values.astype(np.float64)
        for power, sums in enumerate(self._powers):
            sums += np.bincount(phase, values**power, _BLOCK_PX)

    def means(self) -> np.ndarray:
        """Give the mean by phase, (4,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._powers[1] / self._powers[0]

    def moments(self) -> tuple[float, float, float]:
        """Give mean, variance and fourth central moment of the values of phase 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            _, m, m2, m3, m4 = self._powers[:, 0] / self._powers[0, 0]
        return m, m2 - m**2, m4 - 4 * m * m3 + 6 * m**2 * m2 - 3 * m**4
