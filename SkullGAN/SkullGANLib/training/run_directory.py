"""Run directories: what a training leaves on disk, for every front end to read.

```
recipe.json        the whole recipe, as used
events.jsonl       a line per report
status.json        where the training stands; replaced atomically
samples/           a grid of synthetic segments per snapshot, always of the same seeds
checkpoints/       the last two, to resume from
model.safetensors  the result: the best snapshot, where the recipe compares them, else the last
model.md           its model card (see ``model_page``)
last.safetensors   the last model, where model.safetensors may be an earlier one
training.h5        the segments that were learned from
test.h5            the segments that were held out, if there were any
stop               if this file appears, the training saves and ends
```

``Run.create`` starts a directory, ``Run.open`` finds one, ``runs_in`` lists those of a folder. The
training writes through the same object that panels, command line and tests read with; a reader
never sees half a file, and of ``events.jsonl`` only whole lines.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import BadInputError, OutputError
from ..utils import file_lock
from ..utils.atomic_files import written_aside
from ..utils.json_text import parse_json, read_bytes
from . import checkpoint
from .checkpoint import Checkpoint
from .recipe import Recipe

STATES = ("running", "finished", "cancelled", "failed")
CHECKPOINTS_KEPT = 2
_MOST_BYTES = 2**20  # of recipe and status


@dataclass(frozen=True)
class Status:
    """Where a training stands.

    Attributes:
        state: one of ``STATES``. A process that was killed leaves "running" behind.
        pid: the process that trains or trained.
        progress: 0 to 1, share of the iterations.
        eta_s: seconds to the end as far as can be foreseen; None if not known, 0 at the end.
        message: a sentence for the user.
        epoch, iteration: finished so far.
        iterations: of the whole training.
        updated: seconds since 1970.
        warnings: sentences about what goes wrong at the moment without ending the training.
        memory_needed_bytes: as reckoned before the beginning.
        memory_free_bytes: on the device at that time; None if not known.
        host: name of the machine that trains or trained; empty if not known.
    """

    state: str
    pid: int
    progress: float = 0.0
    eta_s: float | None = None
    message: str = ""
    epoch: int = 0
    iteration: int = 0
    iterations: int = 0
    updated: float = 0.0
    warnings: tuple[str, ...] = ()
    memory_needed_bytes: int | None = None
    memory_free_bytes: int | None = None
    host: str = ""


@dataclass(frozen=True)
class Run:
    """One run directory.

    Example:
        >>> import tempfile
        >>> from SkullGANLib.training.presets import named
        >>> run = Run.create(Path(tempfile.mkdtemp()) / "first", named("paper"))
        >>> run.add_event({"iteration": 50, "generator_loss": 0.7})
        >>> events, offset = run.events()
        >>> events[0]["iteration"], run.events(offset)[0]
        (50, [])
    """

    path: Path

    @classmethod
    def create(cls, path: str | Path, recipe: Recipe) -> Run:
        """Start a run directory; one whose training failed before it began is begun anew.

        Raises:
            BadInputError: if the directory already holds a run, which is left as it is.
            OutputError: if the directory cannot be made or written.
        """
        run = cls(Path(path))
        if run.recipe_path.exists() and not run.is_stillborn():
            raise BadInputError(
                f"{path}: already holds a run; expected a new directory (or resume this one)."
            )
        try:
            for folder in (run.samples_path, run.checkpoints_path):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be made a run directory ({error.strerror or error})."
            ) from error
        for leftover in (run.stop_path, run.status_path, run.events_path):
            leftover.unlink(missing_ok=True)
        _write_text(run.recipe_path, recipe.to_json())
        return run

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Find a run directory.

        Raises:
            BadInputError: if there is no run in it.
        """
        run = cls(Path(path))
        if not run.recipe_path.is_file():
            raise BadInputError(f"{path}: expected a run directory, found no recipe.json.")
        return run

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from training in this directory until the block ends.

        See ``file_lock``. Where the file system knows no locks, others are not kept from it.

        Raises:
            BadInputError: if another process trains there, naming it.
            OutputError: if the directory cannot be written.
        """
        try:
            file = open(self.recipe_path, "r+b")  # noqa: SIM115 - closed below
        except OSError as error:
            raise OutputError(
                f"{self.recipe_path}: cannot be written ({error.strerror or error})."
            ) from error
        with file:
            if file_lock.lock(file) is False:
                status = self.status()
                who = "another process" if status is None else f"process {status.pid}"
                raise BadInputError(
                    f"{self.path}: {who} trains there now; stop it first (a file named stop in "
                    "the directory does), or take another directory."
                )
            yield

    def is_stillborn(self) -> bool:
        """Tell whether a training failed here before its first iteration and left nothing."""
        try:
            status = self.status()
        except BadInputError:
            return False
        if status is None or status.state != "failed" or status.iteration:
            return False
        left = self.checkpoints() or self.samples() or self.model_path.exists()
        return not left and self.is_held() is not True

    def is_there(self) -> bool:
        """Tell whether the directory holds a run, as far as it can be read."""
        return os.path.isfile(self.recipe_path)  # unlike Path's, it is False where it is forbidden

    def is_held(self) -> bool | None:
        """Tell whether a process of this machine trains here; None if that is not known.

        Ask it only of runs that are running by their status: it takes the lock for a moment.
        """
        return file_lock.is_locked(self.recipe_path)

    @property
    def recipe_path(self) -> Path:
        return self.path / "recipe.json"

    @property
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def status_path(self) -> Path:
        return self.path / "status.json"

    @property
    def samples_path(self) -> Path:
        return self.path / "samples"

    @property
    def checkpoints_path(self) -> Path:
        return self.path / "checkpoints"

    @property
    def model_path(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def last_model_path(self) -> Path:
        return self.path / "last.safetensors"

    @property
    def stop_path(self) -> Path:
        return self.path / "stop"

    @property
    def training_path(self) -> Path:
        """The segments that are learned from; not written for pictures."""
        return self.path / "training.h5"

    @property
    def test_path(self) -> Path:
        """The segments that were held out, if there were any."""
        return self.path / "test.h5"

    def recipe(self) -> Recipe:
        """Read the recipe that the run uses.

        Raises:
            BadInputError: if the file is gone or is not a recipe.
        """
        return Recipe.from_json(
            read_bytes(self.recipe_path, "a recipe", most_bytes=_MOST_BYTES),
            where=str(self.recipe_path),
        )

    def add_event(self, event: Mapping[str, Any]) -> None:
        """Append one line to ``events.jsonl``.

        Raises:
            OutputError: if it cannot be written.
        """
        line = json.dumps(dict(event)) + "\n"
        try:
            # One write of whole lines: a reader sees the line or does not see it.
            with open(self.events_path, "ab") as file:
                file.write(line.encode())
        except OSError as error:
            raise OutputError(
                f"{self.events_path}: cannot be written ({error.strerror or error})."
            ) from error

    def events(self, offset: int = 0, most: int = -1) -> tuple[list[dict[str, Any]], int]:
        """Read the events from a byte offset on.

        Args:
            offset: 0, or what the last call gave; one beyond the end (a resumed run drops what the
                checkpoint does not know) starts again from 0.
            most: bytes to read in this call; -1 reads all. A line is far shorter than 64 KiB.

        Returns:
            The events and the offset for the next call. A line that is still being written is left
            for that call; one that a crash damaged is left out.
        """
        try:
            if not self.events_path.is_file():  # nor a pipe, on which we would wait
                return [], 0
            with open(self.events_path, "rb") as file:
                if offset > file.seek(0, os.SEEK_END):
                    offset = 0
                file.seek(offset)
                lines = file.read(most)
        except FileNotFoundError:
            return [], 0
        whole = lines[: lines.rfind(b"\n") + 1]
        return [e for e in map(_event, whole.splitlines()) if e is not None], offset + len(whole)

    def rewind_events(self, iteration: int) -> None:
        """Drop the events after an iteration, for a run that is resumed from there.

        Raises:
            OutputError: if the file cannot be written.
        """
        kept = [event for event in self.events()[0] if event.get("iteration", 0) <= iteration]
        _write_text(self.events_path, "".join(json.dumps(event) + "\n" for event in kept))

    def write_status(self, status: Status) -> None:
        """Replace ``status.json``; ``updated`` is set to now.

        Raises:
            OutputError: if it cannot be written, or the directory was deleted meanwhile: what is
                written into it would make it anew, and the training go on where nobody finds it.
        """
        if not self.is_there():
            raise OutputError(f"{self.path}: the run directory was deleted while it was trained.")
        content = asdict(status) | {"updated": time.time()}
        _write_text(self.status_path, json.dumps(content, indent=2) + "\n")

    def status(self) -> Status | None:
        """Read where the training stands; None if it has written none yet.

        Raises:
            BadInputError: if the file is not a status.
        """
        if not self.status_path.exists():
            return None
        known = {f.name for f in fields(Status)}
        text = read_bytes(self.status_path, "a status", most_bytes=_MOST_BYTES)
        try:
            content = parse_json(text, str(self.status_path))
            known_here = {key: value for key, value in content.items() if key in known}
            status = Status(**known_here | {"warnings": tuple(content.get("warnings", ()))})
            _check_kinds(status)
        except (BadInputError, ValueError, TypeError, AttributeError) as error:
            raise BadInputError(f"{self.status_path}: is not the status of a run.") from error
        if status.state not in STATES:
            raise BadInputError(
                f"{self.status_path}: expected a state out of {STATES}, found {status.state!r}."
            )
        return status

    def request_stop(self) -> None:
        """Ask the training to save and end, from any process.

        Raises:
            OutputError: if the file cannot be written.
        """
        _write_text(self.stop_path, "")

    def stop_requested(self) -> bool:
        """Tell whether the stop file is there."""
        return self.stop_path.exists()

    def sample_path(self, iteration: int) -> Path:
        """Name the sample grid of an iteration."""
        return self.samples_path / f"iteration-{iteration:08d}.png"

    def samples(self) -> list[Path]:
        """List the sample grids, oldest first."""
        return sorted(filter(Path.is_file, self.samples_path.glob("iteration-*.png")))

    def checkpoints(self) -> list[Path]:
        """List the checkpoints, oldest first; half-written ones have other names."""
        found = self.checkpoints_path.glob("iteration-*.safetensors")
        return sorted(filter(Path.is_file, found))

    def write_checkpoint(self, content: Checkpoint) -> Path:
        """Write a checkpoint and remove all but the last ``CHECKPOINTS_KEPT``.

        Raises:
            OutputError: if it cannot be written; older checkpoints are then still there.
        """
        iteration = content.state["iteration"]
        path = self.checkpoints_path / f"iteration-{iteration:08d}.safetensors"
        checkpoint.write(path, content)
        for old in self.checkpoints()[:-CHECKPOINTS_KEPT]:
            old.unlink(missing_ok=True)
        return path

    def read_checkpoint(self) -> Checkpoint:
        """Read the latest checkpoint; tensors are on the CPU.

        Raises:
            BadInputError: if there is none, or it is damaged.
        """
        paths = self.checkpoints()
        if not paths:
            raise BadInputError(f"{self.path}: expected a checkpoint to resume from, found none.")
        return checkpoint.read(paths[-1])


def runs_in(folder: str | Path) -> list[Run]:
    """List the runs directly in a folder, by name; none if the folder cannot be read."""
    try:
        paths = sorted(Path(folder).iterdir())
    except OSError:
        return []
    return [Run(path) for path in paths if Run(path).is_there()]


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = parse_json(line, "an event")
    except BadInputError:
        return None
    return event if isinstance(event, dict) else None


def _check_kinds(status: Status) -> None:
    """Raise TypeError where a status has something else than it should."""
    texts = (status.state, status.message, status.host, *status.warnings)
    counts = (status.pid, status.epoch, status.iteration, status.iterations)
    known = (status.eta_s, status.memory_needed_bytes, status.memory_free_bytes)
    numbers = (status.progress, status.updated, *(one for one in known if one is not None))
    for values, kind in ((texts, str), (counts, int), (numbers, (int, float))):
        if not all(isinstance(one, kind) for one in values):
            raise TypeError("of another kind")


def _write_text(path: Path, text: str) -> None:
    with written_aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
