"""skullgan evaluate, run as users run it."""

from __future__ import annotations

import pytest
from examples import bent_walls as walls
from SkullGANLib import cli
from SkullGANLib.data import hdf5, segment_set


def test_the_command_warns_loudly_and_reports_on_few_segments_of_larger_sets(tmp_path, capsys):
    train = walls(6, 0)
    hdf5.write(tmp_path / "train.h5", train)
    hdf5.write(tmp_path / "test.h5", segment_set.concatenate([train[:1], walls(6, 1)]))
    given = ["--train", str(tmp_path / "train.h5"), "--test", str(tmp_path / "test.h5")]
    command = ["evaluate", *given, "-o", str(tmp_path / "report"), "--most", "3"]

    assert cli.main(command) == 0

    assert "WARNING: TRAINING AND TEST SHARE 1 SUBJECT" in capsys.readouterr().err
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "TRAINING AND TEST SHARE 1 SUBJECT" in page
    assert "3 of 7 of test" in page
    assert "There is no synthetic set" in page
    assert cli.main([*command, "--overwrite", "--model", str(tmp_path / "train.h5")]) == 1
    assert "train.h5" in capsys.readouterr().err
    assert (tmp_path / "report" / "report.html").read_text("utf-8") == page


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "No segment set was given: expected --synthetic and --test"),
        (["--test", "{sets}", "--seed", "-1"], "--seed is -1: expected 0 or more"),
        (["--test", "{sets}", "--run", "{folder}"], "{folder}"),
        (["--test", "{sets}", "--most", "0"], "0 segments of each set cannot be compared"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_before_anything_is_written(
    tmp_path, capsys, arguments, sentence
):
    hdf5.write(tmp_path / "test.h5", walls(3, 0))
    (tmp_path / "empty").mkdir()
    names = {"sets": tmp_path / "test.h5", "folder": tmp_path / "empty"}
    given = [one.format(**names) for one in arguments]
    assert cli.main(["evaluate", *given, "-o", str(tmp_path / "report")]) == cli.FAILED
    assert sentence.format(**names) in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
