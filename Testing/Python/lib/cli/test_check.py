"""``skullgan check``: what it found on the terminal, as JSON and as a picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
from commands import in_this_process
from examples import bent_walls
from PIL import Image
from SkullGANLib import cli
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.training.command import TrainCommand

SUBJECTS = ["A"] * 6 + ["B"] * 3 + ["C"]


@pytest.fixture(scope="module")
def set_path(tmp_path_factory):
    """Ten segments of three subjects, left and right temporal bone in turn."""
    path = tmp_path_factory.mktemp("sets") / "drei köpfe.h5"
    hu = np.zeros((10, 128, 128), np.int16)
    hu[:, 10:22] = 1600
    segments = segment_set.without_patient(hu, hu > 0, np.full(10, -1), kind="real")
    texts = {"subject": SUBJECTS, "bone": ["temporal"] * 10, "side": ["left", "right"] * 5}
    for name, values in texts.items():
        object.__setattr__(segments, name, np.array(values))
    hdf5.write(path, segments)
    return path


def test_the_command_writes_what_it_found_and_a_picture(set_path, tmp_path, capsys):
    command = TrainCommand((str(set_path),), "unused", recipe="demo", device="cpu")
    there, sheet = tmp_path / "found.json", tmp_path / "sheet.png"
    assert cli.main(command.check_arguments(there, sheet)) == 0
    printed = capsys.readouterr().out
    assert "10 real segments of 3 subjects" in printed
    assert "Held out: " in printed
    assert "cpu: CPU" in printed
    found = json.loads(there.read_text(encoding="utf-8"))
    assert found["sets"][0]["summary"].startswith("10 real segments")
    assert found["need_bytes"] > 0
    assert Image.open(sheet).size[0] > 6 * 128


def test_the_command_fails_with_the_problem_and_writes_it_all_the_same(set_path, tmp_path, capsys):
    there = tmp_path / "found.json"
    arguments = ["check", str(set_path), "--recipe", "demo", "--device", "cuda:99"]
    assert cli.main([*arguments, "--json", str(there)]) == 1
    assert "'cuda:99'" in capsys.readouterr().err
    assert "'cuda:99'" in json.loads(there.read_text(encoding="utf-8"))["problem"]


def test_the_run_directory_may_be_named_and_is_not_made(tmp_path, capsys):
    hdf5.write(tmp_path / "set.h5", bent_walls(12, 0))
    arguments = ["check", tmp_path / "set.h5", "--recipe", "demo", "--device", "cpu"]
    assert in_this_process(*arguments, "-o", tmp_path / "run") == 0
    assert not (tmp_path / "run").exists()
    said = capsys.readouterr()
    assert "WARNING: There are 12 segments" in said.out
    (tmp_path / "run").mkdir()
    assert in_this_process(*arguments, "-o", tmp_path / "run") == 1
    assert "is there already" in capsys.readouterr().err
