"""A report of an evaluation in a scene: its segments, their numbers, tables and charts.

``building`` puts what ``evaluation.report.reader.read`` gave into a scene, step by step;
``in_scene`` finds the reports of a scene, ``nodes_of`` what belongs to one, also where it was
opened from a file and the report is gone; ``remove`` takes one away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from SkullGANLib.data.segment_set import SIZE
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.evaluation import COMPARED
from SkullGANLib.evaluation.report.figures import LABELS
from SkullGANLib.evaluation.report.reader import Report, ReportedSet
from SkullGANLib.utils.task import Work, subprogress

from . import evaluation_charts, hierarchy, nearest_neighbors, tables, volumes

MOST_SEGMENTS = 500
"""Segments of each set that come into the scene, unless told otherwise."""

NAME, SEGMENT, REALNESS = "Name", "Segment", "Realness"
"""Columns of a set's table: a text, the place in the set, the discriminator's output."""
EVALUATED = nearest_neighbors.EVALUATED
KIND_ATTRIBUTE = "SkullGAN.EvaluatedKind"
"""Attribute of a volume of segments of a report: the kind of their set."""
OVERLAY = "SkullGAN.explained"
"""Role, with a method behind it, of a volume's reference to the realness map over it."""
ATTRIBUTE = "SkullGAN.Evaluation"
"""Attribute of the text node that stands for a report."""

METHODS = ("positions", "occlusion")
"""``SkullGANLib.evaluation.measures.realness.METHODS``, whose module needs torch."""

_CHARTS, _SUMMARY, _VOLUME, _TABLE = (
    f"SkullGAN.{role}" for role in ("charts", "summary", "volume", "table")
)
_AT_ONCE = 16
_LIMITS = {"sdr_peaks": (0.40, "SDR 0.40")}
_AXES = {
    "tsne_metrics_x": "t-SNE of metrics, x",
    "tsne_metrics_y": "t-SNE of metrics, y",
    "tsne_pixels_x": "t-SNE of pixels, x",
    "tsne_pixels_y": "t-SNE of pixels, y",
}
_TEXTS = {"bone": "Bone", "side": "Side", "plane": "Plane"}
_TITLES = {
    "sdr_peaks": "Skull density ratio",
    "thickness_mm": "Thickness",
    "mean_intensity_hu": "Mean intensity",
}
_SUMMED = {
    "sdr_peaks": ("SDR", 3),
    "thickness_mm": ("Thickness", 2),
    "mean_intensity_hu": ("Intensity", 0),
}
"""For the summary: what is said of each metric, and to how many decimals."""
_BY = {"metrics": "radiological metrics", "pixels": "pixels"}
_Making = Callable[[], "slicer.vtkMRMLPlotChartNode"]


@dataclass(frozen=True, eq=False)
class EvaluationNodes:
    """What stands for a report in a scene.

    Attributes:
        text: JSON with what the report says in words and where it lies; its name is the report's.
        folder: subject hierarchy item that holds all.
        summary: a row per set.
        tables, volumes: per set, a row and a slice for each segment; slice k is row k.
        charts: by what the user knows them.
        pairs: the nearest real neighbors; None if they are not known.
    """

    text: slicer.vtkMRMLTextNode
    folder: int
    summary: slicer.vtkMRMLTableNode | None
    tables: Mapping[str, slicer.vtkMRMLTableNode]
    volumes: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
    charts: Mapping[str, slicer.vtkMRMLPlotChartNode]
    pairs: nearest_neighbors.PairNodes | None

    @property
    def said(self) -> Mapping[str, Any]:
        """What the report says: ``answers``, ``concerns``, ``unsaid``; its ``report`` folder
        and ``model`` as paths; ``realness``: whether it is calibrated."""
        return json.loads(self.text.GetText())

    @property
    def report(self) -> Path:
        """The folder of the report, which may be gone."""
        return Path(self.said["report"])


