"""Tables, charts and summary follow the judges: one that is registered is found in the scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import slicer.util
from examples import bent_walls
from SkullGANLib.data import hdf5
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.evaluation.measures.measure import (
    Column,
    Measure,
    PerSegment,
    Result,
    SummaryColumn,
    Violins,
)
from SkullGANLib.evaluation.measures.registry import registered
from SkullGANLib.evaluation.measures.tables import ReportTable, TableColumn
from SkullGANLib.evaluation.report import reader, writer
from SkullGANLib.utils.task import Task
from SkullGANScene.nodes import evaluation as scene_evaluation


def brightness(inputs, found) -> Result:
    values = found.get("", {})
    return Result(
        numbers={"brightness": {name: int(one.max()) for name, one in values.items()}},
        columns=tuple(
            PerSegment("brightest_hu", name, inputs.places[name], one)
            for name, one in values.items()
        ),
    )


SHARE = {"value": 0.5, "low": 0.4, "high": 0.6}
TOY: Measure[dict[str, np.ndarray]] = Measure(
    name="brightness",
    title="Brightness of segments",
    run=lambda inputs, part, report_progress: {
        name: one.hu.max(axis=(1, 2)) for name, one in inputs.compared.items()
    },
    describe=brightness,
    columns=(Column("brightest_hu", float, "Brightest pixel (HU)", "HU", "Of the segment"),),
    tables=lambda numbers: (
        ReportTable(
            "brightness",
            "Brightest pixels",
            [
                TableColumn("Set", ["test", "synthetic"]),
                TableColumn("Share (%)", [SHARE, 0.25], 0, 100.0, "%"),
            ],
        ),
    ),
    charts=lambda numbers: (Violins("Brightness", "Brightest pixel (HU)", "brightest_hu"),),
    summary=lambda numbers: (
        SummaryColumn("Brightest (HU)", numbers.get("brightness", {}), "HU", "In the set", 0),
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder of a report with the toy's numbers."""
    folder = tmp_path_factory.mktemp("toy")
    for name, one in (("test", bent_walls(9, 0)), ("synthetic", bent_walls(9, 1, "synthetic"))):
        hdf5.write(folder / f"{name}.h5", one)
    paths = {name: [folder / f"{name}.h5"] for name in ("test", "synthetic")}
    sets = evaluation_set.read(paths)
    with registered(TOY):
        writer.write(folder / "report", sets, evaluation.evaluate(sets), settings={"seed": 0})
    return folder / "report"


def column(table, name):
    return slicer.util.arrayFromTableColumn(table, name)


def test_one_place_for_a_judge_is_enough_to_find_it_in_the_scene(scene, folder):
    with registered(TOY):
        task = Task("Adding", scene_evaluation.building(scene, reader.read(folder), "One"))
        assert task.wait(30) == "finished", task.sentence
    nodes = scene_evaluation.nodes_of(task.result)
    expected = bent_walls(9, 1, "synthetic").hu.max(axis=(1, 2))
    table = nodes.tables["synthetic"]
    assert column(table, "Brightest pixel (HU)").tolist() == expected.tolist()
    assert table.GetColumnUnitLabel("Brightest pixel (HU)") == "HU"
    assert column(nodes.summary, "Brightest (HU)")[1] == expected.max()
    assert nodes.charts["Brightness"].GetNumberOfPlotSeriesNodes() == 2


def test_answers_and_what_judges_lay_out_are_tables(scene, folder):
    with registered(TOY):
        report = reader.read(folder)
        task = Task("Adding", scene_evaluation.building(scene, report, "One"))
        assert task.wait(30) == "finished", task.sentence
    nodes = scene_evaluation.nodes_of(task.result)
    assert list(nodes.findings) == [
        *("Summary", "Answers", "Whole walls", "Ultrasound through the wall", "Brightest pixels")
    ]
    answers = nodes.findings["Answers"].GetTable()
    assert answers.GetNumberOfRows() == len(report.numbers["answers"])
    assert answers.GetValueByName(0, "Question").ToString() == "Are they like real ones?"
    laid_out = nodes.findings["Brightest pixels"]
    assert laid_out.GetName() == "One: brightest pixels"
    assert column(laid_out, "Share (%)").tolist() == [50, 25]
    assert column(laid_out, "Share (%), low").tolist()[0] == 40
    assert np.isnan(column(laid_out, "Share (%), high")[1])
    scene_evaluation.remove(nodes.text)
    assert scene.GetFirstNodeByName("One: brightest pixels") is None


def test_a_report_with_a_judge_that_is_not_here_is_shown_without_it(scene, folder):
    task = Task("Adding", scene_evaluation.building(scene, reader.read(folder), "One"))
    assert task.wait(30) == "finished", task.sentence
    nodes = scene_evaluation.nodes_of(task.result)
    assert nodes.summary.GetColumnIndex("Brightest (HU)") == -1
    assert "Brightness" not in nodes.charts
    assert "Thickness" in nodes.charts
