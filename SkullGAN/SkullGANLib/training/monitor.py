"""Runs seen from outside: does a process train there, how far is it, what was reported since.

``poll`` gives where a run stands, and does not take a killed training's word for it. ``Follower``
reads the reports piece by piece, only what is new, and keeps ``Curves`` of them that stay small
however long the training is. ``end`` ends a training whose process is not ours. Nothing here waits
or imports PyTorch: a panel calls it several times a second.
"""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..utils.child_process import end_at_once
from .run_directory import Run, Status

SILENT_S = 600.0
"""A training on another machine that reports nothing for so long is taken for dead."""
STARTING_S = 60.0
"""How long a training may take from making its directory to its first status."""
PIECE_BYTES = 64 * 1024
_heard: dict[Path, tuple[float | None, float]] = {}
"""What each run said last, and when that was first seen, by this machine's clock that is never
set."""
CURVES = (
    "generator_loss",
    "discriminator_loss",
    "realness_real",
    "realness_fake",
    "generator_learning_rate",
    "discriminator_learning_rate",
    "quality_distance",
    "quality_kernel",
)
"""What ``Curves`` keeps of an event, beside its iteration and epoch."""
_OF_SNAPSHOTS = ("quality_distance", "quality_kernel")
"""What stays as it was until the next snapshot."""


@dataclass(frozen=True)
class RunState:
    """A run as it was polled.

    Attributes:
        run: where it is.
        state: "starting", one of ``run.STATES``, "died" (it is running by its
            status, but no process trains there), "damaged" (its status cannot be read) or "gone".
        status: the last one; None if there is none.
        silent_s: seconds since then; None if there is none.
        problem: a sentence, where it is damaged.
    """

    run: Run
    state: str
    status: Status | None = None
    silent_s: float | None = None
    problem: str = ""

    @property
    def goes_on(self) -> bool:
        return self.state in ("starting", "running")

    @property
    def is_here(self) -> bool:
        """Whether its process is, or was, on this machine."""
        return self.status is not None and self.status.host in ("", platform.node())

    @property
    def can_resume(self) -> bool:
        """Whether it can be resumed: it ended early and left the segments it learned from."""
        return self.state in ("cancelled", "failed", "died") and self.run.training_path.is_file()


def poll(run: Run) -> RunState:
    """Find where a run stands."""
    if not run.is_there():
        return RunState(run, "gone")
    try:
        status = run.status()
    except BadInputError as error:
        return RunState(run, "damaged", problem=str(error))
    if status is None:
        began = _age_s(run)
        return RunState(run, "died" if began is None or began > STARTING_S else "starting")
    silent_s = _silent_s(run, status)
    state = status.state
    if state == "running" and not _is_at_work(run, status, silent_s):
        state = "died"
    return RunState(run, state, status, silent_s)


def _silent_s(run: Run, status: Status) -> float:
    """How long a run has said nothing, by the clock of this machine: one that dates its reports
    ahead is silent from when it was first seen to say the same."""
    now_s = time.monotonic()
    said, since_s = _heard.get(run.path, (None, now_s))
    if said != status.updated:
        since_s = now_s
        _heard[run.path] = status.updated, since_s
    return max(time.time() - status.updated, now_s - since_s, 0.0)


def end(run: Run) -> None:
    """End the process that trains in a run at once, without saving.

    Raises:
        BadInputError: if it is not running or not on this machine.
    """
    found = poll(run)
    if found.state != "running" or found.status is None:
        raise BadInputError(f"{run.path}: no process trains there, there is nothing to end.")
    if not found.is_here:
        raise BadInputError(
            f"{run.path}: is trained on {found.status.host} and can be ended at once only there; "
            "it was asked to stop by the file named stop."
        )
    end_at_once(found.status.pid)


