"""Head CTs resampled in random poses into padded grids, as registration leaves them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation
from SkullGANLib.anatomy.head_frame import HeadFrame
from SkullGANLib.ct.volume import HeadCT

PADDINGS_HU = (-3000, -2000, -1024, -1000, 0, 63)
SIZES_MM = (200.0, 280.0)
CROPS_MM = (20.0, 60.0)
"""How much is missing of a cropped grid from below."""


@dataclass(frozen=True)
class Pose:
    """How a head is turned, and the grid that it is resampled into.

    Attributes:
        yaw_deg, pitch_deg, roll_deg: about superior, right and anterior.
        voxel_mm: of the new grid.
        padding_hu: what the new grid holds outside the old one.
        size_mm: of the grid, right, anterior and superior.
        cropped_mm: how much of it is missing from below.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    voxel_mm: float
    padding_hu: int
    size_mm: tuple[float, float, float]
    cropped_mm: float = 0.0

    @property
    def turn(self) -> np.ndarray:
        """float64 (3, 3), takes directions before it to those after it, RAS."""
        angles = [self.yaw_deg, self.pitch_deg, self.roll_deg]
        return Rotation.from_euler("zxy", angles, degrees=True).as_matrix()


def random_pose(
    rng: np.random.Generator,
    voxel_mm: tuple[float, float] = (0.8, 1.5),
    farthest_deg: tuple[float, float, float] = (60.0, 40.0, 40.0),
    may_crop: bool = True,
) -> Pose:
    """Draw a pose.

    Args:
        voxel_mm: least and largest.
        farthest_deg: yaw, pitch and roll, either way.
        may_crop: cut every second one from below by ``CROPS_MM``; all are cut by ``SIZES_MM``.
    """
    yaw, pitch, roll = (float(rng.uniform(-most, most)) for most in farthest_deg)
    voxel = float(rng.uniform(*voxel_mm))
    padding = PADDINGS_HU[int(rng.integers(len(PADDINGS_HU)))]
    across, along, up = (float(mm) for mm in rng.uniform(*SIZES_MM, 3))
    crop = float(rng.uniform(*CROPS_MM)) if may_crop and rng.random() < 0.5 else 0.0
    return Pose(yaw, pitch, roll, voxel, padding, (across, along, up), crop)


def turned(ct: HeadCT, pose: Pose, frame: HeadFrame) -> HeadCT:
    """Turn a head about the origin of its frame and resample it, linearly.

    The origin comes to lie in the middle of the grid before this is cropped.
    """
    size = np.array(pose.size_mm)
    geometry = np.diag([pose.voxel_mm, pose.voxel_mm, pose.voxel_mm, 1.0])
    geometry[:3, 3] = -size / 2.0
    geometry[2, 3] += pose.cropped_mm
    size[2] -= pose.cropped_mm
    back = np.eye(4)
    back[:3, :3], back[:3, 3] = pose.turn.T, frame.head_to_ras[:3, 3]
    index = np.linalg.inv(ct.ijk_to_ras) @ back @ geometry
    hu = ndimage.affine_transform(
        ct.hu,
        index[:3, :3][::-1, ::-1],
        index[:3, 3][::-1],
        tuple((size / pose.voxel_mm).astype(int)[::-1]),
        order=1,
        cval=pose.padding_hu,
    )
    return HeadCT(hu, geometry, ct.source)


def off_deg(found: HeadFrame, straight: HeadFrame, pose: Pose) -> float:
    """The angle between the axes found in a pose and those found without it, turned."""
    turn = found.head_to_ras[:3, :3].T @ pose.turn @ straight.head_to_ras[:3, :3]
    return float(np.rad2deg(Rotation.from_matrix(turn).magnitude()))
