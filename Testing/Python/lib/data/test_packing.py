"""Packing: chunks are what HDF5's own filters make, whichever packer makes them."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from numbered_sets import assert_same, make_set
from SkullGANLib.data import hdf5, packing
from SkullGANLib.data.packing import CHUNK, chosen_packer, pack, packers, unpack

NAMES = tuple(packers())


def noise(count: int) -> tuple[np.ndarray, np.ndarray]:
    hu = np.random.default_rng(count).integers(-999, 2999, (count, 128, 128), np.int16)
    return hu, (hu > 0).astype(np.uint8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, CHUNK])
def test_packing_and_unpacking_gives_the_pixels_and_zeros_up_to_a_chunk(name, count):
    hu, mask = noise(count)
    back_hu, back_mask = unpack(pack(hu, mask, chosen_packer(name)))
    for back, pixels in ((back_hu, hu), (back_mask, mask)):
        assert len(back) == CHUNK
        np.testing.assert_array_equal(back[:count], pixels)
        assert not back[count:].any()


@pytest.mark.parametrize("name", NAMES)
def test_hdf5_reads_the_packing_of_every_packer_by_its_own_filters(name, tmp_path, monkeypatch):
    only = {name: packers()[name]}
    monkeypatch.setattr(packing, "packers", lambda: only)
    whole = make_set(2 * CHUNK + 3)
    hdf5.write(tmp_path / "set.h5", whole)

    with h5py.File(tmp_path / "set.h5") as file:
        np.testing.assert_array_equal(file["hu"][...], whole.hu)
        np.testing.assert_array_equal(file["mask"][...], whole.mask)
        assert file["hu"].chunks == (CHUNK, 128, 128)
        assert (file["hu"].compression, file["hu"].shuffle) == ("gzip", True)
        assert file.attrs["packer"] == name


def test_zlib_is_always_there_and_a_packing_that_is_not_installed_gives_way():
    assert NAMES[-1] == "zlib 1"
    assert chosen_packer("zlib 1").name == "zlib 1"
    assert chosen_packer("lost 9") == chosen_packer() == packers()[NAMES[0]]


def test_a_file_goes_on_with_the_packing_it_began_with_to_the_same_bytes(tmp_path, monkeypatch):
    whole, zlib = make_set(3 * CHUNK + 5), {"zlib 1": packers()["zlib 1"]}
    with monkeypatch.context() as without_ng:
        without_ng.setattr(packing, "packers", lambda: zlib)
        hdf5.write(tmp_path / "whole.h5", whole)
        hdf5.write(tmp_path / "begun.h5", whole[: CHUNK + 7])

    hdf5.append(tmp_path / "begun.h5", whole[CHUNK + 7 :])

    assert (tmp_path / "begun.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


@pytest.mark.skipif(len(NAMES) == 1, reason="zlib-ng is not installed")
def test_a_file_whose_packing_is_not_installed_is_packed_anew_and_says_so(tmp_path, monkeypatch):
    whole = make_set(2 * CHUNK + 5)
    hdf5.write(tmp_path / "begun.h5", whole[: CHUNK + 2])
    zlib = {"zlib 1": packers()["zlib 1"]}
    monkeypatch.setattr(packing, "packers", lambda: zlib)

    hdf5.append(tmp_path / "begun.h5", whole[CHUNK + 2 :])
    hdf5.write(tmp_path / "whole.h5", whole)

    assert (tmp_path / "begun.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    with h5py.File(tmp_path / "begun.h5") as file:
        assert file.attrs["packer"] == "zlib 1"


def test_a_file_of_the_packing_of_earlier_versions_is_continued_in_chunks(tmp_path):
    whole, path = make_set(CHUNK + 5), tmp_path / "set.h5"
    hdf5.write(path, whole[: CHUNK + 1])
    with h5py.File(path, "a") as file:
        del file.attrs["packer"]
        for name in ("hu", "mask"):
            pixels = file[name][...]
            del file[name]
            file.create_dataset(
                name, data=pixels, chunks=(1, 128, 128), maxshape=(None, 128, 128),
                compression="gzip", compression_opts=4, shuffle=True,
            )  # fmt: skip
    assert_same(hdf5.read(path), whole[: CHUNK + 1])

    hdf5.append(path, whole[CHUNK + 1 :])
    hdf5.write(tmp_path / "whole.h5", whole)

    assert path.read_bytes() == (tmp_path / "whole.h5").read_bytes()
