"""Blocks of voxels, on arrays whose averages and places are known."""

import numpy as np
import pytest
from scipy import ndimage
from SkullGANLib.anatomy import voxel_blocks


def test_blocks_have_about_the_size_asked_for_and_at_least_a_voxel():
    assert voxel_blocks.block_size(np.array([0.5, 0.8, 5.0]), 2.0).tolist() == [4, 2, 1]


def test_a_block_is_the_mean_of_its_voxels_and_what_is_left_at_the_end_is_left_out():
    volume = np.arange(2 * 3 * 5).reshape(2, 3, 5)
    mean = voxel_blocks.block_mean(volume, np.array([2, 1, 2]))
    assert (mean.shape, mean.dtype) == ((1, 3, 2), np.float32)
    assert mean[0, 0].tolist() == [8.0, 10.0]  # of 0, 1, 15, 16 and of 2, 3, 17, 18


def test_the_center_of_a_block_is_that_of_its_voxels():
    ijk_to_ras = np.diag([0.5, 0.5, 2.0, 1.0])
    ijk_to_ras[:3, 3] = (10.0, 20.0, 30.0)
    coarse = voxel_blocks.block_geometry(ijk_to_ras, np.array([1, 2, 4]))
    # Four columns of 0.5 mm from 10 mm on are centered at 10.75 mm, two rows at 20.25 mm.
    assert (coarse @ [0, 0, 0, 1]).tolist() == [10.75, 20.25, 30.0, 1.0]
    assert (coarse @ [1, 1, 1, 1]).tolist() == [12.75, 21.25, 32.0, 1.0]


def test_a_part_of_a_grid_begins_at_its_first_voxel():
    moved = np.diag([2.0, 2.0, 2.0, 1.0]) @ voxel_blocks.translation(np.array([1, 2, 3]))
    assert (moved @ [0, 0, 0, 1]).tolist() == [2.0, 4.0, 6.0, 1.0]


def test_enlarged_blocks_cover_their_voxels_and_the_last_one_what_is_left():
    blocks = np.array([[[True, False]]])
    factor, shape = np.array([2, 1, 2]), (3, 1, 5)
    fine = voxel_blocks.enlarged(blocks, factor, (slice(1, 3), slice(0, 1), slice(0, 5)), shape)
    assert fine.tolist() == [[[True, True, False, False, False]]] * 2
    part = voxel_blocks.enlarged(blocks, factor, (slice(0, 1), slice(0, 1), slice(1, 3)), shape)
    assert part.tolist() == [[[True, False]]]


def test_parts_below_the_smallest_size_are_specks():
    mask = np.zeros((1, 1, 6), bool)
    mask[0, 0, [0, 2, 3]] = True
    assert np.flatnonzero(voxel_blocks.without_specks(mask, 2)).tolist() == [2, 3]


@pytest.mark.parametrize("distance_mm", [0.0, 2.0, 5.0, 7.3, 60.0])
def test_what_lies_within_a_distance_is_what_a_distance_transform_says(distance_mm):
    mm = np.array([2.5, 1.0, 1.7])
    mask = np.random.default_rng(0).random((9, 20, 31)) > 0.995
    expected = ndimage.distance_transform_edt(~mask, sampling=mm) <= distance_mm
    assert (voxel_blocks.within(mask, distance_mm, mm) == expected).all()


def test_nothing_lies_near_nothing():
    assert not voxel_blocks.within(np.zeros((3, 4, 5), bool), 10.0, np.ones(3)).any()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_distances_are_those_of_a_distance_transform(share):
    mm = np.array([2.5, 1.0, 1.7])
    mask = np.random.default_rng(0).random((9, 20, 31)) < share
    mask[:2] = False
    expected = ndimage.distance_transform_edt(mask, sampling=mm)
    assert (voxel_blocks.distances_mm(mask, mm) == expected).all()


@pytest.mark.parametrize("slices", [1, 4, 50])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.35, 0.6])
def test_the_largest_part_is_the_same_by_slabs_of_any_size(share, slices):
    mask = np.random.default_rng(1).random((23, 19, 17)) < share
    labels, _ = ndimage.label(mask)
    expected = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    parts = voxel_blocks.Parts(mask, slices)
    for number in reversed(range(-(-len(mask) // slices))):
        parts.add(number)
    parts.keep_largest()
    assert (mask == expected).all()


def test_a_part_that_leaves_a_slab_and_comes_back_is_one():
    mask = np.zeros((4, 3, 5), bool)
    mask[:2, 0, 0] = mask[2, 0, :] = mask[:3, 0, 4] = True  # like a U: two parts above, one below
    mask[0, 2, :4] = True  # the largest of its slab, and none of it
    parts = voxel_blocks.Parts(mask, 2)
    parts.add(0)
    parts.add(1)
    parts.keep_largest()
    assert (mask.sum(), mask[0, 2].sum()) == (9, 0)


def test_nothing_has_no_largest_part():
    parts = voxel_blocks.Parts(mask := np.zeros((3, 4, 5), bool), 2)
    parts.add(0)
    parts.add(1)
    parts.keep_largest()
    assert not mask.any()


def test_the_box_around_a_mask_ends_where_the_volume_begins():
    mask = np.zeros((5, 6, 7), bool)
    mask[1, 3, 6] = True
    box = voxel_blocks.around(mask, np.array([2, 1, 0]))
    assert box == (slice(0, 4), slice(2, 5), slice(6, 7))
