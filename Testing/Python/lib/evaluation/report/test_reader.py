"""A report read again: every column, its segments where they are, and reports of before."""

from __future__ import annotations

import re

import numpy as np
import pytest
from checkout import ROOT
from examples import COUNT, four_sets
from examples import bent_walls as walls
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.evaluation.report import reader, writer


@pytest.mark.slow
def test_a_report_read_again_holds_every_column_and_finds_its_segments(
    evaluated_folder, sets, found
):
    report = reader.read(evaluated_folder)

    assert report.page.is_file()
    assert len(report.pictures) == 10
    assert report.model.name == "model.safetensors"
    assert report.model.is_file()
    assert report.numbers["reference"] == "test"
    written = writer.table_of(sets, found)
    assert list(report.sets) == list(written)
    for name, columns in written.items():
        one = report.sets[name]
        assert (len(one), one.kind) == (COUNT, sets[name].segments.kind)
        assert list(one.columns) == list(columns)
        for column, values in columns.items():
            again = one.columns[column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(again, values, rtol=1e-5, err_msg=column)
            else:
                np.testing.assert_array_equal(again, values, err_msg=column)
        np.testing.assert_array_equal(one.segments([5, 2]).hu, four_sets()[name].hu[[5, 2]])


@pytest.mark.slow
def test_a_copy_read_again_lies_over_what_it_was_copied_from(evaluated_folder):
    report = reader.read(evaluated_folder)

    as_it_is, turned = (report.pair("mse", place) for place in (4, 9))

    assert (as_it_is.training_place, turned.training_place) == (7, 11)
    assert (as_it_is.flipped, turned.flipped) == (False, True)
    assert as_it_is.verdict == turned.verdict == "copy"
    for pair in (as_it_is, turned):
        assert np.nanmax(np.abs(pair.difference)) == 0
        np.testing.assert_array_equal(pair.aligned, pair.segment.hu[0])
    assert report.pair("sift", 0, "test").verdict == ""
    assert not report.has_pair("mse", 0, "artificial")
    with pytest.raises(BadInputError, match="nearest training segment of segment 0 of artificial"):
        report.pair("mse", 0, "artificial")


def test_a_report_moved_with_its_sets_finds_them_and_says_if_they_were_changed(tmp_path):
    for name, seed in (("a", 0), ("b", 1)):
        hdf5.write(tmp_path / "here" / f"{name}.h5", walls(3, seed))
    paths = {"test": [tmp_path / "here" / "a.h5", tmp_path / "here" / "b.h5"]}
    sets = evaluation_set.read(paths)
    writer.write(tmp_path / "here" / "r", sets, evaluation.evaluate(sets), settings={})
    (tmp_path / "here").rename(tmp_path / "there")

    one = reader.read(tmp_path / "there" / "r").sets["test"]

    assert one.where(4) == (tmp_path / "there" / "b.h5", 1)
    np.testing.assert_array_equal(one.segments([4]).hu[0], walls(3, 1).hu[1])
    with pytest.raises(IndexError):
        one.where(6)
    hdf5.write(tmp_path / "there" / "b.h5", walls(3, 2))
    with pytest.raises(BadInputError, match=r"b\.h5: its segment 1 is not the one"):
        one.segments([4])
    (tmp_path / "there" / "b.h5").unlink()
    with pytest.raises(BadInputError, match=r"b\.h5: there is no such file"):
        one.segments([4])


@pytest.mark.parametrize(
    "text", [None, "", "[]", '{"title": "no evaluation"}', '{"paths": {"sets": {}, "model": 1}}']
)
def test_what_is_no_report_is_refused_by_its_folder(tmp_path, text):
    if text is not None:
        (tmp_path / "report.json").write_text(text)
        (tmp_path / "segments.csv").write_text("set,segment\n")
    with pytest.raises(BadInputError, match=re.escape(str(tmp_path))):
        reader.read(tmp_path)


def test_keys_of_an_older_report_have_the_names_of_today():
    report = reader.read(ROOT / "Testing" / "Python" / "older_files" / "report")
    assert {"memorization", "limitations"} <= report.numbers.keys()
    assert not {"memorisation", "unsaid"} & report.numbers.keys()
    for one in report.numbers["memorization"].values():
        assert one["synthetic"]["with_neighbor"] >= 0


def test_columns_of_a_judge_that_is_not_here_are_read_by_what_they_hold(evaluated_folder, tmp_path):
    lines = (evaluated_folder / "segments.csv").read_text("utf-8").splitlines()
    more = [f"{lines[0]},glow,shade", *(f"{line},0.5,deep" for line in lines[1:])]
    (tmp_path / "segments.csv").write_text("\n".join(more), "utf-8")
    numbers = (evaluated_folder / "report.json").read_text("utf-8")
    (tmp_path / "report.json").write_text(numbers, "utf-8")
    columns = reader.read(tmp_path).sets["test"].columns
    assert columns["glow"].tolist() == [0.5] * COUNT
    assert set(columns["shade"]) == {"deep"}
