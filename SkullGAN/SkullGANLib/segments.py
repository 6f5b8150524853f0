"""Segments: 128 x 128 cuts of the skull wall, laid horizontally, outer table up.

``extract`` is the stage: it plans where the planes meet the wall (``plan``), cuts there (``cut``)
and keeps what is one uninterrupted wall from edge to edge (``objection``). Planning knows the
anatomy and interpolates nothing that is kept; cutting knows only the CT, the mask and a matrix, so
that a segment can be cut again from the ``pixel_to_ras`` stored beside it.

Axial planes lie at fixed steps above the floor of the vault. In each, the cut to the left and the
cut to the right stand where a ray from the middle of the cavity leaves the wall. Up to
``TEMPORAL_TOP_MM`` above the floor that wall is the squama of the temporal bone, above it is
parietal bone. As in the paper, cuts are rotated and never mirrored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from .errors import BadInputError
from .segmentset import PIXEL_SPACING_MM, SIZE, SegmentSet
from .skull import Cavity, find_cavity, skull_mask
from .volume import LOWEST_HU, HeadCT, pseudonym

INTERVAL_MM = 3.1
"""Distance of neighbouring planes (paper: every 5th slice of 0.625 mm)."""
TEMPORAL_TOP_MM = 35.0
"""Height of the squama's upper border above the floor of the vault, on average."""
TOP_MARGIN_ROWS = 8
"""Rows above the highest point of the outer table; the wall then fills the upper quarter."""
FEWEST_GOOD_COLUMNS = 0.97
"""Share of columns that must hold one uninterrupted run of wall."""

_BONES = ("temporal", "parietal")
_LONGEST_RAY_MM = 140.0
_RAY_STEP_MM = 0.25
_SEARCH_ROW = 40  # where the outer table stands while the cut is being turned level
_TURNS = 4
_STEEPEST_SLANT = np.sin(np.deg2rad(40.0))  # wall against plane; 1/cos(40 deg) = 1.3 in thickness
_THICKEST_MM = 20.0
_THINNEST_MM = 1.0
_AIR_HU = -200
_MOST_AIR = 0.005
_METAL_HU = 3000
_CROP_MARGIN = 12  # voxels after which a cubic spline no longer feels the border (0.27 ** 12)


@dataclass(frozen=True, eq=False)
class Cut:
    """Where one segment is cut: enough to make it again from the CT and the mask.

    Attributes:
        bone, side, plane: as in ``SegmentSet``.
        pixel_to_ras: float64 (4, 4), takes (column, row, 0, 1) to RAS mm.
    """

    bone: str
    side: str
    plane: str
    pixel_to_ras: np.ndarray


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
    bones: Sequence[str] = _BONES,
    interval_mm: float = INTERVAL_MM,
    spacing_mm: float = PIXEL_SPACING_MM,
    subject: str | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Extraction:
    """Cut left and right segments out of every axial plane of the vault.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall; found by ``skull_mask`` if None.
        bones: which to cut, out of ``temporal`` and ``parietal``.
        interval_mm: distance of neighbouring planes.
        spacing_mm: size of a pixel.
        subject: pseudonym of the subject; ``volume.pseudonym(ct)`` if None.
        on_progress: called with the share of the work done, 0 to 1.

    Raises:
        BadInputError: if there is no vault in the CT, an argument makes no sense or no cut is good.
    """
    _check_arguments(ct, mask, bones, interval_mm, spacing_mm)
    tell = on_progress or (lambda share: None)
    cavity = find_cavity(ct)
    tell(0.1)
    if mask is None:
        mask = skull_mask(ct, cavity=cavity)
    tell(0.5)

    kept: list[tuple[Cut, np.ndarray, np.ndarray]] = []
    dropped: Counter[str] = Counter()
    planned = list(plan(ct, mask, cavity, interval_mm=interval_mm, spacing_mm=spacing_mm))
    for number, one in enumerate(planned):
        if isinstance(one, str):
            dropped[one] += 1
        elif one.bone in bones:
            hu, wall = cut(ct, mask, one.pixel_to_ras)
            reason = objection(hu, wall, spacing_mm)
            if reason is None:
                kept.append((one, hu, wall))
            else:
                dropped[reason] += 1
        tell(0.5 + 0.5 * (number + 1) / len(planned))
    if not kept:
        raise BadInputError(
            f"No cut of the vault is one wall from edge to edge (found: {dict(dropped)}); a CT "
            "with complete temporal or parietal bone is needed."
        )
    segments = _as_set(kept, subject or pseudonym(ct), spacing_mm)
    source = {**ct.source, "interval_mm": interval_mm, "dropped": dict(sorted(dropped.items()))}
    return Extraction(replace(segments, source=source), dict(sorted(dropped.items())))


