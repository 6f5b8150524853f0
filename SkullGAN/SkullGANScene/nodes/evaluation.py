"""A report of an evaluation in a scene: its segments, their numbers, tables and charts.

``building`` puts what ``evaluation.report.reader.read`` gave into a scene, step by step;
``in_scene`` finds the reports of a scene, ``nodes_of`` what belongs to one, also where it was
opened from a file and the report is gone; ``remove`` takes one away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from SkullGANLib.data.segment_set import SIZE
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures import discriminator
from SkullGANLib.evaluation.measures.registry import columns
from SkullGANLib.evaluation.measures.registry import tables as judges_tables
from SkullGANLib.evaluation.names import LABELS, REALNESS_METHODS
from SkullGANLib.evaluation.report.reader import Report, ReportedSet
from SkullGANLib.utils.task import Work, subprogress

from . import evaluation_charts, evaluation_tables, hierarchy, nearest_neighbors, volumes

MOST_SEGMENTS = 500
"""Segments of each set that come into the scene, by default."""

NAME, SEGMENT = evaluation_tables.NAME, evaluation_tables.SEGMENT
REALNESS = columns()[discriminator.REALNESS].title
"""Columns of a set's table: a text, the place in the set, the discriminator's output."""
SUMMARY, ANSWERS = "Summary", "Answers"
"""Tables of the report as a whole, beside those that judges lay out."""
EVALUATED = nearest_neighbors.EVALUATED
KIND_ATTRIBUTE = "SkullGAN.EvaluatedKind"
"""Attribute of a volume of segments of a report: the kind of their set."""
OVERLAY = "SkullGAN.explained"
"""Role, with a method behind it, of a volume's reference to the realness map over it."""
ATTRIBUTE = "SkullGAN.Evaluation"
"""Attribute of the text node that stands for a report."""

_CHARTS, _SUMMARY, _FINDINGS, _VOLUME, _TABLE = (
    f"SkullGAN.{role}" for role in ("charts", "summary", "findings", "volume", "table")
)
_TITLE = "SkullGAN.Title"
"""Attribute of a table of the report as a whole: what the user knows it by."""
_AT_ONCE = 16
_OLDER_NAMES = {"unsaid": "limitations"}
"""Keys in text nodes of scenes that were saved before, and what they are called now."""


@dataclass(frozen=True, eq=False)
class EvaluationNodes:
    """What stands for a report in a scene.

    Attributes:
        text: JSON with what the report says in words and where it lies; its name is the report's.
        folder: subject hierarchy item that holds all.
        summary: a row per set.
        tables, volumes: per set, a row and a slice for each segment; slice k is row k.
        charts: by what the user knows them.
        findings: tables of the report as a whole, by what the user knows them: the summary, the
            answers, and what judges lay out (known answers, strata).
        pairs: the nearest real neighbors; None if they are not known.
    """

    text: slicer.vtkMRMLTextNode
    folder: int
    summary: slicer.vtkMRMLTableNode | None
    tables: Mapping[str, slicer.vtkMRMLTableNode]
    volumes: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
    charts: Mapping[str, slicer.vtkMRMLPlotChartNode]
    findings: Mapping[str, slicer.vtkMRMLTableNode]
    pairs: nearest_neighbors.PairNodes | None

    @property
    def content(self) -> Mapping[str, Any]:
        """What the report says: ``answers``, ``concerns``, ``limitations``; its ``report`` folder
        and ``model`` as paths; ``realness``: whether it is calibrated."""
        held = json.loads(self.text.GetText())
        return {_OLDER_NAMES.get(key, key): value for key, value in held.items()}

    @property
    def report(self) -> Path:
        """The folder of the report, which may be gone."""
        return Path(self.content["report"])


