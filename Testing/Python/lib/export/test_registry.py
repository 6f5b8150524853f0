"""Formats are chosen by names, and added in one place."""

from dataclasses import replace
from pathlib import Path

import pytest
from exported_sets import make_set
from SkullGANLib import cli
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.export import (
    FORMATS,
    Format,
    SegmentStack,
    check,
    format_of,
    registered,
    write,
)
from SkullGANLib.utils.atomic_files import written_aside


@pytest.mark.parametrize(
    ("name", "format", "sentence"),
    [
        (
            "g.xyz",
            None,
            r"g\.xyz: expected a name that ends in \.h5, .* format of a folder",
        ),
        ("g.h5", "hdf", "the format 'hdf' is unknown, expected one of h5, nrrd"),
        ("g.nrrd", "nifti", r"g\.nrrd: expected a name that ends in \.nii\.gz or \.nii"),
        ("folder", "npy", r"folder: expected a name that ends in \.npy"),
    ],
)
def test_a_name_that_does_not_fit_its_format_is_refused(tmp_path, name, format, sentence):
    with pytest.raises(BadInputError, match=sentence):
        write(tmp_path / name, [make_set(1)], format)


def write_subjects(stack: SegmentStack, path: Path) -> None:
    lines = (f"{number}\n" for batch in stack.batches() for number in batch.seed)
    with written_aside(path) as temporary:
        temporary.write_text("".join(lines))


TOY = Format(
    name="toy",
    title="Toy",
    endings=(".toy",),
    description="a seed a line",
    write=write_subjects,
    mask_ending="-mask.toy",
    most_segments=30,
    most_reason="it is a toy",
)


def test_one_place_is_enough_to_add_a_format(tmp_path, capsys):
    """Its record stands for the command's help and choices, names, limits and files."""
    with registered(TOY):
        with pytest.raises(SystemExit):
            cli.main(["export", "--help"])
        told = " ".join(capsys.readouterr().out.split())
        assert ", .toy)" in told
        assert "toy: a seed a line" in told
        write(tmp_path / "set.toy", [make_set(2)])
        assert (tmp_path / "set.toy").read_text() == "100\n101\n"
        hdf5.write(tmp_path / "set.h5", make_set(3))
        arguments = ["export", tmp_path / "set.h5", "-o", tmp_path / "other.toy", "--no-metrics"]
        assert cli.main([str(one) for one in arguments]) == 0
        assert (tmp_path / "other.toy").read_text() == "100\n101\n102\n"
        assert format_of("A.TOY") is TOY
        assert TOY.files("a.toy")["mask"] == Path("a-mask.toy")
        with pytest.raises(BadInputError, match=r"at most 30 go into this format \(it is a toy\)"):
            check("a.toy", TOY, 31)

    assert "toy" not in FORMATS
    with pytest.raises(BadInputError, match=r"a\.toy: expected a name that ends in"):
        format_of("a.toy")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "nrrd"}, "Format 'nrrd' exists, expected a new name"),
        ({"endings": (".x", ".nii")}, r"'toy' has the ending \.nii of format 'nifti'"),
    ],
)
def test_two_formats_of_one_name_or_ending_are_refused(changes, sentence):
    with pytest.raises(BadInputError, match=sentence), registered(replace(TOY, **changes)):
        pass


@pytest.mark.parametrize("format", FORMATS.values(), ids=lambda one: one.name)
def test_each_format_is_described_and_fits_its_own_endings(format):
    assert format.description
    assert all(format_of(f"a{ending}") is format for ending in format.endings)
    assert format.is_folder == bool(format.folder_names)
