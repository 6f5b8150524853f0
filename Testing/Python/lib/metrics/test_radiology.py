"""SDR, thickness and mean intensity of layers whose answers are worked out by hand."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from checkout import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import radiology

SPACING_MM = 0.45


def layered(*layers: tuple[int, int], top: int = 20, count: int = 1) -> np.ndarray:
    """A flat wall of (HU, rows) layers, int16 (count, 128, 128), 0 HU around it."""
    hu = np.zeros((count, 128, 128), np.int16)
    row = top
    for value, rows in layers:
        hu[:, row : row + rows] = value
        row += rows
    return hu


def arched_wall(
    edge_angle_deg: float,
    tables_mm: tuple[float, float, float] = (2.0, 4.0, 2.0),
    hu: tuple[float, float, float] = (1500, 600, 1500),
    fwhm_mm: float = 0.0,
    depth_mm: float = 3.0,
) -> np.ndarray:
    """A wall that arches down to both sides, averaged over its pixels, float64 (1, 128, 128)."""
    fine = 5
    pixel = SPACING_MM / fine
    y, x = (np.mgrid[: 64 * fine, : 128 * fine] + 0.5) * pixel
    if edge_angle_deg:
        half = 64 * SPACING_MM
        radius = half / np.sin(np.deg2rad(edge_angle_deg))
        depth = radius - np.hypot(x - half, y - depth_mm - radius)
    else:
        depth = y - depth_mm
    layers = np.cumsum((0, *tables_mm))
    image = np.select([(depth >= a) & (depth < b) for a, b in pairwise(layers)], hu)
    if fwhm_mm:
        image = gaussian_filter(image.astype(float), fwhm_mm / 2.3548 / pixel)
    wall = np.zeros((1, 128, 128))
    wall[0, :64] = image.reshape(64, fine, 128, fine).mean(axis=(1, 3))
    return wall


def masked(hu: np.ndarray, threshold_hu: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut a wall out at a threshold, its diploë kept, as segments are stored."""
    bone = hu > threshold_hu
    mask = np.maximum.accumulate(bone, 1) & np.maximum.accumulate(bone[:, ::-1], 1)[:, ::-1]
    return np.where(mask, hu, 0), mask


@pytest.mark.parametrize(
    ("layers", "peaks", "outer_peak", "central", "literal"),
    [
        # dip 600; peaks 1500 and 1500
        pytest.param([(1500, 4), (600, 4), (1500, 4)], 0.4, 0.4, 0.4, 0.4, id="even tables"),
        # dip 480; (1200 + 1600) / 2 = 1400; 480 / 1200; 480 / 1600
        pytest.param(
            [(1200, 4), (480, 4), (1600, 4)], 480 / 1400, 0.4, 0.3, 0.3, id="uneven tables"
        ),
        # partial-volume rows of 300 HU at both edges: only the literal one falls for them
        pytest.param(
            [(300, 1), (1500, 3), (750, 4), (1500, 3), (300, 1)],
            0.5, 0.5, 0.5, 0.2, id="partial volume at the mask's edge",
        ),
        # one peak, no diploë
        pytest.param([(1300, 3)], 1, 1, 1, 1, id="thin wall"),
        # one peak: 8 rows, middle half rows 2 to 5
        pytest.param([(500, 2), (1000, 1), (2000, 2), (1000, 1), (500, 2)], 1, 1, 0.5, 0.25,
                     id="one peak with shoulders"),
        # no inner table: one peak, although the diploë is there
        pytest.param([(1500, 4), (600, 4)], 1, 1, 0.4, 0.4, id="no inner table"),
        # a trabecula in the diploë: 400 lies deeper below 1200 than 500 does
        pytest.param([(1200, 3), (500, 2), (900, 1), (400, 2), (1600, 4)], 400 / 1400, 400 / 1200,
                     0.25, 0.25, id="trabecula"),
        # fat marrow below 0 HU: outer peak stops at 0
        pytest.param([(1000, 4), (-50, 4), (1000, 4)], -0.05, 0, -0.05, -0.05, id="fat marrow"),
    ],
)  # fmt: skip
def test_sdr_of_layers_is_the_one_worked_out_by_hand(layers, peaks, outer_peak, central, literal):
    hu = layered(*layers)

    found = [radiology.sdr(hu, hu != 0, name)[0] for name in radiology.SDR_DEFINITIONS]

    assert found == pytest.approx([peaks, outer_peak, central, literal], abs=1e-12)


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

    thickness = radiology.thickness_mm(hu, hu != 0, SPACING_MM)[0]

    # 60 HU of soft tissue beside 1500 HU move an edge by 0.021 pixels: (750 / 1440) - 0.5
    tolerance = 0.02 if 60 in dict(layers) else 1e-12
    assert thickness == pytest.approx(pixels * SPACING_MM, abs=tolerance)


