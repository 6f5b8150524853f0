"""From seeds to synthetic segments, and artificial ones for a control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .diversity import Diversity as Diversity
    from .draws import draw as draw
    from .from_seeds import SyntheticSegments as SyntheticSegments
    from .from_seeds import generate as generate
    from .from_seeds import generate_set as generate_set
    from .selection import Limits as Limits
    from .selection import Selection as Selection
    from .selection import select as select
    from .set_file import Generated as Generated
    from .set_file import Provenance as Provenance
    from .set_file import generate_file as generate_file

__all__ = [
    "Diversity",
    "Generated",
    "Limits",
    "Provenance",
    "Selection",
    "SyntheticSegments",
    "draw",
    "generate",
    "generate_file",
    "generate_set",
    "select",
]

_HOMES = {
    "Diversity": "diversity",
    "Generated": "set_file",
    "Limits": "selection",
    "Provenance": "set_file",
    "Selection": "selection",
    "SyntheticSegments": "from_seeds",
    "draw": "draws",
    "generate": "from_seeds",
    "generate_file": "set_file",
    "generate_set": "from_seeds",
    "select": "selection",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
