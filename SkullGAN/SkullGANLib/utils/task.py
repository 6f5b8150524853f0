"""Work that a panel does without waiting: short pieces in its own thread, long ones in a child.

A ``Task`` runs a generator that reads like a script from top to bottom. It yields the share of the
work done after each short piece, and ``Running`` where a child process works; the panel's timer
calls ``poll``, which carries on for a few hundredths of a second and comes back.

Example:
    >>> from SkullGANLib.utils.child_process import command_line
    >>> def work():
    ...     yield 0.1  # a short piece is done
    ...     yield Running(ChildProcess(command_line(["--version"])), 0.1, 1.0)
    ...     return "all done"
    >>> task = Task("Looking up the version", work())
    >>> task.wait(30), task.result
    ('finished', 'all done')
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..errors import CancelledError, SkullGANError
from .child_process import ASK_S, TERM_S, ChildProcess

AT_ONCE_S = 0.05
"""How long one ``poll`` may carry on with short pieces; a panel that waits longer feels slow."""
_AT_A_TIME_S = 0.02

T = TypeVar("T")


@dataclass(frozen=True)
class Running:
    """A child process at work, as a part of a task.

    Attributes:
        child: the process.
        first, last: shares of the whole task when it begins and when it ends.
        shown: what stands in the child's sentences for its arguments, a node's name for a path.
    """

    child: ChildProcess
    first: float = 0.0
    last: float = 1.0
    shown: Mapping[str, str] = field(default_factory=dict)


Work = Generator["float | Running", None, T]
"""What a task runs: shares and children are yielded, the result is returned."""


def subprogress(work: Work[T], first: float, last: float) -> Work[T]:
    """Run work as a part of other work: its shares from 0 to 1 become those from first to last.

    Example:
        >>> def half():
        ...     yield 0.5
        ...     return "made"
        >>> def whole():
        ...     made = yield from subprogress(half(), 0.2, 0.6)
        ...     return made
        >>> list(whole())
        [0.4]
    """
    error: SkullGANError | None = None
    width = last - first
    try:
        while True:
            try:
                step = work.throw(error) if error else next(work)
            except StopIteration as ended:
                return ended.value
            error = None
            if isinstance(step, Running):
                step = replace(
                    step, first=first + width * step.first, last=first + width * step.last
                )
            else:
                step = first + width * step
            try:
                yield step
            except SkullGANError as problem:
                error = problem
    finally:
        work.close()


def in_thread(function: Callable[[], T]) -> Work[T]:
    """Do in a thread what takes long and comes in one piece; returns what the function gives.

    Only for what touches neither scene nor widgets. Whoever cancels does not wait for its end.

    Example:
        >>> def summed():
        ...     return (yield from in_thread(lambda: sum(range(10))))
        >>> Task("Adding up", summed()).wait(10)
        'finished'
    """
    pool = ThreadPoolExecutor(1)
    try:
        future = pool.submit(function)
        while not future.done():
            futures.wait([future], timeout=_AT_A_TIME_S)
            yield 0.5
        return future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Task(Generic[T]):
    """A piece of work from its beginning to its end.

    A ``SkullGANError`` out of the generator makes the task fail with that sentence; any other
    exception is a bug: the task fails and ``poll`` lets it through. Where a child fails, the error
    is raised inside the generator at its ``yield``; where the task is cancelled the generator is
    closed there. Its ``finally`` blocks are where half-done work is undone.

    Attributes:
        title: what is being done, for people.
        share: 0 to 1, of the work done.
        state: ``running``, ``finished``, ``cancelled`` or ``failed``.
        result: what the generator returned, once finished.
        sentence: what a user is to know of a task that failed.
        cancelling: whether its end was asked for.
    """

    def __init__(self, title: str, work: Work[T]) -> None:
        self.title = title
        self.share = 0.0
        self.state = "running"
        self.result: Any = None
        self.sentence = ""
        self.cancelling = False
        self._work = work
        self._running: Running | None = None
        self._began = time.monotonic()

    @property
    def child(self) -> ChildProcess | None:
        """The child process that is at work now, if one is."""
        return self._running.child if self._running else None

    @property
    def eta_s(self) -> float | None:
        """Seconds to the end at the speed so far; None while that is not known."""
        if self.state != "running" or self.share < 0.02:
            return None
        return (time.monotonic() - self._began) * (1 - self.share) / self.share

    def poll(self, at_once_s: float = AT_ONCE_S) -> str:
        """Carry on for a moment and give the ``state``."""
        deadline = time.monotonic() + at_once_s
        while self.state == "running":
            if self._running is not None:
                if self._child_works(self._running):
                    break
            else:
                self._go_on()
            if time.monotonic() >= deadline:
                break
        return self.state

    def cancel(self) -> None:
        """Begin to end the task; ``poll`` goes on with it until the child is gone."""
        if self.state != "running":
            return
        self.cancelling = True
        if self._running is not None:
            self._running.child.cancel()
            self.poll()
        else:
            self._close()

    def end(self) -> None:
        """End the task and its child within 2 s, and come back when that is done."""
        self.cancel()
        self.wait(ASK_S + TERM_S + 0.5)

    def wait(self, timeout_s: float) -> str:
        """Poll until the task has ended or the time is over; give the ``state``."""
        deadline = time.monotonic() + timeout_s
        while self.poll() == "running" and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.state

    def _child_works(self, running: Running) -> bool:
        """Look after the child; give whether it still runs."""
        child = running.child
        state = child.poll()
        self.share = running.first + (running.last - running.first) * child.share
        if state == "running":
            return True
        self._running = None
        if state == "cancelled" or self.cancelling:
            self._close()
        elif state == "failed":
            sentence = child.sentence
            for given, name in running.shown.items():
                sentence = sentence.replace(given, name)
            self._go_on(SkullGANError(sentence))
        else:
            self.share = running.last
        return False

    def _go_on(self, error: SkullGANError | None = None) -> None:
        try:
            step = self._work.throw(error) if error else next(self._work)
        except StopIteration as ended:
            self.state, self.share, self.result = "finished", 1.0, ended.value
        except CancelledError:
            self.state = "cancelled"
        except SkullGANError as problem:
            self.state, self.sentence = "failed", str(problem)
        except BaseException as bug:
            self.state, self.sentence = "failed", f"{type(bug).__name__}: {bug}"
            raise
        else:
            if isinstance(step, Running):
                self._running = step
            else:
                self.share = float(step)

    def _close(self) -> None:
        self.state = "cancelled"
        self._work.close()
