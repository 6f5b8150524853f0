"""Runs seen from outside: whether somebody trains there, and what was reported since."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from SkullGANLib.cli import info
from SkullGANLib.errors import BadInputError
from SkullGANLib.training import monitor, presets
from SkullGANLib.training.run_directory import Run, Status

PLACES = {"progress": 0.25, "epoch": 8, "iteration": 128, "iterations": 512, "eta_s": 30.0}


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "läufe" / "the first", presets.named("demo"))


def test_a_run_that_was_just_made_is_starting_and_later_died(run):
    assert monitor.poll(run).state == "starting"
    os.utime(run.recipe_path, (0, 0))
    assert monitor.poll(run).state == "died"


def test_a_run_is_running_only_while_its_process_holds_it(run):
    run.write_status(Status("running", os.getpid(), **PLACES))
    with run.held():
        found = monitor.poll(run)
        assert (found.state, found.goes_on, found.status.iteration) == ("running", True, 128)
        assert found.silent_s < 60
    found = monitor.poll(run)
    assert (found.state, found.goes_on, found.can_resume) == ("died", False, False)
    assert "left for dead, no process trains it, 25%" in info.describe(run.path)
    run.training_path.touch()
    assert monitor.poll(run).can_resume


def test_polling_does_not_keep_a_training_from_its_run(run):
    run.write_status(Status("running", os.getpid(), **PLACES))
    for _turn in range(3):
        assert run.is_held() is False
        with run.held():
            assert run.is_held() is True


def test_a_training_on_another_machine_is_dead_when_it_was_silent_for_long(run):
    elsewhere = Status("running", 1, host="a machine far away", **PLACES)
    run.write_status(elsewhere)
    assert monitor.poll(run).state == "running"
    assert not monitor.poll(run).is_here
    silent = json.loads(run.status_path.read_text()) | {"updated": time.time() - 3600}
    run.status_path.write_text(json.dumps(silent))
    assert monitor.poll(run).state == "died"


@pytest.mark.parametrize("state", ["finished", "cancelled", "failed"])
def test_a_run_that_ended_says_how(run, state):
    run.write_status(Status(state, 1, message="So it ended."))
    found = monitor.poll(run)
    assert (found.state, found.status.message) == (state, "So it ended.")


def test_a_damaged_and_a_deleted_run_are_distinguished(run):
    run.status_path.write_text("{")
    assert monitor.poll(run).state == "damaged"
    assert "is not the status of a run" in monitor.poll(run).problem
    run.recipe_path.unlink()
    assert monitor.poll(run).state == "gone"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no sessions")
def test_a_training_that_nobody_else_can_end_is_ended_with_all_it_started(run):
    program = (
        "import os, subprocess, sys, time\n"
        "from SkullGANLib.training.run_directory import Run, Status\n"
        "run = Run(__import__('pathlib').Path(sys.argv[1]))\n"
        "with run.held():\n"
        "    run.write_status(Status('running', os.getpid()))\n"
        "    subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(run.path)], env=environment, start_new_session=True
    )
    while monitor.poll(run).state != "running":
        time.sleep(0.02)
    monitor.end(run)
    assert child.wait(10) < 0
    assert monitor.poll(run).state == "died"
    with pytest.raises(BadInputError, match="no process trains there"):
        monitor.end(run)


def test_a_training_on_another_machine_is_not_ended_by_its_number(run):
    run.write_status(Status("running", os.getpid(), host="a machine far away"))
    with pytest.raises(BadInputError, match="on a machine far away and can be ended at once only"):
        monitor.end(run)


def test_300_000_reports_are_read_piece_by_piece_into_small_curves(run):
    """Each line is read once, and no call reads for longer than it was told."""
    line = b'{"iteration": %d, "generator_loss": 0.5, "realness_real": 1}\n'
    run.events_path.write_bytes(b"".join(line % n for n in range(1, 300_001)))
    follower = monitor.Follower(run)
    assert follower.read(at_once_s=0.003)
    assert 0.5 < follower.behind < 1
    assert 0 < follower.last["iteration"] < 150_000
    while follower.read(at_once_s=0.2):
        pass
    assert follower.behind == 0
    assert follower.last["iteration"] == 300_000
    assert 1000 <= len(follower.curves) < 2000
    columns = follower.curves.columns()
    assert (np.diff(columns["iteration"]) > 0).all()
    assert (columns["generator_loss"] == 0.5).all()
    assert np.isnan(columns["discriminator_loss"]).all()
    run.add_event({"iteration": 300_001, "generator_loss": 0.5})
    assert follower.read()
    assert not follower.read()
    assert follower.last["iteration"] == 300_001


def test_a_run_that_goes_on_from_its_checkpoint_is_read_anew(run):
    for iteration in range(1, 21):
        run.add_event({"iteration": iteration, "generator_loss": 1.0})
    follower = monitor.Follower(run)
    follower.read()
    assert len(follower.curves) == 20
    run.rewind_events(10)
    for iteration in range(11, 41):  # the file is longer than it was when it is read again
        run.add_event({"iteration": iteration, "generator_loss": 2.0})
    follower.read()
    assert follower.curves.columns()["iteration"].tolist() == list(range(1, 41))
    assert follower.curves.columns()["generator_loss"].tolist() == [1.0] * 10 + [2.0] * 30


def test_a_run_whose_directory_was_deleted_has_nothing_new(run):
    run.add_event({"iteration": 1})
    follower = monitor.Follower(run)
    follower.read()
    run.events_path.unlink()
    assert not follower.read()
    assert follower.behind == 0


def test_a_status_of_before_the_host_was_written_is_of_this_machine(run):
    run.write_status(replace(Status("finished", 1), host=""))
    assert monitor.poll(run).is_here


def test_a_run_elsewhere_that_dates_its_reports_ahead_is_dead_after_its_time_here(
    tmp_path, monkeypatch
):
    run = Run.create(tmp_path / "run", presets.named("demo"))
    run.write_status(Status("running", pid=1, host="elsewhere"))
    text = run.status_path.read_text()
    ahead = json.loads(text) | {"updated": time.time() + 1e7}
    run.status_path.write_text(json.dumps(ahead))
    assert monitor.poll(run).state == "running"
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s + monitor.SILENT_S + 5)
    assert monitor.poll(run).state == "died"
