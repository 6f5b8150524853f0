"""A child ends with its parent, whoever killed that."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from checkout import ROOT

CHILD = (
    "import os, time; from SkullGANLib.utils import orphans; {}; "
    "print(os.getpid(), flush=True); time.sleep(60)"
)
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline().strip(), flush=True)
time.sleep(60)
"""


def is_there(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc says who is there")
@pytest.mark.parametrize("way", ["die_with_parent()", "watch_parent(os.getppid())"])
def test_a_child_is_gone_when_its_parent_was_killed(way):
    program = CHILD.format(f"orphans.{way}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "SkullGAN")}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, program], stdout=subprocess.PIPE, text=True, env=environment
    )
    child = int(parent.stdout.readline())
    assert is_there(child)
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not is_there(child):
            return
        time.sleep(0.1)
    pytest.fail("the child is still there")
