"""The command export: a segment set in every format, and nothing replaced unasked."""

import numpy as np
import pytest
from commands import in_this_process
from examples import arches
from SkullGANLib.data import hdf5
from SkullGANLib.export import FORMATS


@pytest.fixture
def path(tmp_path):
    hdf5.write(tmp_path / "set.h5", arches(3))
    return tmp_path / "set.h5"


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if not one.reads_back])
def test_every_format_is_written_with_what_belongs_to_it(path, tmp_path, capsys, name):
    output = tmp_path / f"out{FORMATS[name].endings[0]}"
    assert in_this_process("export", path, "-o", output) == 0
    printed = capsys.readouterr().out
    for part, file in FORMATS[name].files(output).items():
        assert file.exists()
        assert f"{file}: {part}" in printed


def test_metrics_are_left_out_if_asked(path, tmp_path):
    assert in_this_process("export", path, "-o", tmp_path / "out.npy", "--no-metrics") == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out-mask.npy", "out.npy", "set.h5"]
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), arches(3).hu)


def test_what_is_there_is_replaced_only_if_asked(path, tmp_path, capsys):
    (tmp_path / "out-mask.npy").write_text("precious")
    assert in_this_process("export", path, "-o", tmp_path / "out.npy") == 1
    assert "out-mask.npy: is there already" in capsys.readouterr().err
    assert (tmp_path / "out-mask.npy").read_text() == "precious"
    assert in_this_process("export", path, "-o", tmp_path / "out.npy", "--overwrite") == 0


def test_a_segment_set_is_not_made_of_one(path, tmp_path, capsys):
    assert in_this_process("export", path, "-o", tmp_path / "other.h5") == 1
    assert "set.h5 is a segment set already, expected another" in capsys.readouterr().err
    assert not (tmp_path / "other.h5").exists()


def test_the_table_of_a_batch_is_never_replaced(path, tmp_path, capsys):
    table = tmp_path / "set.csv"
    table.write_text("ct,state,segments,subject\nhead.nrrd,done,3,A\n")
    before = table.read_bytes()
    assert in_this_process("export", path, "-o", tmp_path / "set.nrrd", "--overwrite") == 0
    assert table.read_bytes() == before
    (tmp_path / "set.metrics.csv").write_bytes(before)  # of a batch into set.metrics.h5
    assert in_this_process("export", path, "-o", tmp_path / "set.mat", "--overwrite") == 1
    assert "is the table of a batch, so it is not replaced" in capsys.readouterr().err
    assert (tmp_path / "set.metrics.csv").read_bytes() == before
    assert not (tmp_path / "set.mat").exists()


def test_all_formats_of_one_set_go_side_by_side_and_another_set_is_told_apart(
    path, tmp_path, capsys
):
    for one in FORMATS.values():
        if not one.reads_back:
            assert in_this_process("export", path, "-o", tmp_path / f"set{one.endings[0]}") == 0
    hdf5.write(tmp_path / "other.h5", arches(4))
    (tmp_path / "set.mat").unlink()
    assert in_this_process("export", tmp_path / "other.h5", "-o", tmp_path / "set.mat") == 1
    assert "set.metrics.csv: is there already, of other segments" in capsys.readouterr().err
    assert not (tmp_path / "set.mat").exists()


@pytest.mark.parametrize(
    ("output", "said"),
    [("/dev/full/x.nrrd", "cannot be written"), (f"{'x' * 245}.nrrd", "expected at most 255")],
)
def test_what_cannot_be_written_is_said_before_anything_is(path, tmp_path, capsys, output, said):
    assert in_this_process("export", path, "-o", tmp_path / output) == 1
    assert said in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["set.h5"]