def building(
    scene: slicer.vtkMRMLScene,
    report: Report,
    name: str,
    *,
    most: int = MOST_SEGMENTS,
    way: str = "mse",
    pairs: int = nearest_neighbors.MOST_PAIRS,
) -> Work:
    """Put a report into a scene, in a folder of its own at the top of the hierarchy.

    Where it ends early, by an error or because the iterator is closed, the scene is as it was.

    Args:
        scene: the scene.
        report: what was read.
        name: of the folder, and first part of the other names.
        most: segments of each set to take; of a larger set those that were compared go first,
            evenly drawn.
        way: how nearest real neighbors are found, one of ``evaluationresults.WAYS``; the other one
            if this is not known.
        pairs: of synthetic segments and their nearest real ones to take, those most like copies
            first.

    Yields:
        The share that is done, after each piece of a few hundredths of a second.

    Returns:
        The text node that stands for the report.

    Raises:
        BadInputError: if a file of segments is not there or was changed since.
    """
    made = _Made(scene, hierarchy.add_folder(scene, name))
    done = False
    try:
        for number, (one, reported) in enumerate(report.sets.items()):
            first, last = (0.6 * k / len(report.sets) for k in (number, number + 1))
            adding = _adding_set(made, reported, f"{name}: {LABELS[one]}", most)
            yield from subprogress(adding, first, last)
        yield from subprogress(_adding_charts(made, report, name), 0.6, 0.75)
        adding = nearest_neighbors.building(made, report, name, way=way, most=pairs)
        yield from subprogress(adding, 0.75, 1.0)
        done = True
    finally:
        if not done:
            made.remove()
    # Last, and with all that it refers to: who hears that a report came finds it whole.
    text = slicer.vtkMRMLTextNode()
    text.SetName(name)
    text.SetAttribute(ATTRIBUTE, "1")
    text.SetText(json.dumps(_said(report)))
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
        raise BadInputError("This is no report of an evaluation, one that SkullGAN made is needed.")
    names = json.loads(text.GetText())["sets"]
    charts = (
        text.GetNthNodeReference(_CHARTS, k) for k in range(text.GetNumberOfNodeReferences(_CHARTS))
    )
    return EvaluationNodes(
        text=text,
        folder=hierarchy.folder_of(text),
        summary=text.GetNodeReference(_SUMMARY),
        tables=_referred(text, _TABLE, names),
        volumes=_referred(text, _VOLUME, names),
        charts={chart.GetTitle(): chart for chart in charts if chart is not None},
        pairs=nearest_neighbors.pairs_of(text),
    )


