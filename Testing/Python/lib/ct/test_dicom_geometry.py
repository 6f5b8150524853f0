"""Where slices lie: in even stacks of any direction, and in those that are refused."""

import numpy as np
import pytest
from dicom_files import (
    AXIAL,
    HEAD,
    ORIGIN,
    SPACING,
    TURNED,
    assert_is_head,
    number,
    placing,
    refused,
    tilted,
    write_series,
)
from pydicom.uid import (
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
)
from SkullGANLib.ct.volume import read_ct


def test_a_voxel_lies_in_ras_where_its_slice_says_in_lps(series):
    """Slice 3 begins at LPS (-10, -20, 33.9); 5 columns on and 8 rows down are 3.5 and 7.2 mm."""
    ct = read_ct(str(series))
    assert ct.ijk_to_ras @ [5, 8, 3, 1] == pytest.approx([6.5, 12.8, 33.9, 1])
    assert ct.hu[3, 8, 5] == 100 * 3 + 10 * 8 + 5


@pytest.mark.parametrize(
    "axes",
    [
        AXIAL[:, [0, 1, 2]] * [1, 1, -1],
        AXIAL[:, [0, 1, 2]] * [-1, -1, 1],
        AXIAL[:, [1, 2, 0]] * [1, -1, 1],
        AXIAL[:, [1, 2, 0]] * [1, -1, -1],
        AXIAL[:, [0, 2, 1]] * [1, -1, 1],
        AXIAL[:, [0, 2, 1]] * [1, -1, -1],
        TURNED,
        TURNED * [1, 1, -1],
    ],
    ids=[
        "axial, descending",
        "axial, feet first prone",
        "sagittal to the left",
        "sagittal to the right",
        "coronal to the back",
        "coronal to the front",
        "oblique",
        "oblique, descending",
    ],
)
def test_every_voxel_lies_where_it_was_whatever_the_direction_of_the_slices(axes, tmp_path):
    ct = read_ct(write_series(tmp_path, axes=axes))
    k, j, i = np.indices(HEAD.shape)
    lps = ORIGIN + np.stack([i, j, k], -1) * SPACING @ axes.T
    ras = np.concatenate([lps * [-1, -1, 1], np.ones((*HEAD.shape, 1))], -1)
    found = (ras @ np.linalg.inv(ct.ijk_to_ras).T)[..., :3]
    index = np.rint(found).astype(int)
    assert np.abs(found - index).max() < 1e-3
    assert np.array_equal(ct.hu[index[..., 2], index[..., 1], index[..., 0]], HEAD)
    assert np.linalg.det(ct.ijk_to_ras[:3, :3]) > 0


def test_a_ct_that_was_stored_as_secondary_capture_keeps_its_geometry(tmp_path):
    """GDCM alone would give it voxels of 1 mm at the origin."""

    def capture(dataset, k):
        dataset.SOPClassUID = MultiFrameGrayscaleWordSecondaryCaptureImageStorage
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID

    assert_is_head(read_ct(write_series(tmp_path, change=capture)))


@pytest.mark.parametrize(
    ("move", "found"),
    [
        (lambda k: [0, 1.3 * k * np.tan(np.deg2rad(40)), 0], "a gantry tilt of 40.0 degrees"),
        (
            lambda k: [1.3 * k * np.tan(np.deg2rad(-4)), 0, 0],
            "lean by 4.0 degrees along their rows",
        ),
        (lambda k: [0, 6.5 * (k > 6), 0], "up to 6.5 mm beside the others"),
        (
            lambda k: [0, 0, 1.3 * (k > 6)],
            "1.30 to 2.60 mm (1 missing? after slice 7; slices ",
        ),
        (
            lambda k: [0, 0, 5.2 * (k > 12)],
            "1.30 to 6.50 mm (4 missing? after slice 13; slices 1 to 13 are",
        ),
        (lambda k: [0, 0, 0.4 * (k > 6)], "slice steps from 1.30 to 1.70 mm,"),
        (lambda k: [0, 0, -0.3 * (k == 5)], "slice steps from 1.00 to 1.60 mm,"),
        (lambda k: [0, 0, -1.3 * (k == 5)], "several slices at one place"),
    ],
)
def test_a_stack_that_is_not_straight_and_even_is_refused(move, found, tmp_path):
    assert found in refused(write_series(tmp_path, change=placing(move)))


def test_a_sheared_oblique_stack_is_found_where_the_header_denies_the_tilt(tmp_path):
    """The stack leans by 10 degrees to its own normal, and the normal itself is oblique."""
    lean = np.tan(np.deg2rad(10)) * TURNED[:, 1]
    change = placing(lambda k: 1.3 * k * lean)

    def denying(dataset, k):
        change(dataset, k)
        dataset.GantryDetectorTilt = "0"

    sentence = refused(write_series(tmp_path, axes=TURNED, change=denying))
    assert "a gantry tilt of 10.0 degrees by the slices' places and of 0.0 by the head" in sentence


def test_a_tilt_of_which_header_and_places_differ_is_refused_with_both(tmp_path):
    sentence = refused(write_series(tmp_path, change=tilted(15, said="12.0")))
    assert "a gantry tilt of 15.0 degrees by the slices' places and of 12.0 by the" in sentence


def test_tilt_and_uneven_steps_are_both_named(tmp_path):
    uneven = placing(lambda k: [0, 0.5 * (k + (k > 6)), 1.3 * (k > 6)])
    sentence = refused(write_series(tmp_path, change=uneven))
    assert "a gantry tilt of 21.0 degrees and slice steps from 1.30 to 2.60 mm" in sentence


def test_a_lean_of_less_than_a_degree_is_taken(tmp_path):
    folder = write_series(tmp_path, change=placing(lambda k: [0, 0.01 * k, 0]))
    assert_is_head(read_ct(folder))


def test_slices_of_two_directions_are_refused(tmp_path):
    def turned(dataset, k):
        if k == 7:
            dataset.ImageOrientationPatient = [1, 0, 0, 0, number(np.cos(0.1)), number(np.sin(0.1))]

    assert "different directions" in refused(write_series(tmp_path, change=turned))


def test_a_real_tilted_gantry_is_refused_with_its_angle_and_its_steps(shared_ct):
    sentence = refused(shared_ct / "ge_tilt.dicom.zip")
    assert "a gantry tilt of 18.5 degrees and slice steps from 1.08 to 7.00 mm" in sentence
