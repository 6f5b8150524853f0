"""Run directories: what is written is read again, and half-written things are never seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from checkout import ROOT
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.training.checkpoint import Checkpoint
from SkullGANLib.training.presets import named
from SkullGANLib.training.run_directory import Run, Status, runs_in


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "run", named("demo"))


def checkpoint(iteration: int) -> Checkpoint:
    return Checkpoint(
        {"weights": torch.full((2, 3), float(iteration)), "chance": torch.arange(4).byte()},
        {"iteration": iteration, "note": "ä"},
    )


def test_a_run_keeps_the_recipe_it_was_created_with(run):
    assert Run.open(run.path).recipe() == named("demo")


def test_a_directory_that_holds_a_run_is_not_taken_for_another(run):
    with pytest.raises(BadInputError, match="already holds a run"):
        Run.create(run.path, named("paper"))
    assert run.recipe() == named("demo")


def test_a_directory_without_a_recipe_is_no_run(tmp_path):
    with pytest.raises(BadInputError, match=r"found no recipe\.json"):
        Run.open(tmp_path)


def test_a_run_cannot_be_created_where_a_file_stands(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be made a run directory"):
        Run.create(tmp_path / "file", named("demo"))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_run_is_held_against_other_processes_until_its_own_is_killed(run):
    code = (
        "import os, sys, time; from SkullGANLib.training.run_directory import Run, Status\n"
        "run = Run.open(sys.argv[1])\n"
        "with run.held():\n"
        "    run.write_status(Status('running', os.getpid()))\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, run.path],
        cwd=ROOT / "SkullGAN",
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        sentence = f"process {holder.pid} trains there now"
        with pytest.raises(BadInputError, match=sentence), run.held():
            pass
        assert run.recipe() == named("demo")
    finally:
        holder.kill()
        holder.wait()
    assert run.status().state == "running"
    with run.held():
        pass


def test_a_run_that_is_let_go_can_be_held_again(run):
    for _ in range(2):
        with run.held():
            pass


def test_runs_are_found_in_their_folder(tmp_path):
    (tmp_path / "notes").mkdir()
    for name in ("b", "a ü"):
        Run.create(tmp_path / name, named("demo"))
    assert [run.path.name for run in runs_in(tmp_path)] == ["a ü", "b"]
    assert runs_in(tmp_path / "nowhere") == []


def test_events_are_read_from_where_the_last_reading_ended(run):
    run.add_event({"iteration": 1})
    events, offset = run.events()
    assert events == [{"iteration": 1}]
    assert run.events(offset) == ([], offset)
    run.add_event({"iteration": 2})
    run.add_event({"iteration": 3})
    assert run.events(offset)[0] == [{"iteration": 2}, {"iteration": 3}]


def test_a_run_without_events_has_none(run):
    assert run.events() == ([], 0)


def test_a_line_that_is_being_written_is_left_for_the_next_reading(run):
    run.add_event({"iteration": 1})
    with open(run.events_path, "ab") as file:
        file.write(b'{"iterat')
    events, offset = run.events()
    assert events == [{"iteration": 1}]
    with open(run.events_path, "ab") as file:
        file.write(b'ion": 2}\n')
    assert run.events(offset)[0] == [{"iteration": 2}]


def test_a_line_that_a_crash_damaged_is_left_out(run):
    run.add_event({"iteration": 1})
    with open(run.events_path, "ab") as file:
        file.write(b'{"iter\n\xff\xfe\n')
    run.add_event({"iteration": 2})
    assert [event["iteration"] for event in run.events()[0]] == [1, 2]


def test_events_after_the_checkpoint_are_dropped_on_going_on(run):
    for iteration in (10, 20, 30):
        run.add_event({"iteration": iteration})
    offset = run.events()[1]
    run.rewind_events(20)
    assert [event["iteration"] for event in run.events()[0]] == [10, 20]
    # A reader that had seen more than there is now starts again.
    assert [event["iteration"] for event in run.events(offset)[0]] == [10, 20]


def test_the_status_is_read_as_it_was_written(run):
    assert run.status() is None
    run.write_status(Status("running", 12, 0.25, 90.0, "Iteration 5 of 20.", 1, 5, 20))
    status = run.status()
    assert (status.state, status.pid, status.progress, status.eta_s) == ("running", 12, 0.25, 90.0)
    assert (status.epoch, status.iteration, status.iterations) == (1, 5, 20)
    assert status.updated > 0


def test_a_status_of_a_newer_program_is_read_without_what_is_unknown(run):
    run.status_path.write_text(json.dumps({"state": "finished", "pid": 1, "shoe_size": 44}))
    assert run.status() == Status("finished", 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state": "dancing", "pid": 1}', "\x00"])
def test_a_file_that_is_no_status_is_refused_with_its_name(run, text):
    run.status_path.write_text(text)
    with pytest.raises(BadInputError, match=r"status\.json: "):
        run.status()


def test_a_stop_can_be_requested_by_anyone_who_knows_the_directory(run):
    assert not run.stop_requested()
    Run.open(run.path).request_stop()
    assert run.stop_requested()


def test_the_last_two_checkpoints_are_kept_and_the_last_is_read(run):
    for iteration in (9, 10, 11):
        run.write_checkpoint(checkpoint(iteration))
    assert [path.name for path in run.checkpoints()] == [
        "iteration-00000010.safetensors",
        "iteration-00000011.safetensors",
    ]
    assert run.read_checkpoint().state["iteration"] == 11


def test_a_checkpoint_that_a_crash_left_half_written_is_not_picked(run):
    run.write_checkpoint(checkpoint(3))
    (run.checkpoints_path / ".aa.partial.safetensors").write_bytes(b"half")
    assert run.read_checkpoint().state["iteration"] == 3


def test_a_run_without_checkpoints_says_so(run):
    with pytest.raises(BadInputError, match="expected a checkpoint"):
        run.read_checkpoint()


def test_a_run_whose_directory_was_deleted_is_not_made_anew(run):
    shutil.rmtree(run.path)
    with pytest.raises(OutputError, match="was deleted while it was trained"):
        run.write_status(Status("running", 1))
    assert not run.path.exists()


def test_a_folder_that_is_not_there_or_no_folder_has_no_runs(tmp_path):
    (tmp_path / "file").touch()
    assert runs_in(tmp_path / "none") == runs_in(tmp_path / "file") == []


def test_a_training_that_failed_at_once_does_not_keep_the_same_command_away(tmp_path):
    run = Run.create(tmp_path / "run", named("demo"))
    run.write_status(Status("failed", pid=1, message="not enough memory"))
    run.stop_path.touch()
    again = Run.create(tmp_path / "run", named("demo"))
    assert again.status() is None
    assert not again.stop_requested()
    again.write_status(Status("failed", pid=1, iteration=7))
    with pytest.raises(BadInputError, match="already holds a run"):
        Run.create(tmp_path / "run", named("demo"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system knows no pipes")
def test_hostile_pipes_devices_and_links_in_a_run_are_not_waited_for(tmp_path):
    run = Run.create(tmp_path / "run", named("demo"))
    os.mkfifo(run.status_path)
    os.mkfifo(run.events_path)
    os.mkfifo(run.checkpoints_path / "iteration-00000001.safetensors")
    (run.samples_path / "iteration-00000001.png").symlink_to("iteration-00000001.png")
    (run.samples_path / "iteration-00000002.png").symlink_to("/dev/zero")
    with pytest.raises(BadInputError, match="no regular file"):
        run.status()
    assert run.events() == ([], 0)
    assert run.checkpoints() == []
    assert run.samples() == []


@pytest.mark.parametrize("change", [{"progress": "much"}, {"pid": None}, {"warnings": [1]}, [1]])
def test_a_hostile_status_is_a_sentence(tmp_path, change):
    run = Run.create(tmp_path / "run", named("demo"))
    whole = {"state": "running", "pid": 1}
    run.status_path.write_text(json.dumps(change if isinstance(change, list) else whole | change))
    with pytest.raises(BadInputError, match="is not the status of a run"):
        run.status()
