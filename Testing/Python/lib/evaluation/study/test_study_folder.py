"""A study's folder: what is given away, what is kept, and what comes back."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.study.study_folder import (
    ANSWERS,
    KEY,
    PAGE,
    read_key,
    score_folder,
    score_numbers,
    write_scores,
)


def answer_file(folder, name: str, study: str, answers: dict) -> None:
    text = {
        "format": "skullgan-study-answers",
        "format_version": 1,
        "study": study,
        "reader": name,
        "answers": answers,
    }
    (folder / ANSWERS / f"{name}.json").write_text(json.dumps(text))


@pytest.fixture
def answered(study, tmp_path):
    folder = tmp_path / "answered"
    shutil.copytree(study, folder)
    key = read_key(folder)
    right = {name: {"answer": kind, "confidence": 2} for name, kind in key.truth.items()}
    answer_file(folder, "a", key.study, right)
    answer_file(folder, "b", key.study, dict(list(right.items())[:2]))
    return folder


def test_the_page_lies_apart_from_the_key(study):
    assert [one.name for one in (study / PAGE).parent.iterdir()] == [PAGE.name]
    assert (study / KEY).parent == study
    assert list((study / ANSWERS).iterdir()) == []
    assert {one.file for one in read_key(study).cases} == {"secret-real.h5", "secret-synthetic.h5"}


def test_scores_are_written_with_a_line_for_each_case(answered):
    key, found = score_folder(answered)
    numbers, cases = write_scores(answered, key, found)
    assert [one.reader for one in found.readers] == ["a", "b"]
    written = json.loads(numbers.read_text("utf-8"))
    assert written == score_numbers(key, found)
    assert written["rates"]["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    with open(cases, newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 6
    assert sorted({line["truth"] for line in lines}) == ["real", "synthetic"]
    first = next(line for line in lines if line["truth"] == "synthetic")
    assert first["called_synthetic"] in ("1", "2")
    assert first["mean_synthetic"] == "2"


def test_a_folder_without_key_or_answers_is_refused(study, tmp_path):
    with pytest.raises(BadInputError, match=r"key\.json: cannot be read"):
        score_folder(tmp_path)
    with pytest.raises(BadInputError, match=r"answers: holds no answer file"):
        score_folder(study)
    (tmp_path / KEY).write_text('{"format": "skullgan-study-key", "format_version": 1}')
    with pytest.raises(BadInputError, match="lacks cases with their truth"):
        read_key(tmp_path)