def building(
    scene: slicer.vtkMRMLScene,
    report: Report,
    name: str,
    *,
    most: int = MOST_SEGMENTS,
    way: str = "mse",
    pairs: int = nearest_neighbors.MOST_PAIRS,
) -> Work[slicer.vtkMRMLTextNode]:
    """Put a report into a scene, in a folder of its own at the top of the hierarchy.

    Where it ends early, by an error or because the iterator is closed, the scene is as it was.

    Args:
        scene: the scene.
        report: what was read.
        name: of the folder, and first part of the other names.
        most: segments of each set to take; of a larger set those that were compared go first,
            evenly taken.
        way: how nearest real neighbors are found, one of ``measures.nearest_neighbors.WAYS``; the
            other one if this is not known.
        pairs: of synthetic segments and their nearest real ones to take, those most like copies
            first.

    Yields:
        The share that is finished, after each piece of a few hundredths of a second.

    Returns:
        The text node that stands for the report.

    Raises:
        BadInputError: if a file of segments is not there or was changed since.
    """
    made = _Made(scene, hierarchy.add_folder(scene, name))
    complete = False
    try:
        for number, (one, reported) in enumerate(report.sets.items()):
            first, last = (0.6 * k / len(report.sets) for k in (number, number + 1))
            adding = _adding_set(made, reported, f"{name}: {LABELS[one]}", most)
            yield from subprogress(adding, first, last)
        yield from subprogress(_adding_charts(made, report, name), 0.6, 0.75)
        adding = nearest_neighbors.building(made, report, name, way=way, most=pairs)
        yield from subprogress(adding, 0.75, 1.0)
        complete = True
    finally:
        if not complete:
            made.remove()
    # Last, and with all that it refers to: who hears that a report came finds it whole.
    text = slicer.vtkMRMLTextNode()
    text.SetName(name)
    text.SetAttribute(ATTRIBUTE, "1")
    text.SetText(json.dumps(_content_of(report)))
    for role, node in made.nodes:
        text.AddNodeReferenceID(role, node.GetID())
    text = scene.AddNode(text)
    hierarchy.put_into(text, made.folder)
    return text


@dataclass(eq=False)
class _Made:
    """What is being made for a report.

    Attributes:
        scene, folder: where it goes.
        nodes: with the role that the report's text node will refer to each by.
    """

    scene: slicer.vtkMRMLScene
    folder: int
    nodes: list[tuple[str, slicer.vtkMRMLNode]] = field(default_factory=list)

    def keep(self, role: str, node: slicer.vtkMRMLNode, folder: int | None = None) -> None:
        self.nodes.append((role, node))
        hierarchy.put_into(node, self.folder if folder is None else folder)

    def of(self, role: str, names: Iterable[str]) -> dict[str, Any]:
        found = dict(self.nodes)
        return {name: found[f"{role}.{name}"] for name in names if f"{role}.{name}" in found}

    def remove(self) -> None:
        _remove(self.scene, [node for _, node in self.nodes], self.folder)


def in_scene(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLTextNode]:
    """Give the text nodes of the reports in a scene, in the order they came."""
    kind = "vtkMRMLTextNode"
    texts = (scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind)))
    return [node for node in texts if node.GetAttribute(ATTRIBUTE)]


def nodes_of(text: slicer.vtkMRMLTextNode) -> EvaluationNodes:
    """Give what belongs to a report; what the user deleted is missing.

    Raises:
        BadInputError: if the node stands for no report.
    """
    if text is None or not text.GetAttribute(ATTRIBUTE):
        raise BadInputError("This is no report of an evaluation: expected one that SkullGAN made.")
    names = json.loads(text.GetText())["sets"]
    charts, findings = (
        [text.GetNthNodeReference(role, k) for k in range(text.GetNumberOfNodeReferences(role))]
        for role in (_CHARTS, _FINDINGS)
    )
    summary = text.GetNodeReference(_SUMMARY)
    shown = {} if summary is None else {SUMMARY: summary}
    shown |= {one.GetAttribute(_TITLE): one for one in findings if one is not None}
    return EvaluationNodes(
        text=text,
        folder=hierarchy.folder_of(text),
        summary=summary,
        tables=_referred(text, _TABLE, names),
        volumes=_referred(text, _VOLUME, names),
        charts={chart.GetTitle(): chart for chart in charts if chart is not None},
        findings=shown,
        pairs=nearest_neighbors.pairs_of(text),
    )


def remove(text: slicer.vtkMRMLTextNode) -> None:
    """Take a report out of its scene: its nodes, their folder and nothing else."""
    found = nodes_of(text)
    pairs = nearest_neighbors.nodes_of(text)
    overlays = (
        overlay_of(node, method) for node in found.volumes.values() for method in REALNESS_METHODS
    )
    nodes = [*found.charts.values(), *found.volumes.values(), *found.tables.values()]
    nodes += found.findings.values()
    nodes += [node for node in overlays if node is not None]
    _remove(text.GetScene(), [*nodes, *pairs, text], found.folder)


