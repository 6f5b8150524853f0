"""The lock on a run: one process trains in a run directory at a time, and others can find out.

The system lets go of it when the process ends, however it ends: a training that was killed leaves
nothing to clean up, and a process id that went to another program misleads nobody.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import IO

_ATTEMPTS, _BETWEEN_S = 10, 0.02


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