def test_thickness_scales_with_the_pixel():
    hu = layered((1500, 10))

    assert radiology.thickness_mm(hu, hu != 0, 1.0)[0] == pytest.approx(10)
    assert radiology.thickness_mm(hu, hu != 0, 0.25)[0] == pytest.approx(2.5)


@pytest.mark.parametrize("depth_mm", [3.0, 3.1, 3.2, 3.3, 3.4])
def test_thickness_of_a_blurred_wall_is_right_wherever_it_lies_among_the_pixels(depth_mm):
    wall = arched_wall(0, fwhm_mm=1.0, depth_mm=depth_mm)
    hu, mask = masked(wall, 100)

    assert radiology.thickness_mm(hu, mask, SPACING_MM)[0] == pytest.approx(8.0, abs=0.06)


@pytest.mark.parametrize("depth_mm", [3.0, 3.1, 3.2, 3.3, 3.4])
def test_a_mask_that_ends_at_half_height_makes_a_wall_at_most_one_pixel_thinner(depth_mm):
    wall = arched_wall(0, fwhm_mm=1.0, depth_mm=depth_mm)
    hu, mask = masked(wall, 750)

    assert 8.0 - SPACING_MM < radiology.thickness_mm(hu, mask, SPACING_MM)[0] < 8.05


@pytest.mark.parametrize("edge_angle_deg", [5, 15, 28])
def test_thickness_of_an_arched_wall_is_that_of_its_vertical_columns(edge_angle_deg):
    hu, mask = masked(arched_wall(edge_angle_deg, fwhm_mm=0.6), 100)
    radius = 64 * SPACING_MM / np.sin(np.deg2rad(edge_angle_deg))
    across = (np.arange(2, 128, 4) + 0.5 - 64) * SPACING_MM
    vertical = np.sqrt(radius**2 - across**2) - np.sqrt((radius - 8) ** 2 - across**2)

    found = radiology.thickness_mm(hu, mask, SPACING_MM)[0]

    assert found == pytest.approx(vertical.mean(), abs=0.05)
    assert found >= 8.0


@pytest.mark.parametrize("edge_angle_deg", [0, 15, 28])
def test_sdr_of_a_blurred_arched_wall_is_that_of_its_layers(edge_angle_deg):
    hu, mask = masked(arched_wall(edge_angle_deg, fwhm_mm=1.0), 100)

    for definition in ("peaks", "outer-peak", "central"):
        assert radiology.sdr(hu, mask, definition)[0] == pytest.approx(0.4, abs=0.02)
    assert radiology.sdr(hu, mask, "literal")[0] < 0.2


@pytest.mark.parametrize(
    ("noise_hu", "lowest"), [(10, 0.385), (30, 0.36), (50, 0.33)]
)  # minimum of six noisy rows over the highest of four: about 3 standard deviations apart
def test_noise_lowers_the_sdr_by_no_more_than_documented(noise_hu, lowest):
    hu = layered((1500, 4), (600, 6), (1500, 4), count=30)
    noise = np.random.default_rng(7).normal(0, noise_hu, hu.shape)

    found = radiology.sdr(np.where(hu != 0, hu + noise, 0), hu != 0)

    assert found.min() > lowest
    assert found.max() < 0.4


