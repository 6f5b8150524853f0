"""Answer files are read as the page saves them, and refused with the reason."""

from __future__ import annotations

import json

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.study.answer_files import read_answers

CASES = {"001", "002"}
GOOD = {
    "format": "skullgan-study-answers",
    "format_version": 1,
    "study": "abc",
    "reader": "  Dr.  A ",
    "answers": {
        "001": {"answer": "real", "confidence": 2, "seconds": 3.5},
        "002": {"answer": "unsure", "confidence": 0},
    },
}


def test_answers_are_read_with_how_surely_they_mean_synthetic(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    found = read_answers(tmp_path / "a.json", "abc", CASES)
    assert found.reader == "Dr. A"
    assert {name: one.synthetic for name, one in found.by_case.items()} == {"001": -2, "002": 0}
    assert found.by_case["001"].seconds == 3.5
    assert found.by_case["002"].seconds is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"study": "xyz"}, "is of study xyz, expected answers to study abc"),
        ({"format": "other"}, "is of another format, expected an answer file"),
        ({"format_version": 2}, "is of version 2, expected version 1"),
        ({"reader": " "}, "names no reader"),
        ({"answers": {}}, "answered no case"),
        ({"answers": {"009": {"answer": "real", "confidence": 1}}}, "answers case '009'"),
        (
            {"answers": {"001": {"answer": "maybe", "confidence": 1}}},
            "case 001 is 'maybe' with confidence 1, expected one of real, synthetic, unsure",
        ),
        ({"answers": {"001": {"answer": "real", "confidence": 4}}}, "confidence 4"),
        ({"answers": {"001": {"answer": "unsure", "confidence": 1}}}, "0 for unsure"),
        ({"answers": {"001": "real"}}, "case 001 is None"),
    ],
)
def test_what_is_no_answer_to_the_study_is_refused(tmp_path, changes, sentence):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(GOOD | changes))
    with pytest.raises(BadInputError, match=sentence):
        read_answers(path, "abc", CASES)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00", "[" * 100_000])
def test_what_is_no_json_of_ours_is_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(BadInputError, match=r"a\.json: is (no JSON text|of another format)"):
        read_answers(path, "abc", CASES)
    with pytest.raises(BadInputError, match=r"missing\.json: cannot be read"):
        read_answers(tmp_path / "missing.json", "abc", CASES)
