"""Headers of images held against their files: what claims too much is refused before it is read."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from dicom_files import GEOMETRY, HEAD
from SkullGANLib.ct.image_limits import check_image
from SkullGANLib.ct.volume import read_ct, write_volume
from SkullGANLib.errors import BadInputError


def refused(name: str, content: bytes) -> str:
    with pytest.raises(BadInputError) as caught:
        check_image(name, name, io.BytesIO(content), len(content))
    return str(caught.value)


def nrrd(**fields) -> bytes:
    known = {"type": "short", "dimension": 3, "sizes": "2 2 2", "encoding": "raw"} | fields
    lines = "".join(f"{name}: {value}\n" for name, value in known.items())
    return b"NRRD0004\n" + lines.encode() + b"\n" + bytes(16)


def nifti(dim=(3, 2, 2, 2, 1, 1, 1, 1), bits=16, offset=352.0, extension=b"") -> bytes:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, *dim)
    struct.pack_into("<hh", header, 70, 4, bits)
    struct.pack_into("<f", header, 108, offset)
    header[344:348] = b"n+1\0"
    header[348] = bool(extension)
    return bytes(header) + extension + bytes(16)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sizes": "900 900 900"}, "truncated or claims too much"),
        ({"sizes": "90000 90000 90000"}, "GiB, expected at most"),
        ({"sizes": "9000 9000 9", "encoding": "gzip"}, "truncated or claims too much"),
        ({"sizes": "0 2 2"}, "expected whole numbers above 0"),
        ({"sizes": "2 2 -2"}, "expected whole numbers above 0"),
        ({"sizes": "2 2"}, "3 dimensions and 2 sizes"),
        ({"dimension": 99}, "99 dimensions"),
        ({"dimension": "9" * 500}, "dimensions"),
        ({"content": "x" * 5000}, "a line of 5,009 characters"),
        ({"type": "block"}, "expected a number's"),
        ({"encoding": "bzip2"}, "expected raw, gzip or text"),
        ({"data file": "/etc/passwd"}, "is an absolute name"),
        ({"data file": "LIST"}, "several data files"),
    ],
)
def test_a_hostile_nrrd_header_is_refused_before_its_voxels_are_read(fields, said):
    assert said in refused("a.nrrd", nrrd(**fields))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dim": (200, 2, 2, 2, 1, 1, 1, 1)}, "200 dimensions"),
        ({"dim": (3, 900, 900, 900, 1, 1, 1, 1)}, "truncated or claims too much"),
        ({"dim": (3, -2, 2, 2, 1, 1, 1, 1)}, "expected whole numbers above 0"),
        ({"bits": 7}, "7 bits a voxel"),
        ({"offset": float("nan")}, "vox_offset"),
        ({"offset": 1e30}, "vox_offset"),
        ({"extension": struct.pack("<ii", -16, 0) + bytes(24), "offset": 384.0}, "an extension of"),
    ],
)
def test_a_hostile_nifti_header_is_refused_before_its_voxels_are_read(changes, said):
    assert said in refused("a.nii", nifti(**changes))


def test_a_hostile_packed_metaimage_that_keeps_metaio_busy_is_refused(tmp_path):
    path = tmp_path / "a.mha"
    write_volume(path, HEAD, GEOMETRY)
    whole = path.read_bytes()
    begins = whole.index(b"ElementDataFile = LOCAL\n") + 24
    for damaged in (whole[: begins + 400], whole[:begins] + bytes(len(whole) - begins)):
        path.write_bytes(damaged)
        with pytest.raises(BadInputError, match=r"a\.mha: cannot be read: it"):
            read_ct(path)
    path.write_bytes(whole)
    assert np.array_equal(read_ct(path).hu, HEAD)


def test_sound_headers_of_every_format_are_taken(tmp_path):
    for name in ("a.nrrd", "a.nii", "a.nii.gz", "a.mha"):
        write_volume(tmp_path / name, HEAD, GEOMETRY)
        with open(tmp_path / name, "rb") as file:
            claim = check_image(name, name, file, (tmp_path / name).stat().st_size)
        assert claim.data_bytes == HEAD.nbytes
