"""Segments: 128 x 128 cuts of the skull wall, laid horizontally, outer table up.

``extract`` is the stage: it goes through the sites where a segment belongs (see ``sites``), lays a
square on the wall there (``place``), cuts (``cut``) and keeps what is one uninterrupted wall from
edge to edge (``rejection_reason``). Sites know the anatomy and touch no HU; cutting knows only the
CT, the mask and a matrix, so that a segment can be cut again from the ``pixel_to_ras`` stored
beside it.

Where a ridge of the base or air cells spoil a cut, it is moved along the wall by a few millimeters.
As in the paper, cuts are rotated and never mirrored.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from ..anatomy.cut_plan import BONES, INTERVAL_MM, PLANES, Site, plan
from ..anatomy.landmarks import NAMES
from ..anatomy.cavity import Cavity, find_cavity
from ..anatomy.skull import skull_mask, threshold_or_fitted
from ..ct.volume import LOWEST_HU, HeadCT, pseudonym
from ..data.segment_set import PIXEL_SPACING_MM, SIZE, SegmentSet
from ..errors import BadInputError

TOP_MARGIN_ROWS = 8
"""Rows above the highest point of the outer table; the wall then fills the upper quarter."""
COARSEST_MM = 2.0
"""Largest voxel that is cut. With it, cuts at the vertex of an analytic head are 0.75 mm too thick
and their SDR is 0.05 too high; with 3 mm by 2 mm and 0.25."""
FEWEST_GOOD_COLUMNS = 0.97
"""Share of columns that must hold one uninterrupted run of wall."""

_SHIFTS_MM = (0.0, 5.0, -5.0, 10.0, -10.0)
_LONGEST_RAY_MM = 140.0
_RAY_STEP_MM = 0.25
_SEARCH_ROW = 40  # where the outer table stands while the cut is being turned level
_TURNS = 4
_TURNING_STEP = 2  # every other row and column is enough to turn a cut level
_STEEPEST_SLANT = np.sin(np.deg2rad(40.0))  # wall against plane; 1/cos(40 deg) = 1.3 in thickness
_THICKEST_MM = 20.0
_THINNEST_MM = 1.0
_RIDGE_MM, _RIDGE_RATIO = 10.0, 3.0  # thicker than both: petrous or sphenoid ridge
_AIR_HU = -200
_MOST_AIR = 0.005
_AIR_BEHIND_MM = 12.0  # mastoid cells lie this close behind the outer table, brain is no air
_METAL_HU = 3000
_TABLE_MM, _LEAST_TABLE = 2.5, 0.5  # a table, as a share of the column's highest HU, lies so deep
_SMOOTHING_PIXELS = 0.8
_SURELY_INSIDE, _SURELY_OUTSIDE = 0.85, 0.15  # shares of the interpolated mask
_CROP_MARGIN = 8  # voxels after which a cubic spline no longer feels the border (0.27 ** 8)


@dataclass(frozen=True)
class Extraction:
    """What ``extract`` made of a CT.

    Attributes:
        segments: the segments kept, kind ``real``.
        dropped: how many cuts were not kept, by reason.
    """

    segments: SegmentSet
    dropped: dict[str, int]


def extract(
    ct: HeadCT,
    mask: np.ndarray | None = None,
    *,
    landmarks: Mapping[str, np.ndarray] | None = None,
    bones: Sequence[str] = ("temporal", "parietal"),
    planes: Sequence[str] = PLANES,
    interval_mm: float = INTERVAL_MM,
    spacing_mm: float = PIXEL_SPACING_MM,
    threshold_hu: float | None = None,
    subject: str | None = None,
    threads: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Extraction:
    """Cut the left and right segments of the vault out of axial, coronal and sagittal planes.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall; found by ``skull_mask`` if None.
        landmarks: what ``landmarks.read`` gave, to lay the head frame through; found from the
            vault if None.
        bones: which to cut, out of ``sites.BONES``; frontal and occipital bone have sutures and
            sinuses that spoil a small training set (paper), so they are cut only if asked for.
        planes: in which to cut, out of ``sites.PLANES``.
        interval_mm: distance of neighboring planes.
        spacing_mm: size of a pixel.
        threshold_hu: HU from which a voxel or pixel at the wall's surface is bone;
            ``skull.bone_threshold_hu`` if None.
        subject: pseudonym of the subject; ``volume.pseudonym(ct)`` if None.
        threads: how many cut at once; None is one a core, up to four.
        on_progress: called with the share of the work done, 0 to 1.

    Raises:
        BadInputError: if there is no vault in the CT, an argument makes no sense, the landmarks
            are not those of this head or no cut is good.
    """
    check_settings(bones, planes, interval_mm, spacing_mm)
    if mask is not None and mask.shape != ct.hu.shape:
        raise BadInputError(
            f"The skull mask has {mask.shape} voxels, the CT {ct.hu.shape}; the same grid is "
            "needed."
        )
    if ct.spacing_mm.max() > COARSEST_MM * 1.001:
        found = " x ".join(f"{mm:.3g}" for mm in ct.spacing_mm)
        raise BadInputError(
            f"The voxels are {found} mm, at most {COARSEST_MM:g} mm along each axis are needed: "
            "coarser ones do not show the tables."
        )
    report_progress = on_progress or (lambda share: None)
    cavity = find_cavity(ct, landmarks)
    report_progress(0.1)
    threshold_hu = threshold_or_fitted(threshold_hu, ct, cavity)
    if mask is None:
        mask = skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity, threads=threads)
    report_progress(0.5)

    kept: list[tuple[Site, np.ndarray, np.ndarray, np.ndarray]] = []
    dropped: Counter[str] = Counter()
    sites = [
        site for site in plan(cavity, interval_mm) if site.bone in bones and site.plane in planes
    ]
    cut_at = partial(_first_good_cut, ct, mask, spacing_mm=spacing_mm, threshold_hu=threshold_hu)
    # SciPy's filters let go of the interpreter: two threads take half the time of one.
    with ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1)) as pool:
        for number, (site, found) in enumerate(zip(sites, pool.map(cut_at, sites), strict=True)):
            if isinstance(found, str):
                dropped[found] += 1
            else:
                kept.append((site, *found))
            report_progress(0.5 + 0.5 * (number + 1) / len(sites))
    if not kept:
        raise BadInputError(
            f"No cut of the vault is one wall from edge to edge (found: {dict(dropped)}); a CT "
            "with complete temporal or parietal bone is needed."
        )
    name = pseudonym(ct)
    segments = _as_set(kept, name, subject or name, spacing_mm)
    by_reason = dict(sorted(dropped.items()))
    source = {
        **ct.source,
        "interval_mm": interval_mm,
        "threshold_hu": threshold_hu,
    }
    own = {
        **source,
        "bones": sorted(set(bones)),
        "planes": sorted(set(planes)),
        "frame": _frame_source(cavity, landmarks),
        "segments": len(segments),
        "dropped": by_reason,
    }
    return Extraction(replace(segments, source={**source, "cts": {name: own}}), by_reason)


def _frame_source(cavity: Cavity, landmarks: Mapping[str, np.ndarray] | None) -> dict[str, Any]:
    """Where the head frame came from and how it lies, for the set's source."""
    found: dict[str, Any] = {
        "from": "vault" if landmarks is None else "landmarks",
        "head_to_ras": cavity.frame.head_to_ras.tolist(),
    }
    if landmarks is not None:
        found["landmarks_ras"] = {name: np.asarray(landmarks[name]).tolist() for name in NAMES}
    return found


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
    start = site.start_ras + shift_mm * np.cross(outward, normal)
    steps = np.arange(0.0, _LONGEST_RAY_MM, _RAY_STEP_MM)
    on_wall = _sample(mask, ct, start + steps[:, None] * outward) > 0.5
    if not on_wall.any():
        return "no wall there"
    anchor = start + steps[np.flatnonzero(on_wall)[-1]] * outward
    if _slant(ct, mask, anchor, normal) > _STEEPEST_SLANT:
        return "wall slants through the plane"

    inward = -outward
    matrix = _matrix(anchor, inward, normal, _SEARCH_ROW, spacing_mm)
    for _ in range(_TURNS):
        edge = _outer_edge(_share_in_plane(ct, mask, matrix, _TURNING_STEP) > 0.5)
        found = np.isfinite(edge)
        if found.mean() < FEWEST_GOOD_COLUMNS:
            return "not from edge to edge"
        slope = np.polyfit(np.flatnonzero(found), edge[found], 1)[0]
        along = np.cross(inward, normal)
        inward = inward - slope * along
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
) -> tuple[np.ndarray, np.ndarray]:
    """Cut one segment: the CT interpolated once, by a cubic spline, and the wall's mask.

    The mask says which pixels are wall but for its own last voxel; there, where the wall ends
    inside a voxel, the interpolated CT decides by the threshold.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        pixel_to_ras: (4, 4), takes (column, row, 0, 1) to RAS mm.
        threshold_hu: HU from which a pixel at the surface is bone.

    Returns:
        HU as int16 (128, 128), 0 outside the wall, and the mask as uint8 (128, 128).
    """
    hu = np.zeros((SIZE, SIZE), np.int16)
    share = _share_in_plane(ct, mask, pixel_to_ras)
    rows = np.flatnonzero((share > _SURELY_OUTSIDE).any(1))
    if rows.size == 0:
        return hu, np.zeros((SIZE, SIZE), np.uint8)
    used = slice(max(rows[0] - 2, 0), min(rows[-1] + 3, SIZE))
    r, c = np.mgrid[used, :SIZE]
    hu[used] = sample_hu(ct, _points(pixel_to_ras, r.ravel(), c.ravel())).reshape(r.shape)
    dense = ndimage.gaussian_filter(hu.astype(np.float32), _SMOOTHING_PIXELS) > threshold_hu
    wall = _main_part((share > _SURELY_INSIDE) | (dense & (share > _SURELY_OUTSIDE)))
    hu[~wall] = 0
    return hu, wall.astype(np.uint8)


