"""Checkpoints by the clock, told by a fake one, and written while the training goes on."""

from __future__ import annotations

import threading

import pytest
import torch
from examples import TINY
from SkullGANLib.errors import OutputError
from SkullGANLib.training import checkpoint_writer
from SkullGANLib.training.checkpoint import Checkpoint
from SkullGANLib.training.checkpoint_writer import LEAST_APART_S, CheckpointWriter
from SkullGANLib.training.run_directory import Run

CPU = torch.device("cpu")


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run(tmp_path) -> Run:
    return Run.create(tmp_path / "run", TINY)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def content(iteration: int, weights: torch.Tensor | None = None) -> Checkpoint:
    weights = torch.ones(4) if weights is None else weights
    return Checkpoint({"weights": weights}, {"iteration": iteration})


def test_the_first_checkpoint_is_that_of_the_first_snapshot(run, clock):
    with CheckpointWriter(run, CPU, clock) as writer:
        assert not writer.is_due(at_snapshot=False)
        assert writer.is_due(at_snapshot=True)


def test_checkpoints_are_two_minutes_apart_whatever_snapshots_there_are(run, clock):
    with CheckpointWriter(run, CPU, clock) as writer:
        writer.write(content(1))
        writer.wait()
        clock.now += LEAST_APART_S - 1
        assert not writer.is_due(at_snapshot=True)
        clock.now += 1
        assert writer.is_due(at_snapshot=False)


def test_a_checkpoint_that_took_30_seconds_is_followed_after_ten_minutes(run, clock, monkeypatch):
    write = Run.write_checkpoint

    def slow(self: Run, one: Checkpoint) -> object:
        clock.now += 30.0
        return write(self, one)

    monkeypatch.setattr(Run, "write_checkpoint", slow)
    with CheckpointWriter(run, CPU, clock) as writer:
        writer.write(content(1))
        writer.wait()
        clock.now = 1000.0 + 30.0 / 0.05 - 1
        assert not writer.is_due(at_snapshot=True)
        clock.now += 1
        assert writer.is_due(at_snapshot=True)


def test_a_checkpoint_is_of_the_moment_though_weights_go_on_learning(run, clock, monkeypatch):
    write, may_write = Run.write_checkpoint, threading.Event()

    def held_back(self: Run, one: Checkpoint) -> object:
        may_write.wait(10)
        return write(self, one)

    monkeypatch.setattr(Run, "write_checkpoint", held_back)
    weights = torch.ones(4)
    with CheckpointWriter(run, CPU, clock) as writer:
        writer.write(content(1, weights))
        weights.fill_(2.0)  # the training is here long before the file is
        clock.now += 1e6
        assert not writer.is_due(at_snapshot=True)  # one after the other
        may_write.set()
    assert run.read_checkpoint().tensors["weights"].tolist() == [1.0] * 4


def test_a_checkpoint_that_cannot_be_written_is_told_at_the_next_one(run, clock, monkeypatch):
    def full(self: Run, one: Checkpoint) -> object:
        raise OutputError("disk: no space left.")

    with CheckpointWriter(run, CPU, clock) as writer:
        writer.write(content(1))
        writer.wait()
        monkeypatch.setattr(Run, "write_checkpoint", full)
        writer.write(content(2))
        with pytest.raises(OutputError, match="no space left"):
            writer.wait()
    assert run.read_checkpoint().state["iteration"] == 1


def test_what_is_being_written_is_whole_though_the_training_breaks_off(run, clock):
    def broken_off() -> None:
        with CheckpointWriter(run, CPU, clock) as writer:
            writer.write(content(7))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert run.read_checkpoint().state["iteration"] == 7
    assert [path.suffix for path in run.checkpoints_path.iterdir()] == [".safetensors"]


def test_where_memory_has_no_room_for_a_copy_the_training_waits_for_the_checkpoint(
    run, clock, monkeypatch, caplog
):
    monkeypatch.setattr(checkpoint_writer, "free_bytes", lambda device: 20)
    with caplog.at_level("INFO"), CheckpointWriter(run, CPU, clock) as writer:
        writer.write(content(3))
        assert run.checkpoints()
    assert "The training waits while its checkpoints are written" in caplog.text


def test_the_layout_of_a_checkpoint_is_the_same_whether_it_is_copied_or_not(run, clock):
    weights = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    with CheckpointWriter(run, CPU, clock) as writer:
        writer.write(content(1, weights))
    threaded = run.checkpoints()[0].read_bytes()
    run.write_checkpoint(checkpoint_writer.fetched(content(1, weights)))
    assert run.checkpoints()[0].read_bytes() == threaded
