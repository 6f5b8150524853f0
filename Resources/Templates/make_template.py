"""Make the template of the intracranial space from the public-domain head that the sample is of.

    python Resources/Templates/make_template.py pcir_bone.dicom.zip

writes ``intracranial-space.npz`` beside this script, with the same numbers again. Every element is
the distance to the surface of the space, above 0 inside, mean of the head and its mirror image, in
units of 0.25 mm. The space is ``Cavity.mask``, which does not depend on the template.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "SkullGAN"))

from SkullGANLib.anatomy.cavity import find_cavity  # noqa: E402
from SkullGANLib.ct.volume import read_ct  # noqa: E402

HEAD_TO_RAS = np.array(
    [
        [0.9999838583568459, -0.0015444157340424812, -0.005467888604942512, 7.633176212880927],
        [0.002327275586108129, 0.9892518680442114, 0.14620302787351783, 6.082316149921807],
        [0.005183320760084523, -0.14621339320007168, 0.9892394941746006, 47.40129451682597],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
"""The head's own axes: its plane of mirror symmetry, and the long axis of the ellipse that fits the
midsagittal outline of its vault as the horizontal."""

HALF_LENGTH_MM, HALF_HEIGHT_MM = 85.69806236545443, 73.70500987690936  # of that ellipse
BASE_MM = -26.0  # where its axial section falls to ``cavity.BASE_AREA_SHARE``

FIRST_MM = np.array([-96.0, -117.0, -84.0])
COUNT = (49, 59, 48)
STEP_MM = 4.0
UNIT_MM = 0.25
MOST = 100  # units: 25 mm, farther than ``head_template`` looks


def main() -> None:
    cavity = find_cavity(read_ct(sys.argv[1]))
    target = HERE / "intracranial-space.npz"
    np.savez_compressed(
        target,
        depth=symmetrized(depth_mm(cavity.mask, cavity.ijk_to_ras), cavity.ijk_to_ras),
        unit_mm=UNIT_MM,
        first_mm=FIRST_MM,
        step_mm=STEP_MM,
        half_length_mm=HALF_LENGTH_MM,
        half_height_mm=HALF_HEIGHT_MM,
        base_mm=BASE_MM,
    )
    print(f"{target.name}: {target.stat().st_size:,} bytes")


def depth_mm(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Distance to the mask's surface, above 0 inside."""
    mm = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)[::-1]
    inside = ndimage.distance_transform_edt(mask, sampling=mm)
    return inside - ndimage.distance_transform_edt(~mask, sampling=mm)


def symmetrized(depth: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Mean of the depth and its mirror image in head coordinates, int8 (x, y, z), units."""
    axes = [first + STEP_MM * np.arange(n) for first, n in zip(FIRST_MM, COUNT, strict=True)]
    head = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    to_index = np.linalg.inv(ijk_to_ras[:3, :3])
    total = np.zeros(COUNT)
    for side in (1.0, -1.0):
        ras = (head * [side, 1.0, 1.0]) @ HEAD_TO_RAS[:3, :3].T + HEAD_TO_RAS[:3, 3]
        index = (ras - ijk_to_ras[:3, 3]) @ to_index.T
        places = index[..., ::-1].reshape(-1, 3).T
        total += ndimage.map_coordinates(depth, places, order=1, mode="nearest").reshape(COUNT)
    return np.clip(np.rint(total / 2.0 / UNIT_MM), -MOST, MOST).astype(np.int8)


if __name__ == "__main__":
    main()
