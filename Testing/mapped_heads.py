"""Heads with their maps, for tests of what is made of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.mapping import calvaria_map
from SkullGANLib.mapping.calvaria_map import CalvariaMap, Head

COARSE_MM = 2.0
"""Between vertices: a quarter of them is enough for tests."""


@dataclass(frozen=True, eq=False)
class Mapped:
    ct: HeadCT
    head: Head
    mask: np.ndarray
    found: CalvariaMap


def mapped(ct: HeadCT, spacing_mm: float = COARSE_MM) -> Mapped:
    head, mask = calvaria_map.prepare(ct)
    return Mapped(ct, head, mask, calvaria_map.calvaria(head, spacing_mm))
