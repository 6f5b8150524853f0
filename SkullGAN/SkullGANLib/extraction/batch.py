"""Many head CTs into one segment set: some at a time, and no failure stops the others.

``run`` cuts every CT in an executor and writes the set in the order in which the CTs were named, so
that the set does not depend on who was ready first. Beside it stands a table with a row for each CT
(``batch_table``). Called again, ``run`` skips what is done and does the rest. ``IsolatedPool`` is
the executor where none is given; any other of ``concurrent.futures`` fits, for instance Dask's
``Client.get_executor()``.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from ..ct import volume
from ..data import hdf5
from ..data.depth import STEP_MM, Depth
from ..errors import BadInputError, CancelledError
from ..utils.file_lock import writing
from ..utils.json_text import parse_json
from . import single_ct
from .batch_table import DONE, Book, Row, read_table, remove, settings_text, table_of
from .isolated_pool import IsolatedPool
from .outcomes import Outcome, described, noted

AHEAD = 64
"""CTs under way or ready to be written at most; segments of one take some 6 MB."""

_POLL_S = 0.5
_DEPTH = ("depth_slices", "depth_step_mm")  # not among the settings of single cuts


class DepthSettings(TypedDict, total=False):
    """What stacks are cut with, if any: see ``data.depth.Depth``."""

    depth_slices: int
    depth_step_mm: float


class CutSettings(DepthSettings):
    """What all CTs of a set are cut with: arguments of ``single_ct.extract``."""

    bones: Sequence[str]
    planes: Sequence[str]
    interval_mm: float
    spacing_mm: float
    threshold_hu: float | None


def run(
    paths: Sequence[str | Path],
    output: str | Path,
    settings: CutSettings,
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
        settings: what to cut, and how.
        subjects: a pseudonym for each CT; by default each CT is a subject of its own.
        jobs: how many CTs at a time, each in a process of its own; one takes about 0.5 GiB.
        executor: where to cut instead; each CT then takes one thread.
        overwrite: begin anew where there is a set or a table.
        on_progress: called with the number of CTs ready and of all that are to be cut.
        on_row: called with each CT's row once it is known; not for those done before.
        should_stop: asked twice a second.

    Returns:
        The rows of ``paths``, in that order.

    Raises:
        BadInputError: if an argument makes no sense, the set there is not this batch's or another
            process writes it.
        OutputError: if the set or the table cannot be written.
        CancelledError: if ``should_stop`` said so; what was written is kept.
    """
    output = Path(output)
    _check(paths, output, subjects, settings, jobs)
    threads = 1 if executor else max(1, min(4, (os.cpu_count() or 1) // jobs))
    entered = 0
    with ExitStack() as stack:
        stack.enter_context(writing(output))  # two that go on with one table would add all twice
        rows, held = _found_before(output, settings, overwrite)
        due = _due(paths, output, subjects, settings, rows, held)
        executor = executor or stack.enter_context(IsolatedPool(jobs))
        book = stack.enter_context(Book(output, rows, held, settings["spacing_mm"]))
        parts = closing(_in_their_order(executor, due, settings, threads))
        for ready, ahead in stack.enter_context(parts):
            for outcome in ready:
                row = book.enter(outcome.row, outcome.segments)
                entered += 1
                if on_row:
                    on_row(row)
            if on_progress:
                on_progress(entered + ahead, len(due))
            left = len(due) - entered
            if left and should_stop and should_stop():
                of = f"{left} of {len(paths)} CTs are left"
                raise CancelledError(f"{output}: stopped, {of}; the same command goes on.")
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
        settings: further arguments of ``single_ct.extract``, its depth as ``DepthSettings``.
    """
    ct = volume.read_ct(path)
    mask = volume.read_mask(skull_mask, ct) if skull_mask else None
    if "depth_slices" in settings:
        slices, step_mm = settings.pop("depth_slices"), settings.pop("depth_step_mm", STEP_MM)
        settings["depth"] = Depth(slices, step_mm)
    try:
        return single_ct.extract(ct, mask, **settings)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from error


def cut_noted(row: Row, settings: CutSettings, threads: int) -> Outcome:
    """Cut one CT and note what became of it, whatever happens; workers run this."""
    with noted(row) as outcome:
        subject = row.subject or None
        outcome.segments = cut(row.ct, subject=subject, threads=threads, **settings).segments
    return outcome


def _due(
    paths: Sequence[str | Path],
    output: Path,
    subjects: Sequence[str] | None,
    settings: CutSettings,
    rows: dict[str, Row],
    held: Mapping[str, int],
) -> list[Row]:
    """The CTs that are to be cut; their rows are put among those of earlier calls."""
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
                    "expected the same to go on (or --overwrite)."
                )
            if before.signature == row.signature:
                continue
        rows[path] = replace(row, pseudonym=before.pseudonym)
        due.append(rows[path])
    return due


def _in_their_order(
    executor: Executor, due: Sequence[Row], settings: CutSettings, threads: int
) -> Generator[tuple[list[Outcome], int], None, None]:
    """Cut CTs in an executor and give, twice a second at least, what is ready in their order.

    Yields:
        Outcomes that follow on those before, and how many more are ready further on.
    """
    left, under_way = iter(due), deque[tuple[Row, Future[Outcome]]]()
    try:
        while True:
            while len(under_way) < AHEAD and (row := next(left, None)):
                under_way.append((row, _submitted(executor, row, settings, threads)))
            if not under_way:
                return
            wait([under_way[0][1]], timeout=_POLL_S)
            ready = []
            while under_way and under_way[0][1].done():
                ready.append(_outcome(*under_way.popleft()))
            yield ready, sum(future.done() for _, future in under_way)
    finally:
        for _, future in under_way:
            future.cancel()


def _submitted(
    executor: Executor, row: Row, settings: CutSettings, threads: int
) -> Future[Outcome]:
    try:
        return executor.submit(cut_noted, row, settings, threads)
    except BrokenExecutor as error:  # a pool of the caller's that lost a process
        broken: Future[Outcome] = Future()
        broken.set_exception(error)
        return broken


def _outcome(row: Row, future: Future[Outcome]) -> Outcome:
    """What ``cut_noted`` gave, or what became of the worker."""
    error = future.exception()
    if error is None:
        return future.result()
    return Outcome(row.failed(f"{row.ct}: {described(error)}"))


def _check(
    paths: Sequence[str | Path],
    output: Path,
    subjects: Sequence[str] | None,
    settings: CutSettings,
    jobs: int,
) -> None:
    if output.suffix not in (".h5", ".hdf5"):
        raise BadInputError(f"{output}: expected a name that ends in .h5.")
    single_ct.check_settings(
        settings["bones"], settings["planes"], settings["interval_mm"], settings["spacing_mm"]
    )
    if "depth_slices" in settings:
        Depth(settings["depth_slices"], settings.get("depth_step_mm", STEP_MM))
    if jobs < 1:
        raise BadInputError(f"The number of jobs is {jobs}, expected at least 1.")
    names = [str(path) for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice or not names:
        raise BadInputError(
            f"{twice}: was named twice, expected once." if twice else "No CT was named."
        )
    if subjects and len(subjects) != len(paths):
        raise BadInputError(
            f"{len(subjects)} subjects were given for {len(paths)} CTs, expected one for each."
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
    output: Path, settings: CutSettings, overwrite: bool
) -> tuple[dict[str, Row], dict[str, int]]:
    """The table's rows by CT, and the number of segments by pseudonym in the set."""
    if overwrite:
        remove(output)
    table = table_of(output)
    rows = read_table(table) if table.exists() else {}
    if not output.exists():
        return {}, {}
    if not table.exists():
        raise BadInputError(
            f"{output}: is there already and {table.name} is not beside it, so that it is no batch "
            "to go on with; expected a new name (or --overwrite)."
        )
    given = json.loads(settings_text(settings))
    for row in rows.values():
        noted_before = _settings_of(table, row)
        for name in (*noted_before, *(_DEPTH if noted_before else ())):
            before = noted_before.get(name)
            if before != given.get(name):
                raise BadInputError(
                    f"{output}: was begun with {name} {before}, {given.get(name)} was given now; "
                    "expected the same settings to go on (or --overwrite)."
                )
    cts = hdf5.read(output, slice(0)).source.get("cts")
    if not isinstance(cts, Mapping):
        raise BadInputError(f"{output}: does not say which CTs it is from, expected a new name.")
    return rows, {name: int(of.get("segments", 0)) for name, of in cts.items()}


def _settings_of(table: Path, row: Row) -> dict[str, Any]:
    try:
        return dict(parse_json(row.settings, str(table), "the settings of a CT"))
    except (ValueError, TypeError) as error:
        raise BadInputError(f"{table}: the settings of {row.ct} cannot be read.") from error
