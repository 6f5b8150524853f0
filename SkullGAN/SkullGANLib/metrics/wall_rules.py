"""What a segment has to be: one uninterrupted wall from edge to edge, with both tables.

``extraction`` drops cuts of a CT by these rules. So no real set holds a wall that breaks one, and a
synthetic segment that does is one that no CT would have given.
"""

from __future__ import annotations

import numpy as np

FEWEST_GOOD_COLUMNS = 0.97
"""Share of columns that must hold one uninterrupted run of wall."""
AIR_HU = -200
MOST_AIR = 0.005

_THICKEST_MM = 20.0
_THINNEST_MM = 1.0
_RIDGE_MM, _RIDGE_RATIO = 10.0, 3.0  # thicker than both: petrous or sphenoid ridge
_METAL_HU = 3000
_TABLE_MM, _LEAST_TABLE = 2.5, 0.5  # a table, as a share of the column's highest HU, lies so deep
_AT_ONCE = 256  # 20 MiB of intermediate arrays


def rejection_reason(hu: np.ndarray, mask: np.ndarray, spacing_mm: float) -> str | None:
    """Say why a cut is no segment of a skull wall, or None if it is one.

    Args:
        hu: int16 (128, 128), HU, 0 outside the mask.
        mask: uint8 (128, 128).
        spacing_mm: size of a pixel.
    """
    return rejection_reasons(hu[None], mask[None], spacing_mm)[0] or None


def rejection_reasons(hu: np.ndarray, mask: np.ndarray, spacing_mm: float) -> list[str]:
    """Say of each segment why it is none of a skull wall; empty where it is one.

    Args:
        hu: int16 (N, 128, 128), HU, 0 outside the masks.
        mask: uint8 (N, 128, 128).
        spacing_mm: size of a pixel.

    Example:
        >>> mask = np.zeros((2, 128, 128), np.uint8)
        >>> mask[:, 20:33] = 1
        >>> mask[1, :, 60:70] = 0
        >>> rejection_reasons(mask.astype(np.int16) * 900, mask, 0.45)
        ['', 'not from edge to edge']
    """
    reasons: list[str] = []
    for start in range(0, len(hu), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        reasons += _reasons(hu[part], mask[part].astype(bool), spacing_mm)
    return reasons


def _reasons(hu: np.ndarray, wall: np.ndarray, spacing_mm: float) -> list[str]:
    starts = (np.diff(wall.view(np.int8), axis=1, prepend=np.int8(0)) == 1).sum(1)
    columns = wall.sum(1)
    thickest_mm = columns.max(1) * spacing_mm
    usual_mm = np.median(columns, axis=1) * spacing_mm
    ends = (starts[:, 0] == 0) | (starts[:, -1] == 0)
    air = (wall & (hu < AIR_HU)).sum((1, 2)) > MOST_AIR * columns.sum(1)
    rules = {
        "not from edge to edge": ends | ((starts == 0).mean(1) > 1 - FEWEST_GOOD_COLUMNS),
        "leaves the image above or below": wall[:, 0].any(1) | wall[:, -1].any(1),
        "air cells or sinus": air,
        "metal": np.where(wall, hu, 0).max((1, 2)) > _METAL_HU,
        "wall interrupted": (starts == 1).mean(1) < FEWEST_GOOD_COLUMNS,
        "too thick or too thin for a vault": (thickest_mm > _THICKEST_MM)
        | (usual_mm < _THINNEST_MM),
        "a ridge joins the wall": thickest_mm > np.maximum(_RIDGE_MM, _RIDGE_RATIO * usual_mm),
        "no outer or inner table": ~_have_both_tables(hu, wall, spacing_mm),
    }
    reasons = np.full(len(hu), "", object)
    for reason, broken in reversed(rules.items()):  # the first rule that is broken is told
        reasons[broken] = reason
    return list(reasons)


def _have_both_tables(hu: np.ndarray, wall: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Whether walls are dense on both sides, bool (N,); a head holder pressed to one is not, nor is
    diploë laid bare where the field of view or a craniectomy ends."""
    height = np.where(wall, hu, 0)
    rows = height.shape[1]
    depth = max(1, round(_TABLE_MM / spacing_mm))
    least = _LEAST_TABLE * height.max(1)
    good = np.ones(least.shape, bool)
    for side in (height, height[:, ::-1]):
        within = (side != 0).argmax(1)[:, None] + np.arange(depth)[:, None]
        table = np.take_along_axis(side, np.minimum(within, rows - 1), axis=1).max(1)
        good &= table >= least
    return np.asarray(good.mean(1) >= FEWEST_GOOD_COLUMNS)
