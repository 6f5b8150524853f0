"""Rays through walls that are laid out sample by sample, and through a phantom head."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.mapping import rays
from SkullGANLib.mapping.codes import AIR, MEASURED, METAL, NO_BONE, OUTSIDE
from SkullGANLib.mapping.field import Field
from SkullGANLib.metrics import METRICS, SDR_DEFINITIONS, Profiles, measure_profiles
from SkullGANLib.metrics.sdr import sdr_of_profiles

HALF_MM = 30.0


def slab(hu: float = 1200.0, noise_hu: float = 0.0, outside_hu: float = 0.0) -> HeadCT:
    """A flat wall about z = 0: tables of 2 mm around 2.5 mm of 600 HU, voxels of 0.5 mm, blurred as
    by a scanner."""
    z = np.arange(-HALF_MM, HALF_MM, 0.5)
    profile = np.select([np.abs(z) < 1.01, np.abs(z) < 3.01], [600.0, hu], outside_hu)
    profile = gaussian_filter1d(profile, 0.8)
    rng = np.random.default_rng(5)
    voxels = np.repeat(profile, 40 * 40).reshape(-1, 40, 40)
    voxels = voxels + noise_hu * rng.standard_normal(voxels.shape)
    matrix = np.diag([0.5, 0.5, 0.5, 1.0])
    matrix[:3, 3] = [-10.0, -10.0, -HALF_MM]
    return HeadCT(np.rint(voxels).astype(np.int16), matrix)


def painted_at(ct: HeadCT, low_mm: float, high_mm: float, hu: float) -> HeadCT:
    z = np.arange(-HALF_MM, HALF_MM, 0.5)
    voxels = ct.hu.copy()
    voxels[(z > low_mm) & (z < high_mm)] = hu
    return HeadCT(voxels, ct.ijk_to_ras)


def sent(ct: HeadCT, x_mm: float = 0.0, **settings) -> rays.Rays:
    """One ray straight down from z = 20."""
    mask = (ct.hu > 250).astype(np.uint8)
    z = np.arange(-HALF_MM, HALF_MM, 0.5)
    mask[np.abs(z) < 3.01] |= ct.hu[np.abs(z) < 3.01] > -300
    field = Field.of(ct, mask, 300.0, threads=1)
    start, down = np.array([[x_mm, 0.0, 20.0]]), np.array([[0.0, 0.0, -1.0]])
    return rays.measure(field, start, down, 38.0, **settings)


def test_a_flat_wall_measures_as_it_was_built():
    found = sent(slab())
    assert found.code.tolist() == [MEASURED]
    # Planes of voxels from -3 to 3 mm, each half a mm thick.
    assert found.values["thickness_mm"][0] == pytest.approx(6.5, abs=0.1)
    assert found.values["sdr_peaks"][0] == pytest.approx(0.5, abs=0.05)
    assert found.entry_mm[0] == pytest.approx(20 - 3.25, abs=0.1)
    assert found.exit_mm[0] - found.entry_mm[0] == pytest.approx(found.values["thickness_mm"][0])


def test_a_slanting_ray_is_longer_by_the_cosine():
    field = Field.of(slab(), (slab().hu > 250).astype(np.uint8), 300.0, threads=1)
    way = np.array([[0.0, 0.3, -1.0]]) / np.linalg.norm([0.3, 1.0])
    straight = sent(slab()).values["thickness_mm"][0]
    found = rays.measure(field, np.array([[0.0, -6.0, 20.0]]), way, 38.0)
    assert found.values["thickness_mm"][0] == pytest.approx(straight * np.hypot(1, 0.3), rel=0.02)


def test_a_ray_past_the_wall_has_no_bone():
    mask = (slab().hu > 250).astype(np.uint8)
    field = Field.of(slab(), mask, 300.0, threads=1)
    found = rays.measure(field, np.array([[0, 0, 20.0]]), np.array([[0, 0, 1.0]]), 9.0)
    assert found.code.tolist() == [NO_BONE]
    assert all(np.isnan(values).all() for values in found.values.values())


def test_air_between_two_tables_is_air_however_wide_the_gap():
    for low_mm in (-6.0, -12.0):
        sinus = painted_at(painted_at(slab(), low_mm, -3.2, -900.0), low_mm - 3, low_mm, 1200.0)
        assert sent(sinus).code.tolist() == [AIR]


def test_a_ridge_behind_soft_tissue_is_not_the_wall():
    ridge = painted_at(slab(), -14.0, -9.0, 1500.0)
    found = sent(ridge)
    assert found.values["thickness_mm"][0] == pytest.approx(6.5, abs=0.1)


def test_a_suture_within_the_wall_belongs_to_it():
    open_wall = painted_at(slab(), -0.8, 0.8, 60.0)
    found = sent(open_wall)
    assert found.code.tolist() == [MEASURED]
    assert found.values["thickness_mm"][0] == pytest.approx(6.5, abs=0.1)


def test_metal_is_not_bone():
    assert sent(painted_at(slab(), 0.0, 2.0, 3071.0)).code.tolist() == [METAL]


def test_a_wall_at_the_edge_of_the_ct_may_go_on_beyond_it():
    assert sent(slab(), x_mm=-9.9).code.tolist() == [OUTSIDE]
    assert sent(slab(), x_mm=-9.0).code.tolist() == [MEASURED]


def test_the_mean_of_rays_beside_each_other_takes_the_noise_from_the_sdr():
    ct = slab(noise_hu=60.0)
    mask = (np.abs(np.arange(-HALF_MM, HALF_MM, 0.5)) < 3.01).astype(np.uint8)
    mask = np.repeat(mask, 40 * 40).reshape(ct.hu.shape)
    field = Field.of(ct, mask, 300.0, threads=1)
    across = np.arange(-7.0, 7.0, 1.0)
    starts = np.stack([*np.meshgrid(across, across), np.full((14, 14), 20.0)], -1).reshape(-1, 3)
    down = np.tile([0.0, 0.0, -1.0], (len(starts), 1))
    near = np.linalg.norm(starts[:, None] - starts, axis=2) < 1.5
    average = sparse.csr_array(near / near.sum(axis=1, keepdims=True))
    alone = rays.measure(field, starts, down, 38.0).values["sdr_peaks"]
    averaged = rays.measure(field, starts, down, 38.0, average).values["sdr_peaks"]
    truth = sent(slab()).values["sdr_peaks"][0]
    assert np.abs(averaged - truth).mean() < 0.5 * np.abs(alone - truth).mean()


def test_segments_and_rays_are_measured_by_the_same_definitions():
    profile = np.zeros((1, 40))
    profile[0, 10:14], profile[0, 14:18], profile[0, 18:22] = 1500, 600, 1200
    profiles = Profiles.of(profile, profile > 0, 0.5)
    found, (outer, inner) = measure_profiles(profiles), profiles.edges
    assert set(found) == set(METRICS)
    for definition in SDR_DEFINITIONS:
        alone = sdr_of_profiles(profiles, definition)
        assert found[f"sdr_{definition.replace('-', '_')}"] == pytest.approx(alone)
    assert found["thickness_mm"] == pytest.approx([6.0])
    assert (inner - outer) * 0.5 == pytest.approx([6.0])
    assert found["mean_intensity_hu"] == pytest.approx([1100.0])


def test_trilinear_rays_flatten_the_dip_between_voxels_and_the_spline_does_not():
    """At the middle of voxels they are the same."""
    at_voxels = [sent(slab(), is_trilinear=linear).values["sdr_peaks"][0] for linear in (0, 1)]
    assert at_voxels[1] == pytest.approx(at_voxels[0], abs=0.02)
    assert at_voxels[1] >= at_voxels[0]
