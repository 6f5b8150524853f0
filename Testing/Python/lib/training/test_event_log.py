"""Reports of a training: means of what was added, the status at the end, and who writes."""

from __future__ import annotations

import pytest
import torch
from examples import TINY, arches
from SkullGANLib.errors import BadInputError, CancelledError
from SkullGANLib.training.event_log import Reporter
from SkullGANLib.training.memory_estimate import GIB, MemoryCheck, Need
from SkullGANLib.training.run_directory import Run
from SkullGANLib.training.state import TrainingState

CPU = torch.device("cpu")
REALNESS = {"realness_real": torch.tensor(0.6), "realness_fake": torch.tensor(0.4)}


@pytest.fixture
def run(tmp_path) -> Run:
    return Run.create(tmp_path / "run", TINY)


@pytest.fixture
def state() -> TrainingState:
    return TrainingState(arches(), TINY, CPU, 0)


def iterate(reporter: Reporter, state: TrainingState, *losses: float) -> None:
    for loss in losses:
        reporter.add(generator_loss=torch.tensor(loss), **REALNESS)
        state.iteration += 1


def test_an_event_has_the_means_since_the_last_report(run, state):
    seen = []
    reporter = Reporter(run, True, seen.append, None)
    reporter.begin(state)
    for losses, mean in (((1.0, 2.0, 6.0), 3.0), ((5.0,), 5.0)):
        iterate(reporter, state, *losses)
        means = reporter.means(state)
        assert means["generator_loss"] == pytest.approx(mean)
        assert reporter.report(state, means) == ()
    assert run.events()[0] == seen
    assert [event["iteration"] for event in seen] == [3, 4]
    status = run.status()
    assert (status.state, status.iteration, status.progress) == ("running", 4, 4 / 6)


def test_nothing_is_reported_where_no_iteration_was_added(run, state):
    reporter = Reporter(run, True, None, None)
    reporter.begin(state)
    assert reporter.means(state) == {}
    assert reporter.report(state, {}) == ()
    assert run.events()[0] == []


def test_a_note_is_in_the_next_event_and_from_then_on_in_the_status(run, state, caplog):
    reporter = Reporter(run, True, None, None)
    reporter.begin(state)
    reporter.note("It goes on as it is.")
    assert "It goes on as it is." in caplog.text
    for _ in range(2):
        iterate(reporter, state, 1.0)
        assert reporter.report(state, reporter.means(state)) == ()  # no failure of the training
    assert [event.get("notes") for event in run.events()[0]] == [["It goes on as it is."], None]
    assert run.status().message == "Iteration 2 of 6. It goes on as it is."
    assert run.status().warnings == ()


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_an_error_with_what_to_do(run, state, loss):
    reporter = Reporter(run, True, None, None)
    reporter.begin(state)
    iterate(reporter, state, 1.0, loss)
    with pytest.raises(BadInputError, match="after 2 iterations; lower generator_learning_rate"):
        reporter.means(state)


@pytest.mark.parametrize(
    ("error", "ended", "message"),
    [
        (None, "finished", "Trained for 2 iterations."),
        (CancelledError("Stopped."), "cancelled", "Stopped."),
        (KeyboardInterrupt(), "cancelled", "Interrupted."),
        (BadInputError("Too small."), "failed", "Too small."),
        (ZeroDivisionError("one"), "failed", "ZeroDivisionError('one')"),
    ],
)
def test_the_status_says_how_the_training_ended(run, state, error, ended, message):
    def train() -> None:
        with reporter.end_reported():
            iterate(reporter, state, 1.0, 1.0)
            reporter.report(state, reporter.means(state))
            if error is not None:
                raise error

    reporter = Reporter(run, True, None, None)
    reporter.begin(state)
    if error is None:
        train()
    else:
        with pytest.raises(type(error)):
            train()
    status = run.status()
    assert (status.state, status.message) == (ended, message)
    assert (status.progress == 1.0) is (ended == "finished")


def test_a_process_that_is_not_the_first_writes_nothing(run, state):
    seen = []
    reporter = Reporter(run, False, seen.append, lambda *counts: seen.append(counts))
    reporter.report_memory(MemoryCheck(Need(1, 1), 2, CPU, None))
    reporter.begin(state)
    iterate(reporter, state, 1.0)
    reporter.report(state, reporter.means(state))
    reporter.report_progress(state)
    assert (seen, run.status(), run.events()[0]) == ([], None, [])


def test_memory_that_may_not_be_enough_is_a_warning_and_in_the_status(run, caplog):
    memory = MemoryCheck(Need(fixed=4 * GIB, per_image=GIB), 8, CPU, 10 * GIB)
    Reporter(run, True, None, None).report_memory(memory)
    status = run.status()
    assert (status.memory_needed_bytes, status.memory_free_bytes) == (12 * GIB, 10 * GIB)
    assert "It may not be enough. A batch_size of 5 would fit." in status.message
    assert "It may not be enough" in caplog.text
