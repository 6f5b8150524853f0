"""MATLAB: HU, masks and provenance as the variables of one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..data import hdf5
from ..utils.atomic_files import written_aside
from .format import Format
from .segment_stack import SegmentStack


def write_mat(stack: SegmentStack, path: Path) -> None:
    """Write MATLAB 5: hu(:, :, k) is segment k, its first row outside the head."""
    from scipy.io import savemat

    whole = hdf5.read(stack.path)
    fields: dict[str, Any] = {
        "hu": whole.hu.transpose(1, 2, 0),
        "mask": whole.mask.transpose(1, 2, 0),
        "pixel_spacing_mm": whole.pixel_spacing_mm,
        "seeds": whole.seed,
        "kind": whole.kind,
        "pixel_to_ras": whole.pixel_to_ras.transpose(1, 2, 0),
        **{name: getattr(whole, name).astype(object) for name in ("subject", "bone", "side")},
        "plane": whole.plane.astype(object),
        "hu_range": np.array(whole.hu_range),
        "source": json.dumps(dict(whole.source), sort_keys=True),
        "created_by": whole.created_by,
    }
    with written_aside(path) as temporary:
        savemat(temporary, fields, do_compression=True, oned_as="column")
        # Over the header in which SciPy writes the time, for the same bytes again.
        with open(temporary, "r+b") as file:
            file.write(f"MATLAB 5.0 MAT-file, {whole.created_by}".encode()[:116].ljust(116))


FORMAT = Format(
    name="mat",
    title="MATLAB",
    endings=(".mat",),
    description="MATLAB 5 file of HU, masks, places and provenance",
    write=write_mat,
    most_segments=20_000,
    most_reason="it is put together in memory",
)
