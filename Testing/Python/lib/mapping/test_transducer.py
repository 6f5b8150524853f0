"""An ultrasound array over a sphere, where every angle and way is known."""

from __future__ import annotations

import numpy as np
import pytest
from phantoms import LAYERS_MM, OUTER_RADIUS_MM
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import transducer
from SkullGANLib.mapping.array_geometry import ELEMENTS, RADIUS_MM, hemisphere, place
from SkullGANLib.mapping.codes import MEASURED, NO_BONE


def test_an_array_at_a_spheres_center_sees_no_angle_anywhere(head, calvaria):
    found = transducer.cast(head, calvaria, [0.0, 0.0, 0.0])
    assert len(found) == ELEMENTS
    assert (found.code == MEASURED).all()
    assert found.incidence_deg.max() < 1.0
    assert found.active.all()
    wall = sum(LAYERS_MM)  # 0.25 mm thicker in voxels of 1 mm, see test_maps for finer ones
    assert np.abs(found.path_mm - wall).max() < 0.4
    assert np.abs(found.thickness_mm - wall).max() < 0.4
    assert np.abs(found.thickness_mm - found.path_mm).max() < 0.2
    # 500 HU between tables of 1500 and 1400 HU, 2 and 1.5 mm thick, in 1 mm voxels.
    assert found.values["sdr_peaks"].mean() == pytest.approx(500 / 1450, abs=0.05)


def test_beside_the_center_the_angles_are_those_of_the_geometry(head, calvaria):
    target = np.array([20.0, 10.0, 5.0])
    found = transducer.cast(head, calvaria, target)
    inward = (target - found.elements_ras) / RADIUS_MM
    # Where the ray meets the sphere: |element + t inward| = radius.
    b = (found.elements_ras * inward).sum(axis=1)
    c = (found.elements_ras**2).sum(axis=1) - OUTER_RADIUS_MM**2
    entry = found.elements_ras + (-b - np.sqrt(b**2 - c))[:, None] * inward
    cosine = -(inward * entry).sum(axis=1) / OUTER_RADIUS_MM
    expected = np.rad2deg(np.arccos(cosine))
    measured = found.code == MEASURED
    assert measured.mean() > 0.95
    assert np.abs(found.incidence_deg - expected)[measured].max() < 1.0
    slant = found.path_mm[measured] * np.cos(np.deg2rad(expected[measured]))
    assert np.abs(slant - sum(LAYERS_MM)).max() < 0.45
    limit = float(np.median(expected))
    few = transducer.cast(head, calvaria, target, most_incidence_deg=limit)
    assert few.active.sum() == pytest.approx(len(few) / 2, abs=30)


def test_rays_below_the_vault_meet_no_bone_and_are_not_active(head, calvaria):
    low = hemisphere(200, coverage_deg=180.0)
    frame = head.cavity.frame
    found = transducer.cast(head, calvaria, [0.0, 0.0, 0.0], place(low, np.zeros(3), frame))
    below = low[:, 2] < -0.9 * RADIUS_MM
    assert (found.code[below] == NO_BONE).all()
    assert not found.active[below].any()


def test_an_element_at_the_target_is_refused(head, calvaria):
    with pytest.raises(BadInputError, match="found an element at the target"):
        transducer.cast(head, calvaria, [0.0, 0.0, 0.0], np.zeros((1, 3)))


def test_one_trilinear_ray_an_element_tells_about_the_same_sdr_of_a_phantom(head, calvaria):
    found = transducer.cast(head, calvaria, [0.0, 0.0, 0.0])
    scalars = transducer.scalars_of(found)
    for name in transducer.SINGLE_RAY_METRICS:
        single = scalars[name + transducer.SINGLE_RAY]
        assert np.isfinite(single).mean() > 0.99
        # Voxels of 1 mm are coarse against tables of 1.5 and 2 mm: trilinear HU flatten the dip.
        assert 0.0 < np.nanmean(single) - np.nanmean(scalars[name]) < 0.1
        assert np.nanstd(single) > np.nanstd(scalars[name])
