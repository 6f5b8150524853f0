"""Radiological metrics: skull density ratio (SDR), thickness and mean intensity.

``measure`` gives all of a segment set. ``sdr``, ``thickness_mm`` and ``mean_intensity_hu`` work on
arrays of segments, ``sdr_of_profiles`` and ``thickness_of_profiles`` on any intensity profiles
across the skull, such as the rays of an ultrasound array. ``kernel_is_soft`` tells whether an SDR
can be compared with those of the literature.

SDR and thickness are taken in vertical columns, as the paper does, not along the normal of the
wall. Where the wall slopes by an angle a, a column is longer than the wall is thick by 1 / cos(a):
1.5 % at 10 degrees, 10 % at 25 degrees; SDR, a ratio of intensities, does not change with it.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import numpy as np

from ..data.segment_set import SegmentSet
from ..errors import BadInputError

SDR_DEFINITIONS = ("peaks", "outer-peak", "central", "literal")
COLUMN_STEP = 4
FIRST_COLUMN = 2
"""Columns 2, 6, ..., 126: the 32 cross-sections of 128 columns, as central as they can lie."""
BONE_HU = 300.0
"""A column in which nothing reaches this has no bone (bone at 1 mm partial volume begins here)."""
AIR_HU = -500.0
"""A column in which the mask holds this or less goes through air and does not count."""
FAT_AND_WATER_HU = 10.0
"""Mean intensity is taken over the pixels above this (paper, "Mean Intensity")."""
TABLE_MM = 2.0
"""The cortical table is looked for this deep below the bone's surface when its edge is found."""

METRICS = (
    "sdr_peaks",
    "sdr_outer_peak",
    "sdr_central",
    "sdr_literal",
    "thickness_mm",
    "mean_intensity_hu",
)

_SEGMENTS_AT_ONCE = 256  # 8,192 profiles of float64 stay in a core's cache; memory stays flat

_log = logging.getLogger(__name__)


def measure(segments: SegmentSet) -> dict[str, np.ndarray]:
    """Measure every segment of a set.

    Args:
        segments: N segments.

    Returns:
        float64 (N,) for each name of ``METRICS``: the SDR by its four definitions (``sdr``),
        ``thickness_mm`` and ``mean_intensity_hu``. NaN where a segment has no column that counts;
        how many those are goes to the log as a warning.
    """
    found = {name: np.full(len(segments), np.nan) for name in METRICS}
    for start in range(0, len(segments), _SEGMENTS_AT_ONCE):
        part = slice(start, start + _SEGMENTS_AT_ONCE)
        hu, mask = segments.hu[part], segments.mask[part]
        columns, _, _ = measure_profiles(*_columns(hu, mask), segments.pixel_spacing_mm)
        for name, values in columns.items():
            found[name][part] = _mean_per_segment(values, len(hu))
        found["mean_intensity_hu"][part] = mean_intensity_hu(hu)  # of all columns
    empty = int(np.count_nonzero(np.isnan(found["thickness_mm"])))
    if empty:
        _log.warning(
            "%d of %d segments have no column of bone without air: SDR and thickness are NaN.",
            empty,
            len(segments),
        )
    return found


