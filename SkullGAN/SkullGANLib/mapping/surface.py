"""The outer surface of the calvaria as a mesh: how far out the wall reaches in every direction.

Seen from the middle of the head, each direction leaves the vault once, so its outer surface is a
distance by direction. The directions are the corners of a geodesic sphere about the head frame,
nearly evenly apart; hence the mesh is oriented and without holes by construction, turns with the
head and not with the scanner, and passes smoothly over a defect, whose vertices are known as such.
It ends at the floor of the vault and, low down, where the surface leaps from the vault to the rims
of the orbits or the zygoma; that of a skull without brain where the skull was sawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import spsolve

from ..anatomy.cavity import Cavity
from ..errors import BadInputError
from .field import Field, sample
from .rays import wall_range

SPACING_MM = 1.0
"""Distance of neighboring vertices, on average."""
SMOOTHING_MM = 1.0
"""Standard deviation by which the surface is smoothed before rays start from it."""
NORMAL_SMOOTHING_MM = 2.5
"""The same for its normals: a ray goes through the wall, not into a pore or across a ridge."""

_NEAREST_MM = 50.0  # no outer surface of a vault is nearer to its middle
_BEYOND_MM = 35.0  # the wall ends nearer than so far outside the vault's inner ellipse
_STEP_MM = 0.5
_CLOSE_BY_MM = 1.5  # the mask and the CT's own edge are no farther apart
_LEAST_MM = 20.0  # from the middle, where nothing is wall
_STEEPEST = 0.45  # cosine of 63 degrees between a surface's normal and its direction
_FOLDS_ABOVE_BASE_MM = 25.0
_SHREDS_MM = 8.0  # what is narrower at the rim is no calvaria
_FEWEST = 500  # vertices with wall, below which there is no vault to speak of


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangle mesh of N vertices.

    Attributes:
        points: float64 (N, 3), head coordinates, mm.
        triangles: int32 (T, 3), counter-clockwise seen from outside.
        normals: float64 (N, 3), outward, of the surface smoothed by ``NORMAL_SMOOTHING_MM``.
        has_wall: bool (N,), false where the surface was laid over a defect.
        neighbors: (N, N), each row the mean over a vertex and those next to it.
    """

    points: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    has_wall: np.ndarray
    neighbors: sparse.csr_array


def outer_surface(field: Field, cavity: Cavity, spacing_mm: float = SPACING_MM) -> Surface:
    """Lay a mesh on the outer surface of the wall, above the floor of the vault.

    Args:
        field: the CT and its skull mask.
        cavity: what ``skull.find_cavity`` gave for the CT.
        spacing_mm: distance of neighboring vertices.

    Raises:
        BadInputError: if the mask holds no wall around the middle of the head.
    """
    frame = cavity.frame
    size_mm = max(frame.half_length_mm, frame.half_height_mm) + 10.0
    directions, triangles = geodesic_sphere(_frequency(size_mm, spacing_mm))
    above = directions[:, 2] * _NEAREST_MM >= cavity.floor_mm
    directions, triangles, _ = _part(above, triangles, directions)
    radius = _outermost_mm(field, cavity, directions, size_mm + _BEYOND_MM)
    has_wall = np.isfinite(radius)
    if has_wall.sum() < _FEWEST:
        raise BadInputError(
            "Expected the vault in the skull mask, found no wall around the middle of the head."
        )
    neighbors = _neighbors(len(directions), triangles)
    radius = filled(radius, neighbors)
    height = radius * directions[:, 2]
    keep = (height >= cavity.floor_mm) & ~_folds(radius, directions, triangles, height, cavity)
    if cavity.is_bare:
        keep &= ~_below_the_saw(has_wall, height < cavity.floor_mm, neighbors)
    keep = _largest_part(keep, neighbors, spacing_mm)
    directions, triangles, kept = _part(keep, triangles, directions)
    radius, has_wall = radius[kept], has_wall[kept]
    neighbors = _neighbors(len(directions), triangles)
    radius = smoothed(radius, neighbors, SMOOTHING_MM, spacing_mm)
    smoother = smoothed(radius, neighbors, NORMAL_SMOOTHING_MM, spacing_mm)
    normals = vertex_normals(directions * smoother[:, None], triangles)
    return Surface(directions * radius[:, None], triangles, normals, has_wall, neighbors)


