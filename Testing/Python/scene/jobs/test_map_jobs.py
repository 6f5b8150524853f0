"""Maps and realness of a scene, made by the commands in child processes."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util
from examples import bent_walls, narrow_model
from SkullGANLib.metrics import measure
from SkullGANLib.networks import model_file
from SkullGANLib.utils.task import Task
from SkullGANScene.jobs import map_jobs
from SkullGANScene.nodes import (
    hierarchy,
    map_nodes,
    map_surface,
    realness,
    segment_sets,
    tables,
    volumes,
)
from SkullGANScene.nodes.vtk_errors import heard_errors
from SkullGANScene.offscreen import headless


@pytest.fixture(scope="module")
def mapped(coarse_head, tmp_path_factory):
    """A spherical head whose wall is 7.5 mm thick, and the nodes of its map."""
    with heard_errors() as errors:
        stage = headless.new_stage()
        node = volumes.add_ct(stage.scene, coarse_head, "Kopf")
        folder = tmp_path_factory.mktemp("Karte ä")
        task = Task("Mapping", map_jobs.map_skull(node, folder, scalar="thickness_mm"))
        assert task.wait(180) == "finished", task.sentence
        yield stage.scene, node, task.result
    assert errors == []


def test_a_map_has_the_thickness_of_the_wall_and_is_found_at_its_ct(mapped):
    _, node, made = mapped
    thickness = map_surface.map_from(made.surface).values["thickness_mm"]
    assert np.nanmedian(thickness) == pytest.approx(7.5, abs=1.0)
    assert map_nodes.nodes_of(node) == [made.surface, made.overlay, made.summary, made.rays]
    assert made.rays.GetNumberOfRows() == 1024
    assert made.surface.GetDisplayNode().GetActiveScalarName() == "thickness_mm"


def test_an_overlay_is_filled_with_another_scalar(mapped):
    _, _, made = mapped
    task = Task("Filling", map_jobs.refill(made.overlay, made.vertices, "sdr_peaks"))
    assert task.wait(10) == "finished", task.sentence
    assert task.result is made.overlay
    values = slicer.util.arrayFromVolume(made.overlay)
    assert 0 < values.max() <= 1
    assert "SDR (peaks)" in made.overlay.GetDescription()


def test_a_map_that_is_cancelled_leaves_its_scene_as_it_was(scene, coarse_head, tmp_path):
    node = volumes.add_ct(scene, coarse_head, "Kopf")
    before = scene.GetNumberOfNodes()
    task = Task("Mapping", map_jobs.map_skull(node, tmp_path, scalar="thickness_mm"))
    while task.child is None and task.poll() == "running":
        pass
    task.end()
    assert task.state == "cancelled"
    assert scene.GetNumberOfNodes() == before
    assert map_nodes.nodes_of(node) == []


def test_every_segment_gets_a_realness_in_the_table_and_a_map_over_it(scene, tmp_path):
    segments = bent_walls(3, 0, "synthetic")
    volume = segment_sets.add_segment_set(scene, segments, measure(segments), "Made").volume
    model = tmp_path / "model.safetensors"
    model_file.write(model, narrow_model())
    work = map_jobs.judge(volume, tmp_path, method="positions", model=model)
    task = Task("Judging", work)
    assert task.wait(180) == "finished", task.sentence
    assert realness.realness_of(volume, "positions") is task.result
    assert slicer.util.arrayFromVolume(task.result).shape == (3, 128, 128)
    table = segment_sets.nodes_of(volume).metrics
    found = slicer.util.arrayFromTableColumn(table, tables.REALNESS)
    assert ((found > 0) & (found < 1)).all()


def test_a_set_of_which_parts_were_deleted_is_not_judged(scene, tmp_path):
    segments = bent_walls(2, 0, "synthetic")
    nodes = segment_sets.add_segment_set(scene, segments, measure(segments), "Made")
    hierarchy.remove(nodes.metrics)
    task = Task("Judging", map_jobs.judge(nodes.volume, tmp_path, method="positions"))
    assert task.wait(10) == "failed"
    assert "'Made' has no metrics beside it" in task.sentence
    assert list(tmp_path.iterdir()) == []