def remove(text: slicer.vtkMRMLTextNode) -> None:
    """Take a report out of its scene: its nodes, their folder and nothing else."""
    found = nodes_of(text)
    pairs = nearest_neighbors.nodes_of(text)
    summary = [found.summary] if found.summary is not None else []
    overlays = (overlay_of(node, method) for node in found.volumes.values() for method in METHODS)
    nodes = [*found.charts.values(), *found.volumes.values(), *found.tables.values(), *summary]
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
    """Give the realness map over a set's segments (``evaluating.explain``), None if there is none.

    Args:
        volume: one of ``EvaluationNodes.volumes``.
        method: one of ``SkullGANLib.evaluation.measures.realness.METHODS``.
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
    columns = [one.columns[name] for name in ("realness", *_AXES) if name in one.columns]
    known = [np.isfinite(column) for column in columns]
    return np.logical_or.reduce(known) if known else np.ones(len(one), bool)


def _said(report: Report) -> dict[str, Any]:
    numbers = report.numbers
    return {
        "report": str(report.folder.absolute()),
        "model": None if report.model is None else str(report.model),
        "sets": {name: len(one) for name, one in report.sets.items()},
        "realness": (numbers.get("discriminator") or {}).get("label", ""),
        "answers": numbers.get("answers", []),
        "concerns": numbers.get("concerns", []),
        "unsaid": numbers.get("unsaid", []),
    }


def _adding_set(made: _Made, one: ReportedSet, name: str, most: int) -> Work:
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
    table = _add_table(made.scene, one, places, f"{name} numbers")
    made.keep(f"{_TABLE}.{one.name}", table)
    yield 1.0


def _add_table(
    scene: slicer.vtkMRMLScene, one: ReportedSet, places: np.ndarray, name: str
) -> slicer.vtkMRMLTableNode:
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    node.SetDescription("A row for each segment; row k is slice k of the volume of the set")
    names = np.array([f"{LABELS[one.name]} {place}" for place in places], np.str_)
    tables.add_column(node, NAME, names)
    tables.add_column(
        node, SEGMENT, places.astype(np.int64), description="Place in the set, from 0"
    )
    columns = {title: values[places] for title, values in one.columns.items()}
    for text, title in _TEXTS.items():
        if set(columns[text]) - {"", "unknown"}:
            tables.add_column(node, title, np.asarray(columns[text], np.str_))
    if (columns["seed"] >= 0).any():
        tables.add_column(node, "Seed", columns["seed"].astype(np.int64))
    for metric in COMPARED:
        tables.add_column(node, *_titled(metric, columns[metric]))
    if "realness" in columns:
        tables.add_column(
            node,
            REALNESS,
            columns["realness"].astype(float),
            description="What the model's discriminator says, from 0 (made) to 1 (real)",
        )
    for axis, title in _AXES.items():
        if axis in columns:
            tables.add_column(node, title, columns[axis].astype(float))
    nearest_neighbors.add_columns(node, columns)
    return node


def _titled(metric: str, values: np.ndarray) -> tuple[str, np.ndarray, str, str]:
    column = tables.COLUMNS[metric]
    return column.title, values.astype(float), column.unit, column.description


def _adding_charts(made: _Made, report: Report, name: str) -> Work:
    scene = made.scene
    segments = made.of(_TABLE, report.sets)
    making = [*_violins(scene, report), *_scatters(scene, report, segments)]
    for number, make in enumerate(making):
        chart = make()
        chart.SetName(f"{name}: {chart.GetTitle()}")
        made.keep(_CHARTS, chart)
        yield (number + 1) / (len(making) + 1)
    made.keep(_SUMMARY, _add_summary(scene, report, f"{name}: summary"))
    yield 1.0


def _violins(scene: slicer.vtkMRMLScene, report: Report) -> Iterator[_Making]:
    """Give what makes the charts of distributions, one each: one of thousands takes a moment."""
    for metric in COMPARED:
        yield partial(
            evaluation_charts.add_violins,
            scene,
            _TITLES[metric],
            tables.COLUMNS[metric].title,
            {one: reported.columns[metric] for one, reported in report.sets.items()},
            limit=_LIMITS.get(metric),
        )
    judged = {
        one: reported.columns["realness"]
        for one, reported in report.sets.items()
        if "realness" in reported.columns and np.isfinite(reported.columns["realness"]).any()
    }
    if judged:
        yield partial(
            evaluation_charts.add_violins,
            scene,
            REALNESS,
            "Realness (0 made, 1 real)",
            judged,
            value_range=(0.0, 1.0),
        )
        shares = report.numbers["discriminator"]["share_judged_real"]
        yield partial(
            evaluation_charts.add_bars,
            scene,
            "Judged real",
            "Judged real by the discriminator (%)",
            {one: 100 * share["value"] for one, share in shares.items()},
            (0.0, 100.0),
        )


def _scatters(
    scene: slicer.vtkMRMLScene,
    report: Report,
    segments: Mapping[str, slicer.vtkMRMLTableNode],
) -> Iterator[_Making]:
    """Give what makes the charts of t-SNE."""
    for by in report.numbers["tsne"]:
        columns = (_AXES[f"tsne_{by}_x"], _AXES[f"tsne_{by}_y"])
        shown = {
            one: table
            for one, table in segments.items()
            if table.GetTable().GetColumnByName(columns[0]) is not None
        }
        if shown:
            title = f"t-SNE of {_BY[by]}"
            yield partial(evaluation_charts.add_scatter, scene, title, shown, columns, NAME)


def _add_summary(scene: slicer.vtkMRMLScene, report: Report, name: str) -> slicer.vtkMRMLTableNode:
    """Add a table with a row per set: what the report says of it in numbers."""
    numbers = report.numbers
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    sets = list(report.sets)
    tables.add_column(node, "Set", np.array([LABELS[one] for one in sets], np.str_))
    for title, key in (("Segments", "segments"), ("Subjects", "subjects")):
        counts = np.array([numbers["sets"][one][key] for one in sets], np.int64)
        tables.add_column(node, title, counts)
    for metric, (title, digits) in _SUMMED.items():
        unit = tables.COLUMNS[metric].unit
        about = f" ({unit})" if unit else ""
        means = _numbers(sets, numbers["sets"], "metrics", metric, "mean")
        apart = _numbers(sets, numbers["distances"], metric, "wasserstein")
        of = f"Wasserstein distance from the {numbers['reference']} set"
        tables.add_column(node, f"{title}{about}", means.round(digits), unit, "Mean of the set")
        tables.add_column(node, f"{title} apart{about}", apart.round(digits), unit, of)
    judged = (numbers["discriminator"] or {}).get("share_judged_real", {})
    for title, found, keys, description in (
        ("Judged real (%)", judged, ("value",), "Share at which realness is 0.5 or more"),
        (
            "Told apart (%)",
            numbers["judges"],
            ("test", "accuracy", "value"),
            "By a classifier that the GAN never met, from the reference set; 50 is guessing",
        ),
        (
            "Precision (%)",
            numbers["judges"],
            ("fidelity", "precision", "value"),
            "Share that lies where real segments do",
        ),
        (
            "Coverage (%)",
            numbers["judges"],
            ("fidelity", "coverage", "value"),
            "Share of real segments that have one of the set among their like",
        ),
    ):
        tables.add_column(
            node, title, (100 * _numbers(sets, found, *keys)).round(1), "%", description
        )
    for by, laid in numbers["tsne"].items():
        for title, key, description in (
            ("Neighbors own", "same", "Of the ten nearest in t-SNE, share from the same set"),
            ("Neighbors by chance", "chance", "What that share would be if sets were mixed"),
        ):
            shares = (100 * _numbers(sets, laid[key])).round(1)
            tables.add_column(node, f"{title}, {by} (%)", shares, "%", description)
    hierarchy.item_of(node)
    return node


def _numbers(sets: Sequence[str], found: Mapping[str, Any], *keys: str) -> np.ndarray:
    """Give a number of each set out of nested mappings, NaN where it is not known."""
    values = []
    for one in sets:
        value: Any = found.get(one)
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        values.append(np.nan if value is None else float(value))
    return np.array(values)


def _referred(
    text: slicer.vtkMRMLTextNode, role: str, names: Sequence[str] | Mapping[str, Any]
) -> dict[str, Any]:
    found = {name: text.GetNodeReference(f"{role}.{name}") for name in names}
    return {name: node for name, node in found.items() if node is not None}