def test_noise_on_a_wall_without_diploe_leaves_its_sdr_near_one():
    hu = layered((1500, 4), count=30)
    noise = np.random.default_rng(7).normal(0, 30, hu.shape)

    assert radiology.sdr(np.where(hu != 0, hu + noise, 0), hu != 0).min() > 0.95


def test_the_thirty_two_columns_are_2_6_to_126():
    hu = layered((1500, 4), (600, 4), (1500, 4))
    mask = hu != 0
    others = np.setdiff1d(np.arange(128), np.arange(2, 128, 4))
    hu[..., others] = 700  # whatever lies in the other columns does not matter

    assert radiology.sdr(hu, mask)[0] == pytest.approx(0.4)
    assert radiology.thickness_mm(hu, mask, SPACING_MM)[0] == pytest.approx(12 * SPACING_MM)
    mask[..., 2:-1:4] = False
    assert np.isnan(radiology.sdr(hu, mask)[0])


def test_columns_without_bone_or_through_air_do_not_count():
    hu = layered((1500, 4), (600, 4), (1500, 4))
    mask = hu != 0
    hu[0, 24:28, :40] = -700  # mastoid air cells
    hu[0, :, 40:60], mask[0, :, 40:60] = 0, False  # a burr hole
    hu[0, 20:32, 60:80] = 200  # the mask is there, bone is not

    assert radiology.sdr(hu, mask)[0] == pytest.approx(0.4)
    assert radiology.sdr(hu, mask, "literal")[0] == pytest.approx(0.4)
    assert radiology.thickness_mm(hu, mask, SPACING_MM)[0] == pytest.approx(12 * SPACING_MM)


def test_a_second_piece_of_bone_below_the_wall_is_left_out():
    hu = layered((1500, 4), (600, 4), (1500, 4))
    hu[:, 60:65] = 2000

    assert radiology.sdr(hu, hu != 0)[0] == pytest.approx(0.4)
    assert radiology.thickness_mm(hu, hu != 0, SPACING_MM)[0] == pytest.approx(12 * SPACING_MM)


def test_a_wall_at_the_first_or_last_row_is_measured():
    for top in (0, 116):
        hu = layered((1500, 4), (600, 4), (1500, 4), top=top)
        assert radiology.thickness_mm(hu, hu != 0, SPACING_MM)[0] == pytest.approx(5.4)
        assert radiology.sdr(hu, hu != 0)[0] == pytest.approx(0.4)


def test_mean_intensity_leaves_out_background_and_what_is_below_10_hu():
    hu = np.zeros((2, 128, 128), np.int16)
    hu[0, 0, :4] = [10, 11, 1001, -500]

    found = radiology.mean_intensity_hu(hu)

    assert found[0] == 506
    assert np.isnan(found[1])


def test_measure_gives_every_metric_of_every_segment_and_says_which_have_none(caplog):
    hu = np.concatenate(
        [layered((1200, 4), (480, 4), (1600, 4)), np.zeros((1, 128, 128), np.int16)]
    )
    segments = segment_set.without_patient(hu, hu != 0, np.arange(2), pixel_spacing_mm=0.5)

    found = radiology.measure(segments)

    assert tuple(found) == radiology.METRICS
    assert [values[0] for values in found.values()] == pytest.approx(
        [480 / 1400, 0.4, 0.3, 0.3, 6.0, (1200 + 480 + 1600) / 3]
    )
    for values in found.values():
        assert values.dtype == np.float64
        assert values.shape == (2,)
        assert np.isnan(values[1])
    assert "1 of 2 segments" in caplog.text


def test_measure_of_many_segments_is_that_of_each_alone():
    rng = np.random.default_rng(0)
    hu = layered((1500, 4), (600, 6), (1400, 4), count=600)
    hu[hu != 0] += rng.normal(0, 60, np.count_nonzero(hu)).astype(np.int16)
    shift = rng.integers(-10, 40, 600)
    hu = np.stack([np.roll(one, rows, axis=0) for one, rows in zip(hu, shift, strict=True)])
    segments = segment_set.without_patient(hu, hu != 0, np.arange(600))

    found = radiology.measure(segments)

    for one in (0, 255, 256, 599):
        alone = radiology.measure(segments[[one]])
        assert {name: values[0] for name, values in alone.items()} == {
            name: values[one] for name, values in found.items()
        }
    sdr = radiology.sdr(segments.hu, segments.mask, "outer-peak")
    np.testing.assert_array_equal(found["sdr_outer_peak"], sdr)