class Curves:
    """Reports as curves of at most ``2 * points`` points, however many there are.

    When they are full, neighboring points are averaged and each new point stands for twice as many
    reports as before.

    Example:
        >>> curves = Curves(points=2)
        >>> for iteration in range(1, 7):
        ...     curves.add({"iteration": iteration, "generator_loss": 2.0 * iteration})
        >>> curves.columns()["iteration"].tolist(), curves.columns()["generator_loss"].tolist()
        ([1.5, 3.5, 5.5], [3.0, 7.0, 11.0])
    """

    names = ("iteration", "epoch", *CURVES)

    def __init__(self, points: int = 1000) -> None:
        self._most = 2 * points
        self.clear()

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        self._rows = np.full((self._most, len(self.names)), np.nan)
        self._count = 0
        self._reports = 1  # that a point stands for
        self._waiting: list[list[float]] = []  # those that make the next point
        self._of_snapshot: dict[str, Any] = {}

    def add(self, event: Mapping[str, Any]) -> None:
        """Take in a report; what it lacks is a gap in its curve, unless it is of a snapshot."""
        self._of_snapshot |= {name: event[name] for name in _OF_SNAPSHOTS if name in event}
        event = {**self._of_snapshot, **event}
        self._waiting.append([_number(event.get(name)) for name in self.names])
        if len(self._waiting) < self._reports:
            return
        self._rows[self._count] = np.mean(self._waiting, axis=0)
        self._count += 1
        self._waiting.clear()
        if self._count == self._most:
            self._count //= 2
            self._rows[: self._count] = self._rows.reshape(self._count, 2, -1).mean(axis=1)
            self._reports *= 2

    def columns(self) -> dict[str, np.ndarray]:
        """Give the curves by name, float64 of equal length; the x axis is "iteration"."""
        rows = self._rows[: self._count]
        return {name: rows[:, column].copy() for column, name in enumerate(self.names)}


class Follower:
    """Reads what a run reports, for a moment at a time.

    Attributes:
        curves: of all that was read.
        last: the newest report; empty before the first.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.curves = Curves()
        self.last: dict[str, Any] = {}
        self._offset = 0
        self._file: tuple[int, int] | None = None

    def read(self, at_once_s: float = 0.03) -> bool:
        """Take in what is new, at most for so long; tell whether there was anything."""
        self._notice_another_file()
        deadline, before = time.monotonic() + at_once_s, self._offset
        while time.monotonic() < deadline:
            try:
                events, offset = self.run.events(self._offset, PIECE_BYTES)
            except OSError:  # a disk that went away; poll gives what is wrong
                break
            if offset <= self._offset:  # nothing new, or the file was just replaced
                break
            self._offset = offset
            for event in events:
                self.curves.add(event)
            self.last = events[-1] if events else self.last
        return self._offset != before

    @property
    def behind(self) -> float:
        """Share of the file that was not read yet, 0 to 1."""
        try:
            size = self.run.events_path.stat().st_size
        except OSError:
            return 0.0
        return 1 - self._offset / size if size else 0.0

    def _notice_another_file(self) -> None:
        """Begin anew where a training that was resumed after a crash rewrote its reports."""
        try:
            found = self.run.events_path.stat()
        except OSError:
            return
        file = (found.st_dev, found.st_ino)
        if self._file not in (None, file) or found.st_size < self._offset:
            self._offset, self.last = 0, {}
            self.curves.clear()
        self._file = file


def _number(value: Any) -> float:
    return value if isinstance(value, (int, float)) else math.nan


def _age_s(run: Run) -> float | None:
    try:
        return time.time() - run.recipe_path.stat().st_mtime
    except OSError:
        return None


def _is_at_work(run: Run, status: Status, silent_s: float) -> bool:
    if status.host and status.host != platform.node():
        return silent_s < SILENT_S  # neither its locks nor its processes are seen from here
    held = run.is_held()
    return _is_alive(status.pid) if held is None else held


def _is_alive(pid: int) -> bool:
    if os.name == "nt":  # where signal 0 is one that ends
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process is one, too
        return True
    return True