def plan(
    ct: HeadCT,
    mask: np.ndarray,
    cavity: Cavity,
    *,
    interval_mm: float = INTERVAL_MM,
    spacing_mm: float = PIXEL_SPACING_MM,
) -> Iterator[Cut | str]:
    """Yield the cuts of all axial planes of the vault, bottom up, left before right.

    Where a plane meets no wall that can be laid horizontally, the reason is yielded instead.
    """
    heights = np.arange(cavity.base_mm + interval_mm, cavity.top_mm, interval_mm)
    up = np.array([0.0, 0.0, 1.0])
    for height in heights:
        middle = np.array([*cavity.centre_ras[:2], height])
        bone = "temporal" if height - cavity.base_mm <= TEMPORAL_TOP_MM else "parietal"
        for side, outward in (("left", [-1.0, 0.0, 0.0]), ("right", [1.0, 0.0, 0.0])):
            placed = place(ct, mask, middle, np.array(outward), up, spacing_mm)
            yield placed if isinstance(placed, str) else Cut(bone, side, "axial", placed)


def place(
    ct: HeadCT,
    mask: np.ndarray,
    start_ras: np.ndarray,
    outward: np.ndarray,
    normal: np.ndarray,
    spacing_mm: float = PIXEL_SPACING_MM,
) -> np.ndarray | str:
    """Lay a segment on the wall that a ray inside a plane meets.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        start_ras: (3,) a point of the plane inside the head, RAS mm.
        outward: (3,) unit vector of the ray, within the plane.
        normal: (3,) unit normal of the plane; seen against it, columns run to the right.
        spacing_mm: size of a pixel.

    Returns:
        ``pixel_to_ras``, float64 (4, 4): the outer table's regression line is horizontal, the ray
        passes through the middle column, the highest point lies ``TOP_MARGIN_ROWS`` below row 0.
        Or the reason (a text) why there is no such segment.
    """
    steps = np.arange(0.0, _LONGEST_RAY_MM, _RAY_STEP_MM)
    on_wall = _sample(mask, ct, start_ras + steps[:, None] * outward) > 0.5
    if not on_wall.any():
        return "no wall there"
    anchor = start_ras + steps[np.flatnonzero(on_wall)[-1]] * outward
    if _slant(ct, mask, anchor, normal) > _STEEPEST_SLANT:
        return "wall slants through the plane"

    inward = -outward
    matrix = _matrix(anchor, inward, normal, _SEARCH_ROW, spacing_mm)
    for _ in range(_TURNS):
        edge = _outer_edge(_wall_in_plane(ct, mask, matrix, (SIZE, SIZE)))
        found = np.isfinite(edge)
        if found.mean() < FEWEST_GOOD_COLUMNS:
            return "not from edge to edge"
        slope = np.polyfit(np.flatnonzero(found), edge[found], 1)[0]
        along = np.cross(inward, normal)
        inward = inward - slope * along
        inward /= np.linalg.norm(inward)
        matrix = _matrix(anchor, inward, normal, _SEARCH_ROW, spacing_mm)
    edge = _outer_edge(_wall_in_plane(ct, mask, matrix, (SIZE, SIZE)))
    if not np.isfinite(edge).any():
        return "not from edge to edge"
    row = _SEARCH_ROW - (np.floor(np.nanmin(edge)) - TOP_MARGIN_ROWS)
    return _matrix(anchor, inward, normal, row, spacing_mm)


