"""Reading and writing head CTs: DICOM as pydicom writes it, the other formats, and bad input.

``HEAD`` is a block whose HU tell where a voxel is (100 a slice, 10 a row, 1 a column) in air, on a
grid with three different spacings. ``write_series`` makes real DICOM files of it.
"""

import os
import shutil
import struct
import tempfile
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    RLELossless,
    generate_uid,
)
from pydicom.valuerep import DSfloat
from scipy import ndimage
from scipy.spatial.transform import Rotation
from scipy.special import erf
from SkullGANLib.ct.volume import HeadCT, pseudonym, read_ct, read_mask, write_volume
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.extraction import single_ct
from SkullGANLib.metrics import measure

SPACING = (0.7, 0.9, 1.3)
ORIGIN = (-10.0, -20.0, 30.0)
FORMATS = (".nrrd", ".nii", ".nii.gz", ".mha")

HEAD = np.full((14, 40, 32), -1000, np.int16)
_k, _j, _i = np.indices(HEAD.shape)
HEAD[2:12, 5:35, 4:28] = (100 * _k + 10 * _j + _i)[2:12, 5:35, 4:28]

GEOMETRY = np.array(
    [[-0.7, 0, 0, 10], [0, -0.9, 0, 20], [0, 0, 1.3, 30], [0, 0, 0, 1]]
)  # of HEAD on axial slices, RAS
AXIAL = np.eye(3)
TURNED = Rotation.from_euler("xyz", [12, -7, 25], degrees=True).as_matrix()


def number(value):
    return DSfloat(float(value), auto_format=True)


def nothing(dataset, k):
    pass


def write_series(folder, hu=HEAD, axes=AXIAL, change=nothing, name="series"):
    """Write a volume as a CT series of plain files, one a slice, their names in another order.

    ``axes`` holds the LPS directions of columns, rows and slices as columns; ``change`` gets each
    dataset and the number of its slice before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for k, plane in enumerate(hu):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
        uid = generate_uid(entropy_srcs=[name, str(k)])
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = uid
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[name])
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.Modality = "CT"
        dataset.Manufacturer = "ACME"
        dataset.ManufacturerModelName = "Scan 1"
        dataset.ConvolutionKernel = "BONE"
        dataset.KVP = "120"
        dataset.SliceThickness = "1.25"
        dataset.SeriesNumber = 3
        place = np.array(ORIGIN) + k * SPACING[2] * axes[:, 2]
        dataset.ImagePositionPatient = [number(value) for value in place]
        dataset.ImageOrientationPatient = [number(v) for v in [*axes[:, 0], *axes[:, 1]]]
        dataset.PixelSpacing = [number(SPACING[1]), number(SPACING[0])]
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.Rows, dataset.Columns = plane.shape
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit = 15
        dataset.PixelRepresentation = 1
        dataset.RescaleSlope = "1"
        dataset.RescaleIntercept = "-1024"
        dataset.PixelData = (plane.astype(np.int32) + 1024).astype("<i2").tobytes()
        change(dataset, k)
        file = folder / f"{name}{11 * k % len(hu):02d}.dcm"
        dataset.save_as(file, enforce_file_format=True)
    return folder


def setting(**elements):
    """A ``change`` that gives every slice these elements; None leaves one out."""

    def change(dataset, k):
        for name, value in elements.items():
            if value is None:
                del dataset[name]
            else:
                setattr(dataset, name, value)

    return change


def placing(move):
    """A ``change`` that moves slice k by ``move(k)``, LPS mm."""

    def change(dataset, k):
        place = np.array(dataset.ImagePositionPatient, float) + move(k)
        dataset.ImagePositionPatient = [number(value) for value in place]

    return change


def tilted(angle_deg, said=None):
    """A ``change`` that shears the stack as a tilted gantry does, and may say so."""

    def change(dataset, k):
        placing(lambda k: [0, 1.3 * k * np.tan(np.deg2rad(angle_deg)), 0])(dataset, k)
        if said is not None:
            dataset.GantryDetectorTilt = said

    return change


def zipped(path, folder):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.dcm")):
            archive.write(file, file.relative_to(folder))
    return path


def assert_is_head(ct):
    assert ct.hu.dtype == np.int16
    assert np.array_equal(ct.hu, HEAD)
    assert ct.ijk_to_ras == pytest.approx(GEOMETRY, abs=1e-4)


def refused(path):
    """The sentence with which a CT is refused; it names the file and ends."""
    with pytest.raises(BadInputError) as caught:
        read_ct(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "needed" in sentence or "taken" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence.removeprefix(f"{path}: ")


@contextmanager
def without_rights():
    """What root may do, nobody may not."""
    if not hasattr(os, "geteuid"):
        pytest.skip("file permissions are another thing on this system")
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@contextmanager
def full_disk(after_bytes=500_000):
    """No file can grow beyond so many bytes, as on a full disk."""
    resource = pytest.importorskip("resource", reason="file sizes are not limited on this system")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """The folder of a plain axial series."""
    return write_series(tmp_path_factory.mktemp("dicom") / "head")


@pytest.fixture
def public_folder():
    """A folder that others reach, too; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_a_dicom_folder_gives_hu_geometry_and_scanner_whatever_the_order_of_its_names(series):
    ct = read_ct(series)
    assert_is_head(ct)
    assert ct.spacing_mm == pytest.approx(SPACING)
    assert ct.source == {
        "scanner": "ACME Scan 1",
        "kernel": "BONE",
        "kvp": 120.0,
        "slice_thickness_mm": 1.25,
    }


