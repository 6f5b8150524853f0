"""Locks: one process trains in a run or writes a set at a time, and others can find out.

The system lets go of a lock when its process ends, however it ends: one that was killed leaves
nothing that keeps others away, and a process id that went to another program misleads nobody.

``lock`` and ``is_locked`` are for a file that stays; ``writing`` is for one that is replaced while
it is written, as segment sets are, and locks a small file beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import BadInputError, OutputError

_ATTEMPTS, _BETWEEN_S = 10, 0.02

_guard = threading.Lock()


@dataclass
class _Hold:
    """A lock of this process: its open file, the thread that took it and how often it did."""

    path: Path
    file: IO[bytes]
    thread: int
    made: list[Path]
    count: int = 1


_holds: dict[Path, _Hold] = {}


class WriteLock:
    """Keeps all others from writing a file, from its making to its ``release``.

    The thread that holds it may take it again. A process that was killed holds nothing any more;
    the small file that it leaves beside the output goes with the next lock. Where the file system
    knows no locks, the process that the small file names is looked for.

    Args:
        path: the output, which may be there or not; its folder is made.

    Raises:
        BadInputError: if somebody else writes it, naming the process.
        OutputError: if nothing can be written in its folder.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        self._key = Path(os.path.realpath(path.parent)) / path.name
        with _guard:
            hold = _holds.get(self._key)
            if hold is None:
                _holds[self._key] = _taken(path)
            elif hold.thread == threading.get_ident():
                hold.count += 1
            else:
                raise BadInputError(f"{path}: is being written by this process already.")
        self._released = False

    def release(self) -> None:
        """Let others write; a second call does nothing."""
        if self._released:
            return
        self._released = True
        with _guard:
            hold = _holds[self._key]
            hold.count -= 1
            if hold.count == 0:
                del _holds[self._key]
                _let_go(hold)


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Hold the ``WriteLock`` of an output while the block runs.

    Example:
        >>> import tempfile
        >>> with writing(Path(tempfile.mkdtemp()) / "set.h5"):
        ...     pass  # nobody else writes it
    """
    held = WriteLock(path)
    try:
        yield
    finally:
        held.release()


def lock_file(path: str | Path) -> Path:
    """The small file that is locked while an output is written."""
    path = Path(path)
    token = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    return path.with_name(f".{token}.lock")


def lock(file: IO[bytes]) -> bool | None:
    """Lock a file until it is closed, and outwait those who only look (``is_locked``).

    Args:
        file: open for reading and writing.

    Returns:
        False if another process has locked it; None if the file system knows no locks.
    """
    for _attempt in range(_ATTEMPTS):
        locked = _lock_at_once(file)
        if locked is not False:
            break
        time.sleep(_BETWEEN_S)
    return locked


def is_locked(path: Path) -> bool | None:
    """Tell whether a process of this machine has locked a file; None if that is not known.

    The lock is taken for a moment to find out.
    """
    try:
        with open(path, "r+b") as file:
            locked = _lock_at_once(file)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    return None if locked is None else not locked


def _lock_at_once(file: IO[bytes]) -> bool | None:
    if sys.platform == "win32":  # where what is locked cannot be read: a byte after the end is
        import msvcrt

        file.seek(2**30)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _taken(path: Path) -> _Hold:
    beside = lock_file(path)
    made = []
    try:
        folder = path.parent
        while not folder.exists() and folder != folder.parent:
            made.append(folder)
            folder = folder.parent
        path.parent.mkdir(parents=True, exist_ok=True)
        for _attempt in range(_ATTEMPTS):
            file = open(beside, "a+b")  # noqa: SIM115 - closed when it is let go
            if _is_ours(path, file) and _is_same(file, beside):
                break
            file.close()  # another process has just removed it
        else:
            raise BadInputError(f"{path}: others write it now, expected to be alone; try again.")
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": platform.node()}).encode())
        file.flush()
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}).") from error
    return _Hold(beside, file, threading.get_ident(), made)


def _is_ours(path: Path, file: IO[bytes]) -> bool:
    """Whether the lock could be taken.

    Raises:
        BadInputError: if somebody else has it.
    """
    locked = lock(file)
    if locked:
        return True
    file.seek(0)
    try:
        known = json.loads(file.read(1000) or b"{}")
        pid, host = int(known.get("pid", 0)), str(known.get("host", ""))
    except (ValueError, TypeError, AttributeError):
        pid, host = 0, ""
    if locked is None and not (host == platform.node() and is_alive(pid)):
        return True
    file.close()
    who = f"process {pid}" if pid else "another process"
    where = f" on {host}" if host not in ("", platform.node()) else ""
    raise BadInputError(
        f"{path}: {who}{where} writes it now; wait for its end, or take another name."
    )


def _is_same(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        there, own = os.stat(path), os.fstat(file.fileno())
    except OSError:
        return False
    return os.name == "nt" or (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino)


def _let_go(hold: _Hold) -> None:
    if os.name != "nt":  # removed while it is ours: whoever waits for it looks again
        with suppress(OSError):
            hold.path.unlink()
    hold.file.close()
    if os.name == "nt":
        with suppress(OSError):
            hold.path.unlink()
    with suppress(OSError):  # folders that nothing was written into
        for folder in hold.made:
            folder.rmdir()


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs; not known of Windows, where it is taken to."""
    if pid <= 0:
        return False
    if os.name == "nt":  # where signal 0 is one that ends
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's process is one, too
        return True
    return True
