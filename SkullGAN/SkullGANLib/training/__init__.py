"""The game of two networks: recipe and segments in, a run directory out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .datasets import read_segments as read_segments
    from .datasets import split as split
    from .loop import train as train
    from .presets import named as named
    from .recipe import Recipe as Recipe
    from .run_directory import Run as Run
    from .run_directory import Status as Status

__all__ = ["Recipe", "Run", "Status", "named", "read_segments", "split", "train"]

_HOMES = {
    "read_segments": "datasets",
    "split": "datasets",
    "train": "loop",
    "Recipe": "recipe",
    "named": "presets",
    "Run": "run_directory",
    "Status": "run_directory",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