def test_a_voxel_lies_in_ras_where_its_slice_says_in_lps(series):
    """Slice 3 begins at LPS (-10, -20, 33.9); 5 columns on and 8 rows down are 3.5 and 7.2 mm."""
    ct = read_ct(str(series))
    assert ct.ijk_to_ras @ [5, 8, 3, 1] == pytest.approx([6.5, 12.8, 33.9, 1])
    assert ct.hu[3, 8, 5] == 100 * 3 + 10 * 8 + 5


def test_nested_folders_with_other_files_in_them_read_alike(series, tmp_path):
    for number, file in enumerate(sorted(series.iterdir())):
        folder = tmp_path / f"DICOM/頭部 CT {number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / f"IM{number}")
    (tmp_path / "read me.txt").write_text("The head.")
    (tmp_path / "empty").touch()
    (tmp_path / "preview.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    directory.FileSetID = "HEADS"
    directory.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    assert_is_head(read_ct(tmp_path))


def test_a_zip_reads_like_its_folder(series, tmp_path):
    assert_is_head(read_ct(zipped(tmp_path / "head.zip", series)))


def test_a_zip_with_names_that_lead_out_of_it_writes_nothing_there_and_leaves_nothing(
    series, tmp_path, monkeypatch
):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, file in enumerate(sorted(series.iterdir())):
            archive.write(file, f"../escaped-{number}.dcm")
        archive.writestr(str(tmp_path / "escaped.txt"), "I was here.")
        archive.writestr("DICOMDIR", "not one")
    unpacked = tmp_path / "temporary"
    unpacked.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(unpacked))
    assert_is_head(read_ct(path))
    assert set(tmp_path.rglob("*")) == {path, unpacked}


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


def test_padding_below_air_becomes_air(tmp_path):
    padded = HEAD.copy()
    padded[:, 0] = -3024  # stored as -2000
    padded[:, 1] = -2000
    ct = read_ct(write_series(tmp_path, hu=padded))
    assert (ct.hu[:, :2] == -1024).all()
    assert np.array_equal(ct.hu[:, 2:], HEAD[:, 2:])


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


def test_a_ct_that_was_stored_as_secondary_capture_keeps_its_geometry(tmp_path):
    """GDCM alone would give it voxels of 1 mm at the origin."""

    def capture(dataset, k):
        dataset.SOPClassUID = MultiFrameGrayscaleWordSecondaryCaptureImageStorage
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID

    assert_is_head(read_ct(write_series(tmp_path, change=capture)))


def test_a_localizer_and_a_short_series_beside_the_ct_are_passed_over(series, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(series, folder)
    localizer = setting(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SeriesNumber=1)
    write_series(folder, HEAD[:2], change=localizer, name="scout")
    write_series(folder, HEAD[:4], change=setting(SeriesNumber=2), name="bolus")
    assert_is_head(read_ct(folder))


def test_empty_and_damaged_elements_that_are_not_needed_are_left_out_of_the_source(tmp_path):
    odd = setting(KVP=None, SliceThickness="", ConvolutionKernel=["B30", "3"], Manufacturer=None)
    assert read_ct(write_series(tmp_path, change=odd)).source == {
        "scanner": "Scan 1",
        "kernel": "B30\\3",
    }


def test_steps_that_differ_a_little_are_read_in_silence_and_the_switch_is_put_back(tmp_path, capfd):
    folder = write_series(tmp_path, change=placing(lambda k: [0, 0, 0.02 * (k % 2)]))
    sitk.ProcessObject.SetGlobalWarningDisplay(True)
    assert read_ct(folder).spacing_mm[2] == pytest.approx(1.3, abs=0.002)
    assert sitk.ProcessObject.GetGlobalWarningDisplay()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (setting(Modality="MR"), "14 x modality MR"),
        (setting(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "14 x CT localizer"),
        (setting(ImagePositionPatient=None), "14 x CT image without its place"),
        (setting(ImagePositionPatient=""), "14 x CT image without its place"),
        (setting(ImageOrientationPatient=None), "14 of 14 slices lack ImageOrientationPatient"),
        (setting(ImageOrientationPatient=[1, 0, 0, 0, 2, 0]), "two unit vectors"),
        (setting(PixelSpacing=None), "14 of 14 slices lack PixelSpacing"),
        (setting(PixelSpacing=[0, 0]), "pixels have no size"),
        (setting(RescaleSlope=None), "lack RescaleSlope, without which there are no Hounsfield"),
        (setting(RescaleIntercept=None), "lack RescaleIntercept, without which there are no"),
        (setting(RescaleIntercept="0"), "values run from 24 to 2491"),
        (
            setting(GantryDetectorTilt="-18.5"),
            "a gantry tilt of 18.5 degrees by the headers and of",
        ),
        (setting(BitsAllocated=8, BitsStored=8, HighBit=7), "run from"),
    ],
)
def test_a_series_that_is_no_straight_ct_in_hu_is_refused(change, found, tmp_path):
    assert found in refused(write_series(tmp_path, change=change))


