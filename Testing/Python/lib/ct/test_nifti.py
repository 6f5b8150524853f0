"""NIfTI files that ITK reads without a word, though something is wrong with them."""

import struct

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import HEAD, SPACING, refused
from SkullGANLib.ct.volume import read_ct, write_volume


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


def test_the_header_half_of_a_nifti_pair_is_refused(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(HEAD), str(tmp_path / "head.hdr"))
    assert "one of a pair of files" in refused(tmp_path / "head.hdr")


def test_a_sheared_nifti_is_refused_in_silence(tmp_path, capfd):
    path = tmp_path / "head.nii"
    write_volume(path, HEAD, np.eye(4))
    content = bytearray(path.read_bytes())
    struct.pack_into("<hh", content, 252, 0, 1)  # the sform alone
    struct.pack_into("<12f", content, 280, 1, 0, 0, 0, 0, 1, 0.25, 0, 0, 0, 1, 0)
    path.write_bytes(content)
    assert "not at right angles" in refused(path)
    assert capfd.readouterr() == ("", "")


def test_a_real_nifti_is_read(shared_ct):
    ct = read_ct(shared_ct / "invesalius_cranium.nii.gz")
    assert ct.hu.shape == (108, 256, 256)
    assert ct.spacing_mm == pytest.approx([0.957, 0.957, 1.5], abs=1e-3)
