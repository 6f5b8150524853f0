"""Reports of a training: an event and a status now and then, and hooks for any front end.

Losses are summed on the device and fetched once a report.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import BadInputError, CancelledError, OutputError, SkullGANError
from . import utilization
from .failure_watch import FailureWatch
from .memory_estimate import MemoryCheck
from .run_directory import Run, Status
from .state import TrainingState

Report = dict[str, Any]

_log = logging.getLogger(__name__)


class Reporter:
    """Sums up what happens between two reports and hands it to files and hooks.

    Of several processes, all take part and the first writes.

    An event, a line of ``events.jsonl``, holds ``time`` (seconds since 1970), ``elapsed_s``,
    ``epoch``, ``iteration``, ``iterations``; means since the last report: ``generator_loss``,
    ``discriminator_loss``, ``realness_real``, ``realness_fake``, ``generator_updates`` and
    ``discriminator_updates`` (share of the batches in which the gate was open);
    ``generator_learning_rate``, ``discriminator_learning_rate``, ``images_per_s`` (reals),
    ``utilization`` (share of what matrix products reach on the device in that precision),
    ``memory_bytes`` (the most so far), ``memory_needed_bytes`` (as estimated before);
    ``warnings``, a list of sentences (see ``failure_watch``); ``notes``, sentences on how the
    training goes on, where there are new ones; where the recipe augments,
    ``augmentation_strength``; with a sample grid its ``diversity``, as a share of that of the
    reals.

    Args:
        run: where events and status go.
        writes: whether this process writes.
        on_report: called with every event.
        on_progress: called after every iteration with the iterations so far and in all.
    """

    def __init__(
        self,
        run: Run,
        writes: bool,
        on_report: Callable[[Report], None] | None,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self._run = run
        self._writes = writes
        self._on_report = on_report
        self._on_progress = on_progress
        self._sums: dict[str, Tensor] = {}
        self._warnings: tuple[str, ...] = ()
        self._notes: tuple[str, ...] = ()
        self._notes_in_events = 0
        self._status = Status("running", os.getpid(), message="Starting.", host=platform.node())
        self._put_status()

    def report_memory(self, memory: MemoryCheck) -> None:
        """Report before the beginning what memory is needed and free."""
        if not self._writes:
            return
        _log.log(logging.INFO if memory.suffices else logging.WARNING, "%s", memory)
        self._status = replace(
            self._status,
            message=f"Starting. {memory}",
            memory_needed_bytes=memory.needed_bytes,
            memory_free_bytes=memory.free,
        )
        self._put_status()

    @contextmanager
    def end_reported(self) -> Iterator[None]:
        """Write into the status how the block ends: finished, cancelled or failed, and why."""
        try:
            yield
        except (CancelledError, KeyboardInterrupt) as error:
            self._end("cancelled", str(error) or "Interrupted.")
            raise
        except BaseException as error:
            self._end("failed", str(error) if isinstance(error, SkullGANError) else repr(error))
            raise
        self._end("finished", f"Trained for {self._status.iteration} iterations.")

    def begin(self, state: TrainingState) -> None:
        """Start the clocks."""
        self._watch = FailureWatch(state.recipe)
        self._first_iteration = self._reported_iteration = state.iteration
        self._began = self._reported = time.monotonic()
        self._write_status(state)

    def add(self, **values: Tensor) -> None:
        """Take in an iteration's numbers; nothing is fetched from the device."""
        for name, value in values.items():
            value = value.detach()
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def note(self, sentence: str) -> None:
        """Take in a sentence on how the training goes on: for the log, the next event and, from
        then on, the status."""
        if self._writes:
            _log.warning("%s: %s", self._run.path, sentence)
            self._notes += (sentence,)

    def report_progress(self, state: TrainingState) -> None:
        """Call the hook after an iteration."""
        if self._on_progress and self._writes:
            self._on_progress(state.iteration, state.iterations)

    def means(self, state: TrainingState) -> dict[str, float]:
        """Fetch the means since the last report; none if no iteration was done since.

        Raises:
            BadInputError: if one is not a number any more.
        """
        count = state.iteration - self._reported_iteration
        if count == 0:
            return {}
        sums = torch.stack(list(self._sums.values()))
        state.group.mean_([sums])
        means = {name: s / count for name, s in zip(self._sums, sums.tolist(), strict=True)}
        if not np.isfinite(list(means.values())).all():
            raise BadInputError(
                f"{self._run.path}: the losses are no numbers any more after {state.iteration} "
                "iterations; lower generator_learning_rate and discriminator_learning_rate. The "
                "last checkpoint is from before."
            )
        return means

    def report(self, state: TrainingState, means: dict[str, float]) -> tuple[str, ...]:
        """Write an event and the status, and give what is wrong with the training by now.

        Args:
            state: where the training stands.
            means: what ``means`` gave, and ``diversity`` where it was measured; nothing is done
                without any.
        """
        if not means:
            return ()
        count = state.iteration - self._reported_iteration
        now = time.monotonic()
        found = tuple(self._watch.check(means))
        event: Report = {
            "time": time.time(),
            "elapsed_s": now - self._began,
            "epoch": (state.iteration - 1) // state.batches_per_epoch,
            "iteration": state.iteration,
            "iterations": state.iterations,
            **means,
            "generator_learning_rate": state.generator_optimizer.learning_rate.item(),
            "discriminator_learning_rate": state.discriminator_optimizer.learning_rate.item(),
            "images_per_s": count * state.recipe.batch_size / max(now - self._reported, 1e-9),
            "utilization": self._utilization(state, count / max(now - self._reported, 1e-9)),
            "memory_bytes": _memory_bytes(state.device),
            "memory_needed_bytes": self._status.memory_needed_bytes,
            "warnings": list(found),
        }
        if state.augmentation is not None:
            event["augmentation_strength"] = state.augmentation.strength.item()
        if len(self._notes) > self._notes_in_events:
            event["notes"] = list(self._notes[self._notes_in_events :])
            self._notes_in_events = len(self._notes)
        self._sums.clear()
        self._reported_iteration, self._reported = state.iteration, now
        if not self._writes:
            return found
        if found and not self._warnings:
            _log.warning("%s: %s", self._run.path, " ".join(found))
        self._warnings = found
        self._run.add_event(event)
        self._write_status(state)
        if self._on_report:
            self._on_report(event)
        return found

    def _utilization(self, state: TrainingState, iterations_per_s: float) -> float:
        """The share of the device's arithmetic that is used, of its one of several processes."""
        images_per_s = iterations_per_s * state.batch_size
        return utilization.share(state.recipe, images_per_s, state.device, state.precision)

    def _end(self, state: str, message: str) -> None:
        """Write the last status; a disk that is full must not hide why the training ended."""
        finished = state == "finished"
        self._status = replace(
            self._status,
            state=state,
            message=message,
            eta_s=0.0 if finished else None,
            progress=1.0 if finished else self._status.progress,
        )
        try:
            self._put_status()
        except OutputError as error:
            _log.error("%s", error)

    def _write_status(self, state: TrainingState) -> None:
        count = state.iteration - self._first_iteration
        left = state.iterations - state.iteration
        elapsed_s = time.monotonic() - self._began
        here = f"Iteration {state.iteration} of {state.iterations}."
        self._status = replace(
            self._status,
            progress=state.progress,
            eta_s=elapsed_s / count * left if count else None,
            message=" ".join((here, *self._warnings, *self._notes)),
            epoch=state.epoch,
            iteration=state.iteration,
            iterations=state.iterations,
            warnings=self._warnings,
        )
        self._put_status()

    def _put_status(self) -> None:
        if self._writes:
            self._run.write_status(self._status)


def _memory_bytes(device: torch.device) -> int | None:
    """Give the most memory used so far: the GPU's, or the process's; None if not known."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB
