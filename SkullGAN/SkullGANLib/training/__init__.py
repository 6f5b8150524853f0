"""The game of two networks: recipe and segments in, a run directory out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .check import check_training as check_training
    from .datasets import read_segments as read_segments
    from .datasets import split as split
    from .loop import train as train
    from .pictures import read_pictures as read_pictures
    from .presets import PRESETS as PRESETS
    from .presets import named as named
    from .recipe import Recipe as Recipe
    from .run_directory import Run as Run
    from .run_directory import Status as Status
    from .segment_dataset import SegmentDataset as SegmentDataset

__all__ = [
    "PRESETS",
    "Recipe",
    "Run",
    "SegmentDataset",
    "Status",
    "check_training",
    "named",
    "read_pictures",
    "read_segments",
    "split",
    "train",
]

_HOMES = {
    "check_training": "check",
    "read_pictures": "pictures",
    "read_segments": "datasets",
    "split": "datasets",
    "train": "loop",
    "Recipe": "recipe",
    "PRESETS": "presets",
    "named": "presets",
    "Run": "run_directory",
    "SegmentDataset": "segment_dataset",
    "Status": "run_directory",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
