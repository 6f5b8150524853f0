"""How well the head frame, and with --extract the segments, stand random poses of whole heads.

    python Testing/Benchmarks/poses.py 100 head.dicom.zip other.nii.gz    (of each; or the sample)
    python Testing/Benchmarks/poses.py 6 head.dicom.zip --extract

Every pose turns the head, resamples it into a grid of random voxel and size, pads that with a
constant and crops every second one from below (``turned_heads``). Prints a table with a line a CT
and the worst poses. With ``--extract`` the turns go to 20 degrees, nothing is cropped, and
segments, thickness, SDR and sides are compared with those of the CT as it is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "SkullGAN"), str(ROOT / "Testing")]

from SkullGANLib.anatomy.cavity import find_cavity  # noqa: E402
from SkullGANLib.anatomy.head_frame import HeadFrame  # noqa: E402
from SkullGANLib.ct.volume import read_ct  # noqa: E402
from SkullGANLib.data.segment_set import SegmentSet  # noqa: E402
from SkullGANLib.errors import BadInputError  # noqa: E402
from SkullGANLib.extraction import single_ct  # noqa: E402
from SkullGANLib.metrics import measure  # noqa: E402
from SkullGANLib.utils import resources  # noqa: E402
from turned_heads import Pose, off_deg, random_pose, turned  # noqa: E402

RIGHT_DEG = 3.0
EXTRACT_DEG = (20.0, 20.0, 20.0)
EXTRACT_MM = (0.6, 1.2)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("count", type=int, nargs="?", default=20, help="poses of each CT")
    options.add_argument("ct", type=Path, nargs="*", default=[resources.sample_ct()])
    options.add_argument("--voxel-mm", type=float, nargs=2, metavar=("LEAST", "MOST"))
    options.add_argument("--extract", action="store_true", help="compare the segments, too")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    for path in given.ct:
        rng = np.random.default_rng(given.seed)
        if given.extract:
            voxel_mm = tuple(given.voxel_mm or EXTRACT_MM)
            poses = [random_pose(rng, voxel_mm, EXTRACT_DEG, False) for _ in range(given.count)]
            compare_segments(path, poses)
        else:
            voxel_mm = tuple(given.voxel_mm or (0.8, 1.5))
            compare_frames(path, [random_pose(rng, voxel_mm) for _ in range(given.count)])


def compare_frames(path: Path, poses: list[Pose]) -> None:
    """Print how far the frame of each pose is off, and the poses that are not right."""
    ct = read_ct(path)
    straight = find_cavity(ct).frame
    off: list[float] = []
    refused = 0
    for pose in poses:
        try:
            frame = find_cavity(turned(ct, pose, straight)).frame
        except BadInputError as error:
            refused += 1
            print(f"  refused: {pose}: {error}")
            continue
        off.append(off_deg(frame, straight, pose))
        if off[-1] > RIGHT_DEG:
            print(f"  {off[-1]:.1f} degrees off, certainty {frame.certainty:.2f}: {pose}")
    wrong = sum(one > RIGHT_DEG for one in off)
    print(
        f"{path.name}: {len(poses)} poses, {wrong} wrong, {refused} refused; degrees off: median "
        f"{np.median(off):.2f}, 95 % {np.quantile(off, 0.95):.2f}, worst {max(off):.2f}",
        flush=True,
    )


def compare_segments(path: Path, poses: list[Pose]) -> None:
    """Print segments, thickness and SDR of each pose against those of the CT as it is."""
    ct = read_ct(path)
    straight = find_cavity(ct).frame
    segments = single_ct.extract(ct, subject="A").segments
    print(
        f"{path.name}\n{'pose':<44} {'off':>5} {'segments':>9} {'mm':>6} {'SDR':>6} {'swapped':>8}"
    )
    print(f"{'as it is':<44} {'':>5} {figures(segments, straight)}")
    for pose in poses:
        what = (
            f"{pose.yaw_deg:.0f}, {pose.pitch_deg:.0f}, {pose.roll_deg:.0f} degrees, "
            f"{pose.voxel_mm:.2f} mm, padding {pose.padding_hu}"
        )
        moved = turned(ct, pose, straight)
        try:
            found = single_ct.extract(moved, subject="A").segments
            off = off_deg(find_cavity(moved).frame, straight, pose)
        except BadInputError as error:
            print(f"{what:<44} refused: {error}", flush=True)
            continue
        true_frame = HeadFrame(np.eye(4), 0.0, 0.0)  # the head was turned about its origin
        true_frame.head_to_ras[:3, :3] = pose.turn @ straight.head_to_ras[:3, :3]
        print(f"{what:<44} {off:5.2f} {figures(found, true_frame)}", flush=True)


def figures(segments: SegmentSet, frame: HeadFrame) -> str:
    """Segments, mean thickness and SDR, and how many are not on the side that they name."""
    values = measure(segments)
    middle = segments.pixel_to_ras @ np.array([63.5, 10.0, 0.0, 1.0])
    across = frame.from_ras(middle[:, :3])[:, 0]
    side = np.asarray(segments.side)
    swapped = ((side == "left") & (across > 0)) | ((side == "right") & (across < 0))
    thickness, sdr = (float(np.nanmean(values[name])) for name in ("thickness_mm", "sdr_peaks"))
    return f"{len(segments):9d} {thickness:6.2f} {sdr:6.3f} {swapped.sum():8d}"


if __name__ == "__main__":
    main()
