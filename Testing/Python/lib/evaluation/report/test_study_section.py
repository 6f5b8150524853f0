"""What the page shows of a reader study."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from examples import straight_walls
from SkullGANLib.data import hdf5
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.report import study_section
from SkullGANLib.evaluation.study import choose_cases, read_key, write_study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The sets and the folder of a study that two readers answered."""
    folder = tmp_path_factory.mktemp("study")
    sets = {"test": replace(straight_walls(6, 0), kind="real"), "synthetic": straight_walls(6, 1)}
    for name, one in sets.items():
        hdf5.write(folder / f"{name}.h5", one)
    write_study(folder, choose_cases([folder / "test.h5"], [folder / "synthetic.h5"], 4))
    key = read_key(folder)
    for reader, guess in (("Dr. $A$ <b>", None), ("B", "real")):
        answers = {
            name: {"answer": guess or kind, "confidence": 2} for name, kind in key.truth.items()
        }
        text = {
            "format": "skullgan-study-answers",
            "format_version": 1,
            "study": key.study,
            "reader": reader,
            "answers": answers,
        }
        (folder / "answers" / f"{len(reader)}.json").write_text(json.dumps(text))
    return evaluation_set.prepare_sets(sets), folder


def test_the_table_has_a_row_for_each_reader_and_one_for_all(made):
    numbers = study_section.study_numbers(made[1], made[0])
    table = study_section.study_table(numbers)
    assert table is not None
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.cells()}
    assert rows["Dr. $A$ <b>"] == ["100 %", "100 %", "100 %", "1.00", "0 %", "8 of 8", ""]
    assert rows["B"][:4] == ["50 %", "0 %", "100 %", "0.50"]
    assert rows["All readers"][0] == "75 %"
    assert "4 real and 4 synthetic segments" in table.caption
    assert study_section.study_table(None) is None


def test_segments_of_other_sets_are_said_to_be_others(made):
    sets, folder = made
    assert study_section.study_numbers(folder, sets)["concern"] == ""
    only_real = study_section.study_numbers(folder, {"test": sets["test"]})
    assert only_real["concern"].startswith("4 of the 8 segments that readers saw are not among")


def test_the_figure_is_drawn_whatever_readers_are_called(made, tmp_path):
    numbers = study_section.study_numbers(made[1], made[0])
    picture = study_section.write_study_figure(tmp_path, numbers)
    assert picture.path.exists()
    assert picture.path.with_suffix(".svg").exists()
