"""The head frame of the sample CT in random poses, grids, paddings and crops.

``Testing/Benchmarks/poses.py`` does the same offline with hundreds of poses and with other heads.
"""

import numpy as np
import pytest
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.anatomy.head_frame import HeadFrame
from turned_heads import Pose, off_deg, random_pose, turned

RANDOM = np.random.default_rng(15)
POSES = [random_pose(RANDOM) for _ in range(24)]
FARTHEST = [
    Pose(yaw, pitch, roll, 1.2, -1024, (240.0, 240.0, 240.0))
    for yaw, pitch, roll in [(60, 0, 0), (-60, 0, 0), (0, 40, 0), (0, -40, 0), (0, 0, 40)]
]


@pytest.fixture(scope="module")
def straight(sample_ct) -> HeadFrame:
    return find_cavity(sample_ct).frame


def named(pose: Pose) -> str:
    turns = f"{pose.yaw_deg:.0f},{pose.pitch_deg:.0f},{pose.roll_deg:.0f}"
    return f"{turns} at {pose.voxel_mm:.2f} mm in {pose.padding_hu}"


@pytest.mark.slow
@pytest.mark.parametrize("pose", POSES + FARTHEST, ids=named)
def test_the_frame_turns_with_the_head_whatever_the_grid_and_its_padding(sample_ct, straight, pose):
    frame = find_cavity(turned(sample_ct, pose, straight)).frame
    assert off_deg(frame, straight, pose) < 3.0
    assert np.linalg.norm(frame.head_to_ras[:3, 3]) < 3.0
    assert frame.half_length_mm == pytest.approx(straight.half_length_mm, abs=3.0)
    assert frame.certainty > 0.8
