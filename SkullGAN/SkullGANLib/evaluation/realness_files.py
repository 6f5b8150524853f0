"""Files of realness: a discriminator's scores of segments, and where in them they come from."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..ct.volume import write_volume
from ..data.segment_set import SegmentSet
from ..data.stack import stack_geometry
from ..errors import BadInputError
from ..mapping import vtp
from ..mapping.calvaria_map import with_realness
from ..utils.atomic_files import written_aside
from ..utils.output_names import format_of
from ..utils.printable import csv_cell

if TYPE_CHECKING:
    from ..networks.model_file import Model

FORMATS = {
    "a slice per segment": (".nrrd", ".nii.gz", ".nii", ".mha"),
    "an array": (".npy",),
    "scores": (".csv",),
    "scores on the map": (".vtp",),
}
"""What is written, by the ending of the file's name."""


def write(
    paths: Sequence[Path],
    segments: SegmentSet,
    model: Model,
    *,
    method: str = "positions",
    on_surface: Path | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Let a discriminator judge segments, and write its scores and where they come from.

    Args:
        paths: files to write, by the endings of ``FORMATS``.
        segments: N segments.
        model: whose discriminator judges.
        method: one of ``measures.realness.METHODS``.
        on_surface: map (.vtp) of the segments' CT, for the scores on the map.
        on_progress: called with the share of the work done, 0 to 1.

    Returns:
        The scores, float64 (N,).

    Raises:
        BadInputError: if the model does not fit the segments, or scores on a map are wanted and
            there is no map or no segment lies on it.
        OutputError: if a file cannot be written.
    """
    from .measures import realness  # brings torch, and commands ask here for FORMATS

    report_progress = on_progress or (lambda share: None)
    formats = {path: format_of(path, FORMATS) for path in paths}
    on_map = [path for path, format in formats.items() if format == "scores on the map"]
    if on_map and on_surface is None:
        raise BadInputError(
            f"{on_map[0]}: expected a map to lay the scores on (--map), found none."
        )
    scores = realness.of_segments(
        model, segments, lambda done, of: report_progress(0.2 * done / of)
    )
    values = np.empty(0)
    if {"a slice per segment", "an array"} & set(formats.values()):
        values = realness.explain(
            model, segments, method, lambda done, of: report_progress(0.2 + 0.7 * done / of)
        )
    for path, format in formats.items():
        if format == "a slice per segment":
            write_volume(path, values, stack_geometry(segments.pixel_spacing_mm))
        elif format == "an array":
            with written_aside(path) as temporary, open(temporary, "wb") as file:
                np.save(file, values)
        elif format == "scores":
            _write_scores(path, segments, scores)
        elif on_surface is not None:
            found = vtp.read(on_surface)
            on_it = realness.on_surface(found.points_ras, segments, scores)
            vtp.write(path, with_realness(found, on_it))
    report_progress(1.0)
    return scores


def _write_scores(path: Path, segments: SegmentSet, scores: np.ndarray) -> None:
    with (
        written_aside(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["segment", "bone", "side", "plane", "seed", "realness_not_calibrated"])
        rows = zip(segments.bone, segments.side, segments.plane, segments.seed, scores, strict=True)
        for number, (*known, score) in enumerate(rows):
            writer.writerow([number, *map(csv_cell, map(str, known)), f"{score:.5f}"])
