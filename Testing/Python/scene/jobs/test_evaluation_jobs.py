"""An evaluation as work: what is chosen and shown, and where its report goes."""

from __future__ import annotations

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils.task import Task
from SkullGANScene.jobs import evaluation_jobs
from SkullGANScene.nodes import evaluation


def test_a_folder_that_is_there_is_not_evaluated_into(scene, tmp_path):
    (tmp_path / "keep.txt").write_text("mine")
    chosen = evaluation_jobs.Chosen(files={"test": ["x.h5"]})
    task = Task("Evaluating", evaluation_jobs.evaluate(scene, chosen, tmp_path, "One"))
    assert task.wait(5) == "failed"
    assert "is there already" in task.sentence
    assert (tmp_path / "keep.txt").read_text() == "mine"


def test_a_name_is_free_in_the_scene_and_in_the_folder(scene, tmp_path):
    text = scene.AddNewNodeByClass("vtkMRMLTextNode", "Evaluation 1")
    text.SetAttribute(evaluation.ATTRIBUTE, "1")
    (tmp_path / "Evaluation 2").mkdir()
    assert evaluation_jobs.free_name(scene, tmp_path, "Evaluation") == "Evaluation 3"


def test_no_segment_or_pair_to_show_is_refused():
    with pytest.raises(BadInputError, match="0 pairs cannot be shown: expected 1"):
        evaluation_jobs.Shown(pairs=0)
