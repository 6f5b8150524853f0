"""A map on the voxels of the wall."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from SkullGANLib.mapping.codes import MEASURED
from SkullGANLib.mapping.wall_overlay import overlay, vertex_numbers


def test_every_voxel_of_the_wall_carries_the_value_of_its_ray(plain):
    numbers = vertex_numbers(plain.found, plain.mask, plain.ct.ijk_to_ras)
    assert numbers.shape == plain.ct.hu.shape
    assert ((numbers >= 0) == (plain.mask > 0)).all()
    voxels = overlay(plain.found, numbers, "sdr_peaks")
    k, j, i = (along[::97] for along in np.nonzero(plain.mask))
    ras = np.stack([i, j, k], axis=1) @ plain.ct.ijk_to_ras[:3, :3].T + plain.ct.ijk_to_ras[:3, 3]
    nearest = cKDTree(plain.found.points_ras).query(ras)[1]
    expected = np.where(
        plain.found.code == MEASURED,
        plain.found.values["sdr_peaks"],
        -plain.found.code.astype(float),
    )[nearest]
    assert np.allclose(voxels[k, j, i], expected, atol=1e-6)
    assert (voxels[plain.mask == 0] == 0).all()


def test_fine_voxels_carry_the_value_of_a_ray_no_farther_than_a_vertex_away(plain):
    fine = np.kron(plain.mask[20:40], np.ones((3, 3, 3), np.uint8))
    matrix = plain.ct.ijk_to_ras @ np.diag([1 / 3, 1 / 3, 1 / 3, 1])
    matrix[:3, 3] = (plain.ct.ijk_to_ras @ [-1 / 3, -1 / 3, 20 - 1 / 3, 1])[:3]
    numbers = vertex_numbers(plain.found, fine, matrix)
    k, j, i = (along[::997] for along in np.nonzero(fine))
    ras = np.stack([i, j, k], axis=1) @ matrix[:3, :3].T + matrix[:3, 3]
    nearest_mm = cKDTree(plain.found.points_ras).query(ras)[0]
    taken_mm = np.linalg.norm(plain.found.points_ras[numbers[k, j, i]] - ras, axis=1)
    assert (taken_mm - nearest_mm).max() < 1.0
