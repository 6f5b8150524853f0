"""Where things are in a head: its axes, its skull, and where to cut it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .cavity import Cavity as Cavity
    from .cavity import find_cavity as find_cavity
    from .cut_plan import BONES as BONES
    from .cut_plan import DEFAULT_BONES as DEFAULT_BONES
    from .cut_plan import DEFAULT_PLANES as DEFAULT_PLANES
    from .cut_plan import PLANES as PLANES
    from .cut_plan import SIDES as SIDES
    from .cut_plan import Site as Site
    from .cut_plan import by_hand as by_hand
    from .cut_plan import plan as plan
    from .head_frame import HeadFrame as HeadFrame
    from .head_frame import find_frame as find_frame
    from .head_frame import frame_from_landmarks as frame_from_landmarks
    from .skull import bone_threshold_hu as bone_threshold_hu
    from .skull import skull_mask as skull_mask

__all__ = [
    "BONES",
    "DEFAULT_BONES",
    "DEFAULT_PLANES",
    "PLANES",
    "SIDES",
    "Cavity",
    "HeadFrame",
    "Site",
    "bone_threshold_hu",
    "by_hand",
    "find_cavity",
    "find_frame",
    "frame_from_landmarks",
    "plan",
    "skull_mask",
]

_HOMES = {
    "BONES": "cut_plan",
    "DEFAULT_BONES": "cut_plan",
    "DEFAULT_PLANES": "cut_plan",
    "PLANES": "cut_plan",
    "SIDES": "cut_plan",
    "Site": "cut_plan",
    "by_hand": "cut_plan",
    "plan": "cut_plan",
    "HeadFrame": "head_frame",
    "find_frame": "head_frame",
    "frame_from_landmarks": "head_frame",
    "Cavity": "cavity",
    "bone_threshold_hu": "skull",
    "find_cavity": "cavity",
    "skull_mask": "skull",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
