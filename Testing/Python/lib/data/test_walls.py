"""The wall's mask in HU: the largest piece above the threshold, holes filled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from SkullGANLib.data import walls
from SkullGANLib.data.walls import wall_mask


def wall(thickness: int = 20) -> np.ndarray:
    hu = np.zeros((128, 128), np.int16)
    hu[30 : 30 + thickness] = 1500
    return hu


def test_the_wall_is_what_lies_above_the_threshold():
    mask = wall_mask(wall(20))
    assert mask.sum() == 20 * 128
    assert mask[30:50].all()


def test_only_the_largest_piece_is_the_wall():
    hu = wall()
    hu[90:95, 10:50] = 2000
    assert wall_mask(hu)[:60].sum() == wall_mask(hu).sum() == 20 * 128


def test_a_soft_diploe_belongs_to_the_wall():
    hu = wall()
    hu[36:44, 30:90] = 50
    assert wall_mask(hu).sum() == 20 * 128


def test_a_soft_diploe_that_runs_out_at_the_side_belongs_to_the_wall():
    hu = wall()
    hu[36:44, :90] = 50
    assert wall_mask(hu).sum() == 20 * 128


def test_a_notch_in_the_outer_table_is_outside_the_wall():
    hu = wall()
    hu[30:35, 60:70] = 0
    assert wall_mask(hu).sum() == 20 * 128 - 50


def test_the_threshold_is_not_wall_itself():
    hu = wall()
    hu[29] = 300
    hu[50] = 301
    mask = wall_mask(hu, 300)
    assert not mask[29].any()
    assert mask[50].all()


def test_an_image_without_a_wall_has_an_empty_mask():
    assert not wall_mask(np.full((128, 128), 100, np.int16)).any()


def test_the_walls_of_many_images_are_those_of_each_alone():
    images = np.stack([wall(20), np.zeros_like(wall()), wall(7), wall(20).T])
    images[2, 90:120, 60:80] = 900  # smaller than the wall
    images[3, 40:60, 36:44] = 50
    together = wall_mask(images)
    assert together.shape == images.shape
    assert all(np.array_equal(m, wall_mask(hu)) for m, hu in zip(together, images, strict=True))


def test_the_rim_that_partial_volume_leaves_belongs_to_the_wall():
    hu = wall()
    hu[29], hu[28] = walls.WALL_THRESHOLD_HU + 1, walls.WALL_THRESHOLD_HU
    mask = wall_mask(hu)
    assert mask[29].all()
    assert not mask[28].any()


def test_a_wall_cut_out_by_its_mask_is_masked_alike_again():
    rng = np.random.default_rng(0)
    hu = np.repeat(wall()[None], 20, axis=0) + rng.normal(0, 400, (20, 128, 128)).astype(np.int16)
    mask = wall_mask(hu)
    assert np.array_equal(wall_mask(np.where(mask == 1, hu, 0)), mask)


def by_labeling_pixels(hu: np.ndarray) -> np.ndarray:
    """The definition, picture by picture."""
    pieces, count = ndimage.label(hu > walls.WALL_THRESHOLD_HU, structure=np.ones((3, 3)))
    if not count:
        return np.zeros(hu.shape, np.uint8)
    wall = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    closed = np.pad(wall, 1)
    for beyond, edge in ((0, 1), (-1, -2)):
        rows = np.flatnonzero(closed[:, edge])
        if len(rows):
            closed[rows[0] : rows[-1] + 1, beyond] = True
    return ndimage.binary_fill_holes(closed)[1:-1, 1:-1].astype(np.uint8)


@pytest.mark.parametrize("grain", [0, 1, 2, 4, 8])
def test_masks_of_blobs_are_those_of_the_definition(grain):
    noise = np.random.default_rng(1).normal(0, 1, (30, 128, 128))
    smooth = ndimage.gaussian_filter(noise, (0, grain, grain)) if grain else noise
    hu = (smooth / smooth.std() * 600).astype(np.int16)
    found = wall_mask(hu)
    for one, mask in zip(hu, found, strict=True):
        np.testing.assert_array_equal(mask, by_labeling_pixels(one))


@pytest.mark.parametrize("threshold", [-1e9, -40000, 149.5, 150.5, 1e9])
def test_a_threshold_need_be_no_hu(threshold):
    hu = wall()
    hu[10] = 150
    needed = hu.astype(float) > threshold
    assert np.array_equal(wall_mask(hu, threshold) > 0, needed) or needed.sum() > 20 * 128
    assert np.array_equal(wall_mask(hu, threshold), wall_mask(hu.astype(float), threshold))
