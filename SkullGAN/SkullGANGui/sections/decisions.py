"""What was kept and rejected of a segment set in the scene, and how it was before."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from slicer import vtkMRMLScalarVolumeNode

_MOST = 1000


class _Decision(NamedTuple):
    segments: np.ndarray
    before: np.ndarray
    after: np.ndarray


class Decisions:
    """Keeps and rejects segments of one set, with undo and redo; the slices of a stack together.

    Attributes:
        stacks: number of each segment's stack, int (N,); None for single cuts.
    """

    def __init__(self) -> None:
        self._volume: vtkMRMLScalarVolumeNode | None = None
        self.stacks: np.ndarray | None = None
        self._done: list[_Decision] = []
        self._undone: list[_Decision] = []

    def begin(self, volume: vtkMRMLScalarVolumeNode | None) -> None:
        """Decide on another set; what was decided of the one before cannot be undone any more."""
        from SkullGANScene.nodes import segment_sets

        self._volume = volume
        self.stacks = segment_sets.stack_numbers(volume) if volume is not None else None
        self._done.clear()
        self._undone.clear()

    def decide(self, segments: Iterable[int], keep: bool) -> list[int]:
        """Keep or reject segments, with all slices of their stacks; give those it changed."""
        from SkullGANScene.nodes import segment_sets

        if self._volume is None:
            return []
        every = np.array(self.together(segments), int)
        before = segment_sets.kept(self._volume)[every]
        changed = every[before != keep]
        if not changed.size:
            return []
        self._done.append(_Decision(changed, before[before != keep], np.full(len(changed), keep)))
        del self._done[:-_MOST]
        self._undone.clear()
        segment_sets.set_kept(self._volume, changed, keep)
        return changed.tolist()

    def together(self, segments: Iterable[int]) -> list[int]:
        """Give the segments that are decided on with these: all slices of their stacks."""
        chosen = sorted(set(segments))
        if self.stacks is None:
            return chosen
        return np.flatnonzero(np.isin(self.stacks, self.stacks[chosen])).tolist()

    def undo(self) -> list[int]:
        """Take the last decision back; give its segments, none if there is none."""
        return self._move(self._done, self._undone, "before")

    def redo(self) -> list[int]:
        """Decide again what was taken back last; give its segments."""
        return self._move(self._undone, self._done, "after")

    @property
    def canUndo(self) -> bool:
        return bool(self._done)

    def _move(self, source: list[_Decision], target: list[_Decision], which: str) -> list[int]:
        from SkullGANScene.nodes import segment_sets

        if self._volume is None or not source:
            return []
        decision = source.pop()
        target.append(decision)
        segment_sets.set_kept(self._volume, decision.segments, getattr(decision, which))
        return decision.segments.tolist()
