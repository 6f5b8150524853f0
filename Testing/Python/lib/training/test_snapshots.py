"""Snapshots: the best one by held-out reals is the model, the last one is kept beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from examples import TINY, arches
from SkullGANLib.errors import CancelledError
from SkullGANLib.networks import model_file
from SkullGANLib.training import quality, snapshots
from SkullGANLib.training.loop import train
from SkullGANLib.training.run_directory import Run

CHOOSING = replace(TINY, epochs=4, quality_count=4)


@pytest.fixture
def distances(monkeypatch) -> list[float]:
    """The distances that snapshots are said to have, in order."""
    given = [0.5, 0.2, 0.4, 0.3]

    def judge(self: quality.QualityJudge, segments: object) -> dict[str, float]:
        return {quality.DISTANCE: given.pop(0)}

    monkeypatch.setattr(quality.QualityJudge, "judge", judge)
    return given


def weights(path) -> torch.Tensor:
    return model_file.read(path).generator.conv4.weight


def test_the_model_is_the_best_snapshot_and_the_last_one_is_there_too(tmp_path, distances):
    made = train(arches(), tmp_path / "run", CHOOSING, held_out=arches(5))
    run = Run.open(tmp_path / "run")
    chosen = made.trained_on["chosen_by_distance"]
    assert chosen == {"distance": 0.2, "iteration": 6, "against": "4 segments, held out"}
    assert torch.equal(made.generator.conv4.weight, weights(run.model_path))
    assert not torch.equal(weights(run.model_path), weights(run.last_model_path))
    assert model_file.read(run.last_model_path).trained_on["iterations"] == 12
    shown = [event["quality_distance"] for event in run.events()[0] if "quality_distance" in event]
    assert shown == [0.5, 0.2, 0.4, 0.3]


def test_a_training_that_is_resumed_remembers_the_best_snapshot(tmp_path, distances):
    stopped = iter([False] * 8 + [True])
    with pytest.raises(CancelledError):
        train(arches(), tmp_path / "run", CHOOSING, should_stop=lambda: next(stopped))
    run = Run.open(tmp_path / "run")
    before = weights(run.model_path)
    made = train(arches(), run.path, CHOOSING, resume=True)
    assert made.trained_on["iterations"] == 6
    assert made.trained_on["chosen_by_distance"]["against"] == "4 segments, training"
    assert torch.equal(weights(run.model_path), before)


def test_without_a_comparison_the_model_is_the_last_one_alone(tmp_path):
    made = train(arches(), tmp_path / "run", TINY)
    run = Run.open(tmp_path / "run")
    assert made.trained_on["iterations"] == 6
    assert "chosen_by_distance" not in made.trained_on
    assert not run.last_model_path.exists()


def test_snapshots_are_measured_by_their_segments(tmp_path):
    train(arches(), tmp_path / "run", replace(CHOOSING, epochs=1))
    event = [e for e in Run.open(tmp_path / "run").events()[0] if "diversity" in e][-1]
    assert {name for name in event if name.startswith("quality_")} == {
        "quality_distance",
        "quality_kernel",
        "quality_ks_sdr",
        "quality_ks_thickness",
        "quality_ks_intensity",
        "quality_fine_std",
        "quality_grid",
        "quality_kurtosis",
    }
    assert snapshots.DISTANCE in event
