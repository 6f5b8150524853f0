"""The thickness of walls whose answers are worked out by hand."""

import numpy as np
import pytest
from SkullGANLib.data import segment_set
from SkullGANLib.metrics import measure, thickness_mm
from walls import SPACING_MM, arched_wall, layered, masked


@pytest.mark.parametrize(
    ("layers", "pixels"),
    [
        pytest.param([(1500, 4), (600, 4), (1500, 4)], 12, id="three layers"),
        pytest.param([(1200, 4), (480, 7), (1600, 5)], 16, id="uneven tables"),
        pytest.param([(900, 3)], 3, id="one thin layer"),
        pytest.param([(900, 1)], 1, id="one pixel"),
        pytest.param([(1500, 5), (600, 5)], 10, id="no inner table"),
        # half of 1600 lies half-way from 400 to 1200, at both edges: 5 + 2 / 2 pixel centers
        pytest.param([(400, 1), (1200, 1), (1600, 3), (1200, 1), (400, 1)], 5, id="ramps"),
        # soft tissue in a generous mask is outside the half height
        pytest.param([(60, 3), (1500, 4), (600, 4), (1500, 4), (40, 3)], 12 + 0.02 - 0.02,
                     id="generous mask"),
    ],
)  # fmt: skip
def test_thickness_of_layers_is_their_number_of_pixels(layers, pixels):
    hu = layered(*layers)

    thickness = thickness_mm(hu, hu != 0, SPACING_MM)[0]

    # 60 HU of soft tissue beside 1500 HU move an edge by 0.021 pixels: (750 / 1440) - 0.5
    tolerance = 0.02 if 60 in dict(layers) else 1e-12
    assert thickness == pytest.approx(pixels * SPACING_MM, abs=tolerance)


def test_thickness_scales_with_the_pixel():
    hu = layered((1500, 10))

    assert thickness_mm(hu, hu != 0, 1.0)[0] == pytest.approx(10)
    assert thickness_mm(hu, hu != 0, 0.25)[0] == pytest.approx(2.5)


@pytest.mark.parametrize("depth_mm", [3.0, 3.1, 3.2, 3.3, 3.4])
def test_thickness_of_a_blurred_wall_is_right_wherever_it_lies_among_the_pixels(depth_mm):
    wall = arched_wall(0, fwhm_mm=1.0, depth_mm=depth_mm)
    hu, mask = masked(wall, 100)

    assert thickness_mm(hu, mask, SPACING_MM)[0] == pytest.approx(8.0, abs=0.06)


@pytest.mark.parametrize("depth_mm", [3.0, 3.1, 3.2, 3.3, 3.4])
def test_a_mask_that_ends_at_half_height_makes_a_wall_at_most_one_pixel_thinner(depth_mm):
    wall = arched_wall(0, fwhm_mm=1.0, depth_mm=depth_mm)
    hu, mask = masked(wall, 750)

    assert 8.0 - SPACING_MM < thickness_mm(hu, mask, SPACING_MM)[0] < 8.05


@pytest.mark.parametrize("edge_angle_deg", [5, 15, 28])
def test_thickness_of_an_arched_wall_is_that_of_its_vertical_columns(edge_angle_deg):
    hu, mask = masked(arched_wall(edge_angle_deg, fwhm_mm=0.6), 100)
    radius = 64 * SPACING_MM / np.sin(np.deg2rad(edge_angle_deg))
    across = (np.arange(2, 128, 4) + 0.5 - 64) * SPACING_MM
    vertical = np.sqrt(radius**2 - across**2) - np.sqrt((radius - 8) ** 2 - across**2)

    found = thickness_mm(hu, mask, SPACING_MM)[0]

    assert found == pytest.approx(vertical.mean(), abs=0.05)
    assert found >= 8.0


def test_the_literal_thickness_is_the_pixels_of_the_mask_with_what_is_no_bone_in_it():
    hu = layered((60, 3), (1500, 4), (600, 4), (1500, 4))
    found = measure(segment_set.without_patient(hu, hu != 0, np.arange(1)))
    size = segment_set.PIXEL_SPACING_MM
    assert found["thickness_literal_mm"][0] == pytest.approx(15 * size)
    assert found["thickness_mm"][0] == pytest.approx(12 * size, abs=0.02)
