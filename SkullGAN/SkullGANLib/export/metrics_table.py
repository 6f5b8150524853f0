"""The radiological metrics of segments as a CSV beside any format."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..data.segment_set import SegmentSet
from ..utils.atomic_files import written_aside


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
        OutputError: if the file cannot be written.
    """
    from ..metrics import METRICS, measure

    origin = ("seed", "kind", "subject", "ct", "bone", "side", "plane")
    number = 0
    with (
        written_aside(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("segment", *origin, *METRICS))
        for batch in batches:
            metrics = measure(batch)
            for row in range(len(batch)):
                texts = [getattr(batch, name)[row] for name in origin if name != "kind"]
                texts.insert(1, batch.kind)
                values = (metrics[name][row] for name in METRICS)
                rows.writerow(
                    (number, *texts, *("" if np.isnan(v) else f"{v:.6g}" for v in values))
                )
                number += 1
            if on_progress:
                on_progress(number)
