"""From head CTs to segments: one CT, or many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .cutting import cut as cut
    from .cutting import place as place
    from .single_ct import Extraction as Extraction
    from .single_ct import extract as extract

__all__ = ["Extraction", "cut", "extract", "place"]

_HOMES = {
    "Extraction": "single_ct",
    "cut": "cutting",
    "extract": "single_ct",
    "place": "cutting",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
