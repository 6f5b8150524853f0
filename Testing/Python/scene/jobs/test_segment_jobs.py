"""The long steps on a scene, run as a script runs them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from examples import conditioned_model, stacking_model
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5
from SkullGANLib.data.depth import Depth, whole_stacks
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation.selection import Limits, Selection
from SkullGANLib.networks import model_file
from SkullGANLib.utils.task import Task
from SkullGANScene.jobs import segment_jobs
from SkullGANScene.nodes import head_attributes, segmentations, volumes
from vtk.util.numpy_support import vtk_to_numpy


def done(work, timeout_s: float = 60):
    """Run a job to its end and give its result."""
    task = Task("Working", work)
    assert task.wait(timeout_s) == "finished", task.sentence
    return task.result


def test_a_ct_is_written_in_slabs_as_it_is_read_again(scene, sample_ct, tmp_path):
    part = HeadCT(sample_ct.hu[60:80], sample_ct.ijk_to_ras, {"kernel": "BONE PLUS", "kvp": 120.0})
    node = volumes.add_ct(scene, part, "Part")
    assert max(volumes.writing(node, tmp_path / "part.nrrd")) == 1.0
    again = volume.read_ct(tmp_path / "part.nrrd")
    assert np.array_equal(again.hu, part.hu)
    assert np.allclose(again.ijk_to_ras, part.ijk_to_ras)
    assert again.source == part.source


def test_the_skull_of_a_ball_comes_with_its_surface_frame_and_threshold(scene, ball, tmp_path):
    node = volumes.add_ct(scene, ball, "Ball")
    skull = done(segment_jobs.find_skull(node, tmp_path))
    assert segmentations.skull_of(node) is skull
    closed = skull.GetClosedSurfaceInternalRepresentation("Skull")
    points = vtk_to_numpy(closed.GetPoints().GetData())
    radius = np.linalg.norm(points, axis=1)[points[:, 2] > 0]
    # Outside at 60 mm, inside at 51.5 mm.
    assert abs(np.quantile(radius, 0.98) - 60) < 1.0
    assert abs(np.quantile(radius, 0.02) - 51.5) < 1.0
    head = head_attributes.head_of(node)
    assert 150 <= head.threshold_hu <= 500
    assert head.frame.superior @ [0, 0, 1] > 0.8


def test_a_job_that_is_cancelled_leaves_no_node_behind(scene, ball, tmp_path):
    node = volumes.add_ct(scene, ball, "Ball")
    before = scene.GetNumberOfNodes()
    task = Task("Looking", segment_jobs.find_skull(node, tmp_path))
    while task.share < 0.7 and task.poll() == "running":
        pass
    task.end()
    assert task.state == "cancelled"
    assert scene.GetNumberOfNodes() == before


def test_a_ct_that_gives_nothing_does_not_stop_the_next_and_says_why(scene, tmp_path):
    nothing = HeadCT(np.zeros((20, 20, 20), np.int16), np.eye(4))
    nodes = [volumes.add_ct(scene, nothing, name) for name in ("Gone", "Nothing")]
    work = segment_jobs.extract_all(
        nodes,
        lambda: Path(tempfile.mkdtemp(dir=tmp_path)),
        bones=["temporal"],
        planes=["axial"],
        interval_mm=12.0,
    )
    task = Task("Cutting", work)
    scene.RemoveNode(nodes[0])
    nodes[0].SetName("Gone")
    assert task.wait(60) == "finished"
    (gone, none), (empty, neither) = task.result
    assert none is neither is None
    assert (gone.state, empty.state) == ("failed", "failed")
    assert "'Gone' was deleted meanwhile" in gone.sentence
    assert empty.sentence.startswith("Nothing: its values run from 0 to 0")


def test_a_scene_takes_no_more_segments_than_it_can(scene, tmp_path):
    with pytest.raises(BadInputError, match="a scene takes 2000 segments at once"):
        next(segment_jobs.generate(scene, tmp_path, count=2001, first_seed=0, name="Many"))


def test_segments_are_generated_as_the_conditions_ask(scene, tmp_path):
    path = tmp_path / "told.safetensors"
    model_file.write(path, conditioned_model())
    asked = {"bone": "temporal", "sdr": 0.5}
    work = segment_jobs.generate(
        scene, tmp_path, count=2, first_seed=3, name="Asked", model=path, asked=asked
    )
    assert done(work).metrics.GetNumberOfRows() == 2
    made = hdf5.read(tmp_path / segment_jobs.SEGMENT_SET)
    assert made.source["asked"] == asked
    assert set(made.bone) == {"temporal"}


def test_a_model_of_stacks_makes_as_many_stacks_as_a_scene_takes_slices(scene, tmp_path):
    path = tmp_path / "stacks.safetensors"
    model_file.write(path, stacking_model(2))
    with pytest.raises(BadInputError, match="1001 stacks of 2 slices were asked for"):
        next(
            segment_jobs.generate(
                scene, tmp_path, count=1001, first_seed=0, name="Many", model=path
            )
        )


def test_what_is_asked_for_cannot_be_limited_too(tmp_path):
    limited = Selection(limits=Limits({"sdr_peaks": (0.4, 0.6)}))
    work = segment_jobs.generate_to_file(
        tmp_path / "made.h5", count=2, first_seed=0, selection=limited, asked={"sdr": 0.5}
    )
    with pytest.raises(BadInputError, match="The SDR is asked for and limited, too"):
        next(work)


def test_more_stacks_than_a_scene_takes_stay_a_file(scene, coarse_head, tmp_path, monkeypatch):
    monkeypatch.setattr(segment_jobs, "MOST_IN_SCENE", 3)
    node = volumes.add_ct(scene, coarse_head, "Ball")
    folder = tmp_path / "work"
    work = segment_jobs.extract_all(
        [node],
        lambda: folder.mkdir() or folder,
        bones=["parietal"],
        planes=["axial"],
        interval_mm=20.0,
        depth=Depth(2, 2.0),
    )
    [(row, nodes)] = done(work)
    segments = hdf5.read(folder / segment_jobs.SEGMENT_SET)
    assert whole_stacks(segments)[0] == Depth(2, 2.0)
    assert nodes is None
    assert row.sentence == (
        f"Ball: gave {len(segments)} segments, expected at most 3, which a scene takes at once; "
        "widen the interval, or cut it with skullgan extract."
    )