def cut(ct: HeadCT, mask: np.ndarray, pixel_to_ras: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut one segment: the CT interpolated once, by a cubic spline, and the wall's mask.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall.
        pixel_to_ras: (4, 4), takes (column, row, 0, 1) to RAS mm.

    Returns:
        HU as int16 (128, 128), 0 outside the wall, and the mask as uint8 (128, 128).
    """
    wall = _wall_in_plane(ct, mask, pixel_to_ras, (SIZE, SIZE))
    wall = _main_part(wall)
    hu = np.zeros((SIZE, SIZE), np.int16)
    rows, columns = np.nonzero(wall)
    if rows.size:
        hu[rows, columns] = sample_hu(ct, _points(pixel_to_ras, rows, columns))
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
    hu = ndimage.map_coordinates(crop, at, order=3, mode="nearest")
    around = np.clip(np.rint(at).astype(int), 0, np.array(crop.shape)[:, None] - 1)
    low = ndimage.minimum_filter(crop, 3)[tuple(around)]
    high = ndimage.maximum_filter(crop, 3)[tuple(around)]
    hu = np.clip(hu, low, high)
    outside = ((ijk < -0.5) | (ijk > shape - 0.5)).any(1)
    hu[outside] = LOWEST_HU
    return np.rint(hu).astype(np.int16)


def objection(hu: np.ndarray, mask: np.ndarray, spacing_mm: float) -> str | None:
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
    return None


def _check_arguments(
    ct: HeadCT,
    mask: np.ndarray | None,
    bones: Sequence[str],
    interval_mm: float,
    spacing_mm: float,
) -> None:
    strange = [bone for bone in bones if bone not in _BONES]
    if strange or not bones:
        raise BadInputError(
            f"Bone {strange[0]!r} is not known here, needed is one of {', '.join(_BONES)}."
            if strange
            else "No bone was named, at least one is needed."
        )
    for name, value in (("interval", interval_mm), ("pixel spacing", spacing_mm)):
        if not 0 < value < 100:
            raise BadInputError(f"The {name} is {value} mm, more than 0 and below 100 is needed.")
    if mask is not None and mask.shape != ct.hu.shape:
        raise BadInputError(
            f"The skull mask has {mask.shape} voxels, the CT {ct.hu.shape}; the same grid is "
            "needed."
        )


def _as_set(
    kept: Sequence[tuple[Cut, np.ndarray, np.ndarray]], subject: str, spacing_mm: float
) -> SegmentSet:
    cuts = [one for one, _, _ in kept]
    return SegmentSet(
        hu=np.stack([hu for _, hu, _ in kept]),
        mask=np.stack([wall for _, _, wall in kept]),
        pixel_to_ras=np.stack([one.pixel_to_ras for one in cuts]),
        subject=np.full(len(kept), subject),
        bone=np.array([one.bone for one in cuts]),
        side=np.array([one.side for one in cuts]),
        plane=np.array([one.plane for one in cuts]),
        seed=np.full(len(kept), -1, np.int64),
        kind="real",
        pixel_spacing_mm=spacing_mm,
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


def _wall_in_plane(
    ct: HeadCT, mask: np.ndarray, pixel_to_ras: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    rows, columns = np.indices(shape)
    share = _sample(mask, ct, _points(pixel_to_ras, rows.ravel(), columns.ravel())).reshape(shape)
    # A pixel is smaller than a voxel: without this the voxels' corners show.
    return ndimage.gaussian_filter(share, 0.7) > 0.5


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
