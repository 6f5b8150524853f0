"""A process whose crash is a sentence: the work is done in a child, and the parent waits for it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from .orphans import die_with_parent


def enter(program: str) -> None:
    """Split the process: the child returns from here, the parent ends with the child's exit code.

    If a signal ends the child that was not sent to the parent, as a crash does, the parent says so
    on standard error and exits with 1. Call it early: threads do not come along. Where the system
    cannot split a process, nothing is done.

    Args:
        program: its name, for the sentence.
    """
    if not hasattr(os, "fork"):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        die_with_parent(parent)
        return
    _forward_to(child)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        print(
            f"{program}: the process ended by signal {number} ({_name(number)}): a file that it "
            "read is damaged in a way that its reader does not survive, or memory ran out; "
            "expected sound files.",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)
    os._exit(os.WEXITSTATUS(status))


def _forward_to(child: int) -> None:
    def forward(number: int, frame: object) -> None:
        with suppress(ProcessLookupError):  # has just ended
            os.kill(child, number)

    signal.signal(signal.SIGTERM, forward)
    # From a terminal both hear Ctrl-C; from elsewhere the child would not.
    signal.signal(signal.SIGINT, forward)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
