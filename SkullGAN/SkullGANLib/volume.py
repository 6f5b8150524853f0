"""Head CTs: a volume in HU with its geometry, read from DICOM, NRRD, NIfTI or MetaImage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class HeadCT:
    """A head CT in Hounsfield units.

    Attributes:
        hu: int16 (slices, rows, columns), HU, not below -1024.
        ijk_to_ras: float64 (4, 4), takes (column, row, slice, 1) to RAS mm.
        source: what the headers say of the scanner (``scanner``, ``kernel``, ``kvp``,
            ``slice_thickness_mm``), as far as known, and nothing of the patient.
    """

    hu: np.ndarray
    ijk_to_ras: np.ndarray
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spacing_mm(self) -> np.ndarray:
        """Distance of neighbouring voxels along (columns, rows, slices), float64 (3,)."""
        return np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
