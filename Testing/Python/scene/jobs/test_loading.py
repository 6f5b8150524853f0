"""Segment sets and head CTs from files into a scene."""

from __future__ import annotations

import numpy as np
import pytest
from exported_sets import make_set
from SkullGANLib.ct import volume
from SkullGANLib.data import hdf5
from SkullGANLib.utils.task import Task
from SkullGANScene.jobs import loading
from SkullGANScene.nodes import segment_sets, volumes


def run(work) -> Task:
    task = Task("Loading", work)
    task.wait(60)
    return task


def test_a_set_comes_back_as_it_was_saved(scene, tmp_path):
    hdf5.write(tmp_path / "my set.h5", make_set())
    nodes = run(loading.load_set(scene, tmp_path / "my set.h5")).result
    assert nodes.volume.GetName() == "my set"
    found = segment_sets.segment_set_from(nodes.volume)
    assert np.array_equal(found.seed, make_set().seed)
    assert np.array_equal(found.hu, np.where(make_set().mask, make_set().hu, 0))
    assert "SDR (peaks)" in segment_sets.columns_of(nodes.volume)


def test_more_segments_than_a_scene_takes_are_refused(scene, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "MOST_IN_SCENE", 5)
    hdf5.write(tmp_path / "large.h5", make_set())
    task = run(loading.load_set(scene, tmp_path / "large.h5"))
    assert task.state == "failed"
    assert "large.h5: has 12 segments, expected at most 5" in task.sentence
    assert segment_sets.in_scene(scene) == []


def test_a_ct_comes_with_its_geometry(scene, ball, tmp_path):
    volume.write_volume(tmp_path / "head.nrrd", ball.hu, ball.ijk_to_ras)
    node = run(loading.load_ct(scene, tmp_path / "head.nrrd")).result
    assert node.GetName() == "head"
    assert np.allclose(volumes.ijk_to_world(node), ball.ijk_to_ras, atol=1e-4)


@pytest.mark.parametrize("name", ["gone.nrrd", "gone.h5"])
def test_a_file_that_is_gone_is_named(scene, tmp_path, name):
    load = loading.load_set if name.endswith("h5") else loading.load_ct
    task = run(load(scene, tmp_path / name))
    assert task.state == "failed"
    assert name in task.sentence
