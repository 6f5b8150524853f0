"""Names and sizes in zips, looked at before anything is unpacked."""

from __future__ import annotations

import zipfile

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils.safe_zip import checked_members, name_fault


@pytest.mark.parametrize(
    "name", ["/a", "~/a", "\\\\host\\a", "C:a", "c:\\a", "../a", "a/../../b", "a\\..\\..\\b", "..",
             "", "/", ".", "a\x00b", "a\nb", "http://x/a", "x" * 256, "a/" * 600]
)  # fmt: skip
def test_a_hostile_name_is_refused(name):
    assert name_fault(name)


@pytest.mark.parametrize("name", ["a", "a/b.dcm", "./a", "a..b", "Kopf ä/頭.nrrd", "a/.hidden"])
def test_a_plain_name_is_taken(name):
    assert name_fault(name) == ""


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", bytes(1000))
        with pytest.raises(BadInputError, match="unpacks to"):
            checked_members(path, archive, most_bytes=999)
        assert len(checked_members(path, archive, most_bytes=1000)) == 1
