"""Memory: what the system tells of it, and what is said when it ran out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from SkullGANLib.utils import memory

linux = pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="only Linux tells")


@linux
def test_there_is_memory_and_some_of_it_is_free():
    free, total = memory.free_bytes(), memory.total_bytes()
    assert 0 < free < total


@linux
def test_a_group_has_taken_what_its_processes_hold():
    program = "held = bytearray(64 * 2**20); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        child.stdout.readline()
        assert 64 * 2**20 < memory.of_group(child.pid) < 256 * 2**20
        child.communicate(b"\n")
    assert memory.of_group(child.pid) == 0


def test_a_container_leaves_what_its_limit_does(tmp_path, monkeypatch):
    """Files that it has cached can be dropped and count as free."""
    for name, text in {
        "memory.max": "4294967296",
        "memory.current": "3221225472",
        "memory.stat": "anon 1\ninactive_file 1073741824\n",
        "memory.events": "low 0\noom 2\noom_kill 2\n",
    }.items():
        (tmp_path / name).write_text(text + "\n")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path)
    monkeypatch.setattr(memory, "_PROC", tmp_path / "nowhere")
    assert (memory.free_bytes(), memory.total_bytes()) == (2**31, 2**32)
    assert memory.kills() == 2
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_bytes() is None
    assert memory.of_group(os.getpid()) is None


@pytest.mark.parametrize(
    ("free", "total", "scarce"),
    [(None, 2**32, False), (2**27, 2**32, True), (2**30, 2**32, False), (2**31, 2**37, True)],
)
def test_memory_is_scarce_where_hardly_any_is_free(free, total, scarce):
    assert memory.is_scarce(free, total) is scarce


def test_an_array_that_is_too_large_is_said_with_need_and_have():
    with pytest.raises(MemoryError) as caught:
        np.empty(2**44, np.float64)
    sentence = memory.lack_sentence(caught.value)
    expected = r"There is not enough memory: another 131072\.0 GiB were asked for; .* were free\."
    assert re.fullmatch(expected, sentence)


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (MemoryError(), "more was asked for; "),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                         "34359738368 bytes. Error code 12"),
            "another 32.0 GiB were asked for; ",
        ),
        (
            RuntimeError("CUDA out of memory. Tried to allocate 20.50 GiB. GPU 0 has a total "
                         "capacity of 15.7 GiB of which 3.1 GiB is free. Process 1 has"),
            "The GPU has not enough memory: another 20.5 GiB were asked for; it has a total "
            "capacity of 15.7 GiB of which 3.1 GiB is free.",
        ),
        (RuntimeError("std::bad_alloc"), "more was asked for; "),
    ],
)  # fmt: skip
def test_what_libraries_say_of_lacking_memory_is_understood(error, part):
    assert part in memory.lack_sentence(error)


def test_another_error_is_no_lack_of_memory():
    assert memory.lack_sentence(RuntimeError("shapes do not fit")) == ""


def test_what_may_be_taken_is_the_least_of_what_is_free_and_of_the_processs_own_limit(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 500)
    monkeypatch.setattr(memory, "_left_of_process", lambda: 300)
    assert memory.available_bytes() == 300
    monkeypatch.setattr(memory, "_left_of_process", lambda: None)
    assert memory.available_bytes() == 500
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    assert memory.available_bytes() is None
