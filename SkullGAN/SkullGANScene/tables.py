"""Radiological metrics of a segment set as a table node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import slicer
import vtk
from SkullGANLib.errors import BadInputError
from SkullGANLib.segmentset import SegmentSet
from vtk.util.numpy_support import numpy_to_vtk

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

KEEP = "Keep"
"""Column of what the user decided: 1 for a segment that is kept, 0 for one that was rejected."""
_TEXTS = {"Bone": "bone", "Side": "side", "Plane": "plane"}


def add_metrics(
    scene: slicer.vtkMRMLScene,
    segments: SegmentSet,
    metrics: Mapping[str, np.ndarray],
    name: str,
) -> slicer.vtkMRMLTableNode:
    """Add a table with a row per segment.

    Its columns are the number (the slice of its volume), whether it is kept (all are, at first),
    bone, side, plane, seed and the metrics.

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
    _add_column(node, "Segment", np.arange(len(segments), dtype=np.int64))
    _add_column(node, KEEP, np.ones(len(segments), np.int32))
    for title, text in _TEXTS.items():
        _add_column(node, title, np.asarray(getattr(segments, text)))
    _add_column(node, "Seed", np.asarray(segments.seed, np.int64))
    for metric, column in shown.items():
        _add_column(node, column.title, np.asarray(metrics[metric], np.float64))
    node.SetColumnDescription("Segment", "Number of the segment and of its slice, from 0")
    node.SetColumnDescription(KEEP, "1 for a segment that is kept, 0 for a rejected one")
    node.SetColumnDescription("Seed", "The generator's seed, -1 where there is none")
    for column in shown.values():
        if column.unit:
            node.SetColumnUnitLabel(column.title, column.unit)
        if column.description:
            node.SetColumnDescription(column.title, column.description)
    hierarchy.item_of(node)
    return node


def _add_column(node: slicer.vtkMRMLTableNode, title: str, values: np.ndarray) -> None:
    if values.dtype.kind == "U":
        column = vtk.vtkStringArray()
        for value in values:
            column.InsertNextValue(str(value))
    else:
        column = numpy_to_vtk(values, deep=True)
    column.SetName(title)
    node.AddColumn(column)
