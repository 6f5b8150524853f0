"""Interpolation of a CT whose voxels are known."""

from __future__ import annotations

import numpy as np
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.mapping.field import Field, in_parts, sample


def noisy_ct() -> HeadCT:
    """Voxels of 0.5 mm with random HU, and a wall in the middle."""
    rng = np.random.default_rng(5)
    voxels = rng.normal(400, 200, (40, 30, 20)).astype(np.int16)
    matrix = np.diag([0.5, 0.5, 0.5, 1.0])
    matrix[:3, 3] = [-10.0, 5.0, 2.0]
    return HeadCT(voxels, matrix)


def wall(ct: HeadCT) -> np.ndarray:
    mask = np.zeros(ct.hu.shape, np.uint8)
    mask[15:25, 10:20, 5:15] = 1
    return mask


def test_the_interpolation_goes_through_the_voxels():
    ct = noisy_ct()
    field = Field.of(ct, wall(ct), 300.0, threads=1)
    k, j, i = np.random.default_rng(0).integers([15, 10, 5], [25, 20, 15], (50, 3)).T
    points = np.stack([i, j, k], 1) @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]
    assert np.allclose(sample(field, points), ct.hu[k, j, i], atol=1.0)


def test_a_point_in_the_wall_has_all_of_the_mask_around_it_and_one_outside_none():
    ct = noisy_ct()
    field = Field.of(ct, wall(ct), 300.0, threads=1)
    points = np.array([[10.0, 15.0, 20.0], [2.0, 3.0, 4.0], [4.5, 15.0, 20.0]])
    index = field.index(points @ np.diag([0.5] * 3) + ct.ijk_to_ras[:3, 3])
    assert field.share_at(index.T).tolist() == [1.0, 0.0, 0.5]


def test_what_lies_in_the_outermost_voxels_is_outside():
    ct = noisy_ct()
    field = Field.of(ct, wall(ct), 300.0, threads=1)
    ijk = np.array([[10, 15, 20], [0, 15, 20], [10, 29, 20], [10, 15, 60]], float)
    assert field.is_outside(ijk * 0.5 + ct.ijk_to_ras[:3, 3]).tolist() == [False, True, True, True]


def test_what_was_not_scanned_is_outside_but_of_a_bare_skull():
    ct = noisy_ct()
    ct.hu[:, :, :4] = 0
    ijk = np.array([[10, 15, 20], [5, 15, 20], [4, 15, 20], [2, 15, 20]], float)
    points = ijk * 0.5 + ct.ijk_to_ras[:3, 3]
    padded = Field.of(ct, wall(ct), 300.0, threads=1)
    # A voxel and a half beside it, interpolation still takes from it.
    assert padded.is_outside(points).tolist() == [False, False, True, True]
    bare = Field.of(ct, wall(ct), 300.0, threads=1, is_bare=True)
    assert not bare.is_outside(points).any()


def test_trilinear_hu_lie_halfway_between_two_voxels():
    ct = noisy_ct()
    field = Field.of(ct, wall(ct), 300.0, threads=1)
    points = np.array([[10.0, 15.0, 20.0], [10.0, 15.0, 20.5], [10.0, 15.0, 21.0]]) * 0.5
    a, between, b = field.hu_between(field.index(points + ct.ijk_to_ras[:3, 3]).T)
    assert a == ct.hu[20, 15, 10]
    assert between == (a + b) / 2


def test_every_ray_is_worked_on_once_whatever_the_parts():
    done = np.zeros(10, int)

    def work(part: slice) -> None:
        done[part] += 1

    in_parts(work, 10, threads=3, at_once=4)
    assert done.tolist() == [1] * 10
