"""Child processes: what they say, how they end, and that nothing of them stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from checkout import ROOT
from SkullGANLib.errors import OutputError
from SkullGANLib.utils import memory
from SkullGANLib.utils.child_process import (
    ChildProcess,
    command_line,
    python_executable,
    script_line,
)
from SlicerHost import launcher

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the children of these tests use signals")

LONGEST_S = 20
"""Far more than anything here takes; a test that fails must not hang."""


def started(program: str, **settings: object) -> ChildProcess:
    return ChildProcess([sys.executable, "-c", program], **settings)


def wait_for_word(child: ChildProcess, word: str) -> None:
    deadline = time.monotonic() + LONGEST_S
    while word not in child.output:
        assert child.poll() == "running", child.output
        assert time.monotonic() < deadline, child.output
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + LONGEST_S
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_command_line_runs_without_being_installed(tmp_path):
    child = ChildProcess(command_line(["--version"]), environment={"PATH": os.environ["PATH"]})
    assert child.wait(LONGEST_S) == "finished"
    assert child.output[0].startswith("skullgan ")
    assert child.exit_code == 0


def test_progress_and_other_lines_are_told_apart():
    child = started(
        "import sys\n"
        "print('progress 0.2500 Cutting one', file=sys.stderr)\n"
        "print('a line of its own')\n"
        "print('progress 0.7500 Cutting two', file=sys.stderr)\n"
    )
    assert child.wait(LONGEST_S) == "finished"
    assert (child.share, child.note) == (0.75, "Cutting two")
    assert child.output == ["a line of its own"]


def test_half_a_line_is_not_taken_for_a_whole_one():
    child = started(
        "import sys, time\n"
        "sys.stderr.write('progress 0.5'); sys.stderr.flush(); print('half', flush=True)\n"
        "time.sleep(0.3); sys.stderr.write('\\nprogress 0.9000 more\\n')\n"
    )
    assert child.wait(LONGEST_S) == "finished"
    assert child.share == 0.9


def test_what_a_failed_command_says_is_the_sentence_to_show(tmp_path):
    missing = tmp_path / "no such head.nrrd"
    child = ChildProcess(command_line(["extract", missing, "-o", tmp_path / "out.h5"]))
    assert child.wait(LONGEST_S) == "failed"
    assert child.exit_code == 1
    assert child.sentence.startswith(f"{missing}: there is no such file")


def test_an_error_that_nobody_foresaw_gives_its_last_line():
    child = started("raise ValueError('odd')")
    assert child.wait(LONGEST_S) == "failed"
    assert child.sentence == "The process ended with code 1: ValueError: odd"


def test_a_child_killed_from_outside_is_a_failure_that_says_so():
    child = started("print('up', flush=True); import time; time.sleep(60)")
    wait_for_word(child, "up")
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(LONGEST_S) == "failed"
    assert child.sentence == "The process was ended from outside (signal 9)."


def test_a_child_that_slicers_launcher_lost_is_not_said_to_have_ended_by_itself():
    with launcher.on_path() as program:
        crashing = "import os, signal; print('last', flush=True); os.kill(os.getpid(), signal.{})"
        for name in ("SIGSEGV", "SIGKILL"):
            child = ChildProcess([str(program), "-c", crashing.format(name)])
            assert child.wait(LONGEST_S) == "failed"
            assert child.exit_code == 1
            assert child.output == ["last"]
            assert child.sentence == "The process crashed or was ended from outside."
        child = ChildProcess(command_line(["no-such-command"]))
        assert child.wait(LONGEST_S) == "failed"
        assert "invalid choice: 'no-such-command'" in child.sentence


@pytest.mark.parametrize("launched", [False, True])
def test_a_child_that_the_system_ended_for_want_of_memory_says_need_and_have(monkeypatch, launched):
    """The system's count of such ends has grown meanwhile."""
    counts = iter((3, 4))
    monkeypatch.setattr(memory, "kills", lambda: next(counts))
    program = "held = bytearray(2**28); print('up', flush=True); import time; time.sleep(60)"
    with launcher.on_path() if launched else nullcontext(sys.executable) as python:
        child = ChildProcess([str(python), "-c", program])
        wait_for_word(child, "up")
        time.sleep(0.3)
        child.poll()  # which measures
        group = [*Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()]
        os.kill(int(group[0]) if launched else child.pid, signal.SIGKILL)
        assert child.wait(LONGEST_S) == "failed"
    assert re.fullmatch(
        r"Memory ran out and the system ended the process; it had taken 0\.3 GiB, [\d.]+ GiB of "
        r"[\d.]+ GiB were free\.",
        child.sentence,
    )


def test_a_child_that_asks_for_more_memory_than_there_is_says_need_and_have(tmp_path):
    program = (
        "import resource, sys\n"
        "from SkullGANLib.cli import main\n"
        "from SkullGANLib.cli import program\n"
        "from SkullGANLib.cli.options import command\n"
        "def take(options):\n"
        "    'Take it all.'\n"
        "    bytearray(2**40)\n"
        "program.demo.add_demo = lambda commands: command(commands, take, 'skullgan take')\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "sys.exit(main(['take']))\n"
    )
    child = ChildProcess([sys.executable, "-c", program])
    assert child.wait(LONGEST_S) == "failed"
    assert child.sentence.startswith("There is not enough memory: more was asked for; ")
    assert child.sentence.endswith(" were free.")


