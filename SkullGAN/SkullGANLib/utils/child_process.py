"""Our command line as a child process that a panel watches and ends without waiting for it.

``ChildProcess`` starts a command, ``poll`` takes in what it wrote since, ``cancel`` ends it with
everything it started. ``command_line`` and ``script_line`` write the commands. Nothing here blocks
and nothing uses threads: in Slicer, a Python thread runs only while the main thread lets it, so the
child writes into a file and ``poll`` reads what is new there.

Example:
    >>> child = ChildProcess(command_line(["--version"]))
    >>> child.wait(30)
    'finished'
    >>> child.output[0].startswith("skullgan ")
    True
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import OutputError
from . import memory
from .process_tree import KILL, ProcessTree
from .process_tree import end_at_once as end_at_once

ASK_S = 1.0
"""How long a run is given to save and end after it was asked by its ``stop`` file."""
TERM_S = 0.4
"""How long the tree is given after SIGTERM before SIGKILL; with ``ASK_S`` below 2 s in all."""

_LIBRARY = Path(__file__).resolve().parents[2]
_CANCELLED = 2  # exit code of the command line
_PROGRESS = re.compile(r"progress ([01]\.\d+) ?(.*)")
_LAUNCHER_LOST_IT = re.compile(r"error: \[.*\] exit abnormally - Report the problem\.")
"""What ``PythonSlicer`` says of a Python that a signal ended; the exit code is then 1."""
_MEASURE_EVERY_S = 0.25


def slicers_python() -> str | None:
    """Give Slicer's ``PythonSlicer``; None outside Slicer."""
    return shutil.which("PythonSlicer")


def python_executable() -> str:
    """Give the interpreter for children: Slicer's ``PythonSlicer``, elsewhere the running one."""
    return slicers_python() or sys.executable


def command_line(arguments: Sequence[str | Path], python: str | Path | None = None) -> list[str]:
    """Write ``skullgan <arguments>`` as a command that needs no installed script.

    Args:
        arguments: of the command line, without the program.
        python: the interpreter; ``python_executable()`` if None.
    """
    return module_line("SkullGANLib", arguments, python)


def module_line(
    module: str, arguments: Sequence[str | Path], python: str | Path | None = None
) -> list[str]:
    """Write ``python -m <module> <arguments>``, of any of our packages."""
    return [str(python or python_executable()), "-m", module, *map(str, arguments)]


def script_line(
    script: str | Path, arguments: Sequence[str | Path], python: str | Path | None = None
) -> list[str]:
    """Write the call of a headless script of ours; arguments as for ``command_line``."""
    return [str(python or python_executable()), str(script), *map(str, arguments)]


