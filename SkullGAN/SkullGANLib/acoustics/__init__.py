"""Bone to ultrasound: density, speed and attenuation from HU, and waves through layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .convention import Conditions as Conditions
    from .convention import Convention as Convention
    from .convention import Properties as Properties
    from .layers import Transmission as Transmission
    from .layers import transmit as transmit
    from .media import Medium as Medium
    from .media import MediumSettings as MediumSettings
    from .media import segment_media as segment_media
    from .media import volume_medium as volume_medium
    from .registry import CONVENTIONS as CONVENTIONS
    from .registry import register as register
    from .registry import registered as registered
    from .tissues import TISSUES as TISSUES
    from .tissues import Tissue as Tissue

__all__ = [
    "CONVENTIONS",
    "TISSUES",
    "Conditions",
    "Convention",
    "Medium",
    "MediumSettings",
    "Properties",
    "Tissue",
    "Transmission",
    "register",
    "registered",
    "segment_media",
    "transmit",
    "volume_medium",
]

_HOMES = {
    "CONVENTIONS": "registry",
    "Conditions": "convention",
    "Convention": "convention",
    "Medium": "media",
    "MediumSettings": "media",
    "Properties": "convention",
    "TISSUES": "tissues",
    "Tissue": "tissues",
    "Transmission": "layers",
    "register": "registry",
    "registered": "registry",
    "segment_media": "media",
    "transmit": "layers",
    "volume_medium": "media",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
