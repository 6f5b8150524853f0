"""A head CT and how it is read: DICOM folders and archives, NRRD, NIfTI, MetaImage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .volume import HeadCT as HeadCT
    from .volume import pseudonym as pseudonym
    from .volume import read_ct as read_ct
    from .volume import read_mask as read_mask
    from .volume import write_volume as write_volume

__all__ = ["HeadCT", "pseudonym", "read_ct", "read_mask", "write_volume"]

_HOMES = {
    "HeadCT": "volume",
    "pseudonym": "volume",
    "read_ct": "volume",
    "read_mask": "volume",
    "write_volume": "volume",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
