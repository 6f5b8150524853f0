"""What an evaluation leaves in a folder: answers, figures, page, and how it is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import lazy_face

if TYPE_CHECKING:
    from .reader import Report as Report
    from .reader import ReportedSet as ReportedSet

__all__ = ["Report", "ReportedSet"]

_HOMES = {
    "Report": "reader",
    "ReportedSet": "reader",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
