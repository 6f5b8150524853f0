"""DICOM series are valid, derived and of no patient."""

import re
import shutil
import subprocess

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from exported_sets import COUNT, assert_same_stack, make_set
from SkullGANLib.export import write


def test_a_dicom_series_is_read_with_its_hu_and_its_place(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder / "g.dcm-folder")))

    assert_same_stack(reader.Execute(), make_set().hu)
    assert_same_stack(sitk.ReadImage(str(folder / "g-dicom-mask.seg.nrrd")), make_set().mask)


def test_a_dicom_series_says_that_it_is_derived_and_of_no_patient(folder):
    slices = [pydicom.dcmread(path) for path in sorted((folder / "g.dcm-folder").iterdir())]

    for number, one in enumerate(slices):
        assert one.ImageType == ["DERIVED", "SECONDARY", "AXIAL", "SYNTHETIC"]
        assert re.search(rf"shows no patient.*{'ab' * 32}. Seed {100 + number}\.",
                         one.DerivationDescription)  # fmt: skip
        assert one.ContentQualification == "RESEARCH"
        assert one.PatientIdentityRemoved == "YES"
        for name in ("PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"):
            assert one[name].value == ""
    assert len({one.SOPInstanceUID for one in slices}) == COUNT
    assert len({one.SeriesInstanceUID for one in slices}) == 1


def test_another_set_is_another_dicom_series(tmp_path, folder):
    write(tmp_path / "other", [make_set(seed=np.arange(COUNT))], "dicom")

    series = [
        pydicom.dcmread(one / "000000.dcm") for one in (tmp_path / "other", folder / "g.dcm-folder")
    ]
    for name in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert getattr(series[0], name) != getattr(series[1], name)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
@pytest.mark.parametrize("kind", ["synthetic", "real"])
def test_dciodvfy_finds_no_error_in_a_dicom_series(tmp_path, kind):
    write(tmp_path / "series", [make_set(kind=kind)], "dicom")

    for path in sorted((tmp_path / "series").iterdir()):
        done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert "CTImage" in said
        assert "Error" not in said
