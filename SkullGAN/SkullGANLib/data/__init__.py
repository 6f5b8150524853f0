"""The segment set and its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .hdf5 import Writer as Writer
    from .hdf5 import append as append
    from .hdf5 import count as count
    from .hdf5 import iterate as iterate
    from .hdf5 import read as read
    from .hdf5 import write as write
    from .segment_set import HU_RANGE as HU_RANGE
    from .segment_set import KINDS as KINDS
    from .segment_set import PIXEL_SPACING_MM as PIXEL_SPACING_MM
    from .segment_set import SIZE as SIZE
    from .segment_set import SegmentSet as SegmentSet
    from .segment_set import concatenate as concatenate
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
    "count",
    "iterate",
    "read",
    "without_patient",
    "write",
]

_HOMES = {
    "HU_RANGE": "segment_set",
    "KINDS": "segment_set",
    "PIXEL_SPACING_MM": "segment_set",
    "SIZE": "segment_set",
    "SegmentSet": "segment_set",
    "Writer": "hdf5",
    "append": "hdf5",
    "concatenate": "segment_set",
    "count": "hdf5",
    "iterate": "hdf5",
    "read": "hdf5",
    "without_patient": "segment_set",
    "write": "hdf5",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
