"""Skull density ratio (SDR): how dense the diploë is against the cortical tables around it."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..errors import BadInputError
from .metric import Metric
from .profiles import Profiles, columns_of, mean_per_segment

SDR_DEFINITIONS = ("peaks", "outer-peak", "central", "literal")
SDR_LIMIT = 0.40
"""Treatments commonly exclude a mean SDR below this."""


def skull_density_ratio(hu: np.ndarray, mask: np.ndarray, definition: str = "peaks") -> np.ndarray:
    """Give the skull density ratio of segments: the mean of a ratio over every 4th column.

    With the HU h of a column's bone from outside to inside, its dip d (the diploë) and the highest
    HU on the outer (o) and on the inner side (i) of the dip, the ratio of a column is

    ============== ==================== =====================================================
    definition     ratio                source
    ============== ==================== =====================================================
    ``peaks``      d / ((o + i) / 2)    minimum between the cortical peaks over their mean
    ``outer-peak`` max(d, 0) / o        as Kranion's current definition
    ``central``    min(middle half of   as BabelBrain since 2026
                   h) / max(h)
    ``literal``    min(h) / max(h)      the paper's equation 2, over all that the mask holds
    ============== ==================== =====================================================

    The dip is the place that lies deepest below the lower of the two highest points on its either
    side, d = argmax_r [ min(max(h[:r]), max(h[r:])) - h[r] ]: the valley of greatest prominence. It
    needs no setting, partial-volume pixels at the mask's edge can never become the minimum, and
    noise on the tables makes shallower dips than the diploë does. A profile of one peak has no dip
    and counts as 1 (``peaks``, ``outer-peak``). As every minimum, d falls with noise: white noise
    of 50 HU lowers the SDR of a wall of 1500, 600 and 1500 HU by about 0.05.

    ``literal`` takes a partial-volume pixel at the edge for the minimum and so measures where the
    mask was cut; it is for comparison with the paper alone.

    Args:
        hu: int16 (N, 128, 128), HU; row 0 is outside the head.
        mask: uint8 (N, 128, 128), 1 in the skull wall.
        definition: one of ``SDR_DEFINITIONS``.

    Returns:
        float64 (N,). Columns without bone (``BONE_HU``) or with air (``AIR_HU``) do not count; a
        segment of no column that counts is NaN.

    Raises:
        BadInputError: if the shapes differ or the definition is not known.

    Example:
        >>> layers = np.zeros((1, 128, 128), np.int16)
        >>> layers[:, 4:8], layers[:, 8:12], layers[:, 12:16] = 1500, 600, 1500
        >>> skull_density_ratio(layers, layers > 0).round(3)
        array([0.4])
    """
    return mean_per_segment(sdr_of_profiles(columns_of(hu, mask), definition), len(hu))


def sdr_of_profiles(profiles: Profiles, definition: str = "peaks") -> np.ndarray:
    """Give the density ratio of profiles across the skull, as defined in ``skull_density_ratio``.

    Args:
        profiles: M profiles.
        definition: one of ``SDR_DEFINITIONS``.

    Returns:
        float64 (M,); NaN where the profile meets air or no bone.

    Raises:
        BadInputError: if the definition is not known.
    """
    if definition not in _HEIGHTS:
        raise BadInputError(
            f"Expected an SDR definition out of {SDR_DEFINITIONS}, found {definition!r}."
        )
    lowest, highest = _HEIGHTS[definition](profiles)
    found = np.full(len(lowest), np.nan)
    with np.errstate(invalid="ignore"):  # some processors divide, too, what does not count
        return np.divide(lowest, highest, out=found, where=profiles.walls.count)


def _peaks(profiles: Profiles) -> tuple[np.ndarray, np.ndarray]:
    dip = profiles.dip
    return dip.diploe, (dip.outer + dip.inner) / 2


def _outer_peak(profiles: Profiles) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(profiles.dip.diploe, 0.0), profiles.dip.outer


def _central(profiles: Profiles) -> tuple[np.ndarray, np.ndarray]:
    hu, walls = profiles.hu, profiles.walls
    # Sample k of n lies in the middle half if its center does: n/4 <= k + 1/2 <= 3n/4.
    place = 4 * (np.arange(hu.shape[1]) - walls.first[:, None]) + 2
    length = walls.length[:, None]
    middle = walls.inside & (place >= length) & (place <= 3 * length)
    lowest = np.where(middle, hu, np.inf).min(axis=1)
    return lowest, np.where(walls.inside, hu, -np.inf).max(axis=1)


def _literal(profiles: Profiles) -> tuple[np.ndarray, np.ndarray]:
    hu, bone = profiles.hu, profiles.bone
    return np.where(bone, hu, np.inf).min(axis=1), np.where(bone, hu, -np.inf).max(axis=1)


_HEIGHTS = {
    "peaks": _peaks,
    "outer-peak": _outer_peak,
    "central": _central,
    "literal": _literal,
}
"""The lowest and the highest HU (M,) that each definition compares."""
_METHODS = {
    "peaks": "the lowest HU of the diploë over the mean of the cortical peaks outside and inside "
    "it; 1 where there is no diploë",
    "outer-peak": "the same lowest HU (not below 0) over the outer peak",
    "central": "the lowest HU of the wall's middle half over its highest",
    "literal": "the paper's equation 2, lowest over highest HU inside the mask; it depends on "
    "where the mask was cut",
}

METRICS = tuple(
    Metric(
        name=f"sdr_{definition.replace('-', '_')}",
        quantity="Skull density ratio",
        abbreviation="SDR",
        definition=definition.replace("-", " "),
        digits=2,
        digits_of_means=3,
        color_range=(0.2, 1.0),
        histogram_range=(0.0, 1.0),
        limit=SDR_LIMIT,
        compared=definition == "peaks",
        description=f"Skull density ratio of the segment, definition {definition!r}",
        method=_METHODS[definition],
        of_profiles=partial(sdr_of_profiles, definition=definition),
    )
    for definition in SDR_DEFINITIONS
)
