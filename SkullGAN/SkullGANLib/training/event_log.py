"""Reports of a training: an event and a status now and then, and hooks for any front end.

Losses are summed on the device and fetched once a report.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import BadInputError, OutputError
from .failure_watch import Watch
from .run_directory import Run, Status
from .state import TrainingState

Report = dict[str, Any]

_log = logging.getLogger(__name__)


class Reporter:
    """Sums up what happens between two reports and tells files and hooks.

    Of several processes, all take part and the first tells.

    Args:
        run: where events and status go.
        writes: whether this process tells.
        on_report: called with every event.
        on_progress: called after every iteration with the iterations done and in all.
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
        self._status = Status("running", os.getpid(), message="Starting.", host=platform.node())
        self._put_status()

    def tell_memory(self, needed: int, free: int | None, sentence: str) -> None:
        """Say before the beginning what memory is needed and free, in bytes and in a sentence."""
        self._status = replace(
            self._status,
            message=f"Starting. {sentence}",
            memory_needed_bytes=needed,
            memory_free_bytes=free,
        )
        self._put_status()

    def begin(self, game: TrainingState) -> None:
        """Start the clocks."""
        self._watch = Watch(game.recipe)
        self._first_iteration = self._reported_iteration = game.iteration
        self._began = self._reported = time.monotonic()
        self._write_status(game)

    def add(self, **values: Tensor) -> None:
        """Take in an iteration's numbers; nothing is fetched from the device."""
        for name, value in values.items():
            value = value.detach()
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def step(self, game: TrainingState) -> None:
        """Tell the hook that an iteration is done."""
        if self._on_progress and self._writes:
            self._on_progress(game.iteration, game.iterations)

    def means(self, game: TrainingState) -> dict[str, float]:
        """Fetch the means since the last report; none if no iteration was done since.

        Raises:
            BadInputError: if one is not a number any more.
        """
        count = game.iteration - self._reported_iteration
        if count == 0:
            return {}
        sums = torch.stack(list(self._sums.values()))
        game.team.mean_([sums])
        means = {name: s / count for name, s in zip(self._sums, sums.tolist(), strict=True)}
        if not np.isfinite(list(means.values())).all():
            raise BadInputError(
                f"{self._run.path}: the losses are no numbers any more after {game.iteration} "
                "iterations; lower generator_learning_rate and discriminator_learning_rate are "
                "needed. The last checkpoint is from before."
            )
        return means

    def report(self, game: TrainingState, means: dict[str, float]) -> tuple[str, ...]:
        """Write an event and the status, and give what is wrong with the training by now.

        Args:
            game: where the training stands.
            means: what ``means`` gave, and ``diversity`` where it was measured; nothing is done
                without any.
        """
        if not means:
            return ()
        count = game.iteration - self._reported_iteration
        now = time.monotonic()
        found = tuple(self._watch.look(means))
        event: Report = {
            "time": time.time(),
            "elapsed_s": now - self._began,
            "epoch": (game.iteration - 1) // game.batches_per_epoch,
            "iteration": game.iteration,
            "iterations": game.iterations,
            **means,
            "generator_learning_rate": game.generator_side.learning_rate.item(),
            "discriminator_learning_rate": game.discriminator_side.learning_rate.item(),
            "images_per_s": count * game.recipe.batch_size / max(now - self._reported, 1e-9),
            "memory_bytes": _memory_bytes(game.device),
            "memory_needed_bytes": self._status.memory_needed_bytes,
            "warnings": list(found),
        }
        if game.strength is not None:
            event["augmentation_strength"] = game.strength.value.item()
        self._sums.clear()
        self._reported_iteration, self._reported = game.iteration, now
        if not self._writes:
            return found
        if found and not self._warnings:
            _log.warning("%s: %s", self._run.path, " ".join(found))
        self._warnings = found
        self._run.add_event(event)
        self._write_status(game)
        if self._on_report:
            self._on_report(event)
        return found

    def end(self, state: str, message: str) -> None:
        """Write the last status; a disk that is full must not hide why the training ended."""
        done = state == "finished"
        self._status = replace(
            self._status,
            state=state,
            message=message,
            eta_s=0.0 if done else None,
            progress=1.0 if done else self._status.progress,
        )
        try:
            self._put_status()
        except OutputError as error:
            _log.error("%s", error)

    def _write_status(self, game: TrainingState) -> None:
        done = game.iteration - self._first_iteration
        left = game.iterations - game.iteration
        elapsed_s = time.monotonic() - self._began
        here = f"Iteration {game.iteration} of {game.iterations}."
        self._status = replace(
            self._status,
            progress=game.share_done,
            eta_s=elapsed_s / done * left if done else None,
            message=" ".join((here, *self._warnings)),
            epoch=game.epoch,
            iteration=game.iteration,
            iterations=game.iterations,
            warnings=self._warnings,
        )
        self._put_status()

    def _put_status(self) -> None:
        if self._writes:
            self._run.write_status(self._status)


def _memory_bytes(device: torch.device) -> int | None:
    """Give the most memory used so far: the GPU's, or the process's; None where nobody says."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB
