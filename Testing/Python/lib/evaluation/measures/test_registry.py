"""One place for a judge: a record that is listed is found in report, page, table and answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from examples import bent_walls as walls
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.evaluation.measures import registry
from SkullGANLib.evaluation.measures.drawing import writer as figure_writer
from SkullGANLib.evaluation.measures.measure import (
    Column,
    Figure,
    Measure,
    PerSegment,
    Result,
    Statement,
)
from SkullGANLib.evaluation.report import reader, writer


def describe(inputs, found) -> Result:
    brightest = found.get("")
    if brightest is None:
        return Result(numbers={"brightness": None})
    places = inputs.places["synthetic"]
    return Result(
        numbers={"brightness": {"brightest_hu": int(brightest.max())}},
        statements=(Statement("Are they bright?", "Yes", (f"Up to {brightest.max()} HU.",)),),
        figures=(
            Figure(
                "brightness",
                "A line of brightness",
                "Bright lines are bright.",
                figure_writer(2.0, lambda figure: figure.subplots().plot(brightest)),
            ),
        ),
        columns=(PerSegment("brightest_hu", "synthetic", places, brightest),),
    )


TOY: Measure[np.ndarray] = Measure(
    name="brightness",
    title="Brightness of segments",
    run=lambda inputs, part, report_progress: inputs.compared["synthetic"].hu.max(axis=(1, 2)),
    describe=describe,
    needs=("synthetic",),
    weight=0.01,
    columns=(Column("brightest_hu", int, "Brightest pixel (HU)", "HU"),),
)


def test_one_place_for_a_judge_is_enough_to_find_it_in_the_whole_report(tmp_path):
    given = {"test": walls(6, 0), "synthetic": walls(6, 1, "synthetic")}
    sets = evaluation_set.prepare_sets(given)
    with registry.registered(TOY):
        found = evaluation.evaluate(sets)
        page = writer.write(tmp_path / "report", sets, found, settings={"seed": 0})
        brightest = reader.read(tmp_path / "report").sets["synthetic"].columns["brightest_hu"]
    numbers = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    expected = given["synthetic"].hu.max(axis=(1, 2))
    assert numbers["brightness"] == {"brightest_hu": int(expected.max())}
    assert brightest.tolist() == expected.tolist()
    text = page.read_text("utf-8")
    assert "Brightness of segments" in text
    assert "Bright lines are bright." in text
    assert f"Up to {expected.max()} HU." in text
    assert (tmp_path / "report" / "figures" / "brightness.svg").is_file()
    assert TOY.name not in registry.MEASURES


def test_a_judge_without_what_it_needs_is_a_limitation():
    sets = evaluation_set.prepare_sets({"test": walls(2, 0)})
    with registry.registered(TOY):
        found = evaluation.evaluate(sets)
    expected = "Brightness of segments was left out: expected synthetic, found test."
    assert expected in found.limitations
    assert writer.numbers_of(sets, found, {})["brightness"] is None


def test_names_of_judges_and_columns_are_taken_once():
    with registry.registered(TOY), pytest.raises(BadInputError, match="'brightness' is a judge"):
        registry.register(TOY)