class ChildProcess:
    """One running command with all that it starts, from its beginning to its end.

    Call ``poll`` a few times a second; it also carries a cancellation on, step by step: the run's
    ``stop`` file, SIGTERM to the whole tree, SIGKILL to what is left of it.

    Attributes:
        share: 0 to 1, of the work done, as the command wrote last (``--progress lines``).
        note: what it wrote with that.
        output: the lines it wrote, without those of progress.
        exit_code: None while it runs; negative if a signal ended it.
        cancelling: whether its end was asked for.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        run_directory: str | Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a command.

        Args:
            command: program and arguments.
            run_directory: of a training, which can be asked to end; None for other commands.
            environment: ``os.environ`` if None; the path to our library is added.

        Raises:
            OutputError: if the program cannot be started.
        """
        self.share = 0.0
        self.note = ""
        self.output: list[str] = []
        self.exit_code: int | None = None
        self.cancelling = False
        self._run_directory = Path(run_directory) if run_directory is not None else None
        self._unread = b""
        self._steps: list[tuple[float, int]] = []  # when which signal is due
        self._lost = False  # the launcher lost its Python to a signal that nobody names
        self._taken: int | None = None  # bytes, when they were measured last
        self._free: int | None = None
        self._measured = 0.0
        self._kills = memory.kills()
        self._memory_ran_out = False
        self._folder = tempfile.TemporaryDirectory(
            prefix="skullgan-process-", ignore_cleanup_errors=True
        )
        log_path = Path(self._folder.name) / "output"
        self._started = time.monotonic()
        try:
            with open(log_path, "ab") as log:
                given = os.environ if environment is None else environment
                self._tree = ProcessTree(command, log, own_environment(given))
        except OSError as error:
            self._folder.cleanup()
            raise OutputError(
                f"{command[0]}: cannot be started ({error.strerror or error}), expected a "
                "Python interpreter."
            ) from error
        self._log = open(log_path, "rb")  # noqa: SIM115 - closed when the child has ended

    @property
    def pid(self) -> int:
        """Process id of the child, and on Linux and macOS of its process group."""
        return self._tree.pid

    @property
    def state(self) -> str:
        """``running``, ``finished``, ``cancelled`` or ``failed``, as of the last ``poll``."""
        if self.exit_code is None:
            return "running"
        if self.exit_code == 0:
            return "finished"
        return "cancelled" if self.cancelling or self.exit_code == _CANCELLED else "failed"

    @property
    def eta_s(self) -> float | None:
        """Seconds to the end at the speed so far; None while that is not known."""
        if self.exit_code is not None or self.share < 0.02:
            return None
        return (time.monotonic() - self._started) * (1 - self.share) / self.share

    @property
    def sentence(self) -> str:
        """What a user is to know of a child that failed: its own last sentence, or how it ended."""
        own = [line for line in self.output if line.startswith("skullgan: ")]
        if own:
            return own[-1].removeprefix("skullgan: ")
        if self._memory_ran_out:
            taken = (
                "" if self._taken is None else f"; it had taken {self._taken / memory.GIB:.1f} GiB"
            )
            there = memory.have(self._free, memory.total_bytes())
            return f"Memory ran out and the system ended the process{taken}, {there}."
        if self.exit_code is not None and self.exit_code < 0:
            return f"The process was ended from outside (signal {-self.exit_code})."
        if self._lost:
            return "The process crashed or was ended from outside."
        last = self.output[-1] if self.output else "without a word"
        return f"The process ended with code {self.exit_code}: {last}"

    def poll(self) -> str:
        """Take in what the child wrote, carry a cancellation on and give the ``state``."""
        if self.exit_code is not None:
            return self.state
        # The end is looked for before reading, so that nothing written before it is lost.
        exit_code = self._tree.poll()
        self._read()
        if exit_code is not None:
            self._take_end(exit_code)
        else:
            self._measure()
            while self._steps and time.monotonic() >= self._steps[0][0]:
                self._tree.signal(self._steps.pop(0)[1])
        return self.state

    def cancel(self, ask_s: float = ASK_S) -> None:
        """Begin to end the child and all it started; ``poll`` goes on with it.

        Args:
            ask_s: how long a run (``run_directory``) may take to save and end by itself. A second
                call with less shortens it.
        """
        if self.exit_code is not None:
            return
        self.cancelling = True
        asked = self._ask() and ask_s > 0
        due = time.monotonic() + (ask_s if asked else 0.0)
        self._steps = [(due, signal.SIGTERM), (due + TERM_S, KILL)]
        self.poll()

    def end(self) -> None:
        """End the child and all it started within 2 s, and come back when that is done."""
        self.cancel()
        self.wait(ASK_S + TERM_S + 0.5)

    def let_go(self) -> None:
        """Leave the child to itself; it goes on, also when we end."""
        self._log.close()
        self._tree.close()
        # On Windows an open file stays where it is.
        self._folder.cleanup()

    def wait(self, timeout_s: float) -> str:
        """Poll until the child has ended or the time is over; give the ``state``."""
        deadline = time.monotonic() + timeout_s
        while self.poll() == "running" and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.state

    def _ask(self) -> bool:
        """Put the ``stop`` file into the run directory, if there is a run."""
        if self._run_directory is None or not self._run_directory.is_dir():
            return False
        try:
            (self._run_directory / "stop").touch()
        except OSError:
            return False
        return True

    def _measure(self) -> None:
        """Note a few times a second how much memory is taken and free, in case it runs out."""
        now = time.monotonic()
        if now - self._measured >= _MEASURE_EVERY_S:
            self._measured = now
            self._taken, self._free = self._tree.taken_bytes(), memory.free_bytes()

    def _take_end(self, exit_code: int) -> None:
        # What a child leaves behind (workers of a killed training) is nobody's any more.
        self._tree.signal(KILL)
        self._close_log()
        killed = exit_code == -signal.SIGKILL if os.name != "nt" else False
        if (self._lost or killed) and not self.cancelling:
            ran_out = memory.kills() > self._kills
            self._memory_ran_out = ran_out or memory.is_scarce(self._free, memory.total_bytes())
        self.exit_code = exit_code
        self._tree.close()

    def _read(self) -> None:
        *lines, self._unread = (self._unread + self._log.read()).split(b"\n")
        for line in lines:
            self._take(line.decode("utf-8", errors="replace").rstrip())

    def _take(self, line: str) -> None:
        progress = _PROGRESS.fullmatch(line)
        if _LAUNCHER_LOST_IT.fullmatch(line):
            self._lost = True
        elif progress:
            self.share, self.note = min(float(progress[1]), 1.0), progress[2]
        elif line:
            self.output.append(line)

    def _close_log(self) -> None:
        self._take(self._unread.decode("utf-8", errors="replace").rstrip())
        self._log.close()
        self._folder.cleanup()


def own_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Give a child's environment: our library is found, and texts are UTF-8 and come at once."""
    path = [str(_LIBRARY), given.get("PYTHONPATH", "")]
    return {
        **given,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
    }
