"""Reading and writing head CTs and masks: every format, and bad input."""

import os
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import (
    FORMATS,
    GEOMETRY,
    HEAD,
    assert_is_head,
    full_disk,
    refused,
    write_series,
    zipped,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from SkullGANLib.ct.volume import HeadCT, read_ct, read_mask, write_volume
from SkullGANLib.errors import BadInputError, OutputError


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


@pytest.fixture
def public_folder():
    """A folder that others reach, too; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_padding_below_air_becomes_air(tmp_path):
    padded = HEAD.copy()
    padded[:, 0] = -3024  # stored as -2000
    padded[:, 1] = -2000
    ct = read_ct(write_series(tmp_path, hu=padded))
    assert (ct.hu[:, :2] == -1024).all()
    assert np.array_equal(ct.hu[:, 2:], HEAD[:, 2:])


def test_one_dicom_file_is_not_taken_for_a_head(series):
    assert refused(series / "series00.dcm").startswith("is one DICOM file")


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
    assert "'.png' files cannot be read" in refused(tmp_path / "head.png")
    sitk.WriteImage(picture, str(tmp_path / "head.mha"))
    assert "2 dimensions and 3 channels" in refused(tmp_path / "head.mha")


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


@pytest.mark.parametrize("compressed", [True, False], ids=["compressed", "plain"])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("extension", FORMATS)
def test_a_truncated_file_is_refused(extension, share, compressed, tmp_path):
    path = tmp_path / f"head{extension}"
    sitk.WriteImage(sitk.GetImageFromArray(HEAD), str(path), useCompression=compressed)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path)


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


@pytest.mark.parametrize("name", ["head.nii.gz", "head.hdr", "inner.zip"])
def test_a_zip_of_something_else_is_refused_with_the_name_of_what_it_holds(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "head.zip", "w") as archive:
        archive.writestr(f"folder/{name}", b"no matter what")
    with pytest.raises(BadInputError, match=f"it holds {name}, expected that unpacked"):
        read_ct(tmp_path / "head.zip")


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
        with pytest.raises(OutputError, match=r"expected one of \.nrrd, \.nii, \.nii\.gz, \.mha"):
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
    with pytest.raises(BadInputError, match="expected a mask"):
        read_mask(tmp_path / name, ct)


def test_a_truncated_mask_is_refused(ct, tmp_path):
    path = tmp_path / "m.nii.gz"
    write_volume(path, (HEAD > 700).astype(np.uint8), GEOMETRY)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadInputError, match="truncated"):
        read_mask(path, ct)


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
