"""Children that end with their parent, also where it was killed and could not end them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress

_LOOK_S = 0.5


def die_with_parent(parent: int | None = None) -> None:
    """End this process at once when its parent has ended, however that ended.

    Linux does it itself; a thread looks, too, for other systems and for parents that ended before.

    Args:
        parent: process id; ``os.getppid()`` if None.
    """
    parent = os.getppid() if parent is None else parent
    if sys.platform.startswith("linux"):
        _ask_linux()
    watch_parent(parent)


def watch_parent(parent: int) -> None:
    """Look now and then whether the parent is still there, in a thread, and end without it."""
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="parent watch").start()


def _ask_linux() -> None:
    """Have the system send SIGKILL; it counts the parent's thread that started us as the parent,
    so that threads which start children have to live as long as these."""
    import ctypes

    set_death_signal = 1  # PR_SET_PDEATHSIG
    with suppress(OSError, AttributeError):  # the thread looks, too
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
