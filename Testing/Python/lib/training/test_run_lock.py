"""The lock on a run, with real files and a second process."""

from __future__ import annotations

import subprocess
import sys

from checkout import ROOT
from SkullGANLib.training import run_lock

HOLD = """
import sys, time
from SkullGANLib.training import run_lock
with open(sys.argv[1], "r+b") as file:
    print(run_lock.lock(file), flush=True)
    time.sleep(600)
"""


def test_a_file_is_locked_until_it_is_closed(tmp_path):
    path = tmp_path / "file"
    path.touch()
    assert run_lock.is_locked(path) is False
    with open(path, "r+b") as file:
        assert run_lock.lock(file) is True
        assert run_lock.is_locked(path) is True
        with open(path, "r+b") as other:
            assert run_lock.lock(other) is False
    assert run_lock.is_locked(path) is False


def test_the_lock_of_a_process_that_was_killed_is_gone(tmp_path):
    path = tmp_path / "file"
    path.touch()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], cwd=ROOT / "SkullGAN", stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "True\n"
        assert run_lock.is_locked(path) is True
    finally:
        holder.kill()
        holder.wait()
    assert run_lock.is_locked(path) is False


def test_a_file_that_is_not_there_is_locked_by_no_process(tmp_path):
    assert run_lock.is_locked(tmp_path / "none") is False
