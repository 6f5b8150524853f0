"""Pixels of DICOM slices in HU, however they are stored, and slices of a tilted gantry."""

import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_files import (
    AXIAL,
    HEAD,
    SPACING,
    TURNED,
    assert_is_head,
    number,
    placing,
    refused,
    write_series,
)
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    ImplicitVRLittleEndian,
    RLELossless,
)
from scipy import ndimage
from scipy.special import erf
from SkullGANLib.ct.volume import read_ct
from SkullGANLib.extraction import single_ct
from SkullGANLib.metrics import measure

BALL = np.array([0.0, -2.0, 39.0])


def test_slope_and_intercept_are_applied(tmp_path):
    def twice(dataset, k):
        stored = ((HEAD[k].astype(int) + 1000) * 2).astype("<u2")
        dataset.PixelData = stored.tobytes()
        dataset.PixelRepresentation = 0
        dataset.RescaleSlope, dataset.RescaleIntercept = "0.5", "-1000"

    assert_is_head(read_ct(write_series(tmp_path, change=twice)))


def test_slices_may_each_have_their_own_slope_and_intercept(tmp_path):
    """From the second on, HU are 0.75 higher: the fraction is rounded up and not cut off."""

    def own(dataset, k):
        slope, intercept = (1, 0) if k == 0 else (0.25, -1000 - k)
        more = 0.0 if k == 0 else 0.75
        dataset.PixelData = ((HEAD[k] + more - intercept) / slope).astype("<i2").tobytes()
        dataset.RescaleSlope, dataset.RescaleIntercept = str(slope), str(intercept)

    ct = read_ct(write_series(tmp_path, change=own))
    assert np.array_equal(ct.hu[0], HEAD[0])
    assert np.array_equal(ct.hu[1:], HEAD[1:] + 1)


def test_what_lies_above_the_highest_stored_bit_is_no_part_of_the_value(tmp_path):
    """12 bits are stored; the other four hold an overlay, as old scanners wrote them."""

    def overlaid(dataset, k):
        stored = (HEAD[k].astype(int) + 1024).astype("<u2") | 0xA000
        dataset.PixelData = stored.tobytes()
        dataset.PixelRepresentation = 0
        dataset.BitsStored, dataset.HighBit = 12, 11

    assert_is_head(read_ct(write_series(tmp_path, change=overlaid)))


def test_implicit_little_endian_reads_alike(tmp_path):
    def implicit(dataset, k):
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian

    assert_is_head(read_ct(write_series(tmp_path, change=implicit)))


def test_run_length_compressed_slices_read_alike(tmp_path):
    folder = write_series(tmp_path, change=lambda dataset, k: dataset.compress(RLELossless))
    syntax = pydicom.dcmread(next(folder.iterdir())).file_meta.TransferSyntaxUID
    assert syntax == RLELossless
    assert_is_head(read_ct(folder))


def test_steps_that_differ_a_little_are_read_in_silence_and_the_switch_is_put_back(tmp_path, capfd):
    folder = write_series(tmp_path, change=placing(lambda k: [0, 0, 0.02 * (k % 2)]))
    sitk.ProcessObject.SetGlobalWarningDisplay(True)
    assert read_ct(folder).spacing_mm[2] == pytest.approx(1.3, abs=0.002)
    assert sitk.ProcessObject.GetGlobalWarningDisplay()
    assert capfd.readouterr() == ("", "")


def layers(lps):
    """HU at LPS mm of a ball of 40 HU and 9 mm in a shell of bone up to 12 mm about ``BALL``, in
    air; edges are blurred as a scanner blurs them."""
    radius = np.linalg.norm(lps - BALL, axis=-1)
    inner, outer = (0.5 * (1 + erf((r - radius) / np.sqrt(2.0))) for r in (9.0, 12.0))
    return -1000 + 2200 * outer - 1160 * inner


