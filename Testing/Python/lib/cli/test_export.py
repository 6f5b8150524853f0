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


def test_acoustic_media_are_written_as_asked_with_their_warnings(path, tmp_path, capsys):
    command = ["export", path, "-o", tmp_path / "media.npz", "--format", "acoustic"]
    options = ["--medium", "k-wave", "--points-per-wavelength", "8", "--inside", "brain"]
    assert in_this_process(*command, *options, "--frequency-khz", "250") == 0
    said = capsys.readouterr()
    assert "media.npz: segments" in said.out
    assert "media.metrics.csv: metrics" in said.out
    assert "WARNING: PRESTUS caps the density" in said.err
    archive = np.load(tmp_path / "media.npz")
    assert archive["density"].shape == (3, 128, 128)  # 0.45 mm is finer than 0.75
    assert archive["density"][0, -1, 0] == pytest.approx(1046)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-o", "{}/a.nrrd", "--medium", "k-wave"], "--medium was given for the format nrrd"),
        (["-o", "{}/a.npy", "--grid-mm", "0.2"], "--grid-mm was given for the format npy"),
        (["-o", "{}/set.h5", "--format", "acoustic", "--overwrite"], "is what is read"),
        (["-o", "{}/a.npy", "--skull-mask", "m.nrrd"], "--skull-mask was given for segments"),
        (
            ["-o", "{}/a.h5", "--format", "acoustic", "--medium", "pichardo", "--frequency-khz",
             "900"],
            "pichardo holds for 270 to 836 kHz, found 900 kHz",
        ),
        (["-o", "{}/a.npz", "--format", "acoustic", "--grid-mm", "0.9"], "grid of 0.9 mm was"),
    ],
)  # fmt: skip
def test_options_of_media_that_make_no_sense_are_refused(
    path, tmp_path, capsys, arguments, sentence
):
    given = [one.format(tmp_path) for one in arguments]
    assert in_this_process("export", path, *given) == 1
    assert sentence in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["set.h5"]


def test_a_cts_calvaria_is_written_as_a_medium(coarse_head, tmp_path, capsys):
    from SkullGANLib.ct.volume import write_volume

    write_volume(tmp_path / "head.nrrd", coarse_head.hu, coarse_head.ijk_to_ras)
    mask = np.zeros(coarse_head.hu.shape, np.uint8)
    mask[20:24, 30:60, 30:60] = 1
    write_volume(tmp_path / "mask.nrrd", mask, coarse_head.ijk_to_ras)
    command = ["export", tmp_path / "head.nrrd", "-o", tmp_path / "head.h5", "--format", "acoustic"]
    assert in_this_process(*command, "--skull-mask", tmp_path / "mask.nrrd") == 0
    assert "calvaria of" in capsys.readouterr().out
    assert in_this_process(*command) == 1
    assert "is there already" in capsys.readouterr().err
    assert in_this_process("export", tmp_path / "head.nrrd", "-o", tmp_path / "a.npy") == 1


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
