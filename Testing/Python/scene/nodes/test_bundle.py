"""Bundles of scenes from anywhere: nothing gets out of their folder, or in from elsewhere."""

from __future__ import annotations

import io
import stat
import zipfile

import numpy as np
import pytest
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes import bundle, mrb, volumes

_NRRD = b"NRRD0004\ntype: short\n"
_SCENE = '<MRML version="slicer-core 4.0.0 0" userTags="">{nodes}</MRML>'
_STORAGE = '<VolumeArchetypeStorage id="vtkMRMLVolumeArchetypeStorageNode1" {attribute}/>'


def _zip(path, members):
    """A zip of members by name; one that is a pair has its external attributes second."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            if isinstance(content, tuple):
                content, info.external_attr = content
            archive.writestr(info, content)
    return path


def _bundle(path, nodes="", members=()):
    return _zip(path, [("scene/scene.mrml", _SCENE.format(nodes=nodes)), *members])


def _link(to):
    return to, (stat.S_IFLNK | 0o777) << 16


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("{outside}/absolute.txt", "x")], "is an absolute name"),
        ([("../escaped.txt", "x")], "leads out of the folder"),
        ([("scene/Data/../../../../escaped.txt", "x")], "leads out of the folder"),
        ([("..\\escaped.txt", "x")], "leads out of the folder"),
        ([("C:\\escaped.txt", "x")], "is an absolute name"),
        ([("scene/link", _link("{outside}/linked.txt"))], "is a link"),
        ([("scene/folder", _link("{outside}")), ("scene/folder/through.txt", "x")], "is a link"),
        ([("scene/twice.txt", "x"), ("scene/TWICE.txt", "y")], "is there twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_hostile_scene_writes_nothing_outside_its_folder(scene, tmp_path, members, said):
    outside = tmp_path / "outside"
    outside.mkdir()
    path = tmp_path / "room" / "evil.mrb"
    path.parent.mkdir()
    placed = [
        (
            name.format(outside=outside),
            (content[0].format(outside=outside), content[1])
            if isinstance(content, tuple)
            else content,
        )
        for name, content in members
    ]
    _bundle(path, members=placed)
    volumes.add_ct(scene, _ct(), "Mine")
    with pytest.raises(BadInputError, match=said):
        mrb.open_bundle(scene, path)
    assert list(outside.iterdir()) == []
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["evil.mrb", "outside", "room"]
    assert scene.GetFirstNodeByName("Mine") is not None


def test_a_hostile_bundle_in_a_bundle_is_refused_likewise(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("s/s.mrml", _SCENE.format(nodes=""))
        archive.writestr("../../escaped.txt", "x")
    path = _bundle(tmp_path / "evil.mrb", members=[("scene/Data/a.seq.mrb", inner.getvalue())])
    with pytest.raises(BadInputError, match=r"a\.seq\.mrb.*leads out of the folder"):
        bundle.clean_copy(path, tmp_path / "copy.mrb")


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ('fileName="/etc/passwd"', "is an absolute name"),
        ('fileName="%2Fetc%2Fpasswd"', "is an absolute name"),
        ('fileName="~/secret.nrrd"', "is an absolute name"),
        ('fileName="Data/../../../secret.nrrd"', "leads out of the folder"),
        ('fileListMember1="..%2F..%2Fsecret.nrrd"', "leads out of the folder"),
        ('uri="http://example.org/head.nrrd"', "is an address"),
        ('fileName="file:///etc/passwd"', "is an absolute name"),
    ],
)
def test_a_hostile_scene_that_reads_files_from_elsewhere_is_refused(tmp_path, attribute, said):
    path = _bundle(tmp_path / "evil.mrb", _STORAGE.format(attribute=attribute))
    with pytest.raises(BadInputError, match=said):
        bundle.clean_copy(path, tmp_path / "copy.mrb")


def test_a_hostile_scene_with_entities_is_refused(tmp_path):
    text = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + _SCENE.format(nodes="")
    path = _zip(tmp_path / "evil.mrb", [("scene/scene.mrml", text)])
    with pytest.raises(BadInputError, match="document type"):
        bundle.clean_copy(path, tmp_path / "copy.mrb")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.nrrd",
            b"NRRD0004\ntype: short\ndimension: 3\nsizes: 9 9 9\nencoding: raw\n\n12",
            "trunc",
        ),
        (
            "a.seg.nrrd",
            b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 900 900 900\nencoding: gzip\n\n12",
            "truncated or claims too much",
        ),
        (
            "a.nrrd",
            b"NRRD0004\ntype: short\ndimension: 99\nsizes: 1\nencoding: raw\n\n12",
            "99 dim",
        ),
        (
            "a.nhdr",
            b"NRRD0004\ntype: short\ndimension: 1\nsizes: 1\nencoding: raw\n"
            b"data file: ../../../etc/passwd\n\n",
            "leads out of the folder",
        ),
        (
            "a.mha",
            b"ObjectType = Image\nNDims = 99\nDimSize = 1\nElementDataFile = LOCAL\n",
            "99 dim",
        ),
    ],
)
def test_hostile_images_in_a_scene_are_refused_before_mrml_reads_them(
    tmp_path, name, content, said
):
    path = _bundle(tmp_path / "evil.mrb", members=[(f"scene/Data/{name}", content)])
    with pytest.raises(BadInputError, match=said):
        bundle.clean_copy(path, tmp_path / "copy.mrb")


def test_a_bundle_whose_two_headers_of_a_file_differ_is_copied_by_the_one_that_was_looked_at(
    tmp_path,
):
    path = _bundle(tmp_path / "evil.mrb", members=[("scene/Data/aaaaaaaaaa.txt", "x")])
    # Libraries that believe the header before the data see another name.
    content = path.read_bytes().replace(
        b"scene/Data/aaaaaaaaaa.txt", b"../../../../../escaped.tx", 1
    )
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="damaged or something else"):
        bundle.clean_copy(path, tmp_path / "copy.mrb")


def test_a_hostile_bundle_that_claims_more_than_it_can_hold_is_refused(tmp_path):
    path = _bundle(tmp_path / "bomb.mrb")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scene/Data/zeros.txt", bytes(2_000_000))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"scene/Data/zeros.txt") - 46 + 24
    content[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="more than can be packed"):
        bundle.clean_copy(path, tmp_path / "copy.mrb")


def _ct() -> HeadCT:
    return HeadCT(np.zeros((3, 4, 5), np.int16), np.eye(4))
