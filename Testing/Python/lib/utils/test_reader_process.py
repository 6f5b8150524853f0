"""Files read in a child: a crash, a loop or a flood there is a sentence here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from checkout import ROOT
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils import reader_process
from SkullGANLib.utils.reader_process import array_folder, load_array, read_apart

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the child's limits are POSIX's")


def ask(function, arguments, **options):
    return read_apart(
        function, arguments, where="evil.bin", expected="expected a sound file", **options
    )


def test_an_answer_comes_back_and_so_does_a_sentence_of_ours(tmp_path):
    assert ask("utils.json_text:parse_json", {"text": "[1]", "where": "here"}) == [1]
    with pytest.raises(BadInputError, match="here: is nested too deeply"):
        ask("utils.json_text:parse_json", {"text": "[" * 5000, "where": "here"})
    with pytest.raises(BadInputError, match=r"evil\.bin: cannot be read \(TypeError"):
        ask("utils.json_text:parse_json", {"what": 1})


def test_a_crash_of_a_hostile_file_is_a_sentence_and_the_next_file_is_read():
    with pytest.raises(BadInputError, match=r"evil\.bin: ends the process that reads it"):
        ask("utils.child_process:end_at_once", {"pid": _child_pid()})
    assert ask("utils.json_text:parse_json", {"text": "1", "where": ""}) == 1


def test_a_hostile_file_that_keeps_its_reader_busy_is_a_sentence(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInputError, match=r"was not read within 1 s"):
        ask("utils.atomic_files:sha256", {"path": str(tmp_path / "pipe")}, seconds=1.0)
    assert ask("utils.json_text:parse_json", {"text": "1", "where": ""}) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux limits memory so")
def test_a_hostile_file_that_takes_all_memory_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 4 * 2**30)
    with pytest.raises(BadInputError, match="more memory than a sound file"):
        ask(
            "utils.json_text:read_json",
            {"path": str(tmp_path / "sparse"), "most_bytes": 8 * 2**30},
        )


def test_an_array_comes_back_and_can_be_changed():
    with array_folder(2**20) as folder:
        np.save(folder / "a.npy", np.arange(2**17))
        found = load_array(folder / "a.npy")
    found += 1
    assert found[-1] == 2**17


def test_the_child_ends_with_a_parent_that_was_killed():
    code = (
        "from SkullGANLib.utils import reader_process as r; import time\n"
        "r.read_apart('utils.json_text:parse_json', {'text': '1', 'where': ''}, where='', "
        "expected='')\n"
        "print(r._child.process.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "SkullGAN")}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE
    ) as parent:
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{child}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{child}")


def _child_pid() -> int:
    ask("utils.json_text:parse_json", {"text": "1", "where": ""})
    return reader_process._child.process.pid


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk here")
def test_no_room_for_an_array_on_its_way_is_a_sentence(tmp_path):
    (tmp_path / "a.npy").symlink_to("/dev/full")
    with pytest.raises(BadInputError, match="There is no room for 8 MiB"):
        reader_process.save_array(tmp_path / "a.npy", np.zeros(2**20))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux limits memory so")
def test_memory_is_limited_under_limits_that_somebody_else_has_set(tmp_path):
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 4 * 2**30)
    code = (
        "import resource, sys; from SkullGANLib.utils import reader_process as r; hard = 2**34\n"
        "resource.setrlimit(resource.RLIMIT_AS, (hard, hard))\n"
        "r.read_apart('utils.json_text:read_json', {'path': sys.argv[1], 'most_bytes': 2**33}, "
        "where='evil.bin', expected='expected a sound file')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "SkullGAN")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "sparse")],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "more memory than a sound file" in done.stderr
