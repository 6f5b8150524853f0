"""A process with all that it starts, ended and measured as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from SkullGANLib.utils.process_tree import KILL, ProcessTree, end_at_once

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the children of these tests use signals")

ASLEEP = "import time; print(1, flush=True); time.sleep(60)"


@pytest.fixture
def log(tmp_path):
    with open(tmp_path / "log", "ab") as log:
        yield log


def wait_for_words(log, count: int) -> list[str]:
    deadline = time.monotonic() + 20
    while True:
        words = Path(log.name).read_text().split()
        if len(words) >= count:
            return words
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(tree: ProcessTree) -> int:
    deadline = time.monotonic() + 20
    while tree.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return tree.poll()


def test_what_is_left_is_ended_though_the_leader_is_gone(log):
    program = (
        "import subprocess, sys\n"
        f"below = subprocess.Popen([sys.executable, '-c', {ASLEEP!r}])\n"
        "print(below.pid, flush=True)\n"
    )
    tree = ProcessTree([sys.executable, "-c", program], log, os.environ)
    below = int(max(wait_for_words(log, 2), key=int))
    assert ended(tree) == 0
    assert tree.taken_bytes() > 2**20
    tree.signal(KILL)
    tree.close()
    deadline = time.monotonic() + 20
    state = Path(f"/proc/{below}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_tree_is_asked_to_end_by_a_signal(log):
    tree = ProcessTree([sys.executable, "-c", ASLEEP], log, os.environ)
    wait_for_words(log, 1)
    tree.signal(signal.SIGTERM)
    assert ended(tree) == -signal.SIGTERM
    tree.signal(KILL)  # nobody is there


def test_a_stranger_that_shares_a_group_is_ended_alone():
    """Ours, which the test runs in, goes on."""
    child = subprocess.Popen([sys.executable, "-c", ASLEEP], stdout=subprocess.PIPE)
    child.stdout.readline()
    end_at_once(child.pid)
    assert child.wait(20) == -KILL
    child.stdout.close()
    end_at_once(child.pid)  # who is gone is gone