def test_hu_without_rescale_elements_are_not_taken_on_trust(tmp_path):
    """Signed values that run from -1000 to 1467 look like HU, but padding can look so too."""

    def bare(dataset, k):
        dataset.PixelData = HEAD[k].astype("<i2").tobytes()
        if k > 4:
            del dataset.RescaleSlope

    assert "9 of 14 slices lack RescaleSlope" in refused(write_series(tmp_path, change=bare))


@pytest.mark.parametrize(
    ("move", "found"),
    [
        (lambda k: [0, 1.3 * k * np.tan(np.deg2rad(40)), 0], "a gantry tilt of 40.0 degrees"),
        (
            lambda k: [1.3 * k * np.tan(np.deg2rad(-4)), 0, 0],
            "lean by 4.0 degrees along their rows",
        ),
        (lambda k: [0, 6.5 * (k > 6), 0], "up to 6.5 mm beside the others"),
        (lambda k: [0, 0, 1.3 * (k > 6)], "slice steps from 1.30 to 2.60 mm (1 missing?)"),
        (lambda k: [0, 0, 5.2 * (k > 12)], "slice steps from 1.30 to 6.50 mm (4 missing?)"),
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


BALL = np.array([0.0, -2.0, 39.0])


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


def test_tilt_and_uneven_steps_are_both_named(tmp_path):
    uneven = placing(lambda k: [0, 0.5 * (k + (k > 6)), 1.3 * (k > 6)])
    sentence = refused(write_series(tmp_path, change=uneven))
    assert "a gantry tilt of 21.0 degrees and slice steps from 1.30 to 2.60 mm" in sentence


def test_a_lean_of_less_than_a_degree_is_taken(tmp_path):
    folder = write_series(tmp_path, change=placing(lambda k: [0, 0.01 * k, 0]))
    assert_is_head(read_ct(folder))


def test_a_series_of_nine_slices_is_too_short(tmp_path):
    sentence = refused(write_series(tmp_path, HEAD[:9]))
    assert "a CT series of 9 slices; a CT series of at least 10 slices is needed" in sentence


def test_slices_of_two_sizes_are_refused_with_both(tmp_path):
    def smaller(dataset, k):
        if k > 6:
            dataset.Rows = 20
            dataset.PixelData = dataset.PixelData[: 20 * 32 * 2]

    sentence = refused(write_series(tmp_path, change=smaller))
    assert "32 x 20 pixels of 0.7 x 0.9 mm, 32 x 40 pixels of 0.7 x 0.9 mm" in sentence


def test_slices_of_two_pixel_spacings_are_refused_with_both(tmp_path):
    def finer(dataset, k):
        if k > 6:
            dataset.PixelSpacing = [0.45, 0.35]

    sentence = refused(write_series(tmp_path, change=finer))
    assert "of 0.35 x 0.45 mm, 32 x 40 pixels of 0.7 x 0.9 mm" in sentence


def test_slices_of_two_directions_are_refused(tmp_path):
    def turned(dataset, k):
        if k == 7:
            dataset.ImageOrientationPatient = [1, 0, 0, 0, number(np.cos(0.1)), number(np.sin(0.1))]

    assert "different directions" in refused(write_series(tmp_path, change=turned))


def test_several_series_are_listed_by_number_slices_and_kernel_alone(tmp_path):
    planted = {"SeriesDescription": "HEAD OF MUELLER", "PatientName": "MUELLER^HANS"}
    write_series(tmp_path, change=setting(**planted), name="a")
    change = setting(SeriesNumber=4, ConvolutionKernel=["H30s", "2"], **planted)
    write_series(tmp_path, HEAD[:12], change=change, name="b")
    sentence = refused(tmp_path)
    assert "series 3: 14 slices, kernel BONE; series 4: 12 slices, kernel H30s\\2" in sentence
    assert "MUELLER" not in sentence


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


def test_one_dicom_file_is_not_taken_for_a_head(series):
    assert refused(series / "series00.dcm").startswith("is one DICOM file")


def test_a_dicom_file_of_noise_in_a_folder_is_a_sentence(tmp_path):
    (tmp_path / "noise.dcm").write_bytes(bytes(128) + b"DICM" + np.random.default_rng(1).bytes(900))
    refused(tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom wonders about the damage, too
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_header_gives_a_ct_or_a_sentence_and_never_anything_else(
    series, tmp_path_factory, data
):
    folder = tmp_path_factory.mktemp("damaged") / "head"
    shutil.copytree(series, folder)
    file = folder / "series05.dcm"
    content = bytearray(file.read_bytes())
    header = len(content) - HEAD[0].nbytes
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(132, header))] = data.draw(st.integers(0, 255))
    file.write_bytes(content[: data.draw(st.sampled_from([None, header // 2, header - 40]))])
    with suppress(BadInputError):
        assert read_ct(folder).hu.shape[1:] == HEAD.shape[1:]


def test_a_truncated_zip_is_refused(series, tmp_path):
    path = zipped(tmp_path / "head.zip", series)
    path.write_bytes(path.read_bytes()[:-3000])
    assert "zip is damaged or incomplete" in refused(path)


def test_a_zip_with_damaged_contents_is_refused(series, tmp_path):
    path = zipped(tmp_path / "head.zip", series)
    content = bytearray(path.read_bytes())
    content[300:360] = b"\xff" * 60
    path.write_bytes(content)
    assert "zip is damaged or incomplete" in refused(path)


def test_an_encrypted_zip_is_refused_without_its_names(series, tmp_path):
    path = zipped(tmp_path / "head.zip", series)
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(signature, at + 4)
    path.write_bytes(content)
    sentence = refused(path)
    assert "zip is encrypted" in sentence
    assert "series0" not in sentence


def test_a_zip_that_would_fill_the_disk_is_refused_before_unpacking(series, tmp_path):
    path = zipped(tmp_path / "head.zip", series)
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\1\2")
    while at >= 0:
        struct.pack_into("<I", content, at + 24, 900_000_000)  # what each claims to unpack to
        at = content.find(b"PK\1\2", at + 4)
    path.write_bytes(content)
    assert "unpacks to 12.6 GB" in refused(path)


def test_a_zip_that_does_not_fit_on_the_disk_is_a_sentence(tmp_path):
    path = tmp_path / "big.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.dcm", bytes(2_000_000))
    with full_disk():
        sentence = refused(path)
    assert "cannot be unpacked" in sentence


def test_a_zip_without_dicom_is_refused(tmp_path):
    path = tmp_path / "text.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read me.txt", "no head")
    assert "holds no DICOM image" in refused(path)


@pytest.mark.parametrize("extension", FORMATS)
def test_the_same_head_in_another_format_has_the_same_hu_and_geometry(extension, tmp_path, series):
    path = tmp_path / f"head{extension}"
    ct = read_ct(series)
    write_volume(path, ct.hu, ct.ijk_to_ras, ct.source)
    again = read_ct(path)
    assert_is_head(again)
    assert again.source == ({} if ".nii" in extension else ct.source)


@settings(max_examples=60, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.1, 8)] * 3),
    origin=st.tuples(*[st.floats(-800, 800)] * 3),
    mirrored=st.booleans(),
    extension=st.sampled_from(FORMATS),
)
def test_any_straight_geometry_survives_being_written_and_read(
    angles, spacing, origin, mirrored, extension, tmp_path_factory
):
    geometry = np.eye(4)
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    geometry[:3, :3] = turn * spacing * [1, 1, -1 if mirrored else 1]
    geometry[:3, 3] = origin
    path = tmp_path_factory.mktemp("geometry") / f"head{extension}"
    write_volume(path, HEAD, geometry)
    ct = read_ct(path)
    assert np.array_equal(ct.hu, HEAD)
    corners = np.array([[0, 0, 0, 1], [32, 0, 0, 1], [0, 40, 0, 1], [0, 0, 14, 1]]).T
    assert ct.ijk_to_ras @ corners == pytest.approx(geometry @ corners, abs=2e-3)


@pytest.mark.parametrize("extension", [".nrrd", ".mha"])
def test_words_of_the_scanner_survive_as_they_are(extension, tmp_path):
    source = {"scanner": "Kräftig 日本 CT", "kernel": "40", "kvp": 99.5}
    write_volume(tmp_path / f"a{extension}", HEAD, GEOMETRY, {**source, "slice_thickness_mm": None})
    assert read_ct(tmp_path / f"a{extension}").source == source


@pytest.mark.parametrize("extension", FORMATS)
def test_hu_with_fractions_are_rounded(extension, tmp_path):
    path = tmp_path / f"head{extension}"
    write_volume(path, HEAD + np.float32(0.4), GEOMETRY)
    assert_is_head(read_ct(path))


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_infinite_voxels_are_refused(dtype, bad, extension, tmp_path):
    path = tmp_path / f"head{extension}"
    holed = HEAD.astype(dtype)
    holed[13, 39, 31] = bad
    sitk.WriteImage(sitk.GetImageFromArray(holed), str(path))
    assert "NaN or infinite" in refused(path)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (sitk.GetImageFromArray(HEAD[5]), "2 dimensions and 1 channels"),
        (sitk.JoinSeries([sitk.GetImageFromArray(HEAD)] * 2), "4 dimensions and 1 channels"),
        (sitk.GetImageFromArray(np.stack([HEAD] * 3, -1), isVector=True), "3 channels"),
        (sitk.GetImageFromArray(HEAD.astype(np.complex64)), "complex numbers"),
        (sitk.GetImageFromArray(HEAD[:9]), "32 x 40 x 9 voxels"),
        (sitk.GetImageFromArray((HEAD + 1000).astype(np.uint16)), "run from 0 to 2467"),
        (sitk.GetImageFromArray(HEAD.astype(np.float32) / 1000), "run from -1 to 1"),
        (sitk.GetImageFromArray(HEAD.astype(np.float32) * 1000), "run from -1000000 to 1467000"),
        (sitk.GetImageFromArray(np.full((20, 20, 20), -1000, np.int16)), "run from -1000 to -1000"),
    ],
)
def test_an_image_that_is_no_volume_in_hu_is_refused(image, found, tmp_path):
    sitk.WriteImage(image, str(tmp_path / "image.nrrd"))
    assert found in refused(tmp_path / "image.nrrd")


