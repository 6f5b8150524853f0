"""Which files are the one CT series, whatever lies beside them."""

import shutil

import numpy as np
import pytest
from dicom_files import HEAD, assert_is_head, refused, setting, write_series
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    generate_uid,
)
from SkullGANLib.ct.volume import read_ct


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


def test_a_localizer_and_a_short_series_beside_the_ct_are_passed_over(series, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(series, folder)
    localizer = setting(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SeriesNumber=1)
    write_series(folder, HEAD[:2], change=localizer, name="scout")
    write_series(folder, HEAD[:4], change=setting(SeriesNumber=2), name="bolus")
    assert_is_head(read_ct(folder))


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
        (setting(RescaleType="US"), "its RescaleType is US, expected HU"),
        (setting(BitsAllocated=8, BitsStored=8, HighBit=7), "run from"),
    ],
)
def test_a_series_that_is_no_straight_ct_in_hu_is_refused(change, found, tmp_path):
    assert found in refused(write_series(tmp_path, change=change))


def test_straight_slices_are_believed_against_a_tilt_in_the_headers(tmp_path, caplog):
    """As programs leave it that make a tilted stack straight and keep the element."""
    straight = read_ct(write_series(tmp_path / "a"))
    tagged = write_series(tmp_path / "b", change=setting(GantryDetectorTilt="-18.5"))
    found = read_ct(tagged)
    assert np.array_equal(found.hu, straight.hu)
    assert "name a gantry tilt of 18.5 degrees, but the slices lie straight" in caplog.text


def test_copies_of_an_instance_are_read_once(tmp_path):
    folder = write_series(tmp_path)
    expected = read_ct(folder)
    for file in sorted(folder.iterdir())[:5]:
        shutil.copy(file, folder / f"copy of {file.name}")
    assert np.array_equal(read_ct(folder).hu, expected.hu)


def test_hu_without_rescale_elements_are_not_taken_on_trust(tmp_path):
    """Signed values that run from -1000 to 1467 look like HU, but padding can look so too."""

    def bare(dataset, k):
        dataset.PixelData = HEAD[k].astype("<i2").tobytes()
        if k > 4:
            del dataset.RescaleSlope

    assert "9 of 14 slices lack RescaleSlope" in refused(write_series(tmp_path, change=bare))


def test_a_series_of_nine_slices_is_too_short(tmp_path):
    sentence = refused(write_series(tmp_path, HEAD[:9]))
    assert "a CT series of 9 slices, expected a CT series of at least 10 slices" in sentence


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


def test_several_series_are_listed_by_number_slices_and_kernel_alone(tmp_path):
    planted = {"SeriesDescription": "HEAD OF MUELLER", "PatientName": "MUELLER^HANS"}
    write_series(tmp_path, change=setting(**planted), name="a")
    change = setting(SeriesNumber=4, ConvolutionKernel=["H30s", "2"], **planted)
    write_series(tmp_path, HEAD[:12], change=change, name="b")
    sentence = refused(tmp_path)
    assert "series 3: 14 slices, kernel BONE; series 4: 12 slices, kernel H30s\\2" in sentence
    assert "MUELLER" not in sentence
