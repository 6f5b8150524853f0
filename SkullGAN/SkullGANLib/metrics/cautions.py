"""What must be known beside an SDR or a thickness, in sentences: the one place that words them.

``of_ct`` says it of a CT by its ``source``; ``of_set`` of the segments cut out of CTs. Commands,
panels, maps and reports show what these give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data.segment_set import SegmentSet
from .ct_kernel import kernel_is_soft
from .sdr import SDR_LIMIT, skull_density_ratio

SOLID_SDR = 0.85
"""Median from which there is no diploë: noise of 100 HU makes dips so deep in solid bone, heads
have 0.3 to 0.75."""
COARSEST_MM = 2.0
"""Largest voxel whose SDR and thickness are given at all without doubt, as for segments."""
COARSE_MM = 0.7
"""Mean edge of a voxel from which the rise of SDR is told."""
GUESS = "scanner's axes"
"""What ``source["frame"]["from"]`` says where the head frame is a guess."""

_EDGES_MM = (0.535, 0.75, 1.0, 1.25, 1.5)
_RISE = (0.0, 0.054, 0.127, 0.19, 0.252)
# SDR of one head, the same rays, against that with voxels of 0.49 x 0.49 x 0.625 mm (0.484). The
# mean edge serves voxels that are no cubes: 0.49 x 0.49 x 1.25 and x 2.0 mm have 0.052 and 0.127.
_OVERLAP = 1.25  # slices thicker than their distance by this factor
_THICK_SLICES_MM = 1.5
_MIXED = 0.05  # difference of SDR by the voxels alone that is told
_NAMED = 3


def rise_of_sdr(voxel_mm: Sequence[float]) -> float:
    """Give by how much SDR (``peaks``) comes out higher than with voxels of about 0.5 mm.

    Args:
        voxel_mm: edges of a voxel; of overlapping slices the thickness.

    Returns:
        0 for fine voxels; 0.252, which is too little, for those coarser than 1.5 mm.

    Example:
        >>> round(rise_of_sdr([1.0, 1.0, 1.0]), 3), rise_of_sdr([0.49, 0.49, 0.625])
        (0.127, 0.0)
    """
    return float(np.interp(np.mean(voxel_mm), _EDGES_MM, _RISE))


def of_ct(source: Mapping[str, Any]) -> list[str]:
    """Say what must be known of a CT's SDR and thickness; nothing if all is well.

    Args:
        source: of the map, the CT or one of a set's ``cts``: ``kernel``, ``slice_thickness_mm``,
            ``voxel_mm`` (columns, rows, slices) and ``frame``, as far as known.
    """
    return [*_of_kernel(source), *_of_voxels(source), *_of_frame(source)]


def of_set(segments: SegmentSet) -> list[str]:
    """Say what must be known of segments that were cut from CTs; nothing of any others."""
    if segments.kind != "real" or not len(segments):
        return []
    return of_parts(segments.source, segments.subject, segments.bone, sdr_of(segments))


def sdr_of(segments: SegmentSet) -> np.ndarray:
    """SDR (``peaks``) of segments, float64 (N,)."""
    return skull_density_ratio(segments.hu, segments.mask)


def of_parts(
    source: Mapping[str, Any], subject: np.ndarray, bone: np.ndarray, sdr: np.ndarray
) -> list[str]:
    """As ``of_set``, of a set that was read in parts.

    Args:
        source: of the set.
        subject, bone: (N,) texts. Of temporal bone it is not asked whether it has diploë: the
            squama has hardly any.
        sdr: float64 (N,), ``peaks``.
    """
    cts = cts_of(source)
    whose: dict[str, list[str]] = {}
    for name, one in cts.items():
        for sentence in of_ct(one):
            whose.setdefault(sentence, []).append(name)
    found = [
        sentence if len(cts) == 1 else f"{_listed(names)}: {sentence}"
        for sentence, names in whose.items()
    ]
    thick = np.asarray(bone) != "temporal"
    solid = [
        name for name in np.unique(subject).tolist() if _is_solid(sdr[(subject == name) & thick])
    ]
    if solid:
        found.append(
            f"Hardly any diploë in {_listed(solid)} (median SDR above {SOLID_SDR}): a solid "
            "phantom or a soft kernel, its SDR says nothing."
        )
    return found + _of_mixed_voxels(cts)


def cts_of(source: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What a set's source says of each CT, by its pseudonym; of all under one name if it does not
    tell them apart."""
    cts = source.get("cts")
    if not isinstance(cts, Mapping):
        return {"": source} if source else {}
    return {str(name): one for name, one in cts.items() if isinstance(one, Mapping)}


