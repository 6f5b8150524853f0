"""Stacks in depth: the neighbors of a cut, parallel to it and moved along its normal.

The cut of the site stays as it is; the others are laid by its ``pixel_to_ras``, moved by whole
steps, so that a stack is a part of the patient on one regular grid. They are not turned level each
for itself: that would shear the stack.

A stack is kept where all of its slices are what single cuts have to be. A hole in a stack could be
told neither to a network that takes all slices at once nor to a simulator.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from ..anatomy.cut_plan import Site
from ..ct.volume import HeadCT
from ..data.depth import Depth
from ..data.segment_set import SIZE, SegmentSet
from ..errors import BadInputError
from ..metrics.wall_rules import FEWEST_GOOD_COLUMNS, rejection_reason
from . import beads, foreign_bodies
from .cutting import (
    CREST,
    CRESTED,
    cut,
    has_crest,
    rejection_reason_around,
)
from .sampling import is_inside, points_of, to_ijk
from .spline_bricks import SplineBricks

IN_DEPTH = "in depth: "
"""Before the reason of what is wrong with a neighbor of a cut that is good itself."""

Kept = tuple[Site, np.ndarray, np.ndarray, np.ndarray]
"""A site with what was cut there: ``pixel_to_ras``, HU and mask."""


def with_neighbors(
    kept: Sequence[Kept],
    dropped: dict[str, int],
    ct: HeadCT,
    mask: np.ndarray,
    depth: Depth,
    *,
    spacing_mm: float,
    threshold_hu: float,
    is_bare: bool = False,
    spline: SplineBricks | None = None,
    threads: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[list[Kept], dict[str, int]]:
    """Cut the neighbors of good cuts.

    Args:
        kept: the cuts.
        dropped: how many were dropped before, by reason.
        ct, mask, spacing_mm, threshold_hu, is_bare, spline: as they were cut from and with.
        depth: of the stacks.
        threads: how many cut at once; None is one a core, up to four.
        on_progress: called with the share that is done.

    Returns:
        The slices of all stacks that are kept, stack after stack, and how many cuts were dropped
        in all: each stack is one, under the reason of its first slice that is none.

    Raises:
        BadInputError: if no stack is whole.
    """
    around = partial(_stack_around, ct=ct, mask=mask, depth=depth, spacing_mm=spacing_mm)
    around = partial(around, threshold_hu=threshold_hu, is_bare=is_bare, spline=spline)
    stacks, counts = list[list[Kept]](), Counter(dropped)
    with ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1)) as pool:
        for number, found in enumerate(pool.map(around, kept)):
            if isinstance(found, str):
                counts[IN_DEPTH + found] += 1
            else:
                stacks.append(found)
            if on_progress:
                on_progress((number + 1) / len(kept))
    slices = [one for stack in stacks for one in stack]
    if slices:
        _sites, _matrices, hu, walls = zip(*slices, strict=True)
        foreign = foreign_bodies.foreign_cuts(hu, walls, spacing_mm).reshape(len(stacks), -1)
        counts[IN_DEPTH + foreign_bodies.REASON] += int(foreign.any(axis=1).sum())
        slices = [
            one
            for stack, is_foreign in zip(stacks, foreign, strict=True)
            if not is_foreign.any()
            for one in stack
        ]
    found_counts = {reason: count for reason, count in sorted(counts.items()) if count}
    if not slices:
        raise BadInputError(
            f"No stack of {depth} is one wall from edge to edge in all its slices (found: "
            f"{found_counts}), expected a CT that shows as much of the vault, or less depth."
        )
    return slices, found_counts


def in_stacks(segments: SegmentSet, depth: Depth) -> SegmentSet:
    """Number the stacks of a set whose segments are slices of stacks, one after the other."""
    row = np.arange(len(segments))
    return replace(segments, stack=row // depth.slices, slice_number=row % depth.slices)


def _stack_around(
    kept: Kept,
    *,
    ct: HeadCT,
    mask: np.ndarray,
    depth: Depth,
    spacing_mm: float,
    threshold_hu: float,
    is_bare: bool,
    spline: SplineBricks | None,
) -> list[Kept] | str:
    """Cut the neighbors of a cut; all slices, or why there is no such stack."""
    site, central, _hu, wall = kept
    found: list[Kept] = []
    for number, offset_mm in enumerate(depth.offsets_mm):
        if number == depth.central:
            found.append(kept)
            continue
        matrix = central.copy()
        matrix[:3, 3] += offset_mm * central[:3, 2] / spacing_mm
        if _leaves(ct, wall, matrix):
            return "leaves the field of view"
        hu, own_wall = cut(ct, mask, matrix, threshold_hu, spline)
        reason = (
            rejection_reason(hu, own_wall, spacing_mm)
            or (CREST if site.bone in CRESTED and has_crest(own_wall, spacing_mm) else None)
            or rejection_reason_around(ct, own_wall, matrix, spacing_mm, is_bare)
            or (
                beads.REASON
                if beads.has_beads(hu, own_wall, matrix, ct.ijk_to_ras, spacing_mm)
                else None
            )
        )
        if reason is not None:
            return reason
        found.append((site, matrix, hu, own_wall))
    return found


def _leaves(ct: HeadCT, wall: np.ndarray, pixel_to_ras: np.ndarray) -> bool:
    """Whether the wall of a neighbor, laid there, would lie outside of the CT."""
    rows, columns = np.nonzero(wall)
    inside = is_inside(to_ijk(ct, points_of(pixel_to_ras, rows, columns)), ct, margin=0.5)
    return len(np.unique(columns[~inside])) > (1 - FEWEST_GOOD_COLUMNS) * SIZE
