"""The command ``skullgan``: one file a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .program import CANCELLED as CANCELLED
    from .program import DONE as DONE
    from .program import FAILED as FAILED
    from .program import main as main
    from .program import parser as parser

__all__ = ["CANCELLED", "DONE", "FAILED", "main", "parser"]

_HOMES = {
    "CANCELLED": "program",
    "DONE": "program",
    "FAILED": "program",
    "main": "program",
    "parser": "program",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
