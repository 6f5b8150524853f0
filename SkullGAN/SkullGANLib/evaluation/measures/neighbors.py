"""Nearest training segments: what is known of them, and how they lie over other segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError

OTHERS = 5
"""The next segments, by whose mean distance that to the nearest is divided."""


@dataclass(frozen=True)
class Neighbors:
    """The nearest training segment of each of N segments.

    Attributes:
        segment: int (N,), which segment of the set it is about; all, or a subsample.
        nearest: int (N,), its place in the training set; -1 where there is nothing to compare.
        distance: float (N,), 0 for a copy. By MSE: root mean square difference in HU where the two
            overlap. By SIFT: mean Euclidean distance of the segment's descriptors to the nearest.
        ratio: float (N,), by which ``judge`` judges: distance over the mean distance to the next
            five training segments. Near 1 for a segment among many like it, 0 for a copy.
        flipped: bool (N,), whether the training segment was turned left to right.
        shift_px: int (N, 2), rows and columns by which it was then moved.
        searched: number of training segments that were compared.
    """

    segment: np.ndarray
    nearest: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray
    flipped: np.ndarray
    shift_px: np.ndarray
    searched: int


def aligned(training: SegmentSet, neighbors: Neighbors) -> np.ndarray:
    """Give the nearest training segments as they lie over the segments they are nearest to.

    Returns:
        int16 (N, 128, 128), HU; 0 where the shift brought nothing, or there is no neighbor.
    """
    hu = turned(training.hu[neighbors.nearest], neighbors.flipped)
    moved = np.zeros_like(hu)
    for one, other, (rows, columns) in zip(moved, hu, neighbors.shift_px, strict=True):
        to_rows, from_rows = overlap(rows)
        to_columns, from_columns = overlap(columns)
        one[to_rows, to_columns] = other[from_rows, from_columns]
    moved[neighbors.nearest < 0] = 0
    return moved


def differences(hu: np.ndarray, others: np.ndarray, shift_px: np.ndarray) -> np.ndarray:
    """Subtract what ``aligned`` gave from the segments it lies over.

    Args:
        hu, others: int16 (N, 128, 128), HU.
        shift_px: int (N, 2), by which the others were moved.

    Returns:
        float32 (N, 128, 128), HU; NaN where the shift brought nothing.
    """
    found = np.full(hu.shape, np.nan, np.float32)
    for one, own, other, (rows, columns) in zip(found, hu, others, shift_px, strict=True):
        there = overlap(int(rows))[0], overlap(int(columns))[0]
        one[there] = own[there].astype(np.float32) - other[there]  # int16 would overflow
    return found


def overlap(shift: int) -> tuple[slice, slice]:
    """Give where a line moved by ``shift`` pixels lands, and which part of it that is."""
    return slice(max(shift, 0), SIZE + min(shift, 0)), slice(max(-shift, 0), SIZE - max(shift, 0))


def turned(hu: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Turn those of (N, 128, 128) left to right that are ``flipped`` (N,)."""
    return np.where(flipped[:, None, None], hu[:, :, ::-1], hu)


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
