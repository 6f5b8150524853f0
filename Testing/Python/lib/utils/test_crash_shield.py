"""A crash in a reader is a sentence, an exit code stays one, and signals arrive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from checkout import ROOT

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system cannot split processes"
)


def _script(body: str) -> list[str]:
    start = "import os, signal, sys, time\nfrom SkullGANLib.utils import crash_shield\n"
    return [sys.executable, "-c", f"{start}crash_shield.enter('tool')\n{body}"]


def _run(body: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "SkullGAN")}
    return subprocess.run(_script(body), env=environment, capture_output=True, text=True)


def test_a_crash_of_a_hostile_file_is_a_sentence_and_exit_code_1():
    done = _run("os.kill(os.getpid(), signal.SIGSEGV)")
    assert done.returncode == 1
    assert done.stderr.startswith("tool: the process ended by signal 11 (SIGSEGV)")


def test_an_exit_code_and_what_was_printed_come_through():
    done = _run("print('done'); sys.exit(2)")
    assert (done.returncode, done.stdout, done.stderr) == (2, "done\n", "")


def test_a_signal_is_handed_on_and_a_killed_parent_takes_its_child_along():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "SkullGAN")}
    body = "print(os.getpid(), flush=True); time.sleep(60)"
    for number in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(
            _script(body), env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            child = int(process.stdout.readline())
            process.send_signal(number)
            process.wait(20)
        deadline = time.monotonic() + 10
        while _is_there(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _is_there(child)


def _is_there(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
