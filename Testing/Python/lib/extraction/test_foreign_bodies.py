"""Implants and plates in the wall."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.extraction import foreign_bodies
from SkullGANLib.extraction.foreign_bodies import foreign_cuts, variation_along

MM = 0.45


def _wall(rng, thickness_mm=7.0):
    """Two tables and diploë whose HU vary as those of bone do."""
    from scipy import ndimage

    wall = np.zeros((128, 128), np.uint8)
    wall[10 : 10 + round(thickness_mm / MM)] = 1
    hu = np.where(wall, 700.0, 0.0)
    hu[10:14] = hu[round(6 + thickness_mm / MM) : 10 + round(thickness_mm / MM)] = 1500.0
    noise = ndimage.gaussian_filter(rng.normal(size=hu.shape), 2.0)
    return np.where(wall, hu + 100.0 * noise / noise.std(), 0).astype(np.int16), wall


def _with_plate(hu, wall, columns, rng, noise_hu):
    hu = hu.copy()
    plate = wall.astype(bool) & (np.arange(128) < columns)
    hu[plate] = 1800 + noise_hu * rng.normal(size=int(plate.sum()))
    return hu


@pytest.mark.parametrize("noise_hu", [0, 40])
def test_a_cut_that_is_largely_a_plate_is_found_among_cuts_of_bone(noise_hu):
    rng = np.random.default_rng(0)
    cuts = [_wall(rng) for _ in range(6)]
    hu, walls = [one for one, _ in cuts], [wall for _, wall in cuts]
    hu[1] = _with_plate(hu[1], walls[1], 128, rng, noise_hu)
    hu[4] = _with_plate(hu[4], walls[4], 60, rng, noise_hu)
    assert foreign_cuts(hu, walls, MM).tolist() == [False, True, False, False, True, False]


def test_a_solid_phantom_is_no_implant():
    rng = np.random.default_rng(0)
    wall = _wall(rng)[1]
    solid = [np.where(wall, 1200 + 30 * rng.normal(size=wall.shape), 0) for _ in range(5)]
    assert not foreign_cuts([one.astype(np.int16) for one in solid], [wall] * 5, MM).any()


def test_a_thin_wall_without_diploe_is_bone():
    rng = np.random.default_rng(0)
    cuts = [_wall(rng) for _ in range(5)]
    thin = np.zeros((128, 128), np.uint8)
    thin[10:20] = 1  # 4.5 mm
    hu = [*[one for one, _ in cuts], np.where(thin, 1500, 0).astype(np.int16)]
    assert not foreign_cuts(hu, [*[wall for _, wall in cuts], thin], MM).any()


def test_no_cuts_hold_no_implant():
    assert foreign_cuts([], [], MM).shape == (0,)


def test_variation_is_the_deviation_of_the_inside_over_its_mean():
    wall = np.zeros((128, 128), np.uint8)
    wall[10:30] = 1
    stripes = np.where(np.arange(128) % 2, 900, 1100) * wall
    found = variation_along(stripes, wall, MM)
    assert found[64] == pytest.approx(0.1, rel=0.01)
    assert np.isnan(variation_along(stripes, wall * 0, MM)).all()


def test_cuts_of_the_sample_with_a_ceramic_plate_are_dropped_under_their_own_reason(sample_ct):
    """A stand-in for the case of the shared folder: a ball of 1800 HU in the parietal wall."""
    from dataclasses import replace

    from SkullGANLib.anatomy.skull import skull_mask
    from SkullGANLib.extraction.single_ct import extract

    mask = skull_mask(sample_ct)
    k, j, i = np.nonzero(mask)
    points = np.column_stack([i, j, k]) @ sample_ct.ijk_to_ras[:3, :3].T
    center = points[np.argmax(points @ np.array([-0.8, 0.2, 0.55]))]
    plate = np.linalg.norm(points - center, axis=1) < 45.0
    hu = sample_ct.hu.copy()
    hu[k[plate], j[plate], i[plate]] = 1800
    found = extract(replace(sample_ct, hu=hu), mask, planes=["coronal"])
    assert found.dropped[foreign_bodies.REASON] >= 5
    share = np.array(
        [
            (abs(one[wall > 0] - 1800.0) < 4).mean()
            for one, wall in zip(found.segments.hu, found.segments.mask, strict=True)
        ]
    )
    assert share.max() < 0.3
