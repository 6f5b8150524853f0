"""A small CT and its map in a scene, and the report of an evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from examples import four_sets
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5
from SkullGANLib.evaluation.report import reader
from SkullGANLib.mapping.calvaria_map import CalvariaMap
from SkullGANLib.mapping.wall_overlay import vertex_numbers
from SkullGANLib.metrics import METRICS
from SkullGANLib.utils.task import Task
from SkullGANScene.jobs import evaluation_jobs
from SkullGANScene.nodes import evaluation, map_surface, segment_sets, volumes
from SkullGANScene.nodes.vtk_errors import heard_errors
from SkullGANScene.offscreen import headless

_MEASURED_UP_TO = 400  # of the vertices; the rest met air
_SEGMENTS = 16  # of each evaluated set


@pytest.fixture(scope="module")
def mapped_head():
    """A small CT with its wall and a map: a disk of vertices over it, thickness rising with x."""
    hu = np.full((20, 20, 20), -1000, np.int16)
    hu[5:12] = 1200
    geometry = np.diag([-1.0, -1.0, 1.0, 1.0])
    geometry[:3, 3] = [10.0, 10.0, -5.0]
    x, y = np.meshgrid(np.arange(-10.0, 11.0), np.arange(-10.0, 11.0))
    points = np.stack([x.ravel(), y.ravel(), np.full(x.size, 6.0)], axis=1)
    corner = np.arange(21 * 20).reshape(20, 21)[:, :20].ravel()
    triangles = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + 22], 1),
            np.stack([corner, corner + 22, corner + 21], 1),
        ]
    )
    values = {name: np.linspace(0, 1, len(points)) for name in METRICS}
    values["thickness_mm"] = points[:, 0] / 2 + 6
    code = np.where(np.arange(len(points)) < _MEASURED_UP_TO, 0, 2).astype(np.uint8)
    values = {name: np.where(code == 0, one, np.nan) for name, one in values.items()}
    found = CalvariaMap(
        points_ras=points,
        triangles=triangles.astype(np.int32),
        normals=np.tile([0.0, 0.0, 1.0], (len(points), 1)),
        values=values,
        code=code,
        bone=np.where(points[:, 1] > 0, "frontal", "parietal"),
        side=np.where(points[:, 0] < 0, "left", "right"),
        source={"kernel": "STANDARD", "threshold_hu": 300.0, "head_to_ras": np.eye(4).tolist()},
    )
    return HeadCT(hu, geometry), found


@pytest.fixture
def mapped_ct(scene, mapped_head):
    return volumes.add_ct(scene, mapped_head[0], "Kopf")


@pytest.fixture
def surface(mapped_ct, mapped_head):
    return map_surface.add_surface(mapped_ct, mapped_head[1])


@pytest.fixture
def numbers(mapped_head):
    ct, found = mapped_head
    return vertex_numbers(found, ct.hu > 0, ct.ijk_to_ras)


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory):
    """The folder of a report on four sets, one of which came out of a scene."""
    root = tmp_path_factory.mktemp("Bewertung ä")
    stage, sets = headless.new_stage(), {name: one[:_SEGMENTS] for name, one in four_sets().items()}
    made = sets.pop("synthetic")
    for name, one in sets.items():
        hdf5.write(root / f"{name}.h5", one)
    metrics = {"thickness_mm": np.ones(len(made))}
    volume = segment_sets.add_segment_set(stage.scene, made, metrics, "Made").volume
    chosen = evaluation_jobs.Chosen(
        files={name: [root / f"{name}.h5"] for name in sets}, volumes={"synthetic": [volume]}
    )
    slicer.mrmlScene = stage.scene  # where slicer.util looks
    task = Task("Evaluating", evaluation_jobs.evaluate(stage.scene, chosen, root / "report", "One"))
    assert task.wait(120) == "finished", task.sentence
    del slicer.mrmlScene
    assert evaluation.in_scene(stage.scene) == [task.result]
    return root / "report"


@pytest.fixture
def report(report_folder):
    return reader.read(report_folder)


@pytest.fixture(scope="module")
def shown(report_folder):
    """The report in a scene that the tests of a file only look at."""
    with heard_errors() as errors:
        stage = headless.new_stage()
        work = evaluation.building(stage.scene, reader.read(report_folder), "One")
        task = Task("Adding", work)
        assert task.wait(30) == "finished", task.sentence
        yield evaluation.nodes_of(task.result)
    assert errors == []
