"""The head frame: right, anterior and superior as the skull itself has them.

A tilted or turned head must give the same segments, so planes are laid in this frame and not in
the scanner's. It is found from the inner surface of the vault alone: the midsagittal plane is the
one that the vault is most symmetric to; within it, the vault's outline is half an ellipse, and the
long axis of that ellipse (from the frontal to the occipital pole) is taken for horizontal. Frames
of one head under rotations of 15 degrees agree within about 2 degrees.

Landmarks override it (``frame_from_landmarks``): the midsagittal plane is then the one through
nasion and inion whose normal comes nearest to the line between the poria, and the line from inion
to nasion rises by ``NASION_RISES_DEG`` against the horizontal. Where the ellipse lies and how large
it is still comes from the vault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.atomic_files import written_aside
from .landmarks import NAMES, check_plausible

NASION_RISES_DEG = 12.0
"""How much the line from inion to nasion rises against the horizontal: the mean of what the vault's
ellipse says on three adults. It says -1, 17 and 19, because it is nearly round; the bones agree
better: on all three, the line is within 8 degrees of that from the poria to the nasion."""

_STARTS_DEG = (-15.0, 0.0, 15.0)  # yaw and roll from which the symmetry is sought
_POINTS = 2000
_UPRIGHT = 0.1  # a start turned by 15 degrees has to be better by this share
_SEARCH_STEP = 5  # of the points, those that serve to choose the start
_FARTHEST_MM = 8.0  # asymmetries beyond it (a defect, a vessel) count no more
_MIDDLE_MM = 12.0  # half the width of the slab that shows the midsagittal outline
_LOWEST_DEG = -10.0  # the outline is the vault's down to this elevation
_PASSES = 6
_SETTLED_DEG = 0.05
_SETTLED_MM = 0.1


@dataclass(frozen=True, eq=False)
class HeadFrame:
    """Head coordinates: x to the patient's right, y anterior, z superior, in mm.

    Attributes:
        head_to_ras: float64 (4, 4), takes (x, y, z, 1) in the head to RAS mm. The origin is the
            middle of the vault's midsagittal ellipse.
        half_length_mm: from the origin to the vault's inner surface along y.
        half_height_mm: from the origin to the vault's inner surface along z.
    """

    head_to_ras: np.ndarray
    half_length_mm: float
    half_height_mm: float

    @property
    def right(self) -> np.ndarray:
        """Unit vector to the patient's right, RAS."""
        return self.head_to_ras[:3, 0]

    @property
    def anterior(self) -> np.ndarray:
        """Unit vector to the front, RAS."""
        return self.head_to_ras[:3, 1]

    @property
    def superior(self) -> np.ndarray:
        """Unit vector to the vertex, RAS."""
        return self.head_to_ras[:3, 2]

    def from_ras(self, points_ras: np.ndarray) -> np.ndarray:
        """Take RAS mm (..., 3) to head coordinates."""
        return (points_ras - self.head_to_ras[:3, 3]) @ self.head_to_ras[:3, :3]

    def to_ras(self, points: np.ndarray) -> np.ndarray:
        """Take head coordinates (..., 3) to RAS mm."""
        return points @ self.head_to_ras[:3, :3].T + self.head_to_ras[:3, 3]

    def write(self, path: str | Path, **beside: float) -> None:
        """Write the frame as JSON, with numbers that belong to it; ``read`` gives both back.

        Raises:
            OutputError: if the file cannot be written.
        """
        with written_aside(path) as temporary:
            temporary.write_text(
                json.dumps(asdict(self) | {"head_to_ras": self.head_to_ras.tolist()} | beside)
            )

    @classmethod
    def read(cls, path: str | Path) -> tuple[HeadFrame, dict[str, float]]:
        """Read what ``write`` wrote: the frame, and the numbers beside it."""
        known = json.loads(Path(path).read_text())
        own = {field.name: known.pop(field.name) for field in fields(cls)}
        return cls(**own | {"head_to_ras": np.array(own["head_to_ras"], float)}), known


