"""One cut of the skull wall: laid level where a site is, the outer table up, kept or rejected.

``place`` lays a square on the wall that the ray of a site meets, ``cut`` cuts; ``first_good_cut``
does both until neither ``metrics.wall_rules`` nor the CT around have anything against a cut. Sites
know the anatomy and touch no HU; cutting knows only the CT, the mask and a matrix, so that a
segment can be cut again from the ``pixel_to_ras`` stored beside it.

Where a ridge of the base or air cells spoil a cut, it is moved along the wall by a few millimeters.
As in the paper, cuts are rotated and never mirrored.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..anatomy.cut_plan import Site
from ..ct.volume import HeadCT
from ..data.segment_set import PIXEL_SPACING_MM, SIZE
from ..data.walls import WALL_THRESHOLD_HU
from ..metrics.wall_rules import AIR_HU, FEWEST_GOOD_COLUMNS, MOST_AIR, rejection_reason
from .sampling import is_inside, points_of, sample_hu, sample_mask_on_grid, to_ijk
from .spline_bricks import SplineBricks

TOP_MARGIN_ROWS = 8
"""Rows above the highest point of the outer table; the wall then fills the upper quarter."""

CREST = "a crest joins the wall"
"""Reason of what is no plain wall in ``CRESTED``."""

_SHIFTS_MM = (0.0, 5.0, -5.0, 10.0, -10.0)
_LONGEST_RAY_MM = 140.0
_RAY_STEP_MM = 0.25
_SEARCH_ROW = 40  # where the outer table stands while the cut is being turned level
_TURNS = 4
_TURNING_STEP = 2  # every other row and column is enough to turn a cut level
_STEEPEST_SLANT = np.sin(np.deg2rad(40.0))  # wall against plane; 1/cos(40 deg) = 1.3 in thickness
CRESTED = ("frontal", "occipital")
"""Bones on whose inside a crest stands, to which the falx is tied: in the midline it is as deep
again as the wall."""
_CREST_MM, _CREST_WINDOW_MM = 4.0, 27.0  # thicker than the median of the columns around
_AIR_BEHIND_MM = 12.0  # mastoid cells lie this close behind the outer table, brain is no air
_SMOOTHING_PIXELS = 0.8
_SURELY_INSIDE, _SURELY_OUTSIDE = 0.85, 0.15  # shares of the interpolated mask


def place(
    ct: HeadCT,
    mask: np.ndarray,
    site: Site,
    *,
    shift_mm: float = 0.0,
    spacing_mm: float = PIXEL_SPACING_MM,
) -> np.ndarray | str:
    """Lay a segment on the wall that the ray of a site meets.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        site: plane and ray.
        shift_mm: how far the ray is moved along the wall, within the plane.
        spacing_mm: size of a pixel.

    Returns:
        ``pixel_to_ras``, float64 (4, 4): the outer table's regression line is horizontal, the ray
        passes through the middle column, the highest point lies ``TOP_MARGIN_ROWS`` below row 0.
        Or the reason (a text) why there is no such segment.
    """
    outward, normal = site.outward, site.normal
    start = site.start_ras + shift_mm * _cross(outward, normal)
    steps = (round(_LONGEST_RAY_MM / _RAY_STEP_MM),)
    ray = sample_mask_on_grid(mask, ct, start, _RAY_STEP_MM * outward[None], steps)
    on_wall = np.flatnonzero(ray > 0.5)
    if not on_wall.size:
        return "no wall there"
    anchor = start + on_wall[-1] * _RAY_STEP_MM * outward
    if _slant(ct, mask, anchor, normal) > _STEEPEST_SLANT:
        return "wall slants through the plane"

    inward = -outward
    matrix = _matrix(anchor, inward, normal, _SEARCH_ROW, spacing_mm)
    for _ in range(_TURNS):
        edge = _outer_edge(_share_in_plane(ct, mask, matrix, _TURNING_STEP) > 0.5)
        found = np.isfinite(edge)
        if found.mean() < FEWEST_GOOD_COLUMNS:
            return "not from edge to edge"
        slope = _slope(np.flatnonzero(found), edge[found])
        inward = inward - slope * _cross(inward, normal)
        inward /= np.linalg.norm(inward)
        matrix = _matrix(anchor, inward, normal, _SEARCH_ROW, spacing_mm)
    edge = _outer_edge(_share_in_plane(ct, mask, matrix) > 0.5)
    if not np.isfinite(edge).any():
        return "not from edge to edge"
    row = _SEARCH_ROW - (np.floor(np.nanmin(edge)) - TOP_MARGIN_ROWS)
    return _matrix(anchor, inward, normal, row, spacing_mm)


def cut(
    ct: HeadCT,
    mask: np.ndarray,
    pixel_to_ras: np.ndarray,
    threshold_hu: float,
    spline: SplineBricks | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Cut one segment: the CT interpolated once, by a cubic spline, and the wall's mask.

    The mask says which pixels are wall but for its own last voxel; there, where the wall ends
    inside a voxel, the interpolated CT decides by the threshold. Of the rim, what is no denser
    than ``walls.WALL_THRESHOLD_HU`` is left out, as it is of synthetic segments.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        pixel_to_ras: (4, 4), takes (column, row, 0, 1) to RAS mm.
        threshold_hu: HU from which a pixel at the surface is bone.
        spline: of the CT's HU, where neighbors are cut, too.

    Returns:
        HU as int16 (128, 128), 0 outside the wall, and the mask as uint8 (128, 128).
    """
    hu = np.zeros((SIZE, SIZE), np.int16)
    share = _share_in_plane(ct, mask, pixel_to_ras)
    rows = np.flatnonzero((share > _SURELY_OUTSIDE).any(1))
    if rows.size == 0:
        return hu, np.zeros((SIZE, SIZE), np.uint8)
    r, c = np.nonzero(_felt(share > _SURELY_OUTSIDE))
    used = (r >= rows[0] - 2) & (r <= rows[-1] + 2)
    r, c = r[used], c[used]
    hu[r, c] = sample_hu(ct, points_of(pixel_to_ras, r, c), spline)
    dense = ndimage.gaussian_filter(hu.astype(np.float32), _SMOOTHING_PIXELS) > threshold_hu
    wall = _main_part((share > _SURELY_INSIDE) | (dense & (share > _SURELY_OUTSIDE)))
    # The rim alone: marrow may be as soft as fat.
    outside = ~wall
    faint = outside | (hu <= WALL_THRESHOLD_HU)
    wall = _main_part(~ndimage.binary_propagation(outside, mask=faint))
    return np.where(wall, hu, 0).astype(np.int16), wall.astype(np.uint8)