def sample_hu(ct: HeadCT, points_ras: np.ndarray) -> np.ndarray:
    """Interpolate the CT by a cubic spline that never leaves the range of the voxels around.

    Args:
        ct: the head CT.
        points_ras: float (N, 3), RAS mm.

    Returns:
        int16 (N,), HU; -1024 outside the CT.
    """
    ijk = _to_ijk(ct, points_ras)
    shape = np.array(ct.hu.shape)
    first = np.clip(np.floor(ijk.min(0)).astype(int) - _CROP_MARGIN, 0, shape)
    last = np.clip(np.ceil(ijk.max(0)).astype(int) + _CROP_MARGIN + 1, 0, shape)
    if (last <= first).any():
        return np.full(len(ijk), LOWEST_HU, np.int16)
    crop = ct.hu[tuple(slice(a, b) for a, b in zip(first, last, strict=True))].astype(np.float32)
    at = (ijk - first).T
    # Mirrored, because SciPy pads by 12 voxels a side for "nearest": three times as much to filter.
    hu = ndimage.map_coordinates(crop, at, order=3, mode="mirror")
    hu = np.clip(hu, *_range_around(crop, np.rint(at).astype(int)))
    outside = ((ijk < -0.5) | (ijk > shape - 0.5)).any(1)
    hu[outside] = LOWEST_HU
    return np.rint(hu).astype(np.int16)