def test_a_picture_is_refused(tmp_path):
    picture = sitk.GetImageFromArray(np.zeros((64, 64, 3), np.uint8), isVector=True)
    sitk.WriteImage(picture, str(tmp_path / "head.png"))
    assert "2 dimensions and 3 channels" in refused(tmp_path / "head.png")


def test_a_sheared_volume_is_refused_with_the_angle(tmp_path):
    """Slices that go 0.25 mm sideways for every mm up lean by 14.0 degrees."""
    for extension, straight, sheared in (
        (".nrrd", b"(0,0,1)", b"(0,0.25,1)"),
        (".mha", b"= 1 0 0 0 1 0 0 0 1", b"= 1 0 0 0 1 0 0 0.25 1"),
    ):
        path = tmp_path / f"head{extension}"
        write_volume(path, HEAD, np.diag([-1.0, -1.0, 1.0, 1.0]))
        content = path.read_bytes()
        assert straight in content
        path.write_bytes(content.replace(straight, sheared))
        assert "axes are 14.0 degrees off right angles" in refused(path)


def test_a_sheared_nifti_is_refused_in_silence(tmp_path, capfd):
    path = tmp_path / "head.nii"
    write_volume(path, HEAD, np.eye(4))
    content = bytearray(path.read_bytes())
    struct.pack_into("<hh", content, 252, 0, 1)  # the sform alone
    struct.pack_into("<12f", content, 280, 1, 0, 0, 0, 0, 1, 0.25, 0, 0, 0, 1, 0)
    path.write_bytes(content)
    assert "not at right angles" in refused(path)
    assert capfd.readouterr() == ("", "")