def geodesic_sphere(frequency: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide each edge of an icosahedron ``frequency`` times and lay the corners on a sphere.

    Returns:
        Unit vectors, float64 (10 frequency² + 2, 3), and triangles, int32 (20 frequency², 3),
        counter-clockwise seen from outside.

    Example:
        >>> corners, triangles = geodesic_sphere(4)
        >>> corners.shape, triangles.shape
        ((162, 3), (320, 3))
    """
    golden = (1 + np.sqrt(5)) / 2
    corners = np.array([[s, t * golden, 0.0] for s in (-1, 1) for t in (-1, 1)], float)
    corners = np.concatenate([np.roll(corners, shift, axis=1) for shift in range(3)])
    distance = np.linalg.norm(corners[:, None] - corners, axis=2)
    next_to = np.isclose(distance, 2.0)
    faces = np.array(
        [
            (a, b, c) if np.linalg.det(corners[[a, b, c]]) > 0 else (a, c, b)
            for a in range(12)
            for b in range(a + 1, 12)
            for c in range(b + 1, 12)
            if next_to[a, b] and next_to[b, c] and next_to[a, c]
        ]
    )
    # Within a face: i steps towards the second corner and j towards the third.
    i, j = (a.ravel() for a in np.indices((frequency + 1, frequency + 1)))
    inside = i + j <= frequency
    number = np.full((frequency + 1, frequency + 1), -1)
    number.ravel()[inside] = np.arange(inside.sum())
    i, j = i[inside], j[inside]
    weights = np.stack([frequency - i - j, i, j], axis=1) / frequency
    up = i + j < frequency
    down = i + j < frequency - 1
    local = np.concatenate(
        [
            np.stack([number[i, j][up], number[i[up] + 1, j[up]], number[i[up], j[up] + 1]], 1),
            np.stack(
                [
                    number[i[down] + 1, j[down]],
                    number[i[down] + 1, j[down] + 1],
                    number[i[down], j[down] + 1],
                ],
                1,
            ),
        ]
    )
    points = (weights @ corners[faces]).reshape(-1, 3)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    triangles = (local + np.arange(20)[:, None, None] * len(weights)).reshape(-1, 3)
    # Faces share their edges: corners that fall together are one.
    x, y, z = np.rint((points.T + 1) * 1e6).astype(np.int64)  # below 2 ** 21 each
    _, first, number_of = np.unique(
        (x << 42) | (y << 21) | z, return_index=True, return_inverse=True
    )
    return points[first], number_of[triangles].astype(np.int32)


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Outward unit normals of a mesh's vertices, means of their triangles' by area, (N, 3)."""
    a, b, c = (points[triangles[:, n]] for n in range(3))
    of_triangle = np.cross(b - a, c - a)
    normals = np.stack(
        [
            np.bincount(
                triangles.ravel(), np.repeat(of_triangle[:, axis], 3), minlength=len(points)
            )
            for axis in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)


def _frequency(radius_mm: float, spacing_mm: float) -> int:
    """How often to divide the icosahedron's edges, which span 63.4 degrees."""
    return max(1, round(np.arctan(2.0) * radius_mm / spacing_mm))


def _part(
    kept: np.ndarray, triangles: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points and triangles of a part of a mesh, and the numbers its points had; vertices of no
    triangle go, too."""
    triangles = triangles[kept[triangles].all(axis=1)]
    used = np.unique(triangles)
    number = np.zeros(len(points), np.int32)
    number[used] = np.arange(len(used))
    return points[used], number[triangles], used


def _outermost_mm(
    field: Field, cavity: Cavity, directions: np.ndarray, farthest_mm: float
) -> np.ndarray:
    """Distance (N,) from the head frame's origin to the outermost wall, NaN where none is."""
    frame = cavity.frame
    outward = directions @ frame.head_to_ras[:3, :3].T
    starts = frame.head_to_ras[:3, 3] + farthest_mm * outward
    first, _ = wall_range(field, starts, -outward, farthest_mm - _LEAST_MM)
    return farthest_mm - _between_voxels(field, starts, -outward, first)


def _between_voxels(
    field: Field, starts: np.ndarray, inward: np.ndarray, first: np.ndarray
) -> np.ndarray:
    """Take the distance (N,) of the mask's first voxel to where the CT between the voxels first
    reaches the threshold; it stays where it does not do so close by."""
    offsets = np.arange(-_CLOSE_BY_MM, _CLOSE_BY_MM + _STEP_MM / 2, _STEP_MM)
    rays = np.flatnonzero(np.isfinite(first))
    at = first[rays, None] + offsets
    hu = sample(field, starts[rays, None] + at[..., None] * inward[rays, None])
    before, after = hu[:, :-1], hu[:, 1:]
    rises = (before < field.threshold_hu) & (after >= field.threshold_hu)
    which = rises.argmax(axis=1)
    row = np.arange(len(rays))
    low, high = before[row, which], after[row, which]
    share = (field.threshold_hu - low) / np.where(rises[row, which], high - low, np.inf)
    found = first.copy()
    found[rays] = np.where(
        rises.any(axis=1), at[row, which] + share * _STEP_MM, at[:, len(offsets) // 2]
    )
    return found


def _folds(
    radius: np.ndarray,
    directions: np.ndarray,
    triangles: np.ndarray,
    height_mm: np.ndarray,
    cavity: Cavity,
) -> np.ndarray:
    """Bool (N,), low down, where the surface lies along its direction: it leaps there from the
    vault to an orbit's rim or the zygoma, and a ray along its normal would run within the bone."""
    normals = vertex_normals(directions * radius[:, None], triangles)
    steep = (normals * directions).sum(axis=1) < _STEEPEST
    return steep & (height_mm < cavity.base_mm + _FOLDS_ABOVE_BASE_MM)


def _below_the_saw(
    has_wall: np.ndarray, is_low: np.ndarray, neighbors: sparse.csr_array
) -> np.ndarray:
    """Bool (N,), vertices without wall that hang together with low ones: nothing is lacking there,
    a skull without brain was sawn or broken off above."""
    lacking = np.flatnonzero(~has_wall)
    count, part = csgraph.connected_components(neighbors[lacking][:, lacking], directed=False)
    reaches_low = np.bincount(part, is_low[lacking], minlength=count) > 0
    found = np.zeros(len(has_wall), bool)
    found[lacking] = reaches_low[part]
    return found


def _largest_part(keep: np.ndarray, neighbors: sparse.csr_array, spacing_mm: float) -> np.ndarray:
    """What of the kept vertices hangs together, the largest such part, without its shreds."""
    passes = round(_SHREDS_MM / 2 / spacing_mm)
    core = keep
    for _ in range(passes):
        core = neighbors @ core.astype(np.float32) > 1 - 1e-4
    chosen = np.flatnonzero(core)
    _, part = csgraph.connected_components(neighbors[chosen][:, chosen], directed=False)
    largest = np.zeros(len(keep), bool)
    largest[chosen[part == np.bincount(part, minlength=1).argmax()]] = True
    for _ in range(passes):
        largest = keep & (neighbors @ largest.astype(np.float32) > 0)
    return largest


def _neighbors(count: int, triangles: np.ndarray) -> sparse.csr_array:
    """Rows that average over a vertex and those it shares a triangle with."""
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    rows = np.concatenate([edges[:, 0], edges[:, 1], np.arange(count)])
    columns = np.concatenate([edges[:, 1], edges[:, 0], np.arange(count)])
    joined = sparse.coo_array((np.ones(len(rows), np.float32), (rows, columns)), (count, count))
    joined = joined.tocsr()  # which adds up what is there twice
    joined.data[:] = 1.0
    return (sparse.diags_array(1.0 / joined.sum(axis=1)) @ joined).tocsr().astype(np.float32)


def filled(values: np.ndarray, neighbors: sparse.csr_array) -> np.ndarray:
    """Lay a membrane over what is NaN: each such value (N,) is the mean of its neighbors'."""
    lacking = np.isnan(values)
    if not lacking.any():
        return values
    among = neighbors[lacking][:, lacking].astype(np.float64)
    given = neighbors[lacking][:, ~lacking] @ values[~lacking]
    found = values.copy()
    found[lacking] = spsolve((sparse.eye_array(among.shape[0]) - among).tocsc(), given)
    return found


def smoothed(
    values: np.ndarray, neighbors: sparse.csr_array, sigma_mm: float, spacing_mm: float
) -> np.ndarray:
    """Smooth values (N,) or (N, ...) on the mesh, about as by a Gaussian."""
    # Six neighbors at the spacing and the vertex itself: a variance of 3/7 along each direction.
    for _ in range(max(1, round(sigma_mm**2 / (3 / 7 * spacing_mm**2)))):
        values = neighbors @ values
    return values
