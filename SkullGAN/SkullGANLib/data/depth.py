"""Stacks in depth: neighboring parallel cuts around one site, in a set's rows one after the other.

A set with depth is a segment set like any other, each of whose segments is a slice of a stack.
``stack`` and ``slice_number`` say of which, and ``source["depth"]`` how many slices a stack has and
how far apart they are. So whatever takes segments takes it, too; what takes stacks asks
``depth_of`` and ``stacks_of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import BadInputError
from .segment_set import NO_STACK, SegmentSet

STEP_MM = 0.9
"""Default distance of neighboring slices: two pixels."""
MOST_SLICES = 64
LEAST_STEP_MM = 0.1
MOST_DEPTH_MM = 60.0
"""From the first to the last slice: as far as a segment is wide."""


@dataclass(frozen=True)
class Depth:
    """What the stacks of a set are like.

    Attributes:
        slices: of a stack.
        step_mm: from a slice to the next, along the normal of both.

    Raises:
        BadInputError: if there are fewer than 2 slices, or too many or too close ones to be cuts
            of a head.

    Example:
        >>> print(Depth(8, 0.9))
        8 slices 0.9 mm apart
    """

    slices: int
    step_mm: float = STEP_MM

    def __post_init__(self) -> None:
        if not 2 <= self.slices <= MOST_SLICES:
            raise BadInputError(
                f"The depth is {self.slices} slices, expected 2 to {MOST_SLICES}; single cuts need "
                "no depth."
            )
        if not LEAST_STEP_MM <= self.step_mm < np.inf:
            raise BadInputError(
                f"The depth's step is {self.step_mm:g} mm, expected at least {LEAST_STEP_MM:g}."
            )
        if (self.slices - 1) * self.step_mm > MOST_DEPTH_MM:
            raise BadInputError(
                f"The depth is {self}, {(self.slices - 1) * self.step_mm:g} mm in all, expected at "
                f"most {MOST_DEPTH_MM:g}."
            )

    def __str__(self) -> str:
        return f"{self.slices} slices {self.step_mm:g} mm apart"

    @property
    def central(self) -> int:
        """The slice that is the segment of the site itself, without depth."""
        return self.slices // 2

    @property
    def offsets_mm(self) -> np.ndarray:
        """Where the slices lie along the normal, float64 (slices,), 0 at the central one.

        Example:
            >>> Depth(4, 0.5).offsets_mm.tolist()
            [-1.0, -0.5, 0.0, 0.5]
        """
        return (np.arange(self.slices) - self.central) * self.step_mm

    def as_source(self) -> dict[str, float]:
        """Give it as a segment set's ``source`` holds it."""
        return asdict(self)


def depth_of(segments: SegmentSet, where: str | Path = "The segment set") -> Depth | None:
    """Give the depth of a set, or None where its segments are single cuts.

    Args:
        segments: the set; its source is enough.
        where: its file, for the sentence of an error.

    Raises:
        BadInputError: if its stacks are of several depths, or of one that makes no sense.
    """
    found = segments.source.get("depth")
    if found is None:
        return None
    if not isinstance(found, Mapping):
        several = "; ".join(str(Depth(**one)) for one in found)
        raise BadInputError(
            f"{where}: holds stacks of several depths ({several}), expected one depth."
        )
    return Depth(int(found["slices"]), float(found["step_mm"]))


def stacks_of(stack: np.ndarray, slice_number: np.ndarray, slices: int) -> np.ndarray:
    """Give the rows of every whole stack: those that follow each other from slice 0 to the last.

    Args:
        stack, slice_number: int (N,), as in ``SegmentSet``.
        slices: of a stack.

    Returns:
        int (S, slices), in the order of the rows.

    Example:
        >>> stacks_of(np.array([7, 7, 8, 9, 9]), np.array([0, 1, 0, 0, 1]), 2).tolist()
        [[0, 1], [3, 4]]
    """
    first = np.flatnonzero(slice_number[: max(0, len(stack) - slices + 1)] == 0)
    rows = first[:, None] + np.arange(slices)
    whole = (stack[rows] == stack[first, None]) & (slice_number[rows] == np.arange(slices))
    return rows[whole.all(axis=1) & (stack[first] != NO_STACK)]


def whole_stacks(
    segments: SegmentSet, where: str | Path = "The segment set"
) -> tuple[Depth, np.ndarray]:
    """Give the depth of a set all of whose segments are slices of whole stacks, and their rows.

    Returns:
        The depth, and int (S, slices) as ``stacks_of`` gives them.

    Raises:
        BadInputError: if the set has no depth or several, or a stack lacks a slice.
    """
    depth = depth_of(segments, where)
    if depth is None:
        raise BadInputError(f"{where}: holds single cuts, expected stacks (extract --depth).")
    assert segments.stack is not None
    assert segments.slice_number is not None
    rows = stacks_of(segments.stack, segments.slice_number, depth.slices)
    if rows.size != len(segments):
        raise BadInputError(
            f"{where}: {len(segments) - rows.size} of {len(segments)} segments are slices of no "
            f"whole stack of {depth}, expected whole stacks alone."
        )
    return depth, rows