def test_the_header_half_of_a_nifti_pair_is_refused(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(HEAD), str(tmp_path / "head.hdr"))
    assert "one of a pair of files" in refused(tmp_path / "head.hdr")


@pytest.mark.parametrize("compressed", [True, False], ids=["compressed", "plain"])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("extension", FORMATS)
def test_a_truncated_file_is_refused(extension, share, compressed, tmp_path):
    path = tmp_path / f"head{extension}"
    sitk.WriteImage(sitk.GetImageFromArray(HEAD), str(path), useCompression=compressed)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path)


def test_a_big_endian_float_nifti_is_read_and_its_nan_found(tmp_path):
    header = bytearray(352)
    struct.pack_into(">i", header, 0, 348)
    struct.pack_into(">8h", header, 40, 3, 32, 40, 14, 1, 1, 1, 1)
    struct.pack_into(">2h", header, 70, 16, 32)
    struct.pack_into(">8f", header, 76, 1, *SPACING, 1, 1, 1, 1)
    struct.pack_into(">3f", header, 108, 352, 1, 0)
    header[123] = 2  # mm
    struct.pack_into(">hh", header, 252, 1, 0)
    header[344:348] = b"n+1\0"
    path = tmp_path / "head.nii"
    path.write_bytes(header + HEAD.astype(">f4").tobytes())
    assert np.array_equal(read_ct(path).hu, HEAD)
    holed = HEAD.astype(">f4")
    holed[3, 3, 3] = np.nan
    path.write_bytes(header + holed.tobytes())
    assert "NaN or infinite" in refused(path)


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii", "a.nii.gz", "a.mha", "a.dcm", "a.zip", "a"])
@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"PK\3\4 and no more", np.random.default_rng(0).bytes(5000)],
    ids=["empty", "one byte", "like a zip", "random"],
)
def test_a_file_of_something_else_is_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name)


