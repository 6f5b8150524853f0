"""From seeds to synthetic segments, and artificial ones for a control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .from_seeds import SyntheticSegments as SyntheticSegments
    from .from_seeds import draw as draw
    from .from_seeds import generate as generate
    from .from_seeds import generate_set as generate_set

__all__ = ["SyntheticSegments", "draw", "generate", "generate_set"]

_HOMES = {
    "SyntheticSegments": "from_seeds",
    "draw": "from_seeds",
    "generate": "from_seeds",
    "generate_set": "from_seeds",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
