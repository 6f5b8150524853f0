"""Where the squama of the temporal bone begins to lie on the parietal bone, as one CT shows it.

Below the parietal bone's lower edge the wall at the temple is squama alone: 2 to 3 mm thin. Above
it the squama lies on the parietal bone like a scale, and both are 5 to 7 mm thick. ``measure``
looks for the foot of that step on both sides, before the ridge of the petrous bone. The upper end
of the overlap, where the squama tapers off on the outer table, is not looked for.

It is a second opinion beside the heights of ``cut_plan.SQUAMOUS_OVERLAP``, whose lower border it
should be, and decides no segment's bone: where the overlap ends is not known by it, and it was set
on the same eight sides of four heads that it was held against (``Docs/maps.md``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from ..anatomy import cut_plan
from ..anatomy.cavity import Cavity
from ..ct.volume import HeadCT
from .sampling import sample_mask

UNCERTAINTY_MM = 5.0
"""How far a border measured may lie from the one seen by eye in coronal cuts: 4.8 mm at most and
1.9 mm on average on eight sides of four heads. Other poses and voxels move it by 2 mm at most."""

_BEFORE_MM = np.arange(0.0, 17.0)
"""Lines on which the wall is looked at, before the vault's middle: behind it is the petrous ridge,
farther before it the sphenoid bone."""
_FROM_MIDLINE_MM = np.arange(40.0, 100.0, 0.25)
_HEIGHTS = (-0.25, 0.28)
"""Heights that are looked at, in half heights of the vault about the middle of its ellipse: lower
down the squama grows thicker towards its root."""
_HEIGHT_STEP_MM = 0.5
_SQUAMA_BELOW_MM, _OVERLAP_ABOVE_MM = 2.0, 0.0
_RISE_MM = 0.7
"""A wall that is thicker by so much than at its thinnest holds parietal bone, too. 0.5 to 0.8 mm
do as well within 1 mm; a share of the overlap's thickness misses a parietal bone with a long bevel
by 7 mm."""
_LEAST_RATIO = 1.5  # thickness of the overlap to the squama's, below which there is no step
_MOST_SPREAD_MM = 8.0  # between the quartiles of the lines; 4 at most on the heads looked at
_FEWEST_LINES = 9  # of 17
_ALONG_LINES, _ALONG_HEIGHT, _SURFACE = 1.0, 2.0, 4.0  # smoothing: lines, steps, steps


def measure(ct: HeadCT, mask: np.ndarray, cavity: Cavity) -> dict[str, Any]:
    """Measure the height of the parietal bone's lower edge on both sides.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        cavity: what ``cavity.find_cavity`` gave.

    Returns:
        Ready for JSON: ``left`` and ``right``, mm above the middle of the vault's ellipse, None
        where no step is to be seen; ``expected``, the lower border of ``SQUAMOUS_OVERLAP`` in the
        same mm; ``agrees``, whether each side lies within ``UNCERTAINTY_MM`` of it, None where
        none is seen.
    """
    expected = cut_plan.SQUAMOUS_OVERLAP[0] * cavity.frame.half_height_mm
    found: dict[str, Any] = {"expected": round(float(expected), 1), "agrees": {}}
    for side, sign in zip(cut_plan.SIDES, (-1.0, 1.0), strict=True):
        edge = border_mm(*_thickness(ct, mask, cavity, sign))
        found[side] = None if edge is None else round(edge, 1)
        found["agrees"][side] = None if edge is None else abs(edge - expected) <= UNCERTAINTY_MM
    return found


def border_mm(heights_mm: np.ndarray, thickness_mm: np.ndarray) -> float | None:
    """Find the foot of the step from a thin wall below to a thick one above.

    Args:
        heights_mm: (H,), rising, about the middle of the vault's ellipse.
        thickness_mm: (lines, H), NaN where there is no wall.

    Returns:
        The median of the lines; None if too few show a step or they scatter.
    """
    below, above = heights_mm <= _SQUAMA_BELOW_MM, heights_mm >= _OVERLAP_ABOVE_MM
    edges = []
    for line in thickness_mm:
        if not (np.isfinite(line[below]).any() and np.isfinite(line[above]).any()):
            continue
        lowest = int(np.nanargmin(np.where(below, line, np.nan)))
        thicker = np.flatnonzero(line[lowest:] > line[lowest] + _RISE_MM)
        if np.nanmedian(line[above]) >= _LEAST_RATIO * line[lowest] and thicker.size:
            edges.append(heights_mm[lowest + thicker[0]])
    if len(edges) < _FEWEST_LINES:
        return None
    low, middle, high = np.percentile(edges, [25, 50, 75])
    return float(middle) if high - low <= _MOST_SPREAD_MM else None


def _thickness(
    ct: HeadCT, mask: np.ndarray, cavity: Cavity, sign: float
) -> tuple[np.ndarray, np.ndarray]:
    """Heights (H,) in mm and the wall's thickness there, across its surface, (lines, H) in mm."""
    frame = cavity.frame
    low, high = (share * frame.half_height_mm for share in _HEIGHTS)
    heights = np.arange(low, high, _HEIGHT_STEP_MM)
    axes = (cavity.middle_mm + _BEFORE_MM, heights, _FROM_MIDLINE_MM)
    y, z, x = np.meshgrid(*axes, indexing="ij")
    points = frame.to_ras(np.stack([sign * x, y, z], -1).reshape(-1, 3))
    share = sample_mask(mask, ct, points).reshape(x.shape)
    wall = share > 0.5
    outer = wall.shape[2] - 1 - wall[:, :, ::-1].argmax(2)
    behind = np.arange(wall.shape[2]) <= outer[..., None]
    gap = behind & ~wall  # the last gap behind the outer surface is where its wall ends
    inner = np.where(gap.any(2), wall.shape[2] - 1 - gap[:, :, ::-1].argmax(2), -1)
    step_mm = _FROM_MIDLINE_MM[1] - _FROM_MIDLINE_MM[0]
    seen = np.asarray(wall.any(2))
    surface = _smooth(_FROM_MIDLINE_MM[outer], seen, (_ALONG_LINES, _SURFACE))
    slope = np.gradient(surface, _HEIGHT_STEP_MM, axis=1)
    thick = (outer - inner) * step_mm / np.sqrt(1.0 + slope**2)
    return heights, _smooth(thick, seen & np.isfinite(slope), (_ALONG_LINES, _ALONG_HEIGHT))


def _smooth(values: np.ndarray, seen: np.ndarray, width: tuple[float, float]) -> np.ndarray:
    """A Gaussian mean of those that are seen, NaN where none is."""
    weight = ndimage.gaussian_filter(seen.astype(np.float64), width)
    mean = ndimage.gaussian_filter(np.where(seen, values, 0.0), width) / np.maximum(weight, 1e-9)
    return np.where(seen, mean, np.nan)
