"""SDR and thickness over the whole vault, and as a transducer sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .array_geometry import hemisphere as hemisphere
    from .calvaria_map import CalvariaMap as CalvariaMap
    from .calvaria_map import calvaria as calvaria
    from .transducer import ArrayRays as ArrayRays
    from .wall_overlay import overlay as overlay

__all__ = ["ArrayRays", "CalvariaMap", "calvaria", "hemisphere", "overlay"]

_HOMES = {
    "CalvariaMap": "calvaria_map",
    "calvaria": "calvaria_map",
    "overlay": "wall_overlay",
    "ArrayRays": "transducer",
    "hemisphere": "array_geometry",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
