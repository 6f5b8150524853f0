"""The parts of an evaluation: done two at a time, with progress that moves all the while."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from ..errors import BadInputError

WORKERS = 2
_EVERY_S = 0.25
_HALF_TOLD = 0.5
"""Of its weight in seconds: after this, what does not say how far it is counts as half done."""

Key = tuple[str, str]
"""What is done, and to which set or in which way."""


@dataclass(frozen=True)
class Part:
    """Something to do.

    Attributes:
        weight: about its seconds for sets of 1,000.
        work: gets a function to tell the share that is done, which it may leave alone.
    """

    weight: float
    work: Callable[[Callable[[float], None]], Any]


def done(
    alone: Mapping[Key, Part],
    parts: Mapping[Key, Part],
    on_progress: Callable[[float, str], None] | None = None,
) -> tuple[dict[Key, Any], dict[str, float], list[str]]:
    """Do all parts: first, one after the other, those that take all cores, then two at a time.

    Args:
        alone: what takes all cores; an error in it ends all.
        parts: what takes one core: many small sums, which gain less from two. Where one raises a
            ``BadInputError``, the others go on.
        on_progress: called from this thread with the share of the work that is done and what goes
            on, also while nothing ends. If it raises, no further part begins.

    Returns:
        What came of the parts, the seconds that each took, and why there is nothing of others.
    """
    report_progress = on_progress or (lambda share, note: None)
    of = sum(part.weight for part in (*alone.values(), *parts.values()))
    found: dict[Key, Any] = {}
    seconds: dict[str, float] = {}
    before = 0.0
    for key, part in alone.items():
        name = _name(key)
        began = time.perf_counter()
        found[key] = part.work(
            lambda share, part=part, before=before, name=name: report_progress(
                (before + share * part.weight) / of, name
            )
        )
        seconds[name] = time.perf_counter() - began
        before += part.weight
    failed = _side_by_side(
        parts, found, seconds, lambda weight, note: report_progress((before + weight) / of, note)
    )
    in_order = {key: found[key] for key in (*alone, *parts) if key in found}
    return in_order, seconds, failed


def _side_by_side(
    parts: Mapping[Key, Part],
    found: dict[Key, Any],
    seconds: dict[str, float],
    report_progress: Callable[[float, str], None],
) -> list[str]:
    """Do parts in threads; gives why there is nothing of some."""
    from threadpoolctl import threadpool_limits

    shares: dict[Key, float] = {}
    began: dict[Key, float] = {}
    failed: dict[Key, str] = {}

    def timed(key: Key) -> tuple[Any, float]:
        began[key] = time.perf_counter()
        result = parts[key].work(lambda share: shares.__setitem__(key, share))
        return result, time.perf_counter() - began[key]

    def so_far(tasks: Mapping[Future, Key], pending: set[Future]) -> float:
        """Add up weights; what does not say how far it is counts by the clock."""
        weight, now = 0.0, time.perf_counter()
        for task, key in tasks.items():
            one = parts[key].weight
            clock = (now - began[key]) / one if key in began else 0.0
            # Slower and slower, but on and on: how fast the machine is, is not known.
            share = max(shares.get(key, 0.0), clock / (clock + _HALF_TOLD))
            weight += one * (share if task in pending else 1.0)
        return weight

    # Once for all: limits are the process's, and would be mixed up if each part set its own.
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS) as pool:
        longest_first = sorted(parts, key=lambda key: -parts[key].weight)
        tasks = {pool.submit(timed, key): key for key in longest_first}
        pending = set(tasks)
        try:
            while pending:
                ended, pending = wait(pending, _EVERY_S, FIRST_COMPLETED)
                for task in ended:
                    key = tasks[task]
                    name = _name(key)
                    try:
                        found[key], seconds[name] = task.result()
                    except BadInputError as error:
                        failed[key] = f"{name[:1].upper()}{name[1:]}: {error}"
                running = [_name(tasks[task]) for task in tasks if task.running()]
                report_progress(so_far(tasks, pending), ", ".join(running))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [failed[key] for key in parts if key in failed]


def _name(key: Key) -> str:
    return " ".join(key).strip()