def _of_kernel(source: Mapping[str, Any]) -> list[str]:
    kernel = source.get("kernel")
    soft = kernel_is_soft(str(kernel)) if kernel else None
    if soft:
        return [
            f"The kernel {kernel} is soft: it blurs the diploë into the tables, the SDR is higher "
            f"than with a bone kernel and must not be held against {SDR_LIMIT:.2f}."
        ]
    if soft is None:
        what = f"The kernel {kernel} is not known here" if kernel else "The CT names no kernel"
        return [
            f"{what}: SDR differs by 0.05 and more between kernels, compare only with the same one."
        ]
    return []


def _of_voxels(source: Mapping[str, Any]) -> list[str]:
    thick_mm, voxel_mm = source.get("slice_thickness_mm"), source.get("voxel_mm")
    if not voxel_mm:
        if not thick_mm or thick_mm <= _THICK_SLICES_MM:
            return []
        return [
            f"The slices are {thick_mm:g} mm thick: tables and diploë run into each other, SDR "
            "and thickness come out too high."
        ]
    step_mm = voxel_mm[2]
    overlapping = bool(thick_mm) and thick_mm > _OVERLAP * step_mm
    seen_mm = [*voxel_mm[:2], thick_mm if overlapping else step_mm]
    if np.mean(seen_mm) <= COARSE_MM:
        return []
    by = f"SDR comes out higher by {_by(seen_mm)} than with voxels of 0.5 mm"
    if overlapping:
        return [
            f"The slices are {thick_mm:g} mm thick, one every {step_mm:.3g} mm, so that they "
            f"overlap: tables and diploë run into each other, {by}, thickness too high."
        ]
    size = " x ".join(f"{mm:.3g}" for mm in voxel_mm)
    if max(voxel_mm) > COARSEST_MM * 1.001:
        return [
            f"The voxels are {size} mm, above {COARSEST_MM:g} mm they do not show the tables: SDR "
            "and thickness come out too high."
        ]
    return [f"The voxels are {size} mm: {by}."]


def _by(voxel_mm: Sequence[float]) -> str:
    rise = rise_of_sdr(voxel_mm)
    return f"{rise:.2f} and more" if rise >= _RISE[-1] else f"about {rise:.2f}"


def _of_frame(source: Mapping[str, Any]) -> list[str]:
    frame = source.get("frame")
    if not isinstance(frame, Mapping) or frame.get("from") != GUESS:
        return []
    return [
        f"The head's axes are a guess by the scanner's (certainty {frame.get('certainty', 0):.2f}):"
        " its shape fits more than one way to lie, so that bones and sides may be wrong; landmarks "
        "(--landmarks) decide."
    ]


def _of_mixed_voxels(cts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    sizes = {tuple(one["voxel_mm"]) for one in cts.values() if one.get("voxel_mm")}
    if not sizes:
        return []
    finest, coarsest = (by(sizes, key=lambda size: float(np.mean(size))) for by in (min, max))
    apart = rise_of_sdr(coarsest) - rise_of_sdr(finest)
    if apart < _MIXED:
        return []
    fine, coarse = (" x ".join(f"{mm:.3g}" for mm in size) for size in (finest, coarsest))
    return [
        f"The CTs' voxels are of {fine} to {coarse} mm: by that alone SDR differs by about "
        f"{apart:.2f} between them, and texture, too."
    ]


def _is_solid(sdr: np.ndarray) -> bool:
    sdr = sdr[np.isfinite(sdr)]
    return bool(sdr.size and np.median(sdr) > SOLID_SDR)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