def test_an_empty_folder_is_refused(tmp_path):
    assert "holds no DICOM image" in refused(tmp_path)


def test_a_folder_of_images_is_refused_with_the_name_of_one(tmp_path):
    (tmp_path / "head.nii.gz").touch()
    sentence = refused(tmp_path)
    assert sentence.endswith(
        f"or the name of an image in the folder, such as {tmp_path}/head.nii.gz."
    )


@pytest.mark.parametrize("name", ["nowhere", "nowhere.nrrd", "x" * 300 + ".nrrd"])
def test_a_file_that_is_not_there_is_refused(name, tmp_path):
    refused(tmp_path / name)


def test_a_file_that_may_not_be_read_is_refused_with_the_systems_reason(public_folder):
    write_volume(public_folder / "head.nrrd", HEAD, GEOMETRY)
    (public_folder / "head.nrrd").chmod(0)
    with without_rights():
        sentence = refused(public_folder / "head.nrrd")
    assert "Permission denied" in sentence


def test_japanese_names_with_spaces_and_very_long_paths_are_read_and_written(series, tmp_path):
    folder = tmp_path / "頭部 CT 画像" / "/".join(["long name " * 20 + "x"] * 8)
    dicom = shutil.copytree(series, folder / "元データ")
    assert len(str(dicom)) > 1600
    ct = read_ct(dicom)
    assert_is_head(ct)
    for extension in FORMATS:
        path = folder / f"頭 蓋{'骨' * 60}{extension}"
        write_volume(path, ct.hu, ct.ijk_to_ras)
        assert_is_head(read_ct(path))
    zipped(folder / "頭.zip", dicom)
    assert_is_head(read_ct(folder / "頭.zip"))


def test_an_unknown_extension_is_refused_with_those_that_are_known(tmp_path):
    for name in ("head.xyz", "head", "head.mhd"):
        with pytest.raises(OutputError, match=r"one of \.nrrd, \.nii, \.nii\.gz, \.mha is needed"):
            write_volume(tmp_path / name, HEAD, GEOMETRY)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_written_is_an_output_error_and_stays_empty(public_folder):
    public_folder.chmod(0o555)
    with without_rights(), pytest.raises(OutputError, match="Permission denied"):
        write_volume(public_folder / "head.nrrd", HEAD, GEOMETRY)
    assert not list(public_folder.iterdir())


def test_a_target_below_a_file_is_an_output_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_volume(tmp_path / "file" / "head.nrrd", HEAD, GEOMETRY)


def test_a_map_with_nan_where_there_is_nothing_can_be_written(tmp_path):
    sparse = np.where(HEAD > 0, HEAD, np.nan).astype(np.float32)
    for extension in (".nrrd", ".nii.gz"):
        write_volume(tmp_path / f"map{extension}", sparse, GEOMETRY)
        assert (tmp_path / f"map{extension}").stat().st_size > 1000


@pytest.mark.parametrize("extension", FORMATS)
def test_a_full_disk_is_an_output_error_and_keeps_what_was_there(extension, tmp_path):
    path = tmp_path / f"head{extension}"
    path.write_bytes(b"older")
    noise = np.random.default_rng(0).integers(-1000, 2000, (80, 100, 100)).astype(np.int16)
    with full_disk(), pytest.raises(OutputError) as caught:
        write_volume(path, noise, GEOMETRY)
    assert str(caught.value).startswith(f"{path}: ")
    assert "disk full" in str(caught.value)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def ct():
    return HeadCT(HEAD, GEOMETRY)


@pytest.mark.parametrize("extension", FORMATS)
def test_a_mask_on_the_grid_of_the_ct_is_read_as_ones(extension, ct, tmp_path):
    labels = np.where(HEAD > 700, 255, 0).astype(np.uint8)
    write_volume(tmp_path / f"m{extension}", labels, GEOMETRY)
    mask = read_mask(tmp_path / f"m{extension}", ct)
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, HEAD > 700)


