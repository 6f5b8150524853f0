"""Radiological metrics of segments: SDR, thickness, intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .radiology import METRICS as METRICS
    from .radiology import SDR_DEFINITIONS as SDR_DEFINITIONS
    from .radiology import mean_intensity_hu as mean_intensity_hu
    from .radiology import measure as measure
    from .radiology import sdr as sdr
    from .radiology import thickness_mm as thickness_mm

__all__ = ["METRICS", "SDR_DEFINITIONS", "mean_intensity_hu", "measure", "sdr", "thickness_mm"]

_HOMES = {
    "METRICS": "radiology",
    "SDR_DEFINITIONS": "radiology",
    "mean_intensity_hu": "radiology",
    "measure": "radiology",
    "sdr": "radiology",
    "thickness_mm": "radiology",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
