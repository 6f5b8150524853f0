"""Whether a volume's numbers are Hounsfield units: what its air and its soft tissue read.

A scale that is halved, doubled or shifted leaves every measure of bone plausible and wrong, and no
header tells. Air and soft tissue do: they read about -1000 and 0 to 100 in every CT.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import BadInputError
from .field_of_view import outside_voxels

AIR_HU = (-1100.0, -880.0)
"""What air may read; scanners that cut it read -1024, noise and scatter raise it."""
SOFT_TISSUE_HU = (-200.0, 200.0)
"""Fat, brain, muscle and water, with noise."""

_STEP = 4  # voxels along each axis of which one is looked at
_BIN = 16
_LEAST_AIR = 0.02  # of what was scanned, for a mode that means something
_LEAST_SOFT = 0.02


def check_hounsfield(path: str | Path, values: np.ndarray) -> None:
    """Refuse a head CT whose air or soft tissue does not read what it does in Hounsfield units.

    Args:
        path: the file, for the sentence.
        values: (slices, rows, columns), numbers as read, before padding is taken for air.

    Raises:
        BadInputError: if they cannot be HU; it says what air or the commonest tissue reads.
    """
    some = values[::_STEP, ::_STEP, ::_STEP]
    outside = outside_voxels(some)
    # Air that was cut at its lowest value is constant, too.
    constant = np.unique(some[outside])
    padding = [one for one in constant if not AIR_HU[0] <= one <= AIR_HU[1]]
    seen = some[~(outside & np.isin(some, padding))]
    if seen.size == 0:
        raise BadInputError(f"{path}: holds nothing but a constant, expected a head CT in HU.")
    air = seen[seen < SOFT_TISSUE_HU[0]]
    has_air = air.size >= _LEAST_AIR * seen.size
    if has_air:
        reads = _mode(air)
        if not AIR_HU[0] <= reads <= AIR_HU[1]:
            raise BadInputError(
                f"{path}: air reads {reads:.0f}, expected about -1000 HU; the scale of the values "
                "is not that of Hounsfield units."
            )
    tissue = seen[seen > SOFT_TISSUE_HU[0]]
    soft = np.count_nonzero(tissue < SOFT_TISSUE_HU[1])
    if not has_air and soft < _LEAST_SOFT * max(tissue.size, 1):
        raise BadInputError(
            f"{path}: there is no air, and the commonest tissue reads {_mode(tissue):.0f}, "
            "expected soft tissue about 40 HU; the values are not Hounsfield units."
        )


def _mode(values: np.ndarray) -> float:
    """The median of the fullest bin."""
    bins = np.floor(values / _BIN).astype(np.int64)
    numbers, counts = np.unique(bins, return_counts=True)
    return float(np.median(values[bins == numbers[counts.argmax()]]))
