"""Padding of any value around what was scanned, told from what was measured."""

import numpy as np
import pytest
from SkullGANLib.ct.field_of_view import Unseen, outside_blocks, outside_voxels


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(-1010, -990, shape).astype(np.int16)


@pytest.mark.parametrize("padding", [-3000, -1024, -1000, 0, 63])
def test_the_corners_around_a_circle_of_reconstruction_are_outside(padding):
    hu = noise((12, 60, 60))
    y, x = np.mgrid[:60, :60] - 29.5
    corners = np.broadcast_to(np.hypot(y, x) > 28, hu.shape)
    hu[corners] = padding
    found = outside_voxels(hu)
    # Voxels in the circle may read the same by chance; of the rim some voxels are not found.
    assert (found & ~corners).sum() < 0.03 * found.sum()
    assert (found & corners).sum() > 0.9 * corners.sum()


def test_a_slab_that_was_cut_off_inside_the_grid_is_outside():
    hu = noise((12, 40, 40))
    hu[:, :, :10] = 0
    assert np.array_equal(outside_voxels(hu).any((0, 1)), np.arange(40) < 10)


def test_a_constant_that_does_not_reach_the_border_was_scanned():
    hu = noise((12, 40, 40))
    hu[4:8, 12:28, 12:28] = 0
    assert not outside_voxels(hu).any()
    assert not outside_blocks(hu, np.array([2, 4, 4])).any()


def test_two_paddings_are_both_outside():
    hu = noise((12, 40, 40))
    hu[:, :8], hu[:, -8:] = -1024, 0
    found = outside_voxels(hu)
    assert found[:, :8].all()
    assert found[:, -8:].all()
    assert not found[:, 9:-9].any()


def test_a_voxel_that_is_asked_for_is_told_what_all_are_told():
    hu = noise((11, 43, 38))  # no whole number of blocks
    hu[:, :9], hu[:, -8:] = -1024, 0
    at = np.argwhere(np.ones(hu.shape, bool))
    unseen = Unseen.of(hu)
    assert unseen.any()
    assert np.array_equal(unseen.at(at), outside_voxels(hu).ravel())
    assert not Unseen.of(noise((11, 43, 38))).at(at).any()


def test_what_lies_within_a_voxel_or_so_of_what_was_not_scanned_is_beside_it():
    hu = noise((8, 40, 40))
    hu[:, :, :12] = -1024
    columns = np.arange(10.0, 18.0)
    at = np.stack([np.full(8, 4.0), np.full(8, 20.0), columns], axis=1)
    unseen = Unseen.of(hu)
    assert unseen.beside(at).tolist() == (columns - 1.5 < 11.5).tolist()
    assert unseen.beside(at - [0, 0, 40]).all()
    assert not Unseen.of(noise((8, 40, 40))).beside(at).any()