def sdr(hu: np.ndarray, mask: np.ndarray, definition: str = "peaks") -> np.ndarray:
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
        >>> sdr(layers, layers > 0).round(3)
        array([0.4])
    """
    return _mean_per_segment(sdr_of_profiles(*_columns(hu, mask), definition), len(hu))


def thickness_mm(
    hu: np.ndarray, mask: np.ndarray, pixel_spacing_mm: float, surroundings_hu: float = 0.0
) -> np.ndarray:
    """Give the mean thickness of the wall in segments, over every 4th column (paper, equation 3).

    The wall of a column goes from where the HU, coming from outside, first reach half the height
    between the surroundings and the outer table, to the same point of the inner table; both by
    linear interpolation between pixels. A table's height is the highest HU within ``TABLE_MM`` of
    the first pixel of bone, so that a dense trabecula in the diploë is not taken for it.

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
        float64 (N,), mm; NaN where no column counts (as in ``sdr``).

    Raises:
        BadInputError: if the shapes differ.
    """
    profiles, bone = _columns(hu, mask)
    return _mean_per_segment(
        thickness_of_profiles(profiles, bone, pixel_spacing_mm, surroundings_hu), len(hu)
    )


def mean_intensity_hu(hu: np.ndarray) -> np.ndarray:
    """Give the mean HU of each segment's pixels above 10 HU (paper, "Mean Intensity").

    Args:
        hu: int16 (N, rows, columns), HU.

    Returns:
        float64 (N,); NaN where no pixel is above 10 HU.
    """
    hu = np.asarray(hu)
    above = hu > FAT_AND_WATER_HU
    count = np.count_nonzero(above, axis=(1, 2))
    total = np.sum(hu, axis=(1, 2), where=above, dtype=np.float64)
    return np.divide(total, count, out=np.full(len(hu), np.nan), where=count > 0)


def measure_profiles(
    hu: np.ndarray, bone: np.ndarray, spacing_mm: float, surroundings_hu: float = 0.0
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Measure intensity profiles across the skull by every definition, and say where the wall is.

    Args:
        hu: (M, samples), HU from outside the head to inside.
        bone: bool (M, samples), true in the skull wall.
        spacing_mm: distance of neighboring samples.
        surroundings_hu: HU of what is next to the bone.

    Returns:
        float64 (M,) for each of ``METRICS``, as ``sdr_of_profiles`` and ``thickness_of_profiles``
        give them, with the mean intensity of each profile's bone; then float64 (M,) places of the
        outer and the inner edge in samples. NaN where the profile meets air or no bone.

    Raises:
        BadInputError: if the shapes differ.
    """
    hu, bone = _checked(hu, bone, 2)
    walls = _walls(hu, bone)
    dip = _dip(hu, walls)
    found = {
        f"sdr_{definition.replace('-', '_')}": _sdr(hu, bone, walls, definition, dip)
        for definition in SDR_DEFINITIONS
    }
    outer, inner = _edges(hu, walls, spacing_mm, surroundings_hu)
    found["thickness_mm"] = (inner - outer) * spacing_mm
    above = walls.inside & (hu > FAT_AND_WATER_HU)
    count = np.where(walls.count, np.count_nonzero(above, axis=1), 0)
    total = np.sum(hu, axis=1, where=above)
    found["mean_intensity_hu"] = np.divide(
        total, count, out=np.full(len(hu), np.nan), where=count > 0
    )
    return found, outer, inner


def sdr_of_profiles(hu: np.ndarray, bone: np.ndarray, definition: str = "peaks") -> np.ndarray:
    """Give the density ratio of intensity profiles across the skull, as defined in ``sdr``.

    Args:
        hu: (M, samples), HU from outside the head to inside.
        bone: bool (M, samples), true in the skull wall.
        definition: one of ``SDR_DEFINITIONS``.

    Returns:
        float64 (M,); NaN where the profile meets air or no bone.

    Raises:
        BadInputError: if the shapes differ or the definition is not known.
    """
    if definition not in SDR_DEFINITIONS:
        raise BadInputError(
            f"The SDR definition is {definition!r}, needed is one of {SDR_DEFINITIONS}."
        )
    hu, bone = _checked(hu, bone, 2)
    walls = _walls(hu, bone)
    return _sdr(hu, bone, walls, definition, _dip(hu, walls))


