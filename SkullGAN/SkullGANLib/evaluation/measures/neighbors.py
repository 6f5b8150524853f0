"""Nearest training segments: what is known of them, and how they lie over other segments."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError

OTHERS = 5
"""The next segments, by whose mean distance that to the nearest is divided."""

_CENTER = (SIZE - 1) / 2
_REACHED = 1e-3
"""Pixels beyond the edge of a segment that are rounding."""


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest training segment of each of N segments.

    Attributes:
        segment: int (N,), which segment of the set it is about; all, or a subsample.
        nearest: int (N,), its place in the training set; -1 where there is nothing to compare.
        distance: float (N,), 0 for a copy. By MSE: ``rms_hu``. By SIFT: mean Euclidean distance of
            the segment's descriptors to the nearest.
        ratio: float (N,), by which ``judge`` judges: distance over the mean distance to the next
            five training segments. Near 1 for a segment among many like it, 0 for a copy.
        flipped: bool (N,), whether the training segment was turned left to right.
        shift_px: float (N, 2), rows and columns by which it was moved, last of all.
        searched: number of training segments that were compared.
        turn_deg: float (N,), by which it was turned counterclockwise about its middle.
        gain: float (N,), by which its HU were multiplied.
        rms_hu: float (N,), root mean square difference in HU in and around the wall, where both
            show something.
    """

    segment: np.ndarray
    nearest: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray
    flipped: np.ndarray
    shift_px: np.ndarray
    searched: int
    turn_deg: np.ndarray
    gain: np.ndarray
    rms_hu: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Neighbors:
        """Give some rows, in the order given."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        taken = {name: value[rows] for name, value in values.items() if name != "searched"}
        return Neighbors(**taken, searched=self.searched)


def aligned(training: SegmentSet, neighbors: Neighbors) -> np.ndarray:
    """Give the nearest training segments as they lie over the segments they are nearest to.

    Returns:
        float32 (N, 128, 128), HU; NaN where the training segment ends, 0 where there is none.
    """
    found = np.zeros((len(neighbors.nearest), SIZE, SIZE), np.float32)
    for place, nearest in enumerate(neighbors.nearest):
        if nearest >= 0:
            hu = training.hu[nearest]
            found[place] = neighbors.gain[place] * laid_over(
                hu[:, ::-1] if neighbors.flipped[place] else hu,
                neighbors.turn_deg[place],
                neighbors.shift_px[place],
            )
    return found


def laid_over(hu: np.ndarray, turn_deg: float, shift_px: np.ndarray) -> np.ndarray:
    """Give a segment (128, 128) turned about its middle and moved, float32; NaN where it ends."""
    angle = np.deg2rad(turn_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(float)
    y, x = rows - _CENTER - shift_px[0], columns - _CENTER - shift_px[1]
    across, down = cosine * x - sine * y + _CENTER, sine * x + cosine * y + _CENTER
    known = (across > -_REACHED) & (across < SIZE - 1 + _REACHED)
    known &= (down > -_REACHED) & (down < SIZE - 1 + _REACHED)
    left, top = (np.clip(one, 0, SIZE - 1).astype(int) for one in (across, down))
    right, bottom = (np.minimum(one + 1, SIZE - 1) for one in (left, top))
    u, v = np.clip(across - left, 0, 1), np.clip(down - top, 0, 1)
    value = hu.astype(np.float32)
    upper = (1 - u) * value[top, left] + u * value[top, right]
    lower = (1 - u) * value[bottom, left] + u * value[bottom, right]
    return np.where(known, (1 - v) * upper + v * lower, np.nan).astype(np.float32)


def differences(hu: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Subtract what ``aligned`` gave from the segments it lies over, int16 (N, 128, 128).

    Returns:
        float32 (N, 128, 128), HU; NaN where the other one ends.
    """
    return hu.astype(np.float32) - others


def ratio_of(distance: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Divide distances by those to the others, both float (N,).

    1 where both are 0: copies of what is there many times stick to none.
    """
    distance, others = np.asarray(distance, float), np.asarray(others, float)
    return np.divide(distance, others, out=np.ones_like(distance), where=others > 0)


def check_sets(segments: SegmentSet, training: SegmentSet) -> None:
    """Check that segments can be compared with a training set.

    Raises:
        BadInputError: if a set is empty or their pixel sizes differ.
    """
    if len(segments) == 0 or len(training) == 0:
        raise BadInputError(
            f"{len(segments)} segments cannot be compared with {len(training)} of the training "
            "set: expected at least one of each."
        )
    if segments.pixel_spacing_mm != training.pixel_spacing_mm:
        raise BadInputError(
            f"Segments of {segments.pixel_spacing_mm} mm pixels cannot be compared with a "
            f"training set of {training.pixel_spacing_mm} mm: expected one pixel size."
        )
