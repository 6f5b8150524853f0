"""Progress over several sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from ...data.segment_set import SegmentSet

T = TypeVar("T")


def for_each_set(
    sets: Mapping[str, SegmentSet],
    work: Callable[[SegmentSet, Callable[[int, int], None]], T],
    report_progress: Callable[[float], None],
) -> dict[str, T]:
    """Do the same work on each set, and report how much of all segments is finished.

    Args:
        sets: by name.
        work: gets a set and what it calls with its segments finished and to do.
        report_progress: called with the share of all sets.

    Example:
        >>> for_each_set({"a": [1, 2]}, lambda one, on_progress: sum(one), print)
        {'a': 3}
    """
    found: dict[str, T] = {}
    before, of = 0, sum(map(len, sets.values()))
    for name, one in sets.items():
        found[name] = work(one, partial(_report, report_progress, before, of))
        before += len(one)
    return found


def _report(
    report_progress: Callable[[float], None], before: int, of: int, part: int, _of_part: int
) -> None:
    report_progress((before + part) / of)
