"""What is read of a DICOM header, what is kept of it, and headers that are damaged."""

import shutil
from contextlib import suppress
from dataclasses import replace

import h5py
import numpy as np
import pydicom
import pytest
from dicom_files import HEAD, assert_is_head, refused, setting, write_series
from hypothesis import given, settings
from hypothesis import strategies as st
from SkullGANLib.ct import dicom_headers
from SkullGANLib.ct.volume import HeadCT, pseudonym, read_ct, write_volume
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.errors import BadInputError

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


def test_empty_and_damaged_elements_that_are_not_needed_are_left_out_of_the_source(tmp_path):
    odd = setting(KVP=None, SliceThickness="", ConvolutionKernel=["B30", "3"], Manufacturer=None)
    assert read_ct(write_series(tmp_path, change=odd)).source == {
        "scanner": "Scan 1",
        "kernel": "B30\\3",
    }


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


def test_the_pseudonym_is_of_the_voxels_alone(series, tmp_path):
    ct = read_ct(series)
    renamed = read_ct(write_series(tmp_path / "named", change=identified))
    assert pseudonym(ct) == pseudonym(renamed)
    assert pseudonym(ct) == pseudonym(HeadCT(ct.hu[:, ::-1][:, ::-1], np.eye(4), {"kernel": "B"}))
    assert pseudonym(ct).startswith("subject-")
    other = ct.hu.copy()
    other[3, 3, 3] += 1
    assert pseudonym(HeadCT(other, ct.ijk_to_ras)) != pseudonym(ct)


def test_files_without_preamble_are_read(tmp_path):
    """As old archives keep them: elements from the first byte, no DICM, no file meta."""
    folder = write_series(tmp_path / "series")
    for file in folder.iterdir():
        bare = pydicom.Dataset()
        bare.update(pydicom.dcmread(file))
        pydicom.dcmwrite(
            file, bare, implicit_vr=True, little_endian=True, enforce_file_format=False
        )
        assert file.read_bytes()[128:132] != b"DICM"
    assert_is_head(read_ct(folder))


def test_a_header_without_end_is_given_up(tmp_path, monkeypatch):
    """Zeros are elements of no length, one after the other."""
    meta = b"\x02\x00\x10\x00UI\x12\x001.2.840.10008.1.2\x00\x00\x00"
    file = tmp_path / "zeros.dcm"
    file.write_bytes(bytes(128) + b"DICM" + meta + bytes(2**20))
    monkeypatch.setattr(dicom_headers, "_MOST_READS", 1000)

    with pytest.raises(BadInputError, match="holds a DICOM file that is damaged"):
        dicom_headers.read_header(tmp_path, file)