def thickness_of_profiles(
    hu: np.ndarray, bone: np.ndarray, spacing_mm: float, surroundings_hu: float = 0.0
) -> np.ndarray:
    """Give the thickness of the skull along profiles, as defined in ``thickness_mm``.

    Args:
        hu: (M, samples), HU from outside the head to inside.
        bone: bool (M, samples), true in the skull wall.
        spacing_mm: distance of neighboring samples.
        surroundings_hu: HU of what is next to the bone.

    Returns:
        float64 (M,), mm; NaN where the profile meets air or no bone.

    Raises:
        BadInputError: if the shapes differ.
    """
    hu, bone = _checked(hu, bone, 2)
    outer, inner = _edges(hu, _walls(hu, bone), spacing_mm, surroundings_hu)
    return (inner - outer) * spacing_mm


def kernel_is_soft(kernel: str) -> bool | None:
    """Tell whether a CT kernel is too soft for SDR: it blurs the diploë into the tables.

    Between kernels the SDR of one head differs by 0.05 and more, and treatment thresholds hold for
    sharp ones.

    Args:
        kernel: as in the DICOM header (0018,1210): GE names, Siemens letters and number (below 50
            is soft), Canon FC number (below 30 is soft).

    Returns:
        True for a soft kernel, False for a sharp one, None for one that is not known here.
    """
    name = re.sub(r"[^A-Z0-9]", "", str(kernel).upper())
    if name in ("BONE", "BONEPLUS", "EDGE", "LUNG", "ULTRA"):
        return False
    if name in ("SOFT", "STANDARD", "STND", "DETAIL", "CHST"):
        return True
    if canon := re.match(r"FC(\d\d)(?!\d)", name):
        return int(canon[1]) < 30
    if siemens := re.match(r"[A-Z]{1,2}(\d\d)(?!\d)", name):
        return int(siemens[1]) < 50
    return None


@dataclass(frozen=True)
class _Walls:
    """The bone of M profiles: where it lies, and which profiles count."""

    inside: np.ndarray  # bool (M, samples), the longest run of the mask
    first: np.ndarray  # int (M,), its outermost sample
    length: np.ndarray  # int (M,), its samples
    count: np.ndarray  # bool (M,), has bone and no air


