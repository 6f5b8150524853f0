"""The head frame: right, anterior and superior as the skull itself has them.

A tilted or turned head must give the same segments, so planes are laid in this frame and not in
the scanner's. It is found from the inner surface of the vault alone: the midsagittal plane is the
one that the vault is most symmetric to; within it, the vault's outline is half an ellipse, and the
long axis of that ellipse (from the frontal to the occipital pole) is taken for horizontal. Frames
of one head under rotations of 15 degrees agree within about 2 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

_STARTS_DEG = (-15.0, 0.0, 15.0)  # yaw and roll from which the symmetry is sought
_POINTS = 2000
_FARTHEST_MM = 8.0  # asymmetries beyond it (a defect, a vessel) count no more
_MIDDLE_MM = 12.0  # half the width of the slab that shows the midsagittal outline
_LOWEST_DEG = -10.0  # the outline is the vault's down to this elevation
_PASSES = 6
_SETTLED_DEG = 0.05


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


def voxels_ras(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Centres of the voxels in a mask (slices, rows, columns), float64 (N, 3), RAS mm."""
    return np.argwhere(mask)[:, ::-1] @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]


def _symmetric(
    frame: HeadFrame,
    surface: np.ndarray,
    depth: np.ndarray,
    ijk_to_ras: np.ndarray,
    starts_deg: tuple[float, ...],
) -> HeadFrame:
    """Turn and move the frame so that x = 0 is the plane of the vault's best mirror symmetry."""
    points = frame.from_ras(surface)
    # Evenly through the surface, whatever the order of its voxels: no chance, no seed.
    points = points[np.linspace(0, len(points) - 1, min(_POINTS, len(points))).astype(int)]
    to_index = np.linalg.inv(ijk_to_ras)

    def off_the_surface(plane: np.ndarray) -> np.ndarray:
        normal = _normal(plane)
        distance = points @ normal - plane[2]
        mirrored = frame.to_ras(points - 2.0 * distance[:, None] * normal)
        index = (mirrored @ to_index[:3, :3].T + to_index[:3, 3])[:, ::-1].T
        found = ndimage.map_coordinates(depth, index, order=1, mode="nearest")
        return np.clip(found, -_FARTHEST_MM, _FARTHEST_MM)

    starts = [(yaw, roll) for yaw in np.deg2rad(starts_deg) for roll in np.deg2rad(starts_deg)]
    fits = [
        optimize.least_squares(
            off_the_surface, [*start, 0.0], x_scale=[0.1, 0.1, 5.0], loss="soft_l1", diff_step=1e-2
        )
        for start in starts
    ]
    best = min(fits, key=lambda fit: fit.cost).x
    normal = _normal(best)
    origin = frame.to_ras(best[2] * normal)
    right = frame.head_to_ras[:3, :3] @ normal
    return HeadFrame(_axes(right, frame.superior, origin), 0.0, 0.0)


def _level(frame: HeadFrame, surface: np.ndarray) -> HeadFrame:
    """Pitch and move the frame so that y is the long axis of the vault's midsagittal ellipse."""
    ellipse = np.array([0.0, 0.0, 85.0, 65.0, 0.0])
    for _ in range(_PASSES):
        points = frame.from_ras(surface)
        y, z = points[np.abs(points[:, 0]) < _MIDDLE_MM][:, 1:].T
        elevation = np.rad2deg(np.arctan2(z, np.abs(y)))
        y, z = y[elevation > _LOWEST_DEG], z[elevation > _LOWEST_DEG]
        ellipse[[0, 1, 4]] = 0.0
        ellipse = optimize.least_squares(
            _off_the_ellipse,
            ellipse,
            x_scale=[10, 10, 10, 10, 0.1],
            bounds=([-60, -60, 50, 30, -1.0], [60, 60, 130, 120, 1.0]),
            loss="soft_l1",
            args=(y, z),
        ).x
        centre_y, centre_z, half_length, half_height, tilt = ellipse
        superior = np.cos(tilt) * frame.superior - np.sin(tilt) * frame.anterior
        origin = frame.to_ras(np.array([0.0, centre_y, centre_z]))
        frame = HeadFrame(
            _axes(frame.right, superior, origin), float(half_length), float(half_height)
        )
        if abs(np.rad2deg(tilt)) < _SETTLED_DEG:
            break
    return frame


def _off_the_ellipse(ellipse: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Roughly the distance of points from an ellipse (centre y, z, half axes, tilt), mm."""
    centre_y, centre_z, half_length, half_height, tilt = ellipse
    u = np.cos(tilt) * (y - centre_y) + np.sin(tilt) * (z - centre_z)
    v = np.cos(tilt) * (z - centre_z) - np.sin(tilt) * (y - centre_y)
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
    """Centres of the mask's outermost voxels, float64 (N, 3), RAS mm; not those at the border of
    the grid, where the field of view ends and not the head."""
    return voxels_ras(mask & ~ndimage.binary_erosion(mask, border_value=1), ijk_to_ras)


def _depth_mm(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Distance to the mask's surface, above 0 inside, float32."""
    mm = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)[::-1]
    inside = ndimage.distance_transform_edt(mask, sampling=mm)
    outside = ndimage.distance_transform_edt(~mask, sampling=mm)
    return (inside - outside).astype(np.float32)
