"""Files of media are read back, and grids that are too large are refused before they are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from SkullGANLib.acoustics import CONVENTIONS
from SkullGANLib.errors import BadInputError
from SkullGANLib.export import media_files


@pytest.mark.parametrize("name", ["a.h5", "a.mat", "a.npz"])
def test_what_is_no_file_of_media_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind" * 40)
    with pytest.raises(BadInputError, match="cannot be read as acoustic media"):
        media_files.read_notes(tmp_path / name)
    with pytest.raises(BadInputError, match="cannot be read as acoustic media"):
        media_files.read_notes(tmp_path / f"missing-{name}")


def test_a_grid_beyond_memory_is_refused_with_need_and_have(monkeypatch):
    media_files.check_memory(Path("head.nrrd"), 1000, 64)
    monkeypatch.setattr(media_files, "available_bytes", lambda: 2**30)
    with pytest.raises(
        BadInputError,
        match=r"head\.nrrd: a grid of 134 million points needs about 8\.0 GiB .* 1\.0 are free",
    ):
        media_files.check_memory(Path("head.nrrd"), 2**27, 64)
    monkeypatch.setattr(media_files, "available_bytes", lambda: None)
    media_files.check_memory(Path("head.nrrd"), 2**40, 64)


def test_soft_kernels_are_refused_by_conventions_made_for_sharp_ones():
    media_files.check_kernels(Path("a"), CONVENTIONS["k-plan"], ("SOFT",))
    with pytest.raises(BadInputError, match=r"pichardo holds for sharp .* kernels, found STANDARD"):
        media_files.check_kernels(Path("a"), CONVENTIONS["pichardo"], ("BONE", "STANDARD"))
