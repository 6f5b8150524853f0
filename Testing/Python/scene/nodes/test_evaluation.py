"""A report of an evaluation in a scene: a real one of small sets, with two copies among them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer
import slicer.util
from examples import four_sets
from SkullGANLib.data import hdf5
from SkullGANLib.utils.task import Task
from SkullGANScene.nodes import (
    color_tables,
    evaluation,
    mrb,
    segment_sets,
    volumes,
)

COUNT = 16


def added(scene, report, **settings):
    task = Task("Adding", evaluation.building(scene, report, "One", **settings))
    assert task.wait(30) == "finished", task.sentence
    return evaluation.nodes_of(task.result)


def column(table, name):
    return slicer.util.arrayFromTableColumn(table, name)


def test_every_segment_has_a_slice_and_a_row_with_what_is_said_of_it(shown, report):
    assert list(shown.tables) == list(shown.volumes) == list(report.sets)
    for name, table in shown.tables.items():
        hu = slicer.util.arrayFromVolume(shown.volumes[name])
        assert hu.shape == (COUNT, 128, 128)
        assert np.array_equal(hu, report.sets[name].segments(range(COUNT)).hu)
        assert column(table, evaluation.SEGMENT).tolist() == list(range(COUNT))
        thickness = report.sets[name].columns["thickness_mm"]
        assert np.allclose(column(table, "Thickness (mm)"), thickness, equal_nan=True)
        assert table.GetColumnUnitLabel("Thickness (mm)") == "mm"
    names = shown.tables["test"].GetTable().GetColumnByName(evaluation.NAME)
    assert names.GetValue(3) == "Test 3"


def test_volumes_of_a_report_are_taken_for_no_ct_and_no_segment_set(shown):
    scene = shown.text.GetScene()
    assert volumes.cts_in(scene) == []
    assert segment_sets.in_scene(scene) == []
    stacks = [*shown.volumes.values(), shown.pairs.segments, shown.pairs.difference]
    assert not any(node.GetAttribute(volumes.KIND_ATTRIBUTE) for node in stacks)


def test_the_summary_has_the_means_and_distances_of_the_report(shown, report):
    table = shown.summary
    means = [one["metrics"]["thickness_mm"]["mean"] for one in report.numbers["sets"].values()]
    assert np.allclose(column(table, "Thickness (mm)"), means, atol=0.005)
    apart = report.numbers["distances"]["synthetic"]["sdr_peaks"]["wasserstein"]
    assert column(table, "SDR apart")[2] == pytest.approx(apart, abs=0.0005)
    assert np.isnan(column(table, "SDR apart")[1])  # of the reference from itself


def test_a_scatter_has_a_color_for_each_set_out_of_its_own_table(shown):
    chart = shown.charts["t-SNE of pixels"]
    series = [chart.GetNthPlotSeriesNode(k) for k in range(4)]
    assert [one.GetTableNode() for one in series] == list(shown.tables.values())
    assert len({one.GetColor() for one in series}) == 4
    x = column(series[0].GetTableNode(), series[0].GetXColumnName())
    assert np.isfinite(x).all()
    assert chart.GetXAxisRange()[0] < x.min()


def test_all_is_found_again_after_saving_and_opening(scene, report, tmp_path):
    before = added(scene, report)
    titles = list(before.charts)
    path = tmp_path / "Szene mit ä.mrb"
    mrb.save(scene, path)
    mrb.open_bundle(scene, path)
    [text] = evaluation.in_scene(scene)
    again = evaluation.nodes_of(text)
    assert text.GetName() == "One"
    assert list(again.charts) == titles
    assert list(again.tables) == list(again.volumes) == list(report.sets)
    assert again.report == report.folder
    assert len(again.pairs) == COUNT
    display = again.pairs.difference.GetDisplayNode()
    assert display.GetColorNode().GetName() == color_tables.DIVERGING
    for chart in again.charts.values():
        for number in range(chart.GetNumberOfPlotSeriesNodes()):
            series = chart.GetNthPlotSeriesNode(number)
            table = series.GetTableNode().GetTable()
            assert table.GetColumnByName(series.GetYColumnName()) is not None
    realness = column(again.tables["synthetic"], "Likeness ratio (MSE)")
    assert np.allclose(realness, report.sets["synthetic"].columns["mse_ratio"], atol=1e-6)


def test_removing_a_report_leaves_another_and_nothing_of_its_own(scene, report):
    empty = (scene.GetNumberOfNodes(), items(scene))
    first = added(scene, report)
    second = added(scene, report, most=5, pairs=3)
    evaluation.remove(first.text)
    assert evaluation.in_scene(scene) == [second.text]
    assert second.pairs.difference.GetDisplayNode().GetColorNode() is not None
    assert len(second.pairs) == 3
    evaluation.remove(second.text)
    assert (scene.GetNumberOfNodes(), items(scene)) == empty


def items(scene) -> int:
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return tree.GetNumberOfItems()


@pytest.mark.parametrize("steps", [1, 6, 12, 18])
def test_what_is_cancelled_half_way_leaves_the_scene_as_it_was(scene, report, steps):
    before = (scene.GetNumberOfNodes(), items(scene))
    work = evaluation.building(scene, report, "One")
    for _ in range(steps):
        next(work)
    work.close()
    assert (scene.GetNumberOfNodes(), items(scene)) == before


def test_segments_that_changed_since_are_refused_by_their_file(scene, report, tmp_path):
    other = tmp_path / "other.h5"
    hdf5.write(other, four_sets()["test"][:COUNT])
    sets = {**report.sets, "train": replace(report.sets["train"], files=(other,))}
    task = Task("Adding", evaluation.building(scene, replace(report, sets=sets), "One"))
    assert task.wait(30) == "failed"
    assert task.sentence.startswith(f"{other}: its segment 0 is not the one")
    assert evaluation.in_scene(scene) == []


def test_a_report_without_synthetic_segments_has_no_pairs_and_the_rest(scene, report):
    sets = {name: report.sets[name] for name in ("train", "test")}
    numbers = {**report.numbers, "sets": {name: report.numbers["sets"][name] for name in sets}}
    nodes = added(scene, replace(report, sets=sets, numbers=numbers))
    assert nodes.pairs is None
    assert "Thickness" in nodes.charts
    evaluation.remove(nodes.text)


def test_of_a_large_set_those_that_were_compared_are_shown_evenly(report):
    one = report.sets["train"]
    columns = {name: values.copy() for name, values in one.columns.items()}
    for name in columns:
        if columns[name].dtype.kind == "f":
            columns[name][::2] = np.nan
    places = evaluation.chosen_places(replace(one, columns=columns), 5)
    assert places.tolist() == [1, 5, 9, 11, 15]
    assert evaluation.chosen_places(one, 1000).tolist() == list(range(COUNT))
