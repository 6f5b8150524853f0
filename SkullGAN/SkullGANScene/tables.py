"""Radiological metrics of a segment set as a table node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import slicer
import slicer.util
from SkullGANLib.errors import BadInputError
from SkullGANLib.segmentset import SegmentSet

from . import hierarchy


class Column(NamedTuple):
    """How a metric is shown: its title, with the unit where it has one, and what it is."""

    title: str
    unit: str
    description: str


_SDR = "Skull density ratio of the segment, definition {!r}"
COLUMNS: Mapping[str, Column] = {
    "sdr_peaks": Column("SDR (peaks)", "", _SDR.format("peaks")),
    "sdr_outer_peak": Column("SDR (outer peak)", "", _SDR.format("outer-peak")),
    "sdr_central": Column("SDR (central)", "", _SDR.format("central")),
    "sdr_literal": Column("SDR (literal)", "", _SDR.format("literal")),
    "thickness_mm": Column("Thickness (mm)", "mm", "Mean thickness of the segment's wall"),
    "mean_intensity_hu": Column("Mean intensity (HU)", "HU", "Mean intensity of the segment"),
}
"""Columns by the names of ``SkullGANLib.radiology.measure``."""


def add_metrics(
    scene: slicer.vtkMRMLScene,
    segments: SegmentSet,
    metrics: Mapping[str, np.ndarray],
    name: str,
) -> slicer.vtkMRMLTableNode:
    """Add a table with a row per segment: its number (the slice of its volume), seed and metrics.

    Args:
        scene: the scene.
        segments: the N segments.
        metrics: what ``SkullGANLib.radiology.measure`` gave for them, float64 (N,) each.
        name: what the node is called.

    Raises:
        BadInputError: if a metric has not one value per segment.
    """
    for metric, values in metrics.items():
        if np.shape(values) != (len(segments),):
            raise BadInputError(
                f"Metric {metric} is {np.shape(values)}, needed is ({len(segments)},)."
            )
    shown = {metric: COLUMNS.get(metric, Column(metric, "", "")) for metric in metrics}
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    slicer.util.updateTableFromArray(
        node,
        [
            np.arange(len(segments), dtype=np.int64),
            np.asarray(segments.seed, np.int64),
            *(np.asarray(values, np.float64) for values in metrics.values()),
        ],
        ["Segment", "Seed", *(column.title for column in shown.values())],
    )
    node.SetColumnDescription("Segment", "Number of the segment and of its slice, from 0")
    node.SetColumnDescription("Seed", "The generator's seed, -1 where there is none")
    for column in shown.values():
        if column.unit:
            node.SetColumnUnitLabel(column.title, column.unit)
        if column.description:
            node.SetColumnDescription(column.title, column.description)
    hierarchy.item_of(node)
    return node
