"""Many head CTs into one segment set: some at a time, and no failure stops the others.

``run`` cuts every CT in an executor and writes the set in the order in which the CTs were named, so
that the set does not depend on who was ready first. Beside it stands a table (CSV) with a ``Row``
for each CT; it is the only file that knows the CTs' file names. Called again, ``run`` skips what is
done and does the rest. ``Processes`` is the executor where none is given; any other of
``concurrent.futures`` fits, for instance Dask's ``Client.get_executor()``.
"""

from __future__ import annotations

import csv
import json
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from multiprocessing import connection
from pathlib import Path
from typing import Any

from ..ct import volume
from ..data import hdf5, segment_set
from ..errors import BadInputError, CancelledError, OutputError, SkullGANError
from ..utils.atomic_files import written_aside
from . import single_ct

WAITING, DONE, FAILED = "waiting", "done", "failed"
AHEAD = 64
"""CTs under way or ready to be written at most; segments of one take some 6 MB."""

_POLL_S = 0.5
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """What became of one CT.

    Attributes:
        ct: the CT as the user named it.
        state: ``waiting``, ``done`` or ``failed``.
        segments: how many the set has from it.
        subject: whose CT it is, as in the set.
        pseudonym: the set's ``ct`` of its segments.
        dropped: how many cuts were dropped, by reason.
        reason: why it failed, or why it gave nothing new.
        seconds: how long the cutting took.
        settings: what it was cut with, JSON.
        signature: size and time of change of its files, to know them again.
    """

    ct: str
    state: str = WAITING
    segments: int = 0
    subject: str = ""
    pseudonym: str = ""
    dropped: str = ""
    reason: str = ""
    seconds: float = 0.0
    settings: str = ""
    signature: str = ""