def find_frame(mask: np.ndarray, ijk_to_ras: np.ndarray) -> HeadFrame:
    """Find the head frame from the intracranial space.

    Args:
        mask: bool (slices, rows, columns), the intracranial space on a grid of about 2 mm.
        ijk_to_ras: float64 (4, 4) of that grid.

    Returns:
        The frame; superior is the half that points to the scanner's S, right to its R.
    """
    surface = _surface_ras(mask, ijk_to_ras)
    frame = HeadFrame(_axes(np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), surface.mean(0)), 0, 0)
    depth = _depth_mm(mask, ijk_to_ras)
    height = frame.from_ras(surface)[:, 2]
    upper = surface[height > np.quantile(height, 0.4)]
    frame = _symmetric(frame, upper, depth, ijk_to_ras, starts_deg=_STARTS_DEG)
    frame = _level(frame, surface)
    # Now it is known what the vault is; base and neck, where the field of view ends, differ.
    vault = surface[frame.from_ras(surface)[:, 2] > 0]
    frame = _symmetric(frame, vault, depth, ijk_to_ras, starts_deg=(0.0,))
    return _level(frame, surface)


def frame_from_landmarks(
    mask: np.ndarray, ijk_to_ras: np.ndarray, landmarks: Mapping[str, np.ndarray]
) -> HeadFrame:
    """Make the head frame of four landmarks; only its place and size come from the vault.

    Args:
        mask, ijk_to_ras: as for ``find_frame``.
        landmarks: float (3,), RAS mm, by each of ``landmarks.NAMES``.

    Returns:
        The frame: x = 0 is the plane through nasion and inion, left and right are the poria's.

    Raises:
        BadInputError: if they cannot be landmarks of a head (``landmarks.check_plausible``).
    """
    check_plausible(landmarks)
    nasion, inion, left, right = (np.asarray(landmarks[name], float) for name in NAMES)
    forward = (nasion - inion) / np.linalg.norm(nasion - inion)
    across = right - left
    across = across - (across @ forward) * forward
    upward = np.cross(across, forward)
    pitch = np.deg2rad(NASION_RISES_DEG)
    superior = np.cos(pitch) * upward / np.linalg.norm(upward) + np.sin(pitch) * forward
    surface = _surface_ras(mask, ijk_to_ras)
    unit = across / np.linalg.norm(across)
    middle = surface.mean(0)
    origin = middle - ((middle - nasion) @ unit) * unit
    return _level(HeadFrame(_axes(unit, superior, origin), 0.0, 0.0), surface, may_pitch=False)


