"""Progress over several sets is the share of all their segments."""

from __future__ import annotations

from collections.abc import Callable

from examples import straight_walls as walls
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation.measures.progress import for_each_set


def count(one: SegmentSet, on_progress: Callable[[int, int], None]) -> int:
    on_progress(len(one), len(one))
    return len(one)


def test_progress_counts_the_segments_of_all_sets():
    shares: list[float] = []
    sets = {"a": walls(1, 0), "b": walls(3, 0)}
    found = for_each_set(
        sets, lambda one, done: done(len(one), len(one)) or len(one), shares.append
    )
    assert found == {"a": 1, "b": 3}
    assert shares == [0.25, 1.0]
