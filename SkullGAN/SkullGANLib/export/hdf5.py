"""The segment set itself: what our own file holds need not be converted."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadInputError
from .format import Format
from .segment_stack import SegmentStack


def write_segments(stack: SegmentStack, path: Path) -> None:
    """Refuse to make a segment set of one; ``conversion.write`` collects batches in one directly.

    Raises:
        BadInputError: always.
    """
    raise BadInputError(f"{path}: {stack.path} is a segment set already, expected another format.")


FORMAT = Format(
    name="h5",
    title="Segment set",
    endings=(".h5", ".hdf5"),
    description="segment set (HDF5), with masks, places and provenance",
    write=write_segments,
    reads_back=True,
)
