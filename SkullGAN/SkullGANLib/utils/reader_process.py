"""A child that reads files from anywhere first: a crash, an endless loop or all the memory that a
damaged file costs are the child's, and ours is a sentence.

``read_apart`` calls a function of the library there. The child is started with the first call and
serves all further ones, so that a call costs a moment; it has limits of time and memory, ends with
us, however we end, and what libraries print in it is dropped. It answers in JSON; arrays travel as
``.npy`` files in a folder that ``array_folder`` gives.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from ..errors import BadInputError
from .child_process import module_line, own_environment

SECONDS = 30.0
"""How long a file may be read, and a second more for each ``_BYTES_A_SECOND``."""
ROOM_BYTES = 512 * 2**20
"""Memory that a call may take beyond what it says it needs."""

_BYTES_A_SECOND = 20 * 2**20
_SHARED = Path("/dev/shm")
_OURS = "SkullGANLib."
_log = logging.getLogger(__name__)
_guard = threading.Lock()


class _Child:
    """The process, and what of its answer was read so far."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            module_line("SkullGANLib.utils.reader_process", []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=own_environment(os.environ),
            start_new_session=os.name != "nt",
        )

    def works(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None

    def ask(self, request: bytes, seconds: float) -> bytes | None:
        """Send a request and wait for the answer; None if the time is over, empty if it died."""
        ends, answers = self.process.stdin, self.process.stdout
        assert ends is not None
        assert answers is not None
        try:
            ends.write(request + b"\n")
            ends.flush()
        except OSError:
            return b""
        return _line(answers, time.monotonic() + seconds)

    def end(self) -> int:
        self.process.kill()
        return self.process.wait()


_child: _Child | None = None
_is_child = False


def read_apart(
    function: str,
    arguments: dict[str, Any],
    *,
    where: str | Path,
    expected: str,
    needed_bytes: int = 0,
    seconds: float = SECONDS,
) -> Any:
    """Call a function of ours in the child.

    Args:
        function: ``package.module:name`` below ``SkullGANLib``.
        arguments: by name, what JSON can hold.
        where: the file, for the sentences.
        expected: what is expected of it, for the sentences.
        needed_bytes: memory that a sound file of its size needs.
        seconds: how long it may take.

    Returns:
        What the function gave, as JSON gives it back.

    Raises:
        BadInputError: as the function does, or if it crashed, took too long or too much memory.
    """
    if _is_child:
        return _function(function)(**arguments)
    global _child
    request = {"function": function, "arguments": arguments, "seconds": seconds}
    request["bytes"] = needed_bytes + ROOM_BYTES
    with _guard:
        if _child is None or not _child.works():
            try:
                _child = _Child()
            except OSError as error:
                _log.debug("no child to read in (%s)", error)
                return _function(function)(**arguments)
        answer = _child.ask(json.dumps(request).encode(), seconds)
        if not answer:
            number = _child.end()
            _child = None
            if number == 0 and answer is not None:  # it went by itself: no crash, nothing too large
                return _function(function)(**arguments)
            _raise_ended(where, expected, answer is None, number, seconds)
    found = json.loads(answer)
    if "sentence" in found:
        raise BadInputError(found["sentence"])
    if "fault" in found:
        raise BadInputError(f"{where}: cannot be read ({found['fault']}), {expected}.")
    return found["value"]


def seconds_for(size: int) -> float:
    """How long a file of that many bytes may be read."""
    return SECONDS + size / _BYTES_A_SECOND


def stay_here() -> None:
    """Have this process read files itself from now on: it is a child already that may crash."""
    global _is_child
    _is_child = True


@contextmanager
def array_folder(needed_bytes: int) -> Iterator[Path]:
    """Give a folder for arrays on their way from the child, in memory where there is room."""
    room = None
    with suppress(OSError):
        if shutil.disk_usage(_SHARED).free > 2 * needed_bytes and os.access(_SHARED, os.W_OK):
            room = _SHARED
    with tempfile.TemporaryDirectory(
        prefix=f"skullgan-arrays-{os.getpid()}-", dir=room, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def save_array(path: Path, values: np.ndarray) -> None:
    """Write an array into an ``array_folder``.

    Raises:
        BadInputError: if there is no room for it.
    """
    try:
        np.save(path, values, allow_pickle=False)
    except OSError as error:
        raise BadInputError(
            f"There is no room for {values.nbytes / 2**20:.0f} MiB in {path.parent.parent} "
            f"({error.strerror or error}), expected that much for the time of reading."
        ) from error


def load_array(path: Path) -> np.ndarray:
    """Read an array out of an ``array_folder``; it stays when the folder goes."""
    if path.is_relative_to(_SHARED) and path.stat().st_size > 2**16:
        # Not copied: the memory is there already, and goes with the array.
        return np.asarray(np.load(path, mmap_mode="r+", allow_pickle=False))
    return np.load(path, allow_pickle=False)


def _raise_ended(
    where: str | Path, expected: str, in_time: bool, number: int, seconds: float
) -> NoReturn:
    if in_time:
        raise BadInputError(
            f"{where}: was not read within {seconds:.0f} s, so it is damaged or made to keep "
            f"readers busy; {expected}."
        )
    if number == -getattr(signal, "SIGXCPU", 0):
        raise BadInputError(f"{where}: takes too long to read; {expected}.")
    raise BadInputError(
        f"{where}: ends the process that reads it (exit code {number}), so it is damaged or made "
        f"to do so; {expected}."
    )


def _line(file: IO[bytes], deadline: float) -> bytes | None:
    """A line of a pipe; None if the time is over, empty at its end."""
    if os.name == "nt":  # where a pipe cannot be waited for
        return file.readline()
    found = b""
    while not found.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([file], [], [], left)[0]:
            return None
        part = os.read(file.fileno(), 2**16)
        if not part:
            return b""
        found += part
    return found


def _function(name: str) -> Any:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(_OURS + module), function)


@atexit.register
def _end() -> None:
    if _child is not None and _child.works():
        _child.end()


def serve() -> None:
    """Be the child: answer requests until there are no more."""
    from .orphans import watch_parent

    stay_here()
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(quiet, number)
    watch_parent(os.getppid())
    for line in requests:
        answers.write(json.dumps(_answer(json.loads(line))).encode() + b"\n")
        answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    _limit(request["seconds"], request["bytes"])
    try:
        return {"value": _function(request["function"])(**request["arguments"])}
    except BadInputError as error:
        return {"sentence": str(error)}
    except MemoryError:
        return {"fault": "it would take more memory than a sound file of its size"}
    except Exception as error:  # whatever a library stumbles over in a damaged file
        text = " ".join(str(error).split())
        if "memory" in text.lower() or "alloc" in text.lower():
            return {"fault": "it would take more memory than a sound file of its size"}
        return {"fault": f"{type(error).__name__}: {text[:200]}"}


def _limit(seconds: float, room_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime + 2 * seconds) + 10
    _give_back()
    held = 0
    with suppress(OSError), open("/proc/self/statm") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    limits = {resource.RLIMIT_CPU: spent}
    if held:
        limits[resource.RLIMIT_AS] = held + room_bytes
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]  # whoever started us may have set it
        resource.setrlimit(kind, (most if hard < 0 else min(most, hard), hard))


def _give_back() -> None:
    """Return what the file before has left, so that it is no room for the next one."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # of glibc


if __name__ == "__main__":
    sys.modules.setdefault("SkullGANLib.utils.reader_process", sys.modules["__main__"])
    serve()
