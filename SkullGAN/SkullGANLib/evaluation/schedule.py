"""The parts of an evaluation: run two at a time, with progress that moves all the while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..errors import BadInputError

WORKERS = 2
_EVERY_S = 0.25
_HALF_WEIGHT = 0.5
"""Of its weight in seconds: after this, what reports no progress counts as half finished."""

Key = tuple[str, str]
"""What is run, and on which set or in which way; together the name of a part."""


@dataclass(frozen=True)
class Part:
    """Something to run.

    Attributes:
        weight: about its seconds for sets of 1,000.
        work: gets a function to call with the share that is finished, which it may leave alone.
    """

    weight: float
    work: Callable[[Callable[[float], None]], Any]


@dataclass(frozen=True)
class Outcome:
    """What came of the parts.

    Attributes:
        found: by part, in the order given.
        seconds: that each part took, by its name.
        failed: sentences on why there is nothing of others.
    """

    found: Mapping[Key, Any]
    seconds: Mapping[str, float]
    failed: tuple[str, ...]


def run_parts(
    alone: Mapping[Key, Part],
    parts: Mapping[Key, Part],
    on_progress: Callable[[float, str], None] | None = None,
) -> Outcome:
    """Run all parts: first, one after the other, those that take all cores, then two at a time.

    Args:
        alone: what takes all cores; an error in it ends all.
        parts: what takes one core: many small sums, which gain less from two. Where one raises a
            ``BadInputError``, the others go on.
        on_progress: called from this thread with the share of the work that is finished and what
            is running, also while nothing ends. If it raises, no further part begins.
    """
    report_progress = on_progress or (lambda share, note: None)
    of = sum(part.weight for part in (*alone.values(), *parts.values()))
    found: dict[Key, Any] = {}
    seconds: dict[str, float] = {}
    before = 0.0
    for key, part in alone.items():
        name = _name(key)
        began = time.perf_counter()
        found[key] = part.work(partial(_report, report_progress, name, before, part.weight, of))
        seconds[name] = time.perf_counter() - began
        before += part.weight
    failed: dict[Key, str] = {}
    for key, result in _side_by_side(
        parts, lambda weight, note: report_progress((before + weight) / of, note)
    ):
        name = _name(key)
        if isinstance(result, BadInputError):
            failed[key] = f"{name[:1].upper()}{name[1:]}: {result}"
        else:
            found[key], seconds[name] = result
    return Outcome(
        {key: found[key] for key in (*alone, *parts) if key in found},
        seconds,
        tuple(failed[key] for key in parts if key in failed),
    )


@dataclass
class _Clock:
    """How far parts that are running are, by what they report and by the time they take."""

    shares: dict[Key, float] = field(default_factory=dict)
    began: dict[Key, float] = field(default_factory=dict)

    def timed(self, key: Key, part: Part) -> tuple[Any, float]:
        """Run a part; gives what came of it and its seconds."""
        self.began[key] = time.perf_counter()
        result = part.work(lambda share: self.shares.__setitem__(key, share))
        return result, time.perf_counter() - self.began[key]

    def share(self, key: Key, weight: float) -> float:
        """Give the share of a part that is finished, by the clock where it reports nothing."""
        elapsed = (time.perf_counter() - self.began[key]) / weight if key in self.began else 0.0
        # Slower and slower, but on and on: how fast the machine is, is not known.
        return max(self.shares.get(key, 0.0), elapsed / (elapsed + _HALF_WEIGHT))


def _side_by_side(
    parts: Mapping[Key, Part], report_progress: Callable[[float, str], None]
) -> Iterator[tuple[Key, tuple[Any, float] | BadInputError]]:
    """Run parts in threads; gives what came of each, with its seconds, or why nothing did."""
    from threadpoolctl import threadpool_limits

    clock = _Clock()
    # Once for all: limits are the process's, and would be mixed up if each part set its own.
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS) as pool:
        longest_first = sorted(parts, key=lambda key: -parts[key].weight)
        tasks = {pool.submit(clock.timed, key, parts[key]): key for key in longest_first}
        pending: set[Future[tuple[Any, float]]] = set(tasks)
        try:
            while pending:
                ended, pending = wait(pending, _EVERY_S, FIRST_COMPLETED)
                for task in ended:
                    yield tasks[task], _result_of(task)
                running = [_name(tasks[task]) for task in tasks if task.running()]
                weight = sum(
                    parts[key].weight
                    * (clock.share(key, parts[key].weight) if task in pending else 1.0)
                    for task, key in tasks.items()
                )
                report_progress(weight, ", ".join(running))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _result_of(task: Future[tuple[Any, float]]) -> tuple[Any, float] | BadInputError:
    try:
        return task.result()
    except BadInputError as error:
        return error


def _report(
    report_progress: Callable[[float, str], None],
    name: str,
    before: float,
    weight: float,
    of: float,
    share: float,
) -> None:
    """Report a share of a part as one of all parts."""
    report_progress((before + share * weight) / of, name)


def _name(key: Key) -> str:
    return " ".join(key).strip()
