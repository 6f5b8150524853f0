"""Files of a zip: read from memory, checked, and put on the disk only where that is needed."""

import sys
import tempfile
import zipfile

import numpy as np
import pytest
from dicom_files import HEAD, assert_is_head, full_disk, refused, write_series, zipped
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000
from SkullGANLib.ct import dicom_zip
from SkullGANLib.ct.dicom_zip import ZippedFiles
from SkullGANLib.ct.volume import read_ct
from SkullGANLib.errors import BadInputError


@pytest.fixture
def without_ng(monkeypatch):
    """zlib alone, as where zlib-ng is not installed."""
    dicom_zip._library.cache_clear()
    monkeypatch.setattr(dicom_zip.importlib.util, "find_spec", lambda name: None)
    yield
    dicom_zip._library.cache_clear()


def broken(dataset, k):
    """No file that can be read without ITK, which wants it on the disk."""
    dataset.file_meta.TransferSyntaxUID = JPEG2000
    dataset.PixelData = encapsulate([b"no JPEG 2000 at all" * 100])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def test_files_come_in_the_order_of_the_zip_without_its_folders(tmp_path):
    path = tmp_path / "files.zip"
    long = bytes(range(256)) * 1000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/", b"")
        archive.writestr("b/long", long)
        archive.writestr("a", b"short", compress_type=zipfile.ZIP_STORED)
    with ZippedFiles(path) as files:
        assert [files.size(file) for file in files.files] == [256_000, 5]
        assert [files.content(file) for file in files.files] == [long, b"short"]
        assert [len(files.beginning(file)) for file in files.files] == [2**15, 5]
        assert long.startswith(files.beginning(files.files[0]))


def test_plain_slices_are_read_without_a_file_on_the_disk(series, tmp_path, monkeypatch):
    path = zipped(tmp_path / "head.zip", series)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", None)
    assert_is_head(read_ct(path))


def test_zlib_reads_what_isal_reads(series, tmp_path, without_ng):
    assert_is_head(read_ct(zipped(tmp_path / "head.zip", series)))
    assert dicom_zip._library() is sys.modules["zlib"]


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stored_and_deflated_members_are_read(series, tmp_path, kind):
    path = tmp_path / "head.zip"
    with zipfile.ZipFile(path, "w", kind) as archive:
        for file in series.iterdir():
            archive.write(file, file.name)
    assert_is_head(read_ct(path))


def test_a_header_longer_than_the_beginning_is_read_from_all_of_the_file(tmp_path):
    def commented(dataset, k):
        dataset.add_new(0x00280303, "LO", "x")
        dataset.add_new(0x00271001, "UN", bytes(3 * 2**15))  # before what a slice is read by

    folder = write_series(tmp_path / "long", change=commented)
    assert_is_head(read_ct(zipped(tmp_path / "head.zip", folder)))


def test_a_file_that_unpacks_to_more_than_it_claims_is_refused(series, tmp_path):
    path = zipped(tmp_path / "head.zip", series)
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\1\2")
    size = int.from_bytes(content[at + 24 : at + 28], "little")
    content[at + 24 : at + 28] = (size - 2).to_bytes(4, "little")
    path.write_bytes(content)
    assert "zip is damaged or incomplete" in refused(path)


def test_a_damaged_file_beside_the_series_is_refused_for_it_may_have_been_a_slice(series, tmp_path):
    path = zipped(tmp_path / "head.zip", series)
    noise = np.random.default_rng(0).bytes(2**17)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("note.txt", noise)
    content = path.read_bytes()
    assert_is_head(read_ct(path))
    path.write_bytes(content.replace(noise[-1000:], bytes(1000)))
    assert "zip is damaged or incomplete" in refused(path)


def test_what_is_needed_on_the_disk_is_there_while_the_zip_is_open(series, tmp_path):
    with ZippedFiles(zipped(tmp_path / "head.zip", series)) as files:
        (first, frame) = files.on_disk([files.files[3], files.files[3] / "12"])
        assert first.read_bytes() == files.content(files.files[3])
        assert frame == first / "12"
        assert [file.name for file in first.parent.iterdir()] == [first.name]
    assert not first.parent.exists()


def test_no_room_for_what_is_needed_on_the_disk_is_a_sentence(tmp_path):
    path = zipped(tmp_path / "head.zip", write_series(tmp_path / "series", change=broken))
    with full_disk(1000):
        assert "the zip cannot be unpacked to" in refused(path)


def test_what_is_no_zip_is_refused(tmp_path):
    path = tmp_path / "no.zip"
    path.write_bytes(b"PK\3\4" + HEAD.tobytes()[:1000])
    with pytest.raises(BadInputError, match="damaged or incomplete"), ZippedFiles(path):
        pass


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_bit_by_bit_is_refused(tmp_path, kind):
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("a", bytes(10_000))
    with pytest.raises(BadInputError, match="expected deflate"), ZippedFiles(path):
        pass


def test_slices_too_large_for_the_memory_are_read_from_the_disk(series, tmp_path, monkeypatch):
    monkeypatch.setattr(dicom_zip, "_MOST_IN_MEMORY", 100)
    monkeypatch.setattr(dicom_zip, "_unpacked", None)
    assert_is_head(read_ct(zipped(tmp_path / "head.zip", series)))


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_directory_of_a_zip_is_read_once_for_all_its_files(tmp_path, monkeypatch, kind):
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w", kind) as archive:
        for number in range(100):
            archive.writestr(str(number), b"content")
    with ZippedFiles(path) as files:
        monkeypatch.setattr(dicom_zip.zipfile, "ZipFile", None)
        assert {files.content(file) for file in files.files} == {b"content"}
        assert {files.beginning(file) for file in files.files} == {b"content"}
