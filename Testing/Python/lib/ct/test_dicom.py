"""One CT series out of a folder or a zip, as pydicom writes it."""

import struct
import tempfile
import zipfile

import pytest
from dicom_files import SPACING, assert_is_head, refused, zipped
from SkullGANLib.ct.volume import read_ct


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


def test_a_zip_reads_like_its_folder(series, tmp_path):
    assert_is_head(read_ct(zipped(tmp_path / "head.zip", series)))


def test_a_hostile_zip_with_names_that_lead_out_of_it_is_refused_and_writes_nothing(
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
    assert "escaped-0.dcm' leads out of the folder" in refused(path)
    assert set(tmp_path.rglob("*")) == {path, unpacked}


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


def test_a_zip_without_dicom_is_refused(tmp_path):
    path = tmp_path / "text.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read me.txt", "no head")
    assert "holds no DICOM image" in refused(path)


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


def test_a_real_series_without_its_intercept_is_refused_for_its_values(shared_ct):
    sentence = refused(shared_ct / "slicer_cthead64.dicom.zip")
    assert "its RescaleType is US, expected HU" in sentence