def _range_around(volume: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest of the 27 voxels around each index (3, N); cheaper than two filters over
    the whole volume, of which a plane meets little."""
    low = np.full(index.shape[1], np.inf, volume.dtype)
    high = -low
    limits = [
        [np.clip(along + step, 0, size - 1) for step in (-1, 0, 1)]
        for along, size in zip(index, volume.shape, strict=True)
    ]
    for k, j, i in itertools.product(*limits):
        values = volume[k, j, i]
        np.minimum(low, values, out=low)
        np.maximum(high, values, out=high)
    return low, high


def rejection_reason(hu: np.ndarray, mask: np.ndarray, spacing_mm: float) -> str | None:
    """Say why a cut is no segment of a skull wall, or None if it is one.

    Args:
        hu: int16 (128, 128), HU, 0 outside the mask.
        mask: uint8 (128, 128).
        spacing_mm: size of a pixel.
    """
    wall = mask.astype(bool)
    starts = (np.diff(wall.astype(np.int8), axis=0, prepend=0) == 1).sum(0)
    thickness_mm = wall.sum(0) * spacing_mm
    if starts[0] == 0 or starts[-1] == 0 or (starts == 0).mean() > 1 - FEWEST_GOOD_COLUMNS:
        return "not from edge to edge"
    if wall[-1].any() or wall[0].any():
        return "leaves the image above or below"
    inside = hu[wall]
    if (inside < _AIR_HU).mean() > _MOST_AIR:
        return "air cells or sinus"
    if inside.max() > _METAL_HU:
        return "metal"
    if (starts == 1).mean() < FEWEST_GOOD_COLUMNS:
        return "wall interrupted"
    if thickness_mm.max() > _THICKEST_MM or np.median(thickness_mm) < _THINNEST_MM:
        return "too thick or too thin for a vault"
    if thickness_mm.max() > max(_RIDGE_MM, _RIDGE_RATIO * np.median(thickness_mm)):
        return "a ridge joins the wall"
    if not _has_both_tables(hu, wall, spacing_mm):
        return "no outer or inner table"
    return None


def _has_both_tables(hu: np.ndarray, wall: np.ndarray, spacing_mm: float) -> bool:
    """Whether the wall is dense on both sides; a head holder pressed to it is not, nor is diploë
    laid bare where the field of view or a craniectomy ends."""
    height = np.where(wall, hu, 0)
    depth = max(1, round(_TABLE_MM / spacing_mm))
    needed = _LEAST_TABLE * height.max(0)
    good = np.ones(SIZE, bool)
    for side in (height, height[::-1]):
        rows = (side != 0).argmax(0) + np.arange(depth)[:, None]
        table = np.take_along_axis(side, np.minimum(rows, SIZE - 1), axis=0).max(0)
        good &= table >= needed
    return bool(good.mean() >= FEWEST_GOOD_COLUMNS)


def _first_good_cut(
    ct: HeadCT, mask: np.ndarray, site: Site, spacing_mm: float, threshold_hu: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | str:
    """``pixel_to_ras``, HU and mask at the site or beside it, or what is wrong at the site."""
    reasons = []
    for shift_mm in _SHIFTS_MM:
        matrix = place(ct, mask, site, shift_mm=shift_mm, spacing_mm=spacing_mm)
        if isinstance(matrix, str):
            reasons.append(matrix)
            continue
        hu, wall = cut(ct, mask, matrix, threshold_hu)
        reason = rejection_reason(hu, wall, spacing_mm)
        if reason is None:
            reason = _objection_around(ct, wall, matrix, spacing_mm)
        if reason is None:
            return matrix, hu, wall
        reasons.append(reason)
    return reasons[0]


def _objection_around(
    ct: HeadCT, wall: np.ndarray, pixel_to_ras: np.ndarray, spacing_mm: float
) -> str | None:
    """Say what rejection_reason the CT around the wall raises that the cut itself does not show.

    A wall that reaches the border of the CT may go on beyond it. Air in or close behind the wall,
    where a vault has diploë and brain, is that of the mastoid or of a sinus.
    """
    rows, columns = np.nonzero(wall)
    well_inside = _inside(_to_ijk(ct, _points(pixel_to_ras, rows, columns)), ct, margin=0.5)
    if len(np.unique(columns[~well_inside])) > (1 - FEWEST_GOOD_COLUMNS) * SIZE:
        return "leaves the field of view"
    rows = wall.argmax(0) + np.arange(int(_AIR_BEHIND_MM / spacing_mm))[:, None]
    points = _points(pixel_to_ras, rows, np.broadcast_to(np.arange(SIZE), rows.shape))
    ijk = np.rint(_to_ijk(ct, points.reshape(-1, 3))).astype(int)
    behind = ct.hu[tuple(ijk[_inside(ijk, ct)].T)]
    return "air cells or sinus" if (behind < _AIR_HU).mean() > _MOST_AIR else None


def _inside(ijk: np.ndarray, ct: HeadCT, margin: float = 0.0) -> np.ndarray:
    """Which indices (N, 3) lie at least ``margin`` voxels within the CT's outermost voxels."""
    return ((ijk >= margin) & (ijk <= np.array(ct.hu.shape) - 1 - margin)).all(1)


def check_settings(
    bones: Sequence[str], planes: Sequence[str], interval_mm: float, spacing_mm: float
) -> None:
    """Refuse settings of ``extract`` that make no sense for any CT.

    Raises:
        BadInputError: if a bone or plane is unknown, there is none, or a length is no length.
    """
    for what, given, known in (("bone", bones, BONES), ("plane", planes, PLANES)):
        strange = [one for one in given if one not in known]
        if strange or not given:
            raise BadInputError(
                f"The {what} {strange[0]!r} is not known here, needed is one of {', '.join(known)}."
                if strange
                else f"No {what} was named, at least one is needed."
            )
    for name, value in (("interval", interval_mm), ("pixel spacing", spacing_mm)):
        if not 0 < value < 100:
            raise BadInputError(f"The {name} is {value} mm, more than 0 and below 100 is needed.")


def _as_set(
    kept: Sequence[tuple[Site, np.ndarray, np.ndarray, np.ndarray]],
    ct: str,
    subject: str,
    spacing_mm: float,
) -> SegmentSet:
    sites, matrices, hu, walls = zip(*kept, strict=True)
    return SegmentSet(
        hu=np.stack(hu),
        mask=np.stack(walls),
        pixel_to_ras=np.stack(matrices),
        subject=np.full(len(kept), subject),
        bone=np.array([site.bone for site in sites]),
        side=np.array([site.side for site in sites]),
        plane=np.array([site.plane for site in sites]),
        seed=np.full(len(kept), -1, np.int64),
        kind="real",
        pixel_spacing_mm=spacing_mm,
        ct=np.full(len(kept), ct),
    )


def _matrix(
    anchor: np.ndarray, inward: np.ndarray, normal: np.ndarray, row: float, spacing_mm: float
) -> np.ndarray:
    """``pixel_to_ras`` with ``anchor`` in the middle column at ``row``; (along, inward, normal)
    is right-handed."""
    along = np.cross(inward, normal)
    matrix = np.eye(4)
    matrix[:3, 0] = along * spacing_mm
    matrix[:3, 1] = inward * spacing_mm
    matrix[:3, 2] = normal * spacing_mm
    matrix[:3, 3] = anchor - spacing_mm * ((SIZE - 1) / 2 * along + row * inward)
    return matrix


def _points(pixel_to_ras: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    pixels = np.stack([columns, rows], axis=-1).astype(np.float64)
    return pixels @ pixel_to_ras[:3, :2].T + pixel_to_ras[:3, 3]


def _to_ijk(ct: HeadCT, points_ras: np.ndarray) -> np.ndarray:
    """(N, 3) RAS mm to (N, 3) array indices (slice, row, column)."""
    inverse = np.linalg.inv(ct.ijk_to_ras)
    return (points_ras @ inverse[:3, :3].T + inverse[:3, 3])[:, ::-1]


def _sample(mask: np.ndarray, ct: HeadCT, points_ras: np.ndarray) -> np.ndarray:
    """The mask between its voxels, linearly, float32 (N,); 0 outside the CT."""
    ijk = _to_ijk(ct, points_ras)
    return ndimage.map_coordinates(mask, ijk.T, order=1, output=np.float32, cval=0.0)


def _share_in_plane(
    ct: HeadCT, mask: np.ndarray, pixel_to_ras: np.ndarray, step: int = 1
) -> np.ndarray:
    """How far every ``step``-th pixel lies in the wall, float32 (128 / step, 128 / step), 0.5 at
    the mask's surface."""
    rows, columns = np.mgrid[0:SIZE:step, 0:SIZE:step]
    share = _sample(mask, ct, _points(pixel_to_ras, rows.ravel(), columns.ravel()))
    # A pixel is smaller than a voxel: without this the voxels' corners show.
    return ndimage.gaussian_filter(share.reshape(rows.shape), _SMOOTHING_PIXELS / step)


def _main_part(wall: np.ndarray) -> np.ndarray:
    """The largest connected part, its holes filled."""
    labels, count = ndimage.label(wall)
    if count == 0:
        return wall
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return ndimage.binary_fill_holes(labels == sizes.argmax())


def _outer_edge(wall: np.ndarray) -> np.ndarray:
    """First row of the main part in each column, NaN where there is none, float64 (columns,)."""
    part = _main_part(wall)
    edge = part.argmax(0).astype(np.float64)
    edge[~part.any(0)] = np.nan
    return edge


def _slant(ct: HeadCT, mask: np.ndarray, anchor: np.ndarray, normal: np.ndarray) -> float:
    """|cosine| between the wall's surface normal at ``anchor`` and the plane's normal."""
    offsets = np.linspace(-10.0, 10.0, 21)
    grid = np.stack(np.meshgrid(offsets, offsets, offsets, indexing="ij"), axis=-1)
    around = _sample(mask, ct, (grid + anchor).reshape(-1, 3)).reshape(grid.shape[:3])
    # The wall near the anchor is a slab: the direction of its least extent is its normal.
    places = grid[around > 0.5]
    if len(places) < 10:
        return 1.0
    _, directions = np.linalg.eigh(np.cov(places.T))
    return float(abs(directions[:, 0] @ normal))
