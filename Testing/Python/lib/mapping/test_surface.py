"""The geodesic sphere and what is laid over it."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.mapping import surface
from SkullGANLib.mapping.surface import filled, geodesic_sphere, smoothed, vertex_normals


@pytest.mark.parametrize("frequency", [1, 2, 7, 30])
def test_a_geodesic_sphere_is_closed_and_has_the_corners_that_euler_wants(frequency):
    corners, triangles = geodesic_sphere(frequency)
    assert len(corners) == 10 * frequency**2 + 2
    assert len(triangles) == 20 * frequency**2
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, times = np.unique(edges, axis=0, return_counts=True)
    assert set(times) == {2}


def test_its_triangles_are_nearly_even_and_face_outward():
    corners, triangles = geodesic_sphere(20)
    a, b, c = (corners[triangles[:, n]] for n in range(3))
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), a) > 0).all()
    sides = np.linalg.norm(np.stack([b - a, c - b, a - c]), axis=2)
    assert sides.max() / sides.min() < 1.7


def test_normals_of_a_sphere_point_away_from_its_middle():
    corners, triangles = geodesic_sphere(20)
    normals = vertex_normals(80 * corners, triangles)
    assert np.allclose(normals, corners, atol=0.01)


def test_a_membrane_over_a_hole_is_smooth_and_keeps_to_its_rim():
    corners, triangles = geodesic_sphere(20)
    neighbors = surface._neighbors(len(corners), triangles)
    height = corners @ np.array([0.3, -0.5, 0.8])  # harmonic on the sphere but for a scale
    holed = np.where(corners[:, 2] > 0.9, np.nan, height)
    found = filled(holed, neighbors)
    assert np.abs(found - height).max() < 0.1
    assert found[corners[:, 2] > 0.9].max() <= np.nanmax(holed) + 1e-9


def test_smoothing_spreads_a_peak_by_about_the_sigma_asked_for():
    corners, triangles = geodesic_sphere(60)
    neighbors = surface._neighbors(len(corners), triangles)
    radius_mm = 60 / 1.107  # edges of about 1 mm
    peak = np.zeros(len(corners))
    middle = int(corners[:, 2].argmax())
    peak[middle] = 1.0
    spread = smoothed(peak, neighbors, 3.0, 1.0)
    x_mm = radius_mm * (corners - corners[middle])
    variance = (spread[:, None] * x_mm**2).sum(axis=0)[:2] / spread.sum()
    assert np.sqrt(variance) == pytest.approx([3.0, 3.0], rel=0.15)