def mask_sentence(path, mask, geometry, ct):
    write_volume(path, mask.astype(np.uint8), geometry)
    with pytest.raises(BadInputError) as caught:
        read_mask(path, ct)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


def test_a_mask_beside_the_ct_is_refused_with_the_distance(ct, tmp_path):
    moved = GEOMETRY.copy()
    moved[:3, 3] += [3, 4, 0]
    assert "lies 5.00 mm beside the CT" in mask_sentence(tmp_path / "m.nrrd", HEAD > 700, moved, ct)


def test_a_mask_with_other_voxels_is_refused_with_the_distance_at_the_far_end(ct, tmp_path):
    finer = GEOMETRY @ np.diag([1, 1, 0.5, 1])  # 14 slices that end 9.1 mm too low
    assert "lies 9.10 mm beside" in mask_sentence(tmp_path / "m.nrrd", HEAD > 700, finer, ct)


def test_a_mask_with_rows_and_columns_exchanged_is_refused_though_both_ends_agree(tmp_path):
    cube = HeadCT(np.zeros((20, 20, 20), np.int16), np.eye(4))
    exchanged = np.eye(4)[[1, 0, 2, 3]]
    sentence = mask_sentence(tmp_path / "m.nrrd", np.ones((20, 20, 20)), exchanged, cube)
    assert "lies 28.28 mm beside" in sentence


def test_a_mask_of_another_size_is_refused_with_both_sizes(ct, tmp_path):
    sentence = mask_sentence(tmp_path / "m.nrrd", HEAD[1:] > 700, GEOMETRY, ct)
    assert "(13, 40, 32)" in sentence
    assert "(14, 40, 32)" in sentence


def test_an_empty_mask_is_refused(ct, tmp_path):
    assert "is empty" in mask_sentence(tmp_path / "m.nrrd", HEAD > 9000, GEOMETRY, ct)


@pytest.mark.parametrize("name", ["m.nrrd", "m.nii.gz", "nowhere.mha"])
def test_a_mask_that_cannot_be_read_is_refused(name, ct, tmp_path):
    if "nowhere" not in name:
        (tmp_path / name).write_bytes(b"no mask")
    with pytest.raises(BadInputError, match="a mask is needed"):
        read_mask(tmp_path / name, ct)


def test_a_truncated_mask_is_refused(ct, tmp_path):
    path = tmp_path / "m.nii.gz"
    write_volume(path, (HEAD > 700).astype(np.uint8), GEOMETRY)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadInputError, match="truncated"):
        read_mask(path, ct)


PLANTED = {
    "PatientName": "MUELLER^HANS",
    "PatientID": "PID-4711-XQ",
    "PatientBirthDate": "19610203",
    "PatientAddress": "Holzweg 17 Entenhausen",
    "AccessionNumber": "ACC99887766",
    "InstitutionName": "Klinikum Musterstadt",
    "ReferringPhysicianName": "BRINKMANN^KLAUS",
    "OperatorsName": "SCHWESTER^STEFANIE",
    "StudyDescription": "CCT Mueller Hans nach Sturz",
    "SeriesDescription": "Kopf Herr Mueller",
    "ProtocolName": "ProtoMueller",
    "ImageComments": "Hans sagt weh",
    "StationName": "CTRAUM2",
    "DeviceSerialNumber": "SN55443322",
    "StudyDate": "20190817",
    "SeriesTime": "173459.123",
    "StudyID": "STUDY-8899",
    "StudyInstanceUID": "1.2.276.0.1234567.1",
    "SeriesInstanceUID": "1.2.276.0.1234567.2",
    "FrameOfReferenceUID": "1.2.276.0.1234567.3",
}
PRIVATE = "PRIVATE Hans Mueller 1961"


def identified(dataset, k):
    setting(**PLANTED)(dataset, k)
    block = dataset.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x10, "LO", PRIVATE)
    dataset.private_block(0x0009, PRIVATE, create=True).add_new(0x01, "UN", PRIVATE.encode())


