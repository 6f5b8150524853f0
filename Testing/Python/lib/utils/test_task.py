"""Tasks: short pieces and child processes in one script that nobody waits for."""

from __future__ import annotations

import os
import sys
import time

import pytest
from SkullGANLib.errors import BadInputError, SkullGANError
from SkullGANLib.utils.child_process import ChildProcess
from SkullGANLib.utils.task import Running, Task

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def says(text: str, code: int = 0) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})"]


def test_pieces_and_children_follow_each_other_and_the_result_is_what_the_work_returns():
    seen = []

    def work():
        seen.append("first")
        yield 0.25
        yield Running(ChildProcess(says("progress 0.500 half")), 0.25, 0.75)
        seen.append("last")
        return 42

    task = Task("Counting", work())
    assert task.wait(30) == "finished"
    assert (task.result, task.share, seen) == (42, 1.0, ["first", "last"])


def test_the_share_goes_from_the_childs_first_to_its_last():
    program = "import time; print('progress 0.500 half', flush=True); time.sleep(60)"

    def work():
        yield Running(ChildProcess([sys.executable, "-c", program]), 0.2, 0.6)

    task = Task("Half", work())
    deadline = time.monotonic() + 30
    while task.share < 0.4 and time.monotonic() < deadline:
        task.poll()
    assert task.share == pytest.approx(0.4)
    task.end()


def test_a_poll_does_not_go_on_with_short_pieces_for_longer_than_told():
    def work():
        while True:
            yield 0.0

    task = Task("Endless", work())
    assert task.poll(at_once_s=0.01) == "running"
    task.cancel()
    assert task.state == "cancelled"


def test_a_cancelled_child_is_gone_and_the_work_undoes_its_half():
    undone = []

    def work():
        try:
            yield Running(ChildProcess(SLEEP))
        finally:
            undone.append(True)

    task = Task("Sleeping", work())
    task.poll()
    pid = task.child.pid
    task.end()
    assert (task.state, undone) == ("cancelled", [True])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_that_fails_fails_the_task_with_its_sentence_under_the_users_names():
    def work():
        child = ChildProcess(says("skullgan: /tmp/x.nrrd: there is no vault.", 1))
        yield Running(child, shown={"/tmp/x.nrrd": "My CT"})

    task = Task("Cutting", work())
    assert task.wait(30) == "failed"
    assert task.sentence == "My CT: there is no vault."


def test_the_work_may_go_on_after_a_child_that_failed():
    def work():
        try:
            yield Running(ChildProcess(says("skullgan: no.", 1)))
        except SkullGANError as error:
            return f"instead: {error}"

    task = Task("Trying", work())
    assert task.wait(30) == "finished"
    assert task.result == "instead: no."


def test_bad_input_fails_the_task_and_a_bug_comes_through():
    def bad():
        yield 0.0
        raise BadInputError("too small")

    def bug():
        yield 0.0
        raise ZeroDivisionError("by nothing")

    task = Task("Bad", bad())
    assert (task.wait(5), task.sentence) == ("failed", "too small")
    task = Task("Bug", bug())
    with pytest.raises(ZeroDivisionError):
        task.wait(5)
    assert task.state == "failed"
