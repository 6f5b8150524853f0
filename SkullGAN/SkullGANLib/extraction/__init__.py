"""From head CTs to segments: one CT, or many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .single_ct import Extraction as Extraction
    from .single_ct import cut as cut
    from .single_ct import extract as extract
    from .single_ct import place as place

__all__ = ["Extraction", "cut", "extract", "place"]

_HOMES = {
    "Extraction": "single_ct",
    "cut": "single_ct",
    "extract": "single_ct",
    "place": "single_ct",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
