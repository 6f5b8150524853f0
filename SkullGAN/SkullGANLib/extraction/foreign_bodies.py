"""Implants and plates in the wall: what is as dense throughout as no bone is.

Bone varies along the wall and across it (tables, diploë, trabeculae), ceramic, cement and filled
plates do not. ``foreign_cuts`` compares the cuts of one CT with each other, so that a solid
phantom, all of which is even, is not taken for an implant (``metrics.cautions`` says what it is).
Metal is told by its HU alone (``cutting``); a plate of the density of soft tissue (PEEK, PMMA) is
no wall at all there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data.segment_set import SIZE

REASON = "implant or plate"
"""Under which such cuts are counted among those dropped."""
MOST_EVEN = 0.27
"""Share of columns from which an even wall is an implant. Of five heads without one, 619 cuts, the
evenest has 0.23; cuts of the sample that are 30 % and more of an implant have 0.32 to 1, and with
80 HU of noise in it 0.23 to 0.7."""

_WINDOW_MM = 5.0  # to either side of a column, along the wall
_SKIN_MM = 1.4  # at either surface, partial volume
_THINNEST_MM = 5.0  # a thinner wall has no diploë and is even anyway, the squama above all
_OF_THE_CT = 0.2  # of the variation that is usual in the CT
_MOST_VARIATION = 0.06  # standard deviation over mean
_LEAST_COMPANY = 0.8  # share of the window whose columns are deep enough to be looked at


def foreign_cuts(
    hu: Sequence[np.ndarray], walls: Sequence[np.ndarray], spacing_mm: float
) -> np.ndarray:
    """Tell which cuts of one CT are largely an implant.

    Args:
        hu: of each cut, int16 (128, 128), 0 outside the wall.
        walls: of each cut, uint8 (128, 128).
        spacing_mm: size of a pixel.

    Returns:
        bool (cuts,).
    """
    if not len(hu):
        return np.zeros(0, bool)
    variation = np.stack(
        [variation_along(one, wall, spacing_mm) for one, wall in zip(hu, walls, strict=True)]
    )
    known = variation[np.isfinite(variation)]
    if not known.size:
        return np.zeros(len(hu), bool)
    even = variation < min(_MOST_VARIATION, _OF_THE_CT * float(np.median(known)))
    thick = np.stack([wall.astype(bool).sum(0) * spacing_mm > _THINNEST_MM for wall in walls])
    return (even & thick).mean(1) > MOST_EVEN


def variation_along(hu: np.ndarray, wall: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Give the variation of a wall's inside around each column: standard deviation over mean.

    Args:
        hu: (128, 128), HU.
        wall: (128, 128), nonzero in the wall.
        spacing_mm: size of a pixel.

    Returns:
        float64 (128,), of what lies within 5 mm along the wall and 1.4 mm below its surfaces; NaN
        where the wall is too thin for that.
    """
    from scipy import ndimage

    inside = wall.astype(bool)
    rows, skin = np.arange(SIZE)[:, None], _SKIN_MM / spacing_mm
    first, last = inside.argmax(0), SIZE - 1 - inside[::-1].argmax(0)
    core = inside & (rows >= first + skin) & (rows <= last - skin)
    height = np.where(core, hu, 0).astype(np.float64)
    window = np.ones(2 * round(_WINDOW_MM / spacing_mm) + 1)

    def around(values: np.ndarray) -> np.ndarray:
        return ndimage.convolve1d(values.astype(np.float64), window, mode="constant")

    count = np.maximum(around(core.sum(0)), 1.0)
    mean = around(height.sum(0)) / count
    spread = np.sqrt(np.maximum(around((height**2).sum(0)) / count - mean**2, 0.0))
    company = around(core.any(0)) / around(np.ones(SIZE))
    found = np.full(SIZE, np.nan)
    return np.divide(spread, mean, out=found, where=(company > _LEAST_COMPANY) & (mean > 0))
