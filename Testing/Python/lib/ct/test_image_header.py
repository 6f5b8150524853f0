"""What headers lack of geometry is refused, by the field."""

import struct

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import HEAD, refused
from SkullGANLib.ct.volume import read_ct, write_volume


def nifti(path, edit):
    """A NIfTI file of the head whose header was edited."""
    write_volume(path, HEAD, np.diag([1.0, 1, 1, 1]))
    content = bytearray(path.read_bytes())
    edit(content)
    path.write_bytes(content)
    return path


def put(kind: str, place: int, *values):
    return lambda content: struct.pack_into(f"<{kind}", content, place, *values)


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (put("2h", 252, 0, 0), "states no orientation (qform_code and sform_code are 0)"),
        (put("3f", 80, 1, 0, 1), "by its pixdim the voxels are 1 x 0 x 1 mm"),
        (put("3f", 80, 1, 1, np.nan), "by its pixdim the voxels are 1 x 1 x nan mm"),
        (put("3f", 80, 25, 1, 1), "by its pixdim the voxels are 25 x 1 x 1 mm"),
        (put("i", 0, 540), "NIfTI"),
    ],
)
def test_a_nifti_without_geometry_is_refused(edit, found, tmp_path):
    assert found in refused(nifti(tmp_path / "head.nii", edit))


def test_a_sheared_sform_is_refused_with_its_angle_though_the_qform_is_straight(tmp_path):
    def shear(content):
        struct.pack_into("<2h", content, 252, 1, 1)
        rows = [-1, 0, 0, 0, 0, -1, -np.tan(np.deg2rad(15)), 0, 0, 0, 1, 0]
        struct.pack_into("<12f", content, 280, *rows)

    assert "axes are 15.0 degrees off right angles" in refused(nifti(tmp_path / "a.nii", shear))


def test_an_sform_that_lies_elsewhere_than_the_qform_is_warned_of(tmp_path, caplog):
    def move(content):
        struct.pack_into("<2h", content, 252, 1, 2)
        struct.pack_into("<12f", content, 280, 1, 0, 0, 30, 0, 1, 0, 0, 0, 0, 1, 0)

    read_ct(nifti(tmp_path / "a.nii", move))
    assert "sform and qform put the same voxel up to 30 mm apart" in caplog.text


def test_a_nifti_as_it_is_written_is_read_without_a_word(tmp_path, caplog):
    read_ct(nifti(tmp_path / "a.nii", lambda content: None))
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["spacings: 1 1 1"], "there are no 'space directions'"),
        (
            ["space dimension: 3", "space directions: (1,0,0) (0,1,0) (0,0,1)"],
            "there is no 'space'",
        ),
    ],
)
def test_a_nrrd_without_geometry_is_refused(lines, found, tmp_path):
    size = " ".join(map(str, HEAD.shape[::-1]))
    header = ["NRRD0004", "type: int16", "dimension: 3", f"sizes: {size}", "endian: little"]
    header += [*lines, "encoding: raw", "", ""]
    path = tmp_path / "head.nrrd"
    path.write_bytes("\n".join(header).encode() + HEAD.tobytes())
    assert found in refused(path)


@pytest.mark.parametrize("vectors", ["(0,0,0) (0,1,0) (0,0,1)", "(20,0,0) (0,1,0) (0,0,1)"])
def test_a_nrrd_of_absurd_spacing_is_refused(vectors, tmp_path):
    path = tmp_path / "head.nrrd"
    write_volume(path, HEAD, np.eye(4), compress=False)
    content = path.read_bytes()
    line = next(one for one in content.split(b"\n") if one.startswith(b"space directions"))
    path.write_bytes(content.replace(line, f"space directions: {vectors}".encode()))
    refused(path)


@pytest.mark.parametrize(
    ("field", "found"),
    [("ElementSpacing", "states no ElementSpacing"), ("TransformMatrix", "states no orientation")],
)
def test_a_metaimage_without_geometry_is_refused(field, found, tmp_path):
    path = tmp_path / "head.mha"
    write_volume(path, HEAD, np.eye(4), compress=False)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(one for one in lines if not one.startswith(field.encode())))
    assert found in refused(path)


def test_a_nrrd_that_simpleitk_made_of_a_nifti_is_read(tmp_path):
    """It hands the NIfTI's fields on in the header."""
    write_volume(tmp_path / "a.nii.gz", HEAD, np.eye(4))
    sitk.WriteImage(sitk.ReadImage(str(tmp_path / "a.nii.gz")), str(tmp_path / "a.nrrd"))
    assert np.array_equal(read_ct(tmp_path / "a.nrrd").hu, HEAD)