def test_nothing_of_a_patients_identity_gets_into_the_ct_or_any_file_made_of_it(tmp_path):
    folder = write_series(tmp_path / "in", change=identified)
    uids = [str(pydicom.dcmread(file).SOPInstanceUID) for file in folder.iterdir()]
    ct = read_ct(folder)
    mask = np.zeros((2, 128, 128), np.uint8)
    found = segment_set.without_patient(mask.astype(np.int16), mask, np.zeros(2), source=ct.source)
    found = replace(found, kind="real", subject=np.full(2, pseudonym(ct)))
    hdf5.write(tmp_path / "segments.h5", found)
    written = [tmp_path / "segments.h5"]
    for extension in (".nrrd", ".mha", ".nii"):
        written.append(tmp_path / f"head{extension}")
        write_volume(written[-1], ct.hu, ct.ijk_to_ras, ct.source)
    with h5py.File(written[0]) as file:
        assert "ACME" in file.attrs["source"]  # what may be known is there
    everything = [repr(ct.source), repr(ct), pseudonym(ct), *map(str, ct.source.values())]
    content = "\n".join(everything).encode() + b"".join(file.read_bytes() for file in written)
    words = {word for text in PLANTED.values() for word in (text, *text.split("^"))}
    for planted in (*words, PRIVATE, "1.2.276.0", *uids):
        assert planted.encode() not in content, planted
        assert planted.encode("utf-16-le") not in content, planted


def test_the_scanners_own_words_are_kept_as_they_are_and_only_these(tmp_path):
    """Maker, model and kernel are kept on purpose; a name typed in there is kept with them."""
    typed = setting(
        Manufacturer="ACME of Mueller", ManufacturerModelName="M-1", ConvolutionKernel="Hans"
    )
    source = read_ct(write_series(tmp_path, change=typed)).source
    assert source["scanner"] == "ACME of Mueller M-1"
    assert source["kernel"] == "Hans"
    assert set(source) == {"scanner", "kernel", "kvp", "slice_thickness_mm"}


def test_text_where_a_number_belongs_is_not_kept(tmp_path):
    def typed(dataset, k):
        dataset.add_new("KVP", "LO", "Mueller")

    assert "Mueller" not in str(read_ct(write_series(tmp_path, change=typed)).source)


def test_foreign_words_in_the_header_of_a_volume_file_are_not_kept(tmp_path):
    image = sitk.GetImageFromArray(HEAD)
    image.SetMetaData("PatientName", "MUELLER^HANS")
    image.SetMetaData("skullgan_source_operator", "MUELLER^HANS")
    sitk.WriteImage(image, str(tmp_path / "head.nrrd"))
    assert b"MUELLER" in (tmp_path / "head.nrrd").read_bytes()
    assert read_ct(tmp_path / "head.nrrd").source == {}


def test_text_where_a_number_belongs_in_the_header_of_a_volume_file_is_not_kept(tmp_path):
    write_volume(tmp_path / "head.nrrd", HEAD, GEOMETRY, {"kvp": "Mueller", "kernel": "BONE"})
    assert read_ct(tmp_path / "head.nrrd").source == {"kernel": "BONE"}


def test_the_pseudonym_is_of_the_voxels_alone(series, tmp_path):
    ct = read_ct(series)
    renamed = read_ct(write_series(tmp_path / "named", change=identified))
    assert pseudonym(ct) == pseudonym(renamed)
    assert pseudonym(ct) == pseudonym(HeadCT(ct.hu[:, ::-1][:, ::-1], np.eye(4), {"kernel": "B"}))
    assert pseudonym(ct).startswith("subject-")
    other = ct.hu.copy()
    other[3, 3, 3] += 1
    assert pseudonym(HeadCT(other, ct.ijk_to_ras)) != pseudonym(ct)


@pytest.mark.slow
def test_a_real_head_of_226_bone_slices_is_read_as_its_header_says(shared_ct):
    ct = read_ct(shared_ct / "pcir_bone.dicom.zip")
    assert ct.hu.shape == (226, 512, 512)
    assert (ct.hu.min(), ct.hu.max()) == (-1024, 2716)
    assert ct.spacing_mm == pytest.approx([0.488281, 0.488281, 0.625])
    assert ct.ijk_to_ras[:3, 3] == pytest.approx([125.0, 134.8, -8.75])
    assert ct.source == {
        "scanner": "GE MEDICAL SYSTEMS LightSpeed Pro 32",
        "kernel": "BONEPLUS",
        "kvp": 120.0,
        "slice_thickness_mm": 0.625,
    }


def test_a_real_tilted_gantry_is_refused_with_its_angle_and_its_steps(shared_ct):
    sentence = refused(shared_ct / "ge_tilt.dicom.zip")
    assert "a gantry tilt of 18.5 degrees and slice steps from 1.08 to 7.00 mm" in sentence


def test_a_real_series_without_its_intercept_is_refused_for_its_values(shared_ct):
    sentence = refused(shared_ct / "slicer_cthead64.dicom.zip")
    assert "values run from 0 to 3926, Hounsfield units are needed" in sentence


def test_a_real_nifti_is_read(shared_ct):
    ct = read_ct(shared_ct / "invesalius_cranium.nii.gz")
    assert ct.hu.shape == (108, 256, 256)
    assert ct.spacing_mm == pytest.approx([0.957, 0.957, 1.5], abs=1e-3)
