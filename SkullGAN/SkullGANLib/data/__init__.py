"""The segment set and its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .segment_set import HU_RANGE as HU_RANGE
    from .segment_set import KINDS as KINDS
    from .segment_set import PIXEL_SPACING_MM as PIXEL_SPACING_MM
    from .segment_set import SIZE as SIZE
    from .segment_set import SegmentSet as SegmentSet
    from .segment_set import Writer as Writer
    from .segment_set import append as append
    from .segment_set import concatenate as concatenate
    from .segment_set import iterate as iterate
    from .segment_set import without_patient as without_patient

__all__ = [
    "HU_RANGE",
    "KINDS",
    "PIXEL_SPACING_MM",
    "SIZE",
    "SegmentSet",
    "Writer",
    "append",
    "concatenate",
    "iterate",
    "without_patient",
]

_HOMES = {
    "HU_RANGE": "segment_set",
    "KINDS": "segment_set",
    "PIXEL_SPACING_MM": "segment_set",
    "SIZE": "segment_set",
    "SegmentSet": "segment_set",
    "Writer": "segment_set",
    "append": "segment_set",
    "concatenate": "segment_set",
    "iterate": "segment_set",
    "without_patient": "segment_set",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