def voxels_ras(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Centers of the voxels in a mask (slices, rows, columns), float64 (N, 3), RAS mm."""
    return np.argwhere(mask)[:, ::-1] @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]


def _symmetric(
    frame: HeadFrame,
    surface: np.ndarray,
    depth: np.ndarray,
    ijk_to_ras: np.ndarray,
    starts_deg: tuple[float, ...],
) -> HeadFrame:
    """Turn and move the frame so that x = 0 is the plane of the vault's best mirror symmetry."""
    from scipy import ndimage, optimize

    points = frame.from_ras(surface)
    # Evenly through the surface, whatever the order of its voxels: no chance, no seed.
    points = points[np.linspace(0, len(points) - 1, min(_POINTS, len(points))).astype(int)]
    to_index = np.linalg.inv(ijk_to_ras)

    def off_the_surface(plane: np.ndarray, points: np.ndarray) -> np.ndarray:

        normal = _normal(plane)
        distance = points @ normal - plane[2]
        mirrored = frame.to_ras(points - 2.0 * distance[:, None] * normal)
        index = (mirrored @ to_index[:3, :3].T + to_index[:3, 3])[:, ::-1].T
        found = ndimage.map_coordinates(depth, index, order=1, mode="nearest")
        return np.clip(found, -_FARTHEST_MM, _FARTHEST_MM)

    def fit(start: Sequence[float], points: np.ndarray, precision: float = 1e-8) -> Any:

        return optimize.least_squares(
            off_the_surface,
            start,
            x_scale=[0.1, 0.1, 5.0],
            loss="soft_l1",
            diff_step=1e-2,
            xtol=precision,
            ftol=precision,
            args=(points,),
        )

    # A few points tell which start leads to the deepest valley, all of them where it is deepest.
    starts = [(yaw, roll, 0.0) for yaw in np.deg2rad(starts_deg) for roll in np.deg2rad(starts_deg)]
    rough = [fit(start, points[::_SEARCH_STEP], 1e-3) for start in starts]
    turned = [np.hypot(*start[:2]) / np.deg2rad(15.0) for start in starts]
    costs = [one.cost * (1.0 + _UPRIGHT * by) for one, by in zip(rough, turned, strict=True)]
    best = fit(rough[int(np.argmin(costs))].x, points).x
    normal = _normal(best)
    origin = frame.to_ras(best[2] * normal)
    right = frame.head_to_ras[:3, :3] @ normal
    return HeadFrame(_axes(right, frame.superior, origin), 0.0, 0.0)


def _level(frame: HeadFrame, surface: np.ndarray, may_pitch: bool = True) -> HeadFrame:
    """Pitch and move the frame so that y is the long axis of the vault's midsagittal ellipse; or
    move it only, to the middle of the ellipse that fits best as the frame stands."""
    from scipy import optimize

    ellipse = np.array([0.0, 0.0, 85.0, 65.0, 0.0])
    free = slice(5 if may_pitch else 4)
    for _ in range(_PASSES):
        points = frame.from_ras(surface)
        y, z = points[np.abs(points[:, 0]) < _MIDDLE_MM][:, 1:].T
        elevation = np.rad2deg(np.arctan2(z, np.abs(y)))
        y, z = y[elevation > _LOWEST_DEG], z[elevation > _LOWEST_DEG]
        ellipse[[0, 1, 4]] = 0.0
        ellipse[free] = optimize.least_squares(
            _off_the_ellipse,
            ellipse[free],
            x_scale=[10, 10, 10, 10, 0.1][free],
            bounds=([-60, -60, 50, 30, -1.0][free], [60, 60, 130, 120, 1.0][free]),
            loss="soft_l1",
            args=(y, z),
        ).x
        center_y, center_z, half_length, half_height, tilt = ellipse
        superior = np.cos(tilt) * frame.superior - np.sin(tilt) * frame.anterior
        origin = frame.to_ras(np.array([0.0, center_y, center_z]))
        frame = HeadFrame(
            _axes(frame.right, superior, origin), float(half_length), float(half_height)
        )
        moved_mm = 0.0 if may_pitch else np.hypot(center_y, center_z)
        if abs(np.rad2deg(tilt)) < _SETTLED_DEG and moved_mm < _SETTLED_MM:
            break
    return frame


def _off_the_ellipse(ellipse: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Roughly the distance of points from an ellipse (center y, z, half axes, tilt if any),
    mm."""
    center_y, center_z, half_length, half_height, tilt = (*ellipse, 0.0)[:5]
    u = np.cos(tilt) * (y - center_y) + np.sin(tilt) * (z - center_z)
    v = np.cos(tilt) * (z - center_z) - np.sin(tilt) * (y - center_y)
    radius = np.hypot(u / half_length, v / half_height)
    return (radius - 1.0) * np.sqrt(half_length * half_height)


def _normal(plane: np.ndarray) -> np.ndarray:
    """Unit normal near x from (yaw, roll, offset)."""
    yaw, roll = plane[:2]
    return np.array([np.cos(yaw) * np.cos(roll), np.sin(yaw) * np.cos(roll), np.sin(roll)])


def _axes(right: np.ndarray, superior: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """``head_to_ras`` from an exact right and an approximate superior."""
    right = right / np.linalg.norm(right)
    superior = superior - (superior @ right) * right
    superior = superior / np.linalg.norm(superior)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 2] = right, superior
    matrix[:3, 1] = np.cross(superior, right)
    matrix[:3, 3] = origin
    return matrix


def _surface_ras(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Centers of the mask's outermost voxels, float64 (N, 3), RAS mm; not those at the border of
    the grid, where the field of view ends and not the head."""
    from scipy import ndimage

    return voxels_ras(mask & ~ndimage.binary_erosion(mask, border_value=1), ijk_to_ras)


def _depth_mm(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Distance to the mask's surface, above 0 inside, float32."""
    from scipy import ndimage

    mm = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)[::-1]
    inside = ndimage.distance_transform_edt(mask, sampling=mm)
    outside = ndimage.distance_transform_edt(~mask, sampling=mm)
    return (inside - outside).astype(np.float32)
