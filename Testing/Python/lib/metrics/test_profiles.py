"""Which columns of a segment count, and where the wall lies in them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import Profiles, skull_density_ratio, thickness_mm
from SkullGANLib.metrics.sdr import sdr_of_profiles
from SkullGANLib.metrics.thickness import thickness_of_profiles
from walls import SPACING_MM, layered


def test_the_thirty_two_columns_are_2_6_to_126():
    hu = layered((1500, 4), (600, 4), (1500, 4))
    mask = hu != 0
    others = np.setdiff1d(np.arange(128), np.arange(2, 128, 4))
    hu[..., others] = 700  # whatever lies in the other columns does not matter

    assert skull_density_ratio(hu, mask)[0] == pytest.approx(0.4)
    assert thickness_mm(hu, mask, SPACING_MM)[0] == pytest.approx(12 * SPACING_MM)
    mask[..., 2:-1:4] = False
    assert np.isnan(skull_density_ratio(hu, mask)[0])


def test_columns_without_bone_or_through_air_do_not_count():
    hu = layered((1500, 4), (600, 4), (1500, 4))
    mask = hu != 0
    hu[0, 24:28, :40] = -700  # mastoid air cells
    hu[0, :, 40:60], mask[0, :, 40:60] = 0, False  # a burr hole
    hu[0, 20:32, 60:80] = 200  # the mask is there, bone is not

    assert skull_density_ratio(hu, mask)[0] == pytest.approx(0.4)
    assert skull_density_ratio(hu, mask, "literal")[0] == pytest.approx(0.4)
    assert thickness_mm(hu, mask, SPACING_MM)[0] == pytest.approx(12 * SPACING_MM)


def test_a_second_piece_of_bone_below_the_wall_is_left_out():
    hu = layered((1500, 4), (600, 4), (1500, 4))
    hu[:, 60:65] = 2000

    assert skull_density_ratio(hu, hu != 0)[0] == pytest.approx(0.4)
    assert thickness_mm(hu, hu != 0, SPACING_MM)[0] == pytest.approx(12 * SPACING_MM)


def test_a_wall_at_the_first_or_last_row_is_measured():
    for top in (0, 116):
        hu = layered((1500, 4), (600, 4), (1500, 4), top=top)
        assert thickness_mm(hu, hu != 0, SPACING_MM)[0] == pytest.approx(5.4)
        assert skull_density_ratio(hu, hu != 0)[0] == pytest.approx(0.4)


def test_profiles_are_measured_as_columns_are():
    profile = np.array([[0, 0, 1200, 1200, 480, 480, 1600, 1600, 0], np.zeros(9)])

    profiles = Profiles.of(profile, profile != 0, 0.5)
    ratios, thickness = sdr_of_profiles(profiles), thickness_of_profiles(profiles)

    np.testing.assert_allclose(ratios, [480 / 1400, np.nan])
    np.testing.assert_allclose(thickness, [3.0, np.nan])


@given(
    hu=arrays(np.int16, (1, 24, 8), elements=st.integers(-499, 2700)),
    mask=arrays(np.bool_, (1, 24, 8)),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_pixels_peaks_is_at_most_one_and_thickness_within_the_mask(hu, mask):
    peaks, outer = (skull_density_ratio(hu, mask, name)[0] for name in ("peaks", "outer-peak"))
    thickness = thickness_mm(hu, mask, 1.0)[0]

    assert np.isnan(peaks) == np.isnan(thickness)
    if not np.isnan(peaks):
        assert peaks <= 1
        assert np.isnan(outer) or 0 <= outer <= 1  # none where the outer peak is of 0 HU
        assert 0 < thickness <= 24


@given(shift=st.integers(0, 100), flip=st.booleans())
@settings(max_examples=20, deadline=None)
def test_where_the_wall_lies_and_which_way_it_runs_changes_nothing(shift, flip):
    hu = layered((1200, 4), (480, 4), (1600, 4), top=shift)[..., :: -1 if flip else 1]

    assert skull_density_ratio(hu, hu != 0)[0] == pytest.approx(480 / 1400)
    assert thickness_mm(hu, hu != 0, 1.0)[0] == pytest.approx(12)


def test_a_mask_of_another_shape_is_refused_with_both_shapes():
    with pytest.raises(BadInputError, match=r"\(1, 128, 128\).*\(1, 128, 127\)"):
        skull_density_ratio(np.zeros((1, 128, 128)), np.zeros((1, 128, 127)))
