"""Radiological metrics of a segment set as a table node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import slicer
import vtk
from SkullGANLib.data.segment_set import NO_STACK, SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import METRICS
from vtk.util.numpy_support import numpy_to_vtk

from . import hierarchy

KEEP = "Keep"
"""Column of what the user decided: 1 for a segment that is kept, 0 for one that was rejected."""
REALNESS = "Realness"
"""Column of the realness that a discriminator gives each segment, 0 to 1, not calibrated."""
BONE, SIDE, PLANE = "Bone", "Side", "Plane"
"""Columns of where each segment was cut, in words."""
STACK, SLICE = "Stack", "Slice"
"""Columns of a set with depth: the stack that a segment is a slice of, and its place in it."""
_TEXTS = {BONE: "bone", SIDE: "side", PLANE: "plane"}


def add_metrics(
    scene: slicer.vtkMRMLScene,
    segments: SegmentSet,
    metrics: Mapping[str, np.ndarray],
    name: str,
) -> slicer.vtkMRMLTableNode:
    """Add a table with a row per segment.

    Its columns are the number (the slice of its volume), whether it is kept (all are, at first),
    bone, side, plane, of a set with depth stack and slice, seed and the metrics.

    Args:
        scene: the scene.
        segments: the N segments.
        metrics: what ``SkullGANLib.metrics.measure`` gave for them, float64 (N,) each.
        name: what the node is called.

    Raises:
        BadInputError: if a metric has not one value per segment.
    """
    _check(segments, metrics)
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    in_depth = (np.asarray(segments.stack) != NO_STACK).any()
    for title, values in _columns(segments, metrics).items():
        if in_depth or title not in (STACK, SLICE):
            add_column(node, title, values)
    if in_depth:
        node.SetColumnDescription(STACK, "Number of its stack among those of its CT, or its seed")
        node.SetColumnDescription(SLICE, "Its place in the stack, from 0")
    node.SetColumnDescription("Segment", "Number of the segment and of its slice, from 0")
    node.SetColumnDescription(KEEP, "1 for a segment that is kept, 0 for a rejected one")
    node.SetColumnDescription("Seed", "The generator's seed, -1 where there is none")
    for metric in (METRICS[name] for name in metrics if name in METRICS):
        if metric.unit:
            node.SetColumnUnitLabel(metric.title, metric.unit)
        if metric.description:
            node.SetColumnDescription(metric.title, metric.description)
    hierarchy.item_of(node)
    return node


def set_column(
    node: slicer.vtkMRMLTableNode, title: str, values: np.ndarray, description: str = ""
) -> None:
    """Add a column of numbers to a table, in the place of one of the same title."""
    place = node.GetColumnIndex(title)
    if place >= 0:
        node.RemoveColumn(place)
    add_column(node, title, np.asarray(values, np.float64))
    if description:
        node.SetColumnDescription(title, description)


def append_metrics(
    node: slicer.vtkMRMLTableNode, segments: SegmentSet, metrics: Mapping[str, np.ndarray]
) -> None:
    """Add rows for further segments to a table of ``add_metrics``; all others stay as they are.

    Raises:
        BadInputError: as ``add_metrics``.
    """
    _check(segments, metrics)
    first = node.GetNumberOfRows()
    columns = _columns(segments, metrics, first)
    table = node.GetTable()
    for place in range(table.GetNumberOfColumns()):
        column = table.GetColumn(place)
        unknown = np.nan if column.IsA("vtkDoubleArray") else 0
        more = columns.get(column.GetName(), np.full(len(segments), unknown))
        for value in more.tolist():
            column.InsertNextValue(value)
        column.Modified()
    table.Modified()
    node.Modified()


def _check(segments: SegmentSet, metrics: Mapping[str, np.ndarray]) -> None:
    for metric, values in metrics.items():
        if np.shape(values) != (len(segments),):
            raise BadInputError(
                f"Expected {metric} of {len(segments)} segments, found {np.shape(values)}."
            )


def _columns(
    segments: SegmentSet, metrics: Mapping[str, np.ndarray], first: int = 0
) -> dict[str, np.ndarray]:
    """The values of every column, in the columns' order."""
    count = len(segments)
    titles = {name: METRICS[name].title if name in METRICS else name for name in metrics}
    return {
        "Segment": np.arange(first, first + count, dtype=np.int64),
        KEEP: np.ones(count, np.int32),
        **{title: np.asarray(getattr(segments, text)) for title, text in _TEXTS.items()},
        STACK: np.asarray(segments.stack, np.int64),
        SLICE: np.asarray(segments.slice_number, np.int64),
        "Seed": np.asarray(segments.seed, np.int64),
        **{titles[metric]: np.asarray(values, np.float64) for metric, values in metrics.items()},
    }


def add_columns(
    scene: slicer.vtkMRMLScene, columns: Mapping[str, np.ndarray], name: str
) -> slicer.vtkMRMLTableNode:
    """Add a table of numbers and texts, a column for each name, in their order."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    for title, values in columns.items():
        add_column(node, title, values)
    hierarchy.item_of(node)
    return node


def add_column(
    node: slicer.vtkMRMLTableNode,
    title: str,
    values: np.ndarray,
    unit: str = "",
    description: str = "",
) -> None:
    """Add a column of texts or numbers (N,) with its unit and what it is."""
    if values.dtype.kind == "U":
        column = vtk.vtkStringArray()
        for value in values:
            column.InsertNextValue(str(value))
    else:
        column = numpy_to_vtk(values, deep=True)
    column.SetName(title)
    node.AddColumn(column)
    if unit:
        node.SetColumnUnitLabel(title, unit)
    if description:
        node.SetColumnDescription(title, description)
