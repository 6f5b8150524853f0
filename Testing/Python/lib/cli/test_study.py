"""The command for reader studies."""

from __future__ import annotations

import json

import pytest
from examples import straight_walls
from SkullGANLib import cli
from SkullGANLib.data import hdf5


@pytest.fixture
def sets(tmp_path):
    from dataclasses import replace

    hdf5.write(tmp_path / "real.h5", replace(straight_walls(5, 0), kind="real"))
    hdf5.write(tmp_path / "made.h5", straight_walls(5, 1))
    return ["--real", str(tmp_path / "real.h5"), "--synthetic", str(tmp_path / "made.h5")]


def test_a_study_is_made_answered_and_scored(tmp_path, sets, capsys):
    folder = tmp_path / "study"
    assert cli.main(["study", *sets, "-n", "4", "-o", str(folder), "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert "study.html: 8 segments for readers" in out
    assert "key.json: the truth; keep it from readers" in out

    key = json.loads((folder / "key.json").read_text())
    answers = {one["name"]: {"answer": "synthetic", "confidence": 1} for one in key["cases"]}
    answers |= {key["cases"][0]["name"]: {"answer": "unsure", "confidence": 0}}
    text = {
        "format": "skullgan-study-answers",
        "format_version": 1,
        "study": key["study"],
        "reader": "Dr. A",
        "answers": answers,
    }
    (folder / "answers" / "a.json").write_text(json.dumps(text))
    assert cli.main(["study", "--score", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "Dr. A: 8 of 8 answered, right in 44 %" in out
    assert "Can readers tell them apart? As far as these answers can show, no." in out
    assert (folder / "scores.json").exists()
    assert (folder / "cases.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-o", "x"], "lacks --real, --synthetic: expected"),
        (["--score", "x", "-o", "y"], "--score was given with --output"),
        (["--score", "nothing"], "key.json: cannot be read"),
    ],
)
def test_a_command_that_asks_for_neither_is_refused(arguments, sentence, capsys):
    assert cli.main(["study", *arguments]) == 1
    assert sentence in capsys.readouterr().err


def test_a_study_that_is_there_is_not_replaced_unasked(tmp_path, sets, capsys):
    command = ["study", *sets, "-n", "2", "-o", str(tmp_path / "study")]
    assert cli.main(command) == 0
    assert cli.main([*command, "--seed", "1"]) == 1
    assert "holds a study already" in capsys.readouterr().err
    assert cli.main([*command, "--seed", "1", "--overwrite"]) == 0
    assert cli.main([*command, "--answers", "a.json"]) == 1
    assert "has --answers without --score" in capsys.readouterr().err