def first_good_cut(
    ct: HeadCT,
    mask: np.ndarray,
    site: Site,
    spacing_mm: float,
    threshold_hu: float,
    is_bare: bool = False,
    spline: SplineBricks | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | str:
    """Lay a segment at a site, or a few millimeters beside it, and cut it.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        site: plane and ray.
        spacing_mm: size of a pixel.
        threshold_hu: HU from which a pixel at the surface is bone.
        is_bare: as ``anatomy.cavity.Cavity`` has it.
        spline: of the CT's HU, where neighbors are cut, too.

    Returns:
        ``pixel_to_ras``, HU and mask of the first cut that is good, as ``place`` and ``cut`` give
        them; or the reason (a text) why there is none at the site itself.
    """
    reasons = []
    for shift_mm in _SHIFTS_MM:
        matrix = place(ct, mask, site, shift_mm=shift_mm, spacing_mm=spacing_mm)
        if isinstance(matrix, str):
            reasons.append(matrix)
            continue
        hu, wall = cut(ct, mask, matrix, threshold_hu, spline)
        reason = rejection_reason(hu, wall, spacing_mm)
        if reason is None and site.bone in CRESTED and has_crest(wall, spacing_mm):
            reason = CREST
        if reason is None:
            reason = rejection_reason_around(ct, wall, matrix, spacing_mm, is_bare)
        if reason is None:
            return matrix, hu, wall
        reasons.append(reason)
    return reasons[0]


def has_crest(wall: np.ndarray, spacing_mm: float) -> bool:
    """Whether a crest or protuberance stands on a wall: what is 4 mm thicker than the wall around.

    Of 210 cuts of temporal and parietal bone of ``pcir_bone`` none is more than 2.2 mm thicker;
    where its frontal crest is plain to see, frontal ones are by 5 to 10 mm.

    Args:
        wall: (128, 128), nonzero in the wall.
        spacing_mm: size of a pixel.
    """
    thickness_mm = np.count_nonzero(wall, axis=0) * spacing_mm
    window = 2 * round(_CREST_WINDOW_MM / spacing_mm / 2) + 1
    around = ndimage.median_filter(thickness_mm, window, mode="nearest")
    return bool((thickness_mm - around).max() > _CREST_MM)


def rejection_reason_around(
    ct: HeadCT, wall: np.ndarray, pixel_to_ras: np.ndarray, spacing_mm: float, is_bare: bool
) -> str | None:
    """Find what is wrong in the CT around the wall that the cut itself does not show.

    A wall that reaches the border of the field of view may go on beyond it. Air in or close behind
    the wall, where a vault has diploë and brain, is that of the mastoid or of a sinus.
    """
    rows, columns = np.nonzero(wall)
    ijk = to_ijk(ct, points_of(pixel_to_ras, rows, columns))
    well_inside = is_inside(ijk, ct, margin=0.5)
    if not is_bare:
        well_inside &= ~ct.unseen.beside(ijk)
    if len(np.unique(columns[~well_inside])) > (1 - FEWEST_GOOD_COLUMNS) * SIZE:
        return "leaves the field of view"
    if is_bare:
        return None
    rows = wall.argmax(0) + np.arange(int(_AIR_BEHIND_MM / spacing_mm))[:, None]
    points = points_of(pixel_to_ras, rows, np.broadcast_to(np.arange(SIZE), rows.shape))
    ijk = np.rint(to_ijk(ct, points.reshape(-1, 3))).astype(int)
    behind = ct.hu[tuple(ijk[is_inside(ijk, ct)].T)]
    return "air cells or sinus" if (behind < AIR_HU).mean() > MOST_AIR else None


def _matrix(
    anchor: np.ndarray, inward: np.ndarray, normal: np.ndarray, row: float, spacing_mm: float
) -> np.ndarray:
    """``pixel_to_ras`` with ``anchor`` in the middle column at ``row``; (along, inward, normal)
    is right-handed."""
    along = _cross(inward, normal)
    matrix = np.eye(4)
    matrix[:3, 0] = along * spacing_mm
    matrix[:3, 1] = inward * spacing_mm
    matrix[:3, 2] = normal * spacing_mm
    matrix[:3, 3] = anchor - spacing_mm * ((SIZE - 1) / 2 * along + row * inward)
    return matrix


def _share_in_plane(
    ct: HeadCT, mask: np.ndarray, pixel_to_ras: np.ndarray, step: int = 1
) -> np.ndarray:
    """How far every ``step``-th pixel lies in the wall, float32 (128 / step, 128 / step), 0.5 at
    the mask's surface."""
    pixels = SIZE // step
    steps = step * pixel_to_ras[:3, 1::-1].T
    share = sample_mask_on_grid(mask, ct, pixel_to_ras[:3, 3], steps, (pixels, pixels))
    # A pixel is smaller than a voxel: without this the voxels' corners show.
    return ndimage.gaussian_filter(share, _SMOOTHING_PIXELS / step)


def _felt(wall: np.ndarray) -> np.ndarray:
    """The columns of pixels, from top to bottom, that what is wall may depend on."""
    near = ndimage.maximum_filter(wall.view(np.uint8), 2 * int(4 * _SMOOTHING_PIXELS + 0.5) + 1)
    rows = np.arange(SIZE)[:, None]
    first, last = near.argmax(0), SIZE - 1 - near[::-1].argmax(0)
    return (rows >= first) & (rows <= last) & near.any(0)


def _main_part(wall: np.ndarray) -> np.ndarray:
    """The largest connected part, its holes filled."""
    return np.asarray(ndimage.binary_fill_holes(_largest_part(wall)))


def _largest_part(wall: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(wall)
    if count == 0:
        return wall
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())


def _outer_edge(wall: np.ndarray) -> np.ndarray:
    """First row of the main part in each column, NaN where there is none, float64 (columns,)."""
    part = _largest_part(wall)  # above a hole there is wall, so holes change nothing
    edge = part.argmax(0).astype(np.float64)
    edge[~part.any(0)] = np.nan
    return edge


def _slant(ct: HeadCT, mask: np.ndarray, anchor: np.ndarray, normal: np.ndarray) -> float:
    """|cosine| between the wall's surface normal at ``anchor`` and the plane's normal."""
    reach, points = 10.0, 21
    origin = anchor - reach
    around = sample_mask_on_grid(mask, ct, origin, np.eye(3), (points,) * 3)
    # The wall near the anchor is a slab: the direction of its least extent is its normal.
    places = np.argwhere(around > 0.5)
    if len(places) < 10:
        return 1.0
    _, directions = np.linalg.eigh(np.cov(places.T))
    return float(abs(directions[:, 0] @ normal))


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``numpy.cross`` of two vectors, in a tenth of its time."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """Slope of the regression line."""
    x = x - x.mean()
    return float(x @ y / (x @ x))
