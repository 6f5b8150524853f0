"""The layout of a segment set's file: any HDF5 reader opens it, and what is not one is refused."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered_sets import ARRAYS, assert_same, make_set
from SkullGANLib.data import hdf5, hdf5_layout
from SkullGANLib.data.segment_set import IN_DEPTH
from SkullGANLib.errors import BadInputError


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "segments.h5"
    hdf5.write(path, make_set())
    return path


def test_any_hdf5_reader_finds_the_documented_names_and_types(file):
    with h5py.File(file, "r") as opened:
        assert set(opened) == set(ARRAYS) - set(IN_DEPTH)
        found = {name: (opened[name].shape, opened[name].dtype) for name in opened}
        assert found["hu"] == ((3, 128, 128), np.dtype(np.int16))
        assert found["mask"] == ((3, 128, 128), np.dtype(np.uint8))
        assert found["pixel_to_ras"] == ((3, 4, 4), np.dtype(np.float64))
        assert found["seed"] == ((3,), np.dtype(np.int64))
        for name in ("subject", "bone", "side", "plane", "ct"):
            assert found[name][0] == (3,)
            assert h5py.check_string_dtype(opened[name].dtype).encoding == "utf-8"
        assert opened["hu"].chunks == (16, 128, 128)
        assert opened["hu"].compression == "gzip"
        assert opened["hu"][1, 20, 1] == 2
        assert opened["subject"].asstr()[2] == "subject-2"
        attributes = dict(opened.attrs)
        assert set(attributes) == {
            "format", "format_version", "kind", "pixel_spacing_mm", "hu_range", "created_by",
            "source", "packer",
        }  # fmt: skip
        assert attributes["format"] == "skullgan-segments"
        assert attributes["format_version"] == 1
        assert attributes["kind"] == "real"
        assert attributes["pixel_spacing_mm"] == 0.45
        np.testing.assert_array_equal(attributes["hu_range"], [0, 2734.53])
        assert json.loads(attributes["source"])["kernel"] == "BONEPLUS"


def test_a_compressed_file_is_much_smaller_than_its_pixels(tmp_path):
    hdf5.write(tmp_path / "set.h5", make_set(100))

    assert (tmp_path / "set.h5").stat().st_size < 100 * 128 * 128 * 3 / 10


def test_no_file_is_larger_than_the_room_that_is_reserved_for_it(tmp_path, monkeypatch):
    reserved = []
    monkeypatch.setattr(hdf5_layout, "reserve", lambda folder, size: reserved.append(size))
    noise = np.random.default_rng(0).integers(0, 1000, (300, 128, 128)).astype(np.int16)
    long = np.array(["größer" * 400] * 300)
    for segments in (
        make_set(0), make_set(1), make_set(1000), make_set(300, hu=noise),
        make_set(300, subject=long, ct=long), make_set(1, source={"long": "x" * 100_000}),
    ):  # fmt: skip
        hdf5.write(tmp_path / "set.h5", segments)

        assert (tmp_path / "set.h5").stat().st_size <= reserved[-1]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        BadInputError, match=r"nowhere\.h5: there is no such file, expected .*\(\.h5\)"
    ):
        hdf5.read(tmp_path / "nowhere.h5")


def test_a_folder_is_not_a_segment_set(tmp_path):
    with pytest.raises(BadInputError, match="there is no such file"):
        hdf5.read(tmp_path)


@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_named(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(BadInputError, match=r"segments\.h5"):
        hdf5.read(file)


@given(content=st.binary(max_size=400))
@settings(max_examples=40, deadline=None)
def test_random_bytes_are_refused_with_the_files_name(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("random") / "random.h5"
    path.write_bytes(content)

    with pytest.raises(BadInputError, match=r"random\.h5: cannot be read as a segment set"):
        hdf5.read(path)


@given(place=st.floats(0, 1), value=st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_file_with_a_changed_byte_is_read_or_refused_but_never_crashes(
    tmp_path_factory, place, value
):
    folder = tmp_path_factory.mktemp("changed")
    path = folder / "changed.h5"
    hdf5.write(path, make_set(2))
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] = value
    path.write_bytes(content)

    refusal = ""
    try:
        found = hdf5.read(path)
    except BadInputError as error:
        refusal = str(error)
    shutil.rmtree(folder)  # 150 of them

    assert "changed.h5" in refusal if refusal else found.hu.shape == (2, 128, 128)


def test_another_hdf5_file_is_refused_with_its_format(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as other:
        other["hu"] = np.zeros((1, 128, 128))
    with pytest.raises(BadInputError, match=r"other\.h5: .*format None.*'skullgan-segments'"):
        hdf5.read(path)

    with h5py.File(path, "a") as other:
        other.attrs["format"] = "weather"
    with pytest.raises(BadInputError, match=r"other\.h5: .*format 'weather'"):
        hdf5.read(path)


def test_a_later_version_asks_for_a_newer_program(file):
    with h5py.File(file, "a") as opened:
        opened.attrs["format_version"] = 2

    with pytest.raises(BadInputError, match=r"segments\.h5: .*version 2.*up to version 1; a newer"):
        hdf5.read(file)


def test_a_file_from_before_cts_were_named_is_read_with_empty_ones(file):
    with h5py.File(file, "a") as opened:
        del opened["ct"]

    assert_same(hdf5.read(file), make_set(ct=np.full(3, "")))
    hdf5.append(file, make_set())
    assert hdf5.read(file).ct.tolist() == ["", "", "", "ct-0", "ct-0", "ct-1"]


@pytest.mark.parametrize("name", ARRAYS[:-3])
def test_a_missing_part_is_named(file, name):
    with h5py.File(file, "a") as opened:
        del opened[name]

    with pytest.raises(BadInputError, match=rf"segments\.h5: .*incomplete.*{name}"):
        hdf5.read(file)


@pytest.mark.parametrize(
    "name", ["kind", "pixel_spacing_mm", "hu_range", "source", "created_by", "format_version"]
)
def test_a_missing_attribute_is_named(file, name):
    with h5py.File(file, "a") as opened:
        del opened.attrs[name]

    with pytest.raises(BadInputError, match=rf"segments\.h5: .*{name}"):
        hdf5.read(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "imaginary"), ("pixel_spacing_mm", "wide"), ("hu_range", 5.0), ("source", "{"),
        ("source", "[1, 2]"), ("format_version", "one"), ("hu_range", [0.0, 1.0, 2.0]),
        ("pixel_spacing_mm", 0.0), ("pixel_spacing_mm", -0.45), ("pixel_spacing_mm", float("nan")),
        ("hu_range", [3.0, 3.0]),
    ],
)  # fmt: skip
def test_an_attribute_that_makes_no_sense_is_refused_with_the_files_name(file, name, value):
    with h5py.File(file, "a") as opened:
        opened.attrs[name] = value

    with pytest.raises(BadInputError, match=r"segments\.h5"):
        hdf5.read(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hu", np.zeros((3, 64, 64), np.int16)), ("mask", np.zeros((2, 128, 128), np.uint8)),
        ("subject", np.arange(3)), ("seed", np.zeros(5, np.int64)), ("bone", np.zeros((3, 2))),
        ("hu", np.full((3, 128, 128), np.nan)), ("hu", np.zeros((3, 128, 128), "S3")),
        ("pixel_to_ras", np.zeros((3, 4, 4), "S3")), ("seed", np.full(3, 0.5)),
    ],
)  # fmt: skip
def test_a_part_of_another_shape_or_type_is_refused_with_the_files_name(file, name, value):
    with h5py.File(file, "a") as opened:
        del opened[name]
        opened[name] = value

    with pytest.raises(BadInputError, match=r"segments\.h5"):
        hdf5.read(file)


def test_a_group_in_place_of_a_dataset_is_refused(file):
    with h5py.File(file, "a") as opened:
        del opened["hu"]
        opened.create_group("hu")

    with pytest.raises(BadInputError, match=r"segments\.h5"):
        hdf5.read(file)
