"""The radiological metrics of segments as a CSV beside any format."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..data.segment_set import SegmentSet
from ..errors import BadInputError
from ..utils.atomic_files import written_aside
from ..utils.printable import csv_cell

_ORIGIN = ("seed", "subject", "ct", "bone", "side", "plane")
_FIRST = ("segment", "seed", "kind", *_ORIGIN[1:])
"""The columns before the metrics."""
_BATCH = b"ct,state,segments,"
"""How the table of a batch begins (``extraction.batch_table``)."""


def write_metrics(
    path: str | Path,
    batches: Iterable[SegmentSet],
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Write a CSV with a row per segment: number, seed, origin and ``metrics.METRICS``.

    A metric that does not exist, of a segment without bone, is left empty.

    Args:
        path: the CSV, written aside and renamed.
        batches: segments in order.
        on_progress: called with the segments measured.

    Raises:
        BadInputError: if the table of a batch is there.
        OutputError: if the file cannot be written.
    """
    from ..metrics import METRICS, measure

    check_replaceable(path)
    number = 0
    with (
        written_aside(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow((*_FIRST, *METRICS))
        for batch in batches:
            metrics = measure(batch)
            for row in range(len(batch)):
                texts = [csv_cell(str(getattr(batch, name)[row])) for name in _ORIGIN]
                texts.insert(1, batch.kind)
                values = (metrics[name][row] for name in METRICS)
                rows.writerow(
                    (number, *texts, *("" if np.isnan(v) else f"{v:.6g}" for v in values))
                )
                number += 1
            if on_progress:
                on_progress(number)


def check_replaceable(path: str | Path) -> None:
    """Raise BadInputError if the table of a batch is there, which nothing could bring back."""
    path = Path(path)
    if path.exists() and _start_of(path, len(_BATCH)) == _BATCH:
        raise BadInputError(
            f"{path}: is the table of a batch, so it is not replaced; expected another name for "
            "the output (or --no-metrics)."
        )


def _start_of(path: Path, count: int) -> bytes:
    """The first bytes of a regular file; others have none."""
    if not path.is_file():
        return b"?"
    try:
        with open(path, "rb") as file:
            return file.read(count)
    except OSError:
        return b"?"
