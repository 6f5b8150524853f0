"""A process with all that it starts: begun apart from us, ended and measured as a whole.

On Linux and macOS they are a session of their own, on Windows a job. Both find what is left when
the process that began it all is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from . import memory, windows_job

WINDOWS = os.name == "nt"
KILL = signal.SIGTERM if WINDOWS else signal.SIGKILL
"""The signal that nothing survives; on Windows any signal is one."""

_NO_WINDOW = 0x08000000  # CREATE_NO_WINDOW: a console of its own would come up


class ProcessTree:
    """A running command and all that it has started.

    Args:
        command: program and arguments.
        log: file that takes what they write.
        environment: of the command.

    Raises:
        OSError: if the program cannot be started.
    """

    def __init__(
        self, command: Sequence[str], log: IO[bytes], environment: Mapping[str, str]
    ) -> None:
        # Out of our group: it is ended as a whole, and not by our Ctrl-C.
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(environment),
            creationflags=_windows_flags() if WINDOWS else 0,
            start_new_session=not WINDOWS,
        )
        self._job = windows_job.Job(self.pid) if WINDOWS else None

    @property
    def pid(self) -> int:
        """Process id of the command, and on Linux and macOS of its process group."""
        return self._process.pid

    def poll(self) -> int | None:
        """Give the exit code of the command; None while it runs, negative for a signal."""
        return self._process.poll()

    def signal(self, number: int) -> None:
        """Send a signal to all of them; on Windows they are ended."""
        if self._job and self._job.holds:
            self._job.end()
        else:
            _signal_group(self.pid, number)

    def taken_bytes(self) -> int | None:
        """Give the memory that they have taken together; None if not known."""
        return self._job.peak_bytes() if self._job else memory.of_group(self.pid)

    def close(self) -> None:
        """Let go of them; what still runs goes on."""
        if self._job:
            self._job.close()


def end_at_once(pid: int) -> None:
    """End a process that another program started, and where it leads a group the whole group.

    A command of ours leads its group if a panel started it; typed into a terminal it may share the
    group with the user's own programs, and only the process itself is ended.
    """
    if not WINDOWS:
        try:
            if os.getpgid(pid) != pid:
                os.kill(pid, KILL)
                return
        except ProcessLookupError:
            return
    _signal_group(pid, KILL)


def _signal_group(leader: int, number: int) -> None:
    if WINDOWS:
        # By the tree of parents, for what no job of ours holds; it is not waited for.
        subprocess.Popen(
            ["taskkill", "/PID", str(leader), "/T", "/F"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=_NO_WINDOW,
        )
        return
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        pass  # all gone
    except PermissionError:
        pass  # macOS says so of a group that holds only ended processes


def _windows_flags() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | _NO_WINDOW | windows_job.CREATE_SUSPENDED