@pytest.mark.parametrize("said", ["15.0", "-14.8", None])
@pytest.mark.parametrize("angle_deg", [15, -15])
@pytest.mark.parametrize("axes", [AXIAL, TURNED], ids=["axial", "oblique"])
def test_a_tilted_gantry_is_corrected_and_named_in_the_source(axes, angle_deg, said, tmp_path):
    k, j, i = np.indices((28, 60, 56)) - np.reshape([13.5, 29.5, 27.5], (3, 1, 1, 1))
    along = np.stack([0.7 * i, 0.9 * j + 1.3 * k * np.tan(np.deg2rad(angle_deg)), 1.3 * k], -1)
    places = BALL + along @ axes.T
    hu = np.rint(layers(places)).astype(np.int16)

    def change(dataset, k):
        dataset.ImagePositionPatient = [number(value) for value in places[k, 0, 0]]
        if said:
            dataset.GantryDetectorTilt = said

    ct = read_ct(write_series(tmp_path, hu, axes, change))
    assert ct.source["gantry_tilt_deg"] == 15.0
    assert ct.spacing_mm == pytest.approx(SPACING)
    directions = ct.ijk_to_ras[:3, :3] / ct.spacing_mm
    assert directions.T @ directions == pytest.approx(np.eye(3), abs=1e-6)
    assert ct.hu.min() == -1024  # beside the slices
    assert ct.hu.max() <= hu.max()  # no overshoot
    k, j, i = np.indices(ct.hu.shape)
    ras = np.stack([i, j, k], -1) @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]
    lps = ras * [-1, -1, 1]
    for lowest_hu in (-400, 600):
        at, needed = lps[ct.hu > lowest_hu], layers(lps) > lowest_hu
        assert at.mean(0) == pytest.approx(BALL, abs=0.05)
        assert np.cbrt(len(at) / needed.sum()) == pytest.approx(1, abs=0.004)  # of 12 mm
    off_hu = (ct.hu - layers(lps))[ct.hu > -1024]
    assert np.abs(off_hu).max() < 60  # steps are of 2,200


@pytest.mark.slow
def test_a_tilted_head_gives_the_thickness_sdr_and_sides_of_the_straight_one(
    sphere_head, sphere_mask, tmp_path
):
    lean = np.tan(np.deg2rad(18))
    hu = np.stack(
        [
            ndimage.shift(p, (-lean * k, 0), order=3, cval=-1000)
            for k, p in enumerate(sphere_head.hu)
        ]
    )
    start = sphere_head.ijk_to_ras[:3, 3] * [-1, -1, 1]

    def change(dataset, k):
        dataset.ImagePositionPatient = [number(v) for v in start + np.array([0, lean * k, k])]
        dataset.PixelSpacing = [1, 1]
        dataset.GantryDetectorTilt = "18"

    ct = read_ct(write_series(tmp_path, hu, change=change))
    settings = {"bones": ["temporal"], "planes": ["axial"], "interval_mm": 9.3}
    straight = single_ct.extract(sphere_head, sphere_mask, **settings).segments
    tilted = single_ct.extract(ct, **settings).segments
    assert tilted.side.tolist() == straight.side.tolist()
    found, needed = (measure(one) for one in (tilted, straight))
    assert found["thickness_mm"].mean() == pytest.approx(needed["thickness_mm"].mean(), abs=0.1)
    assert found["sdr_peaks"].mean() == pytest.approx(needed["sdr_peaks"].mean(), abs=0.02)


def test_incomplete_pixels_are_refused_with_the_transfer_syntax(series, tmp_path):
    folder = shutil.copytree(series, tmp_path / "cut")
    file = folder / "series03.dcm"
    file.write_bytes(file.read_bytes()[:-600])
    assert "cannot be decoded (transfer syntax Explicit VR Little Endian)" in refused(folder)


def test_pixels_in_a_broken_code_are_refused_with_the_transfer_syntax(tmp_path):
    def broken(dataset, k):
        dataset.file_meta.TransferSyntaxUID = JPEG2000
        dataset.PixelData = encapsulate([b"no JPEG 2000 at all"])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True

    assert "(transfer syntax JPEG 2000" in refused(write_series(tmp_path, change=broken))


def test_padding_that_the_header_names_is_air_also_where_it_is_stored_as_a_large_number(tmp_path):
    def pad(dataset, k):
        stored = np.frombuffer(dataset.PixelData, "<i2")
        plane = stored.reshape(dataset.Rows, dataset.Columns).astype("<u2")
        plane[:3] = 64035
        dataset.PixelRepresentation, dataset.RescaleIntercept = 0, "-1024"
        dataset.PixelPaddingValue = 64035
        dataset.PixelData = plane.tobytes()

    found = read_ct(write_series(tmp_path, change=pad)).hu
    expected = HEAD.copy()
    expected[:, :3] = -1024
    assert np.array_equal(found, expected)
