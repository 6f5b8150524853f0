"""Segments in the files of other programs: one format a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .formats import FORMATS as FORMATS
    from .formats import convert as convert
    from .formats import write as write

__all__ = ["FORMATS", "convert", "write"]

_HOMES = {
    "FORMATS": "formats",
    "convert": "formats",
    "write": "formats",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
