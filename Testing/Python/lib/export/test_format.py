"""A format's record names the files of an output."""

from pathlib import Path

import pytest
from SkullGANLib.export import FORMATS


@pytest.mark.parametrize(
    ("name", "path", "mask"),
    [
        ("h5", "a/set.h5", None),
        ("nrrd", "a/set.nrrd", "a/set-mask.seg.nrrd"),
        ("nifti", "a/set.nii", "a/set-mask.nii"),
        ("nifti", "a/SET.NII.GZ", "a/SET-mask.nii.gz"),
        ("npy", "a/set.npy", "a/set-mask.npy"),
        ("mat", "a/set.mat", None),
        ("png", "a/folder", None),
        ("dicom", "a/folder", "a/folder-dicom-mask.seg.nrrd"),
        ("dicom", "a/set.dcm-folder", "a/set-dicom-mask.seg.nrrd"),
    ],
)
def test_masks_lie_beside_the_segments_unless_they_are_inside(name, path, mask):
    files = FORMATS[name].files(path)

    assert files["segments"] == Path(path)
    assert files.get("mask") == (mask and Path(mask))
    assert files["metrics"].name == f"{Path(path).name.split('.')[0]}.metrics.csv"


def test_endings_are_known_in_capitals_too():
    assert FORMATS["nifti"].fits("Set.NII.gz")
    assert not FORMATS["nifti"].fits("nii.gz.txt")
