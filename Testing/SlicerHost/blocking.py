"""How long slots keep the GUI thread: while one runs, nothing is painted and nobody can click."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """The longest call of one slot.

    Attributes:
        name: sender, signal and function.
        wall_s: what the user waits, in seconds.
        thread_s: processor time of the GUI thread, which other processes do not disturb.
    """

    name: str
    wall_s: float
    thread_s: float


_longest: dict[str, Slot] = {}
_depth = 0


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Time a slot that the event loop calls; what it calls in turn is part of it."""
    global _depth
    wall, thread = time.perf_counter(), time.thread_time()
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0:
            slot = Slot(name, time.perf_counter() - wall, time.thread_time() - thread)
            before = _longest.get(name)
            if before is None or before.wall_s < slot.wall_s:
                _longest[name] = slot


def slots() -> list[Slot]:
    """Give every slot's longest call since ``forget``, the longest first."""
    return sorted(_longest.values(), key=lambda slot: slot.wall_s, reverse=True)


def forget() -> None:
    """Begin anew."""
    _longest.clear()