def run(
    paths: Sequence[str | Path],
    output: str | Path,
    settings: Mapping[str, Any],
    *,
    subjects: Sequence[str] | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
    on_row: Callable[[Row], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Row]:
    """Cut CTs into one segment set, or go on with it.

    Args:
        paths: the CTs, as for ``volume.read_ct``.
        output: the set (.h5); the table gets the same name with .csv.
        settings: ``bones``, ``planes``, ``interval_mm``, ``spacing_mm`` and ``threshold_hu`` of
            ``segments.extract``.
        subjects: a pseudonym for each CT; by default each CT is a subject of its own.
        jobs: how many CTs at a time, each in a process of its own; one takes about 1.1 GiB.
        executor: where to cut instead; each CT then takes one thread.
        overwrite: begin anew where there is a set or a table.
        on_progress: called with the number of CTs ready and of all that are to be cut.
        on_row: called with each CT's row once it is known; not for those done before.
        should_stop: asked twice a second.

    Returns:
        The rows of ``paths``, in that order.

    Raises:
        BadInputError: if an argument makes no sense or the set there is not this batch's.
        OutputError: if the set or the table cannot be written.
        CancelledError: if it was told to stop; what was written is kept.
    """
    output = Path(output)
    if output.suffix not in (".h5", ".hdf5"):
        raise BadInputError(f"{output}: a name that ends in .h5 is needed.")
    _check(paths, subjects, settings, jobs)
    if overwrite:
        remove(output)
    rows, held = _found_before(output, settings)
    due = []
    for path, subject in zip(map(str, paths), subjects or [""] * len(paths), strict=True):
        row = Row(
            path, subject=subject, settings=settings_text(settings), signature=_signature(path)
        )
        before = rows.get(path, row)
        if before.state == DONE and before.pseudonym in held:
            if subject not in ("", before.subject):
                raise BadInputError(
                    f"{output}: {path} is subject {before.subject} there, {subject} was given now; "
                    "the same is needed to go on (or --overwrite)."
                )
            if before.signature == row.signature:
                continue
        rows[path] = replace(row, pseudonym=before.pseudonym)
        due.append(rows[path])

    threads = 1 if executor else max(1, min(4, (os.cpu_count() or 1) // jobs))
    with ExitStack() as stack:
        executor = executor or stack.enter_context(Processes(jobs))
        book = stack.enter_context(closing(Book(output, rows, held, settings["spacing_mm"])))
        left, under_way, entered = iter(due), deque[tuple[Row, Future]](), 0
        stack.callback(lambda: [future.cancel() for _, future in under_way])
        while entered < len(due):
            while len(under_way) < AHEAD and (row := next(left, None)):
                under_way.append((row, _submitted(executor, row, settings, threads)))
            wait([under_way[0][1]], timeout=_POLL_S)
            while under_way and under_way[0][1].done():
                row = book.enter(*_outcome(*under_way.popleft()))
                entered += 1
                if on_row:
                    on_row(row)
            if on_progress:
                on_progress(entered + sum(f.done() for _, f in under_way), len(due))
            if should_stop and should_stop() and entered < len(due):
                raise CancelledError(
                    f"{output}: stopped, {len(due) - entered} of {len(paths)} CTs are left; the "
                    "same command goes on."
                )
    return [rows[str(path)] for path in paths]


def cut(
    path: str | Path,
    *,
    skull_mask: str | Path | None = None,
    **settings: Any,
) -> single_ct.Extraction:
    """Read a CT and cut its segments; errors name the file.

    Args:
        path: as for ``volume.read_ct``.
        skull_mask: a mask on its grid, as for ``volume.read_mask``.
        settings: further arguments of ``segments.extract``.
    """
    ct = volume.read_ct(path)
    mask = volume.read_mask(skull_mask, ct) if skull_mask else None
    try:
        return single_ct.extract(ct, mask, **settings)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from error


def cut_for(
    row: Row, settings: Mapping[str, Any], threads: int
) -> tuple[Row, segment_set.SegmentSet | None]:
    """Cut one CT and say what became of it, whatever happens; workers run this."""
    began_s = time.monotonic()
    found = None
    try:
        found = cut(row.ct, subject=row.subject or None, threads=threads, **settings).segments
        row = done_row(row, found)
    except SkullGANError as error:
        row = replace(row, state=FAILED, reason=str(error))
    except Exception as error:  # one CT's bug or lack of memory must not end the others
        _logger.exception("%s", row.ct)
        row = replace(row, state=FAILED, reason=_named(error))
    return replace(row, seconds=round(time.monotonic() - began_s, 1)), found


def done_row(row: Row, found: segment_set.SegmentSet) -> Row:
    """Note in the row of a CT what was cut from it."""
    pseudonym = str(found.ct[0])
    return replace(
        row,
        state=DONE,
        segments=len(found),
        subject=str(found.subject[0]),
        pseudonym=pseudonym,
        dropped=dropped_text(found.source["cts"][pseudonym]["dropped"]),
    )


def dropped_text(dropped: Mapping[str, int]) -> str:
    """Write counts by reason as ``3 metal, 2 wall interrupted``."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items()))


def table_of(output: str | Path) -> Path:
    """Where the table of a set is."""
    return Path(output).with_suffix(".csv")


def remove(output: str | Path) -> None:
    """Remove a set and its table, to begin anew.

    Raises:
        OutputError: if one cannot be removed.
    """
    for path in (Path(output), table_of(output)):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be replaced ({error.strerror}).") from error


def settings_text(settings: Mapping[str, Any]) -> str:
    """Write what CTs are cut with as ``Row.settings``: the same settings give the same text."""
    ordered = {
        name: sorted(set(value)) if name in ("bones", "planes") else value
        for name, value in settings.items()
    }
    return json.dumps(ordered, sort_keys=True)


class Processes(ThreadPoolExecutor):
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
        self._running: set[multiprocessing.process.BaseProcess] = set()
        self._lock, self._ended = threading.Lock(), False

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future:
        return super().submit(self._apart, partial(function, *args, **named))

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ended = True
            for process in self._running:
                process.kill()
        self.shutdown(wait=True, cancel_futures=True)

    def _apart(self, call: Callable[[], Any]) -> Any:
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
                f"its process was killed (exit code {process.exitcode}), out of memory?"
            )
        if error is not None:
            raise error
        return answer


def _answer(pipe: connection.Connection, call: Callable[[], Any]) -> None:
    """In the child: send what the call gives, or its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, too, and decides
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


class Book:
    """The set and the table beside it: a row says done only once its segments are in the set.

    Args:
        output: the set (.h5); it is made with its first segments, the table at once.
        rows: of all CTs, by ``Row.ct``; ``enter`` keeps them up to date.
        held: how many segments the set has already, by ``Row.pseudonym``.
        spacing_mm: size of a pixel.

    Raises:
        OutputError: if the set or the table cannot be written.
    """

    def __init__(
        self, output: Path, rows: dict[str, Row], held: dict[str, int], spacing_mm: float
    ) -> None:
        self._output, self._rows, self._held = output, rows, held
        self._spacing_mm = spacing_mm
        self._writer: hdf5.Writer | None = None
        self._next_save_s = 0.0
        # Before the first segment: what cannot be written is better said now than in hours.
        _write_table(table_of(output), rows.values())

    def enter(self, row: Row, found: segment_set.SegmentSet | None) -> Row:
        """Add what a CT gave, unless the set has it; gives the row as it is noted."""
        if found is not None:
            row = self._unless_held(row)
        if row.state == DONE and row.pseudonym not in self._held:
            if self._writer is None:
                self._writer = hdf5.Writer(
                    self._output,
                    kind=found.kind,
                    pixel_spacing_mm=self._spacing_mm,
                    resume=True,
                    commit_every_s=None,
                )
            self._writer.append(found)
            self._held[row.pseudonym] = len(found)
        self._rows[row.ct] = row
        # Every save copies the set: a tenth of the time at most goes there.
        began_s = time.monotonic()
        if began_s >= self._next_save_s:
            self._save()
            ended_s = time.monotonic()
            self._next_save_s = ended_s + 10 * (ended_s - began_s)
        return row

    def close(self) -> None:
        try:
            self._save()
        finally:
            if self._writer is not None:
                self._writer.__exit__(None, None, None)

    def _save(self) -> None:
        if self._writer is not None:
            self._writer.commit()
        _write_table(table_of(self._output), self._rows.values())

    def _unless_held(self, row: Row) -> Row:
        before = self._rows[row.ct].pseudonym
        if before in self._held and before != row.pseudonym:
            reason = (
                f"{row.ct}: has changed since it was cut, a new set is needed (or --overwrite)."
            )
            return replace(row, state=FAILED, segments=0, pseudonym=before, reason=reason)
        if row.pseudonym not in self._held:
            return row
        same = [
            other.ct
            for other in self._rows.values()
            if other.ct != row.ct and other.state == DONE and other.pseudonym == row.pseudonym
        ]
        if same:
            return replace(row, segments=0, reason=f"the same voxels as {same[0]}, not added again")
        return replace(row, segments=self._held[row.pseudonym], reason="was in the set already")


def _submitted(executor: Executor, row: Row, settings: Mapping[str, Any], threads: int) -> Future:
    try:
        return executor.submit(cut_for, row, settings, threads)
    except BrokenExecutor as error:  # a pool of the caller's that lost a process
        broken: Future = Future()
        broken.set_exception(error)
        return broken


def _outcome(row: Row, future: Future) -> tuple[Row, segment_set.SegmentSet | None]:
    """What ``cut_for`` gave, or what became of the worker."""
    error = future.exception()
    if error is None:
        return future.result()
    return replace(row, state=FAILED, reason=f"{row.ct}: {_named(error)}"), None


def _named(error: BaseException) -> str:
    if isinstance(error, BrokenExecutor):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _check(
    paths: Sequence[str | Path],
    subjects: Sequence[str] | None,
    settings: Mapping[str, Any],
    jobs: int,
) -> None:
    given = {name: settings[name] for name in ("bones", "planes", "interval_mm", "spacing_mm")}
    single_ct.check_settings(**given)
    if jobs < 1:
        raise BadInputError(f"The number of jobs is {jobs}, at least 1 is needed.")
    names = [str(path) for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice or not names:
        raise BadInputError(
            f"{twice}: was named twice, once is needed." if twice else "No CT was named."
        )
    if subjects and len(subjects) != len(paths):
        raise BadInputError(
            f"{len(subjects)} subjects were given for {len(paths)} CTs, one for each is needed."
        )


def _signature(path: str | Path) -> str:
    """Size and time of change of a file, or their sums over a folder; empty if there is none."""
    try:
        inside = Path(path).rglob("*") if Path(path).is_dir() else [Path(path)]
        found = [file.stat() for file in inside if file.is_file()]
    except OSError:
        return ""
    return f"{sum(s.st_size for s in found)}-{sum(s.st_mtime_ns for s in found)}" if found else ""


def _found_before(
    output: Path, settings: Mapping[str, Any]
) -> tuple[dict[str, Row], dict[str, int]]:
    """The table's rows by CT, and the number of segments by pseudonym in the set."""
    table = table_of(output)
    rows = read_table(table) if table.exists() else {}
    if not output.exists():
        return {}, {}
    if not table.exists():
        raise BadInputError(
            f"{output}: is there already and {table.name} is not beside it, so that it is no batch "
            "to go on with; a new name is needed (or --overwrite)."
        )
    given = json.loads(settings_text(settings))
    for row in rows.values():
        for name, before in _settings_of(table, row).items():
            if before != given.get(name):
                raise BadInputError(
                    f"{output}: was begun with {name} {before}, {given.get(name)} was given now; "
                    "the same settings are needed to go on (or --overwrite)."
                )
    cts = hdf5.read(output, slice(0)).source.get("cts")
    if not isinstance(cts, Mapping):
        raise BadInputError(f"{output}: does not say which CTs it is from, a new name is needed.")
    return rows, {name: int(of.get("segments", 0)) for name, of in cts.items()}


def _settings_of(table: Path, row: Row) -> dict[str, Any]:
    try:
        return dict(json.loads(row.settings))
    except (ValueError, TypeError) as error:
        raise BadInputError(f"{table}: the settings of {row.ct} cannot be read.") from error


def read_table(path: str | Path) -> dict[str, Row]:
    """Read the table of a batch: its rows by ``Row.ct``.

    Raises:
        BadInputError: if it is something else.
    """
    try:
        # Names that are no UTF-8 are what the system gave; they go in and out as they are.
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != [field.name for field in fields(Row)]:
                raise ValueError("other columns")
            rows = [Row(**line) for line in reader]
        typed = [replace(r, segments=int(r.segments), seconds=float(r.seconds)) for r in rows]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise BadInputError(
            f"{path}: is not the table of a batch, another name for the set is needed."
        ) from error
    return {row.ct: row for row in typed}


def _write_table(path: Path, rows: Iterable[Row]) -> None:
    with (
        written_aside(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
