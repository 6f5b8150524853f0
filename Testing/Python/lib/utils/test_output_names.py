"""Names of files that could not be written in the end are refused before the work begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils.output_names import check_names, format_of

FORMATS = {"surface": (".vtp",), "overlay": (".nrrd", ".nii.gz")}


def test_the_ending_says_the_format_in_any_case():
    assert format_of(Path("head.NII.gz"), FORMATS) == "overlay"
    assert format_of(Path("head.vtp"), FORMATS) == "surface"


def test_another_ending_is_refused_with_those_that_are_known():
    with pytest.raises(BadInputError, match=r"a\.stl.*expected one of \.vtp, \.nrrd, \.nii\.gz"):
        format_of(Path("a.stl"), FORMATS)


def test_a_file_that_is_there_is_refused_unless_it_may_be_overwritten(tmp_path):
    there = tmp_path / "map.vtp"
    there.touch()
    with pytest.raises(BadInputError, match=r"map\.vtp: is there already"):
        check_names([there], FORMATS)
    check_names([there], FORMATS, overwrite=True)


def test_a_file_named_twice_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="was named twice"):
        check_names([tmp_path / "a.vtp", tmp_path / "a.vtp"], FORMATS)
