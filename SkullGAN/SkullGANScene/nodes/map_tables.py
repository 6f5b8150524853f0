"""A map in tables: its summary by bone and side, and the rays of an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import slicer
from SkullGANLib.metrics import METRICS

from . import hierarchy, tables


def add_summary(
    ct_node: slicer.vtkMRMLScalarVolumeNode, rows: Sequence[Mapping[str, Any]]
) -> slicer.vtkMRMLTableNode:
    """Add the summary of a map (``map_summary.summary``) as a table, beside its CT."""
    columns: dict[str, np.ndarray] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if isinstance(values[0], str):
            columns[name] = np.array(values)
        elif all(isinstance(value, int) for value in values):
            columns[name] = np.array(values, np.int64)
        else:
            columns[name] = np.array([np.nan if v is None else v for v in values], float)
    node = tables.add_columns(ct_node.GetScene(), columns, f"{ct_node.GetName()} map summary")
    node.SetDescription(
        "Thickness and SDR by bone and side: mean, standard deviation and quantiles over the "
        "vertices of the map, and how many were not measured"
    )
    hierarchy.put_beside(node, ct_node)
    return node


def add_rays(
    ct_node: slicer.vtkMRMLScalarVolumeNode, columns: Mapping[str, np.ndarray]
) -> slicer.vtkMRMLTableNode:
    """Add the rays of an array (``array_table.columns`` or ``array_table.read_csv``) as a table
    with a row per element, beside the CT."""
    node = tables.add_columns(ct_node.GetScene(), columns, f"{ct_node.GetName()} array rays")
    node.SetDescription("What each element of the ultrasound array sees on its way to the target")
    for name in columns:
        unit = METRICS[name].unit if name in METRICS else _unit_of(name)
        if unit:
            node.SetColumnUnitLabel(name, unit)
    hierarchy.put_beside(node, ct_node)
    return node


def _unit_of(name: str) -> str:
    """The unit that a column's name ends with."""
    units = {"_mm": "mm", "_hu": "HU", "_deg": "°"}
    return next((unit for ending, unit in units.items() if name.endswith(ending)), "")
