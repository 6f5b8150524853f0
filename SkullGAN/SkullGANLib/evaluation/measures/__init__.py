"""The judges of an evaluation, one file each, listed in ``registry``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import lazy_face

if TYPE_CHECKING:
    from .measure import Inputs as Inputs
    from .measure import Measure as Measure
    from .measure import Result as Result
    from .registry import MEASURES as MEASURES
    from .registry import register as register
    from .registry import registered as registered

__all__ = ["MEASURES", "Inputs", "Measure", "Result", "register", "registered"]

_HOMES = {
    "Inputs": "measure",
    "MEASURES": "registry",
    "Measure": "measure",
    "Result": "measure",
    "register": "registry",
    "registered": "registry",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
