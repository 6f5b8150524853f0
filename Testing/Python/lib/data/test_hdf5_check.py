"""Segment sets from anywhere: no other file is read through them, and no claim is believed."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from examples import arches
from SkullGANLib.data import hdf5, hdf5_check
from SkullGANLib.errors import BadInputError


@pytest.fixture
def path(tmp_path):
    """A sound set, as it comes from elsewhere: this process did not write it."""
    hdf5.write(tmp_path / "whole.h5", arches(3))
    (tmp_path / "set.h5").write_bytes((tmp_path / "whole.h5").read_bytes())
    return tmp_path / "set.h5"


def refused(path) -> str:
    with pytest.raises(BadInputError) as caught:
        hdf5.read(path)
    return str(caught.value)


def test_a_sound_set_from_elsewhere_is_read(path):
    assert len(hdf5.read(path)) == 3


def test_a_hostile_set_with_external_storage_is_refused(path, tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"secret!!" * 12)
    with h5py.File(path, "r+") as file:
        del file["pixel_to_ras"]
        file.create_dataset(
            "pixel_to_ras", (3, 4, 4), "f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)]
        )
    assert "lies in another file (external storage)" in refused(path)


@pytest.mark.parametrize("name", ["hu", "seed", "subject", "ct"])
def test_a_hostile_set_with_links_is_refused(path, tmp_path, name):
    other = path.with_name("whole.h5")
    for link in (h5py.ExternalLink(str(other), f"/{name}"), h5py.SoftLink("/elsewhere")):
        with h5py.File(path, "r+") as file:
            if f"kept_{name}" not in file:
                file.move(name, f"kept_{name}")
            else:
                del file[name]
            file[name] = link
        assert f"{name} is a link to elsewhere" in refused(path)


def test_a_hostile_set_with_a_virtual_dataset_is_refused(path):
    layout = h5py.VirtualLayout((3, 128, 128), "u1")
    layout[:] = h5py.VirtualSource(str(path.with_name("whole.h5")), "mask", (3, 128, 128))
    with h5py.File(path, "r+") as file:
        del file["mask"]
        file.create_virtual_dataset("mask", layout)
    assert "virtual dataset" in refused(path)


def test_a_hostile_set_that_claims_segments_which_it_lacks_is_refused(path):
    count = 400_000
    with h5py.File(path, "r+") as file:
        for name in list(file):
            kept = file[name]
            shape, dtype = (count, *kept.shape[1:]), kept.dtype
            del file[name]
            file.create_dataset(name, shape, dtype, chunks=(1, *shape[1:]), fillvalue=None)
    assert "that the file does not hold" in refused(path) or "pieces that it claims" in refused(
        path
    )
    with h5py.File(path, "r+") as file:
        for name in list(file):
            shape, dtype = file[name].shape, file[name].dtype
            del file[name]
            file.create_dataset(name, shape, dtype)
    assert "values that the file does not hold" in refused(path)


def test_a_hostile_set_that_makes_its_reader_loop_or_crash_is_a_sentence(path):
    """B-tree nodes of a group that are each other's children and siblings."""
    content = bytearray(path.read_bytes())
    for at in _places(content, b"TREE"):
        content[at + 8 : at + 24] = at.to_bytes(8, "little") * 2  # its own left and right sibling
        content[at + 32 : at + 40] = at.to_bytes(8, "little")  # and child
    path.write_bytes(content)
    assert "set.h5" in refused(path)


def test_a_hostile_source_is_a_sentence(path):
    with h5py.File(path, "r+") as file:
        file.attrs["source"] = "[" * 50_000
    assert "nested too deeply" in refused(path)


def test_a_file_is_gone_through_once_and_again_when_it_changed(path, monkeypatch):
    asked = []
    monkeypatch.setattr(hdf5_check, "read_apart", lambda *_, **named: asked.append(named["where"]))
    for _ in range(3):
        hdf5.count(path)
    assert asked == [path]
    with h5py.File(path, "r+") as file:
        file["seed"][0] = 5
    hdf5.count(path)
    assert asked == [path, path]
    assert np.array_equal(hdf5.read(path.with_name("whole.h5")).hu, arches(3).hu)
    assert len(asked) == 2


def _places(content: bytes, mark: bytes) -> list[int]:
    places, at = [], content.find(mark)
    while at >= 0:
        places.append(at)
        at = content.find(mark, at + 1)
    return places
