"""Segments in the files of other programs: a record and a file per format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .conversion import check as check
    from .conversion import convert as convert
    from .conversion import write as write
    from .format import Format as Format
    from .metrics_table import write_metrics as write_metrics
    from .registry import FORMATS as FORMATS
    from .registry import format_of as format_of
    from .registry import register as register
    from .registry import registered as registered
    from .segment_stack import SegmentStack as SegmentStack

__all__ = [
    "FORMATS",
    "Format",
    "SegmentStack",
    "check",
    "convert",
    "format_of",
    "register",
    "registered",
    "write",
    "write_metrics",
]

_HOMES = {
    "FORMATS": "registry",
    "Format": "format",
    "SegmentStack": "segment_stack",
    "check": "conversion",
    "convert": "conversion",
    "format_of": "registry",
    "register": "registry",
    "registered": "registry",
    "write": "conversion",
    "write_metrics": "metrics_table",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
