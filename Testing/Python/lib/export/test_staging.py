"""Outputs of several files come to be together or not at all."""

import gzip
import io

import pytest
from SkullGANLib.errors import OutputError
from SkullGANLib.export.staging import gzipped, neighboring_folder, staged_folder, staged_pair


def test_a_folder_takes_its_place_when_it_is_whole(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()

    with staged_folder(tmp_path / "out") as folder:
        (folder / "new").touch()
        assert [one.name for one in (tmp_path / "out").iterdir()] == ["old"]

    assert [one.name for one in tmp_path.rglob("*")] == ["out", "new"]


def test_a_folder_that_fails_leaves_the_one_that_was_there(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()

    def interrupted() -> None:
        with staged_folder(tmp_path / "out") as folder:
            (folder / "new").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [one.name for one in tmp_path.rglob("*")] == ["out", "old"]


def test_a_folder_where_a_file_is_in_the_way_is_named(tmp_path):
    (tmp_path / "taken").touch()

    for make in (staged_folder, neighboring_folder):
        with (
            pytest.raises(OutputError, match="out: cannot be written"),
            make(tmp_path / "taken" / "out"),
        ):
            pass


def test_of_hu_and_masks_neither_is_there_if_one_fails(tmp_path):
    files = {"segments": tmp_path / "hu.npy", "mask": tmp_path / "mask.npy"}

    def interrupted() -> None:
        with staged_pair(files) as (hu, mask):
            mask.touch()
            hu.touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []

    with staged_pair(files) as (hu, mask):
        hu.write_text("hu")
        mask.write_text("mask")
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {
        "hu.npy": "hu",
        "mask.npy": "mask",
    }


def test_packed_bytes_hold_no_time():
    packed = []
    for _ in range(2):
        file = io.BytesIO()
        with gzipped(file) as writer:
            writer.write(b"HU" * 100)
        packed.append(file.getvalue())

    assert gzip.decompress(packed[0]) == b"HU" * 100
    assert packed[0] == packed[1]
    assert packed[0][4:8] == bytes(4)
