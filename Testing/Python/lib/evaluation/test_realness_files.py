"""Files of realness, of a narrow model that judges a few walls."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from examples import bent_walls, narrow_model
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import realness_files
from SkullGANLib.evaluation.measures import realness


@pytest.fixture(scope="module")
def model():
    return narrow_model()


def test_scores_are_a_row_a_segment_with_where_it_is(model, tmp_path):
    segments = bent_walls(3, seed=0)
    scores = realness_files.write([tmp_path / "scores.csv"], segments, model)
    assert scores == pytest.approx(realness.of_segments(model, segments))
    with open(tmp_path / "scores.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["segment"] for row in rows] == ["0", "1", "2"]
    assert [row["bone"] for row in rows] == segments.bone.tolist()
    written = [float(row["realness_not_calibrated"]) for row in rows]
    assert written == pytest.approx(scores, abs=1e-5)


def test_an_array_holds_where_each_score_comes_from(model, tmp_path):
    segments = bent_walls(2, seed=1)
    progress: list[float] = []
    realness_files.write([tmp_path / "why.npy"], segments, model, on_progress=progress.append)
    assert np.load(tmp_path / "why.npy").shape == segments.hu.shape
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


def test_scores_on_a_map_without_a_map_are_refused_before_the_work(model, tmp_path):
    with pytest.raises(BadInputError, match=r"skull\.vtp: expected a map"):
        realness_files.write([tmp_path / "skull.vtp"], bent_walls(2, seed=1), model)
    assert list(tmp_path.iterdir()) == []
