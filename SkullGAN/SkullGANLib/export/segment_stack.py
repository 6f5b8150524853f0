"""A segment set's file as what the writers of formats need of it: a stack, read batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from ..data import hdf5
from ..data.depth import Depth, depth_of, stacks_of
from ..data.segment_set import ORIGINS, SIZE, SegmentSet
from ..data.stack import SLICE_DISTANCE_MM, stack_geometry

Progress = Callable[[int, int], None]
"""Called with the segments written and those there are."""

_BATCH = 256


class Sink(Protocol):
    """A file or a packer that bytes are written to."""

    def write(self, data: bytes | memoryview, /) -> int: ...


class SegmentStack:
    """The segments of a file as slices, at flat memory.

    Args:
        path: segment set (.h5).
        on_progress: called as segments are read to be written.

    Attributes:
        path: the segment set.
        header: the set without its segments.
        count: its segments.
        about: a sentence on what the segments are.
        depth: of the stacks, where all segments are slices of whole ones; else None.

    Raises:
        BadInputError: if the file cannot be read as a segment set.
    """

    def __init__(self, path: Path, on_progress: Progress | None = None) -> None:
        self.path = path
        self.header = hdf5.read(path, slice(0))
        self.count = hdf5.count(path)
        self.about = (
            f"{self.count} {self.header.kind} skull segments, {ORIGINS[self.header.kind]}. "
            "The position in space means nothing."
        )
        self.depth = self._whole_depth()
        if self.depth:
            stacks = self.count // self.depth.slices
            self.about += f" They are {stacks} stacks of {self.depth}, one after the other."
        self._on_progress = on_progress or (lambda written, of: None)

    def batches(self, quiet: bool = False) -> Iterator[SegmentSet]:
        """Give the segments in order, some at once and stacks whole; ``quiet`` reports nothing."""
        written = 0
        size = _BATCH if self.depth is None else _BATCH // self.depth.slices * self.depth.slices
        for batch in hdf5.iterate(self.path, size):
            yield batch
            written += len(batch)
            if not quiet:
                self._on_progress(written, self.count)

    def write_pixels(self, file: Sink, name: str) -> None:
        """Write all ``hu`` (int16) or ``mask`` (uint8), little endian, columns fastest."""
        for batch in self.batches(quiet=name == "mask"):
            pixels = getattr(batch, name)
            file.write(np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).data)

    @property
    def ijk_to_ras(self) -> np.ndarray:
        """float64 (4, 4): (column, row, slice, 1) to RAS mm."""
        return stack_geometry(self.header.pixel_spacing_mm, SIZE, self.slice_distance_mm)

    @property
    def slice_distance_mm(self) -> float:
        """From a slice to the next, which means nothing between stacks."""
        return self.depth.step_mm if self.depth else SLICE_DISTANCE_MM

    def _whole_depth(self) -> Depth | None:
        depth = depth_of(self.header, self.path)
        if depth is None:
            return None
        whole = stacks_of(*hdf5.stack_columns(self.path), depth.slices)
        return depth if whole.size == self.count else None