def _remove(scene: slicer.vtkMRMLScene, nodes: Sequence[slicer.vtkMRMLNode], folder: int) -> None:
    """Take nodes of a report out of the scene, with what was made for them and their folders."""
    folders = {folder}
    for node in nodes:
        folders.add(hierarchy.folder_of(node))
        if node.IsA("vtkMRMLPlotChartNode"):
            evaluation_charts.remove(node)
        else:
            hierarchy.remove(node)
    nearest_neighbors.remove_unused_colors(scene)
    for one in (*sorted(folders - {folder}), folder):
        hierarchy.remove_empty_folder(scene, one)


def overlay_of(
    volume: slicer.vtkMRMLScalarVolumeNode, method: str
) -> slicer.vtkMRMLScalarVolumeNode | None:
    """Give the realness map over a set's segments (``evaluation_jobs.explain``), if there is one.

    Args:
        volume: one of ``EvaluationNodes.volumes``.
        method: one of ``SkullGANLib.evaluation.names.REALNESS_METHODS``.
    """
    return volume.GetNodeReference(f"{OVERLAY}.{method}")


def chosen_places(one: ReportedSet, most: int) -> np.ndarray:
    """Give int (n,), in order: all places of a set, or ``most`` of those that were compared."""
    if len(one) <= most:
        return np.arange(len(one))
    compared = np.flatnonzero(_was_compared(one))
    from_these = compared if len(compared) >= most else np.arange(len(one))
    return from_these[np.linspace(0, len(from_these) - 1, most).round().astype(int)]


def _was_compared(one: ReportedSet) -> np.ndarray:
    floats = [column.name for column in columns().values() if column.kind is float]
    known = [np.isfinite(one.columns[name]) for name in floats if name in one.columns]
    return np.logical_or.reduce(known) if known else np.ones(len(one), bool)


def _content_of(report: Report) -> dict[str, Any]:
    numbers = report.numbers
    return {
        "report": str(report.folder.absolute()),
        "model": None if report.model is None else str(report.model),
        "sets": {name: len(one) for name, one in report.sets.items()},
        "realness": (numbers.get("discriminator") or {}).get("label", ""),
        "answers": numbers.get("answers", []),
        "concerns": numbers.get("concerns", []),
        "limitations": numbers.get("limitations", []),
    }


def _adding_set(made: _Made, one: ReportedSet, name: str, most: int) -> Work[None]:
    places = chosen_places(one, most)
    hu = np.empty((len(places), SIZE, SIZE), np.int16)
    for start in range(0, len(places), _AT_ONCE):
        read = one.segments(places[start : start + _AT_ONCE])
        hu[start : start + _AT_ONCE] = read.hu
        yield 0.9 * start / len(places)
    volume = volumes.add_stack(made.scene, hu, read.pixel_spacing_mm, name, read.hu_range)
    # Not volumes.KIND_ATTRIBUTE, by which panels know a whole segment set.
    volume.SetAttribute(volumes.MAP_ATTRIBUTE, EVALUATED)
    volume.SetAttribute(KIND_ATTRIBUTE, one.kind)
    volume.SetDescription(
        f"{len(places):,} of {len(one):,} {one.kind} segments that were evaluated; slice k is row k"
        " of the table. The position in space means nothing."
    )
    made.keep(f"{_VOLUME}.{one.name}", volume)
    yield 0.95
    table = evaluation_tables.add_segments(made.scene, one, places, f"{name} numbers")
    made.keep(f"{_TABLE}.{one.name}", table)
    yield 1.0


def _adding_charts(made: _Made, report: Report, name: str) -> Work[None]:
    making = evaluation_charts.of_report(made.scene, report, made.of(_TABLE, report.sets))
    for number, make in enumerate(making):
        chart = make()
        chart.SetName(f"{name}: {chart.GetTitle()}")
        made.keep(_CHARTS, chart)
        yield 0.8 * (number + 1) / len(making)
    summary = evaluation_tables.add_summary(made.scene, report, f"{name}: summary")
    made.keep(_SUMMARY, summary)
    yield 0.85
    laid_out = [(ANSWERS, evaluation_tables.add_answers(made.scene, report, f"{name}: answers"))]
    for one in judges_tables(report.numbers):
        node = evaluation_tables.add_table(made.scene, one, f"{name}: {one.title.lower()}")
        laid_out.append((one.title, node))
    for title, node in laid_out:
        node.SetAttribute(_TITLE, title)
        made.keep(_FINDINGS, node)
    yield 1.0


def _referred(
    text: slicer.vtkMRMLTextNode, role: str, names: Sequence[str] | Mapping[str, Any]
) -> dict[str, Any]:
    found = {name: text.GetNodeReference(f"{role}.{name}") for name in names}
    return {name: node for name, node in found.items() if node is not None}
