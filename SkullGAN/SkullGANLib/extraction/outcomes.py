"""What became of each CT that was to be cut, whatever happened: its segments, or the reason.

``noted`` is for the block that cuts one CT, in any thread or process; ``cut_each`` cuts one CT
after the other as the work of a ``Task``; ``raise_for_failed`` ends what a user started with the
sentence about those that failed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..data.segment_set import SegmentSet
from ..errors import BadInputError, CancelledError, SkullGANError
from ..utils.task import Work, subprogress
from .batch_table import FAILED, Row, table_of

_log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What became of one CT.

    Attributes:
        row: for the table.
        segments: what was cut; None if it failed.
    """

    row: Row
    segments: SegmentSet | None = None


@contextmanager
def noted(row: Row) -> Iterator[Outcome]:
    """Note what becomes of a CT in the block that cuts it, errors included.

    The block puts what it cut into ``Outcome.segments``; after it, ``Outcome.row`` says the rest.
    Only a cancellation leaves the block as an error.

    Example:
        >>> with noted(Row("head.nrrd")) as outcome:
        ...     raise BadInputError("The CT shows no cranial vault.")
        >>> outcome.row.sentence
        'head.nrrd: The CT shows no cranial vault.'
    """
    outcome = Outcome(row)
    began_s = time.monotonic()
    try:
        yield outcome
        if outcome.segments is not None:
            outcome.row = row.completed(outcome.segments)
    except CancelledError:
        raise
    except SkullGANError as error:
        reason = str(error)
        outcome.row = row.failed(reason if row.ct in reason else f"{row.ct}: {reason}")
    except Exception as error:  # one CT's bug or lack of memory must not end the others
        _log.exception("%s", row.ct)
        outcome.row = row.failed(f"{row.ct}: {described(error)}")
    outcome.row = replace(outcome.row, seconds=round(time.monotonic() - began_s, 1))


def described(error: BaseException) -> str:
    """Write an error that is no sentence of ours as one."""
    if isinstance(error, BrokenExecutor):
        return str(error)
    return f"{type(error).__name__}: {error}"


def cut_each(
    works: Sequence[tuple[Row, Work[SegmentSet]]],
    on_outcome: Callable[[Outcome], None] | None = None,
) -> Work[list[Row]]:
    """Cut CTs one after the other; one that fails does not stop the others.

    Args:
        works: the row of each CT, and the work that gives its segments.
        on_outcome: called with each CT's outcome once it is known; its segments are not kept.

    Returns:
        What became of each CT, in their order.
    """
    rows = []
    for number, (row, work) in enumerate(works):
        with noted(row) as outcome:
            first, last = number / len(works), (number + 1) / len(works)
            outcome.segments = yield from subprogress(work, first, last)
        rows.append(outcome.row)
        if on_outcome:
            on_outcome(outcome)
    return rows


def raise_for_failed(rows: Sequence[Row], output: str | Path) -> None:
    """End with one sentence if CTs failed.

    Args:
        rows: of all CTs.
        output: the set; the table beside it says the rest.

    Raises:
        BadInputError: if any failed.
    """
    failed = [row for row in rows if row.state == FAILED]
    if not failed:
        return
    if len(rows) == 1:
        raise BadInputError(failed[0].sentence)
    raise BadInputError(f"{len(failed)} of {len(rows)} CTs failed, {table_of(output)} says why.")