def test_measure_of_no_segments_is_empty():
    empty = np.zeros((0, 128, 128))
    found = radiology.measure(segment_set.without_patient(empty, empty, np.zeros(0)))

    assert {values.shape for values in found.values()} == {(0,)}


def test_profiles_are_measured_as_columns_are():
    profile = np.array([[0, 0, 1200, 1200, 480, 480, 1600, 1600, 0], np.zeros(9)])

    sdr = radiology.sdr_of_profiles(profile, profile != 0)
    thickness = radiology.thickness_of_profiles(profile, profile != 0, 0.5)

    np.testing.assert_allclose(sdr, [480 / 1400, np.nan])
    np.testing.assert_allclose(thickness, [3.0, np.nan])


@given(
    hu=arrays(np.int16, (1, 24, 8), elements=st.integers(-499, 2700)),
    mask=arrays(np.bool_, (1, 24, 8)),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_pixels_peaks_is_at_most_one_and_thickness_within_the_mask(hu, mask):
    peaks, outer = (radiology.sdr(hu, mask, name)[0] for name in ("peaks", "outer-peak"))
    thickness = radiology.thickness_mm(hu, mask, 1.0)[0]

    assert np.isnan(peaks) == np.isnan(thickness) == np.isnan(outer)
    if not np.isnan(peaks):
        assert peaks <= 1
        assert 0 <= outer <= 1
        assert 0 < thickness <= 24


@given(shift=st.integers(0, 100), flip=st.booleans())
@settings(max_examples=20, deadline=None)
def test_where_the_wall_lies_and_which_way_it_runs_changes_nothing(shift, flip):
    hu = layered((1200, 4), (480, 4), (1600, 4), top=shift)[..., :: -1 if flip else 1]

    assert radiology.sdr(hu, hu != 0)[0] == pytest.approx(480 / 1400)
    assert radiology.thickness_mm(hu, hu != 0, 1.0)[0] == pytest.approx(12)


def test_an_unknown_definition_is_refused_with_those_that_are_known():
    hu = layered((1500, 4))

    with pytest.raises(BadInputError, match=r"'median'.*'peaks'.*'literal'"):
        radiology.sdr(hu, hu != 0, "median")


def test_a_mask_of_another_shape_is_refused_with_both_shapes():
    with pytest.raises(BadInputError, match=r"\(1, 128, 128\).*\(1, 128, 127\)"):
        radiology.sdr(np.zeros((1, 128, 128)), np.zeros((1, 128, 127)))


@pytest.mark.parametrize(
    ("kernel", "soft"),
    [
        ("BONEPLUS", False), ("Bone Plus", False), ("BONE", False), ("STANDARD", True),
        ("H31s", True), ("H60s", False), ("Hr40f", True), ("B70f", False), ("J30s", True),
        ("FC21", True), ("FC30", False), ("UB", None), ("", None),
    ],
)  # fmt: skip
def test_soft_kernels_are_told_from_sharp_ones(kernel, soft):
    assert radiology.kernel_is_soft(kernel) is soft


def test_importing_radiology_brings_neither_matplotlib_nor_torch():
    code = (
        "import sys; from SkullGANLib.plots import contact_sheet; "
        "from SkullGANLib.metrics import radiology; "
        "from SkullGANLib.evaluation.report import set_description; "
        "sys.exit(bool({'matplotlib', 'torch', 'scipy.stats', 'PIL'} & set(sys.modules)))"
    )
    library = ROOT / "SkullGAN"
    assert subprocess.run([sys.executable, "-c", code], cwd=library, check=False).returncode == 0