def _checked(hu: np.ndarray, mask: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    hu, mask = np.asarray(hu), np.asarray(mask)
    if hu.ndim != dimensions or hu.shape != mask.shape:
        kind = "(segments, rows, columns)" if dimensions == 3 else "(profiles, samples)"
        raise BadInputError(f"HU are {hu.shape} and their mask {mask.shape}, both must be {kind}.")
    return hu if dimensions == 3 else hu.astype(np.float64), mask.astype(bool)


def _columns(hu: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay every 4th column of (N, rows, columns) out as profiles (N * sections, rows in use)."""
    hu, mask = _checked(hu, mask, 3)
    sections = slice(FIRST_COLUMN, None, COLUMN_STEP)
    used = np.flatnonzero(mask.any(axis=(0, 2)))
    rows = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
    height = rows.stop - rows.start
    profiles = hu[:, rows, sections].swapaxes(1, 2).astype(np.float64, order="C")
    bone = np.ascontiguousarray(mask[:, rows, sections].swapaxes(1, 2))
    return profiles.reshape(-1, height), bone.reshape(-1, height)


def _mean_per_segment(values: np.ndarray, segments: int) -> np.ndarray:
    values = values.reshape(segments, -1)
    count = np.count_nonzero(~np.isnan(values), axis=1)
    total = np.nansum(values, axis=1)
    return np.divide(total, count, out=np.full(segments, np.nan), where=count > 0)


def _walls(hu: np.ndarray, bone: np.ndarray) -> _Walls:
    """Find the longest run of the mask in each profile, the outer one of equals."""
    samples = np.arange(bone.shape[1])
    begins = bone.copy()
    begins[:, 1:] &= ~bone[:, :-1]
    begin = np.maximum.accumulate(np.where(begins, samples, 0), axis=1)
    so_far = np.where(bone, samples - begin + 1, 0)
    last = so_far.argmax(axis=1)
    length = np.take_along_axis(so_far, last[:, None], axis=1)[:, 0]
    first = last - length + 1
    inside = (samples >= first[:, None]) & (samples <= last[:, None]) & bone
    has_bone = (inside & (hu >= BONE_HU)).any(axis=1)
    has_air = (bone & (hu <= AIR_HU)).any(axis=1)
    return _Walls(inside, first, length, has_bone & ~has_air)


def _sdr(
    hu: np.ndarray,
    bone: np.ndarray,
    walls: _Walls,
    definition: str,
    dip: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    if definition == "literal":
        lowest = np.where(bone, hu, np.inf).min(axis=1)
        highest = np.where(bone, hu, -np.inf).max(axis=1)
    elif definition == "central":
        # Sample k of n lies in the middle half if its center does: n/4 <= k + 1/2 <= 3n/4.
        place = 4 * (np.arange(hu.shape[1]) - walls.first[:, None]) + 2
        length = walls.length[:, None]
        middle = walls.inside & (place >= length) & (place <= 3 * length)
        lowest = np.where(middle, hu, np.inf).min(axis=1)
        highest = np.where(walls.inside, hu, -np.inf).max(axis=1)
    else:
        diploe, outer, inner = dip
        lowest, highest = (
            (diploe, (outer + inner) / 2)
            if definition == "peaks"
            else (np.maximum(diploe, 0.0), outer)
        )
    with np.errstate(invalid="ignore"):  # some processors divide, too, what does not count
        return np.divide(lowest, highest, out=np.full(len(hu), np.nan), where=walls.count)


def _dip(hu: np.ndarray, walls: _Walls) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the HU (M,) of the dip and of the peaks outside and inside it; all equal without dip."""
    height = np.where(walls.inside, hu, -np.inf)
    outer = np.maximum.accumulate(height, axis=1)
    inner = np.maximum.accumulate(height[:, ::-1], axis=1)[:, ::-1]
    depth = np.minimum(outer, inner)
    np.subtract(depth, hu, out=depth, where=walls.inside)
    depth[~walls.inside] = -np.inf
    place = depth.argmax(axis=1)[:, None]
    at = (np.take_along_axis(values, place, axis=1)[:, 0] for values in (depth, hu, outer, inner))
    deep, dip, outer_peak, inner_peak = at
    single = deep <= 0
    highest = height.max(axis=1)
    return tuple(np.where(single, highest, values) for values in (dip, outer_peak, inner_peak))


def _edges(
    hu: np.ndarray, walls: _Walls, spacing_mm: float, surroundings_hu: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Give the places (M,) of both edges in samples; the inner one is the outer one of the profile
    turned round."""
    samples = hu.shape[1]
    height = np.where(walls.inside, hu, surroundings_hu)
    outer = _outer_edge(height, spacing_mm, surroundings_hu)
    inner = samples - 1 - _outer_edge(height[:, ::-1], spacing_mm, surroundings_hu)
    return tuple(np.where(walls.count, edge, np.nan) for edge in (outer, inner))


def _outer_edge(height: np.ndarray, spacing_mm: float, surroundings_hu: float) -> np.ndarray:
    """Give the place (M,), in samples, where profiles first reach half their outer table."""
    samples = np.arange(height.shape[1])
    surface = (height >= BONE_HU).argmax(axis=1)[:, None]
    depth = max(1, round(TABLE_MM / spacing_mm))
    within = (samples >= surface) & (samples < surface + depth)
    table = np.where(within, height, -np.inf).max(axis=1)
    half = (table + surroundings_hu) / 2
    above = (height >= half[:, None]).argmax(axis=1)
    rows = np.arange(len(height))
    reached = height[rows, above]
    before = np.where(above > 0, height[rows, np.maximum(above - 1, 0)], surroundings_hu)
    rise = reached - before
    past = np.divide(reached - half, rise, out=np.zeros(len(height)), where=rise > 0)
    return above - past