def test_polling_never_waits_for_the_child():
    child = started("print('up', flush=True); import time; time.sleep(60)")
    wait_for_word(child, "up")
    assert child.poll() == "running"
    assert child.exit_code is None
    child.end()
    assert child.state == "cancelled"


def test_cancelling_asks_a_run_first_and_lets_it_save(tmp_path):
    child = started(
        "import pathlib, sys, time\n"
        f"stop = pathlib.Path({str(tmp_path)!r}) / 'stop'\n"
        "print('up', flush=True)\n"
        "while not stop.exists(): time.sleep(0.01)\n"
        "(stop.parent / 'saved').touch(); sys.exit(2)\n",
        run_directory=tmp_path,
    )
    wait_for_word(child, "up")
    child.cancel(ask_s=LONGEST_S)
    assert child.wait(LONGEST_S) == "cancelled"
    assert child.exit_code == 2
    assert (tmp_path / "saved").exists()


def test_a_run_that_does_not_listen_is_ended_when_its_time_is_over(tmp_path):
    child = started("print('up', flush=True); import time; time.sleep(60)", run_directory=tmp_path)
    wait_for_word(child, "up")
    child.cancel(ask_s=0.1)
    assert child.wait(LONGEST_S) == "cancelled"
    assert child.exit_code == -signal.SIGTERM


def test_pressing_cancel_again_shortens_the_patience(tmp_path):
    child = started("print('up', flush=True); import time; time.sleep(60)", run_directory=tmp_path)
    wait_for_word(child, "up")
    child.cancel(ask_s=1000)
    assert child.poll() == "running"
    child.cancel(ask_s=0)
    assert child.wait(LONGEST_S) == "cancelled"


def test_a_child_that_ignores_the_request_is_killed():
    child = started(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    wait_for_word(child, "up")
    child.end()
    assert child.state == "cancelled"
    assert child.exit_code == -signal.SIGKILL


@pytest.mark.parametrize("handler", ["SIG_DFL", "SIG_IGN"])
def test_grandchildren_go_with_the_child(handler):
    child = started(
        "import signal, subprocess, sys, time\n"
        "deaf = f'import signal, time; signal.signal(signal.SIGTERM, signal."
        f"{handler}); print(1, flush=True); time.sleep(60)'\n"
        "below = subprocess.Popen([sys.executable, '-c', deaf], stdout=subprocess.PIPE)\n"
        "below.stdout.readline()\n"
        "print(below.pid, flush=True); print('up', flush=True); time.sleep(60)\n"
    )
    wait_for_word(child, "up")
    grandchild = int(child.output[0])
    assert is_alive(grandchild)
    child.end()
    assert child.state == "cancelled"
    wait_until_gone(grandchild)


def test_workers_of_a_child_that_died_are_ended_too():
    child = started(
        "import os, signal, subprocess, sys\n"
        "below = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(below.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert child.wait(LONGEST_S) == "failed"
    wait_until_gone(int(child.output[0]))


def test_a_child_is_in_a_group_of_its_own():
    child = started("import os; print(os.getpgid(0) == os.getpid())")
    assert child.wait(LONGEST_S) == "finished"
    assert child.output == ["True"]
    assert os.getpgid(0) != child.pid


def test_cancelling_what_has_ended_changes_nothing():
    child = started("pass")
    child.wait(LONGEST_S)
    child.cancel()
    assert child.state == "finished"


def test_an_interpreter_that_is_not_there_is_named(tmp_path):
    nowhere = tmp_path / "PythonSlicer"
    with pytest.raises(OutputError, match="PythonSlicer: cannot be started"):
        ChildProcess(command_line(["--version"], python=nowhere))


def test_slicers_interpreter_is_taken_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert python_executable() == sys.executable
    slicers = tmp_path / "PythonSlicer"
    slicers.write_text("#!/bin/sh\n")
    slicers.chmod(0o755)
    assert python_executable() == str(slicers)
    assert script_line("a.py", ["-o", Path("x")]) == [str(slicers), "a.py", "-o", "x"]


def test_a_child_that_was_let_go_works_on_when_we_have_ended(tmp_path):
    done = tmp_path / "done"
    below = f"import pathlib, time; time.sleep(0.5); print(1); pathlib.Path({str(done)!r}).touch()"
    program = (
        "import sys\n"
        "from SkullGANLib.utils.child_process import ChildProcess\n"
        f"ChildProcess([sys.executable, '-c', {below!r}]).let_go()\n"
    )
    library = str(ROOT / "SkullGAN")
    environment = {**os.environ, "PYTHONPATH": library}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert not done.exists()
    deadline = time.monotonic() + LONGEST_S
    while not done.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_nothing_stays_in_the_temporary_folder(tmp_path):
    program = (
        "import sys, time\n"
        "from SkullGANLib.utils.child_process import ChildProcess\n"
        "ChildProcess([sys.executable, '-c', 'print(1)']).wait(20)\n"
    )
    library = str(ROOT / "SkullGAN")
    environment = {**os.environ, "PYTHONPATH": library, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
