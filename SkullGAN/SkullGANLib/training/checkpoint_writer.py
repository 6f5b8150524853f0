"""When a training's checkpoints are written, and that the training hardly waits for it.

A checkpoint at full width is 2.5 GB: written between iterations after every so many epochs, a fast
GPU would spend half of its time on it. So ``CheckpointWriter`` goes by the clock, copies what
belongs to the checkpoint on the device, in a moment, and has a thread fetch and write the copies
while the training goes on. Files are written aside and renamed, as ever: whatever happens to the
thread, the checkpoints before are whole.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import torch
from torch import Tensor

from .checkpoint import Checkpoint
from .memory_estimate import free_bytes
from .run_directory import Run

LEAST_APART_S = 120.0
"""Checkpoints are at least so far apart."""
MOST_OF_THE_TIME = 0.05
"""Share of the time that fetching and writing them takes at most."""

_OF_FREE_MEMORY = 0.5  # that copies may take; where they need more, the training waits instead

_log = logging.getLogger(__name__)


class CheckpointWriter:
    """Writes the checkpoints of a run in a thread of its own; a context that ends with it.

    Args:
        run: where they go.
        device: where the training is.
        clock: gives seconds.

    Example::

        with CheckpointWriter(run, device) as writer:
            ...
            if writer.is_due(at_snapshot=True):
                writer.write(state.checkpoint())
    """

    def __init__(
        self, run: Run, device: torch.device, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._run, self._device, self._clock = run, device, clock
        self._pool = ThreadPoolExecutor(1, "checkpoint")
        self._pending: Future[float] | None = None
        self._began: float | None = None
        self._cost_s = 0.0

    def __enter__(self) -> CheckpointWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # What is being written is written to its end, however the training ends.
        self._pool.shutdown(wait=True)

    def is_due(self, *, at_snapshot: bool) -> bool:
        """Tell whether it is time for one: the first at a snapshot, the others by the clock.

        Raises:
            OutputError: if the one before could not be written.
        """
        if self._began is None:
            return at_snapshot
        if self._pending is not None:
            if not self._pending.done():
                return False
            self.wait()
        apart = max(LEAST_APART_S, self._cost_s / MOST_OF_THE_TIME)
        return self._clock() - self._began >= apart

    def write(self, content: Checkpoint) -> None:
        """Copy a checkpoint, whose tensors are those that go on learning, and have it written.

        Raises:
            OutputError: if the one before could not be written.
        """
        self.wait()
        self._began = self._clock()
        copied = self._copied(content)
        if copied is None:
            self._run.write_checkpoint(fetched(content))
            self._cost_s = self._clock() - self._began
            return
        ready = _now_on(self._device)
        waited_s = self._clock() - self._began

        def fetch_and_write() -> float:
            began = self._clock()
            self._run.write_checkpoint(fetched(copied, ready))
            return waited_s + self._clock() - began

        self._pending = self._pool.submit(fetch_and_write)

    def wait(self) -> None:
        """Wait for what is being written.

        Raises:
            OutputError: if it could not be written.
        """
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._cost_s = pending.result()

    def _copied(self, content: Checkpoint) -> Checkpoint | None:
        """The checkpoint in memory of its own on the device, None if that has not enough."""
        need = sum(tensor.nbytes for tensor in content.tensors.values())
        free = free_bytes(self._device)
        if free is not None and need > _OF_FREE_MEMORY * free:
            _log.info(
                "The training waits while its checkpoints are written: a copy takes %.1f GiB and "
                "%.1f GiB are free.",
                need / 2**30,
                free / 2**30,
            )
            return None
        # clone() keeps strides: the layout in which a tensor lies.
        return Checkpoint(
            {name: t.detach().clone() for name, t in content.tensors.items()}, content.state
        )


def fetched(content: Checkpoint, ready: torch.cuda.Event | None = None) -> Checkpoint:
    """Give a checkpoint whose tensors are on the CPU.

    Args:
        content: its tensors on any device.
        ready: after which a GPU has them; then they are fetched beside what the GPU does meanwhile.
    """
    if ready is None:
        return Checkpoint({n: t.detach().cpu() for n, t in content.tensors.items()}, content.state)
    # A thread begins with the first GPU, which need not be the one.
    stream = torch.cuda.Stream(_gpu_of(content))
    stream.wait_event(ready)
    with torch.cuda.stream(stream):
        tensors = {name: _to_host(tensor) for name, tensor in content.tensors.items()}
    stream.synchronize()
    return Checkpoint(tensors, content.state)


def _gpu_of(content: Checkpoint) -> torch.device:
    return next(t.device for t in content.tensors.values() if t.device.type == "cuda")


def _to_host(tensor: Tensor) -> Tensor:
    """Begin to fetch a tensor; from a GPU into page-locked memory, which it writes by itself."""
    if tensor.device.type != "cuda":
        return tensor
    host = torch.empty_like(tensor, device="cpu", pin_memory=True)
    return host.copy_(tensor, non_blocking=True)


def _now_on(device: torch.device) -> torch.cuda.Event | None:
    """The moment that a GPU has yet to come to, None elsewhere, where it has come."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event
