"""An executor that runs each call in a process of its own, so that one that dies harms no other.

For calls of Python functions; our commands are children of ``utils.child_process``.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from functools import partial
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any

from ..errors import CancelledError
from ..utils import reader_process
from ..utils.orphans import die_with_parent


class IsolatedPool(ThreadPoolExecutor):
    """Runs each call in a process of its own, ``jobs`` at a time.

    A process that is killed (out of memory, say) fails its own call alone. With
    ``ProcessPoolExecutor`` it takes all others along, and one killed while it sends its result
    leaves the parent waiting for the rest. Starting anew costs a second a CT and gives its memory
    back.
    """

    def __init__(self, jobs: int) -> None:
        super().__init__(jobs, initializer=_leave_interrupts_to_the_main_thread)
        # Forking is not safe once a library has started threads.
        self._spawning = multiprocessing.get_context("spawn")
        self._running: set[BaseProcess] = set()
        self._lock, self._ended = threading.Lock(), False

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        return super().submit(self._run_isolated, partial(function, *args, **named))

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ended = True
            for process in self._running:
                process.kill()
        self.shutdown(wait=True, cancel_futures=True)

    def _run_isolated(self, call: Callable[[], Any]) -> Any:
        ours, theirs = self._spawning.Pipe(duplex=False)
        process = self._spawning.Process(target=_answer, args=(theirs, call), daemon=True)
        with ours:
            with theirs, self._lock:  # only the child may hold its end, or its death goes unheard
                if self._ended:
                    raise CancelledError("It was stopped.")
                process.start()
                self._running.add(process)
            try:
                connection.wait([ours, process.sentinel])
                answer, error = ours.recv() if ours.poll() else (None, None)
            except (EOFError, OSError):
                answer, error = None, None
            finally:
                process.join()
                with self._lock:
                    self._running.discard(process)
        if answer is None and error is None:
            raise BrokenExecutor(
                f"its process was killed (exit code {process.exitcode}): memory ran out, or the "
                "file is damaged in a way that its reader does not survive"
            )
        if error is not None:
            raise error
        return answer


def _answer(pipe: connection.Connection, call: Callable[[], Any]) -> None:
    """In the child: send what the call gives, or its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, too, and decides
    die_with_parent()
    reader_process.stay_here()  # a crash is this child's alone already
    answer: tuple[Any, Exception | None]
    try:
        answer = call(), None
    except Exception as error:
        answer = None, error
    pipe.send(answer)


def _leave_interrupts_to_the_main_thread() -> None:
    """Processes started from here do not hear Ctrl-C either, not even while they import."""
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # or the first start does it and lets signals in again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
