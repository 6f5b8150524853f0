"""Tables of an evaluation: a row for each segment of a set, a summary with a row for each set, the
answers in words, and what judges lay out (known answers, strata).

Columns follow the judges of ``SkullGANLib.evaluation.measures.registry``.
"""

from __future__ import annotations

import numpy as np
import slicer
from SkullGANLib.evaluation.measures.measure import Column
from SkullGANLib.evaluation.measures.registry import MEASURES, columns
from SkullGANLib.evaluation.measures.tables import ReportTable
from SkullGANLib.evaluation.names import LABELS
from SkullGANLib.evaluation.report.reader import Report, ReportedSet
from SkullGANLib.metrics import METRICS
from SkullGANLib.metrics.registry import compared

from . import hierarchy, tables

NAME, SEGMENT = "Name", "Segment"
"""Columns of a set's table: a text, and the place in the set."""
_TYPES: dict[type, type] = {float: np.float64, int: np.int64, bool: np.int64, str: np.str_}
_TEXTS = {"bone": "Bone", "side": "Side", "plane": "Plane"}


def add_segments(
    scene: slicer.vtkMRMLScene, one: ReportedSet, places: np.ndarray, name: str
) -> slicer.vtkMRMLTableNode:
    """Add the table of some segments of a set.

    Args:
        scene: the scene.
        one: the set.
        places: int (n,), of the segments; row k is that of ``places[k]``.
        name: of the table.
    """
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    node.SetDescription("A row for each segment; row k is slice k of the volume of the set")
    names = np.array([f"{LABELS[one.name]} {place}" for place in places], np.str_)
    tables.add_column(node, NAME, names)
    tables.add_column(
        node, SEGMENT, places.astype(np.int64), description="Place in the set, from 0"
    )
    values = {title: column[places] for title, column in one.columns.items()}
    for text, title in _TEXTS.items():
        if set(values[text]) - {"", "unknown"}:
            tables.add_column(node, title, np.asarray(values[text], np.str_))
    if (values["seed"] >= 0).any():
        tables.add_column(node, "Seed", values["seed"].astype(np.int64))
    for metric in map(METRICS.__getitem__, compared()):
        its = values[metric.name].astype(float)
        tables.add_column(node, metric.title, its, metric.unit, metric.description)
    for column in columns().values():
        if column.title and column.name in values and _is_known(column, values[column.name]):
            typed = values[column.name].astype(_TYPES[column.kind])
            tables.add_column(node, column.title, typed, column.unit, column.description)
    return node


def add_summary(scene: slicer.vtkMRMLScene, report: Report, name: str) -> slicer.vtkMRMLTableNode:
    """Add the table with a row per set: what the report says of it in numbers."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    sets = list(report.sets)
    tables.add_column(node, "Set", np.array([LABELS[one] for one in sets], np.str_))
    for title, key in (("Segments", "segments"), ("Subjects", "subjects")):
        counts = np.array([report.numbers["sets"][one][key] for one in sets], np.int64)
        tables.add_column(node, title, counts)
    for measure in MEASURES.values():
        for column in measure.summary(report.numbers):
            known = [column.values.get(one) for one in sets]
            values = np.array([np.nan if one is None else one for one in known], float)
            rounded = values.round(column.digits)
            tables.add_column(node, column.title, rounded, column.unit, column.description)
    hierarchy.item_of(node)
    return node


def add_answers(scene: slicer.vtkMRMLScene, report: Report, name: str) -> slicer.vtkMRMLTableNode:
    """Add the table with the answer to each question, and what it rests on."""
    answers = report.numbers.get("answers", [])
    columns = {
        "Question": [one["question"] for one in answers],
        "Answer": [one["short"] for one in answers],
        "Why": [" ".join(one["reasons"]) for one in answers],
    }
    texts = {title: np.array(values, np.str_) for title, values in columns.items()}
    return tables.add_columns(scene, texts, name)


def add_table(scene: slicer.vtkMRMLScene, given: ReportTable, name: str) -> slicer.vtkMRMLTableNode:
    """Add a table that a judge laid out; an interval becomes two columns behind its number."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    node.SetDescription(given.caption)
    rows = range(len(given))
    for column in given.columns:
        if column.is_text:
            texts = np.array([column.text(row) for row in rows], np.str_)
            tables.add_column(node, column.title, texts, column.unit, column.description)
            continue
        ends = {"value": "", "low": ", low", "high": ", high"}
        if not any(column.has_interval(row) for row in rows):
            ends = {"value": ""}
        for key, suffix in ends.items():
            numbers = [column.number(row, key) for row in rows]
            values = np.array([np.nan if one is None else one for one in numbers], float)
            rounded = values.round(column.digits)
            title = f"{column.title}{suffix}"
            tables.add_column(node, title, rounded, column.unit, column.description)
    hierarchy.item_of(node)
    return node


def _is_known(column: Column, values: np.ndarray) -> bool:
    """Whether anything but blanks stands in a column."""
    if column.kind is float:
        return bool(np.isfinite(values).any())
    return bool((values != column.empty(1)[0]).any())
