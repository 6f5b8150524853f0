"""Radiological metrics of the skull wall: a record each, and how segments are measured by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .ct_kernel import kernel_is_soft as kernel_is_soft
    from .intensity import mean_intensity_hu as mean_intensity_hu
    from .measurement import measure as measure
    from .measurement import measure_profiles as measure_profiles
    from .metric import Metric as Metric
    from .profiles import Profiles as Profiles
    from .registry import METRICS as METRICS
    from .registry import register as register
    from .registry import registered as registered
    from .sdr import SDR_DEFINITIONS as SDR_DEFINITIONS
    from .sdr import SDR_LIMIT as SDR_LIMIT
    from .sdr import skull_density_ratio as skull_density_ratio
    from .thickness import thickness_mm as thickness_mm
    from .wall_rules import rejection_reason as rejection_reason
    from .wall_rules import rejection_reasons as rejection_reasons

__all__ = [
    "METRICS",
    "SDR_DEFINITIONS",
    "SDR_LIMIT",
    "Metric",
    "Profiles",
    "kernel_is_soft",
    "mean_intensity_hu",
    "measure",
    "measure_profiles",
    "register",
    "registered",
    "rejection_reason",
    "rejection_reasons",
    "skull_density_ratio",
    "thickness_mm",
]

_HOMES = {
    "METRICS": "registry",
    "SDR_DEFINITIONS": "sdr",
    "SDR_LIMIT": "sdr",
    "Metric": "metric",
    "Profiles": "profiles",
    "kernel_is_soft": "ct_kernel",
    "mean_intensity_hu": "intensity",
    "measure": "measurement",
    "measure_profiles": "measurement",
    "register": "registry",
    "registered": "registry",
    "rejection_reason": "wall_rules",
    "rejection_reasons": "wall_rules",
    "skull_density_ratio": "sdr",
    "thickness_mm": "thickness",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
