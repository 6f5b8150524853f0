"""What a training learns from: segment sets, joined and split by subject.

``read_segments`` joins segment sets and ``split`` holds a test part out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import hdf5, segment_set
from ..data.depth import depth_of
from ..data.segment_set import SegmentSet
from ..errors import BadInputError

SPLITS = {
    "subjects": "no subject is on both sides",
    "segments": "by chance, neighboring cuts of one head are on both sides (as in the paper)",
    "none": "nothing is held out",
}
TEST_SHARE = 0.2
"""Share held out by default: the paper's half is too much where heads are few."""
LARGEST_TEST_SHARE = 0.9


@dataclass(frozen=True, eq=False)
class Parts:
    """Segments to learn from and segments held out.

    Attributes:
        training, test: the parts, in the order they had; ``test`` is None if nothing is held out.
            Their ``source["split"]`` says how they came about, in numbers.
        note: that in a sentence.
    """

    training: SegmentSet
    test: SegmentSet | None
    note: str


@dataclass(frozen=True, eq=False)
class Plan:
    """Which segments would be held out.

    Attributes:
        held_out: bool (N,).
        record: how that came about, in numbers.
        note: that in a sentence.
    """

    held_out: np.ndarray
    record: Mapping[str, Any]
    note: str


def read_segments(paths: Sequence[str | Path], *, any_kind: bool = False) -> SegmentSet:
    """Read segment sets into one, in the order given.

    Args:
        paths: HDF5 files.
        any_kind: take synthetic, artificial and control segments, too; all of one kind.

    Raises:
        BadInputError: if a file is no segment set, its segments are not real, all files together
            hold none, or kind, pixel size or HU range differ; before any segment is read.
    """
    check_sets(paths, any_kind=any_kind)
    sets = [hdf5.read(path) for path in paths]
    return sets[0] if len(sets) == 1 else segment_set.concatenate(sets)


def check_sets(paths: Sequence[str | Path], *, any_kind: bool = False) -> None:
    """Raise where ``read_segments`` would; no segment is read."""
    headers = {path: hdf5.read(path, slice(0)) for path in paths}
    for path, header in headers.items():
        if header.kind != "real" and not any_kind:
            raise BadInputError(
                f"{path}: expected real segments, found {header.kind} ones (--any-kind learns from "
                "others, too)."
            )
    first, *others = headers
    depth = depth_of(headers[first], first)
    for path in others:
        found = depth_of(headers[path], path)
        if found != depth:
            raise BadInputError(
                f"{path}: expected {depth or 'single cuts'} as in {first}, found "
                f"{found or 'single cuts'}; stacks of one depth are learned together."
            )
    for name in ("kind", "pixel_spacing_mm", "hu_range"):
        expected = getattr(headers[first], name)
        for path in others:
            found = getattr(headers[path], name)
            if found != expected:
                raise BadInputError(
                    f"{path}: expected {name} {expected} as in {first}, found {found}."
                )
    if not any(map(hdf5.count, paths)):
        raise BadInputError(f"{', '.join(map(str, paths))}: expected segments, found none.")


def split(
    segments: SegmentSet, *, by: str = "subjects", test_share: float = TEST_SHARE, seed: int = 0
) -> Parts:
    """Hold out a part of the segments.

    Split by subject, the share is met as well as whole subjects allow, at least one on each side;
    a single subject cannot be split, and all is to learn from.

    Args:
        segments: to be split.
        by: one of ``SPLITS``.
        test_share: share of the segments to hold out, 0 to ``LARGEST_TEST_SHARE``.
        seed: what the choice follows from.

    Raises:
        BadInputError: if ``by`` or ``test_share`` is none of these.
    """
    plan = plan_split(
        segments.subject, by=by, test_share=test_share, seed=seed, stack=_stack_numbers(segments)
    )
    whole = replace(segments, source={**segments.source, "split": dict(plan.record)})
    if not plan.held_out.any():
        return Parts(whole, None, plan.note)
    return Parts(whole[~plan.held_out], whole[plan.held_out], plan.note)


def plan_split(
    subject: np.ndarray,
    *,
    by: str = "subjects",
    test_share: float = TEST_SHARE,
    seed: int = 0,
    stack: np.ndarray | None = None,
) -> Plan:
    """Plan how ``split`` would split segments; raises as it.

    Args:
        subject: (N,) texts, of each segment.
        by, test_share, seed: as for ``split``.
        stack: int (N,), which segments stay together; None if each stands for itself.
    """
    if by not in SPLITS:
        raise BadInputError(f"The split is {by!r}, expected one of {list(SPLITS)}.")
    if not 0 <= test_share <= LARGEST_TEST_SHARE:
        raise BadInputError(
            f"The test share is {test_share}, expected a number from 0 to {LARGEST_TEST_SHARE}."
        )
    if test_share == 0:
        by = "none"
    subjects = len(np.unique(subject))
    note = ""
    if by == "subjects" and subjects < 2:
        by = "none"
        note = "They are of one subject and cannot be split by subject, so none is held out."
    rng = np.random.default_rng(seed)
    held_out = np.zeros(len(subject), bool)
    if by == "subjects":
        held_out = _of_whole_subjects(subject, test_share, rng)
    elif by == "segments":
        each = np.arange(len(subject)) if stack is None else stack
        together = len(np.unique(each))
        held_out = np.isin(each, rng.permutation(together)[: round(test_share * together)])

    if not held_out.any():
        by = "none"
    record: dict[str, Any] = {"by": by} if by == "none" else {"by": by, "seed": seed}
    counts = {}
    for side, rows in (("training", ~held_out), ("test", held_out)):
        count, of = int(rows.sum()), len(np.unique(subject[rows]))
        record |= {f"{side}_segments": count, f"{side}_subjects": of}
        counts[side] = f"{count} segments of {of} subject{'' if of == 1 else 's'}"
    learned = f"To learn from: {counts['training']}."
    if by == "none":
        return Plan(held_out, record, f"{learned} {note}".rstrip())
    note = f"Held out: {counts['test']}, chosen by {by}."
    return Plan(held_out, record, f"{learned} {note}")


def _stack_numbers(segments: SegmentSet) -> np.ndarray | None:
    """Number the stacks of a set through, int (N,); None where there are none."""
    if depth_of(segments) is None:
        return None
    number = np.asarray(segments.slice_number)
    follows = (np.diff(number) == 1) & (np.diff(np.asarray(segments.stack)) == 0)
    return np.cumsum(np.concatenate([[True], ~follows])) - 1


def _of_whole_subjects(subject: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Choose subjects at random whose segments are about that share; bool (N,)."""
    names, whose, sizes = np.unique(subject, return_inverse=True, return_counts=True)
    wanted, total = share * len(subject), 0
    chosen: list[int] = []
    for one in rng.permutation(len(names)):
        nearer = abs(total + sizes[one] - wanted) < abs(total - wanted)
        if nearer and len(chosen) < len(names) - 1:
            chosen.append(one)
            total += sizes[one]
    return np.isin(whose, chosen or [np.argmin(sizes)])
