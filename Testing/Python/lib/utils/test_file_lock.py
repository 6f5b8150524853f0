"""Locks on files and on what is written, with real files and a second process."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from checkout import ROOT
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.utils import file_lock

HOLD = """
import sys, time
from SkullGANLib.utils import file_lock
with open(sys.argv[1], "r+b") as file:
    print(file_lock.lock(file), flush=True)
    time.sleep(600)
"""


def test_a_file_is_locked_until_it_is_closed(tmp_path):
    path = tmp_path / "file"
    path.touch()
    assert file_lock.is_locked(path) is False
    with open(path, "r+b") as file:
        assert file_lock.lock(file) is True
        assert file_lock.is_locked(path) is True
        with open(path, "r+b") as other:
            assert file_lock.lock(other) is False
    assert file_lock.is_locked(path) is False


def test_the_lock_of_a_process_that_was_killed_is_gone(tmp_path):
    path = tmp_path / "file"
    path.touch()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], cwd=ROOT / "SkullGAN", stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "True\n"
        assert file_lock.is_locked(path) is True
    finally:
        holder.kill()
        holder.wait()
    assert file_lock.is_locked(path) is False


def test_a_file_that_is_not_there_is_locked_by_no_process(tmp_path):
    assert file_lock.is_locked(tmp_path / "none") is False


WRITE = """
import sys, time
from pathlib import Path
from SkullGANLib.utils.file_lock import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def another_writer(path):
    """A process that holds the lock of an output, killed at the end."""
    holder = subprocess.Popen(
        [sys.executable, "-c", WRITE, path],
        cwd=ROOT / "SkullGAN",
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        yield holder
    finally:
        holder.kill()
        holder.wait()


def test_a_lock_keeps_a_second_writer_from_a_set_and_names_the_process(tmp_path):
    path = tmp_path / "set.h5"
    with another_writer(path) as holder:
        with pytest.raises(BadInputError, match=f"process {holder.pid} writes it now"):
            hdf5.Writer(path, kind="synthetic")
        with pytest.raises(BadInputError, match="writes it now"), file_lock.writing(path):
            pass
        with file_lock.writing(tmp_path / "other.h5"):
            pass
    with file_lock.writing(path):
        assert file_lock.lock_file(path).exists()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_can_be_taken_again_by_its_thread_and_by_no_other(tmp_path):
    path = tmp_path / "new" / "set.h5"
    with file_lock.writing(path):
        with file_lock.writing(path):
            pass
        with ThreadPoolExecutor(1) as pool, pytest.raises(BadInputError, match="by this process"):
            pool.submit(file_lock.WriteLock, path).result()
        assert file_lock.lock_file(path).exists()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_where_nothing_can_be_written_says_so_before_the_work():
    with pytest.raises(OutputError, match="cannot be written"):
        file_lock.WriteLock(Path("/dev/full/set.h5"))


def test_a_lock_file_of_a_process_that_ended_keeps_nobody_away(tmp_path):
    path = tmp_path / "set.h5"
    file_lock.lock_file(path).write_text('{"pid": 1, "host": "elsewhere"}')
    with file_lock.writing(path):
        pass
    assert list(tmp_path.iterdir()) == []
