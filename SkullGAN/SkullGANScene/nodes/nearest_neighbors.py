"""Nearest real neighbors of synthetic segments in a scene: three volumes, pair k in slice k.

One volume has the synthetic segments, one the nearest training segment of each, turned and shifted
to lie over it, one the difference, in blue where the synthetic segment is less dense and in orange
where it is denser. A table has a row for each pair. Those that are most like copies come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import slicer
from SkullGANLib.data.segment_set import SIZE
from SkullGANLib.evaluation.measures.nearest_neighbors import WAYS
from SkullGANLib.evaluation.names import LABELS
from SkullGANLib.evaluation.report.reader import Pair, Report
from SkullGANLib.utils.task import Work

from . import color_tables, hierarchy, tables, volumes

MOST_PAIRS = 200
"""Pairs that come into a scene, by default."""
EVALUATED = "evaluated"
"""Value of ``volumes.MAP_ATTRIBUTE`` of the volumes of a report."""
DIFFERENCE_HU = 1000.0
"""Differences of this and more have the full color."""

_AT_ONCE = 4
_TABLE, _SEGMENTS, _NEAREST, _DIFFERENCE = (
    f"SkullGAN.pairs.{role}" for role in ("table", "segments", "nearest", "difference")
)
_ROLES = (_SEGMENTS, _NEAREST, _DIFFERENCE, _TABLE)


@dataclass(frozen=True, eq=False)
class PairNodes:
    """Nearest real neighbors in a scene; pair k is slice k and row k.

    Attributes:
        segments, nearest, difference: the volumes.
        table: ``Synthetic`` and ``Training`` are the places in the sets.
    """

    segments: slicer.vtkMRMLScalarVolumeNode
    nearest: slicer.vtkMRMLScalarVolumeNode
    difference: slicer.vtkMRMLScalarVolumeNode
    table: slicer.vtkMRMLTableNode

    def __len__(self) -> int:
        return self.table.GetNumberOfRows()


class Made(Protocol):
    """What is being made for a report: see ``evaluation``."""

    scene: slicer.vtkMRMLScene
    folder: int

    def keep(self, role: str, node: slicer.vtkMRMLNode, folder: int | None = None) -> None:
        """Note a node that the report will refer to, and put it into a folder."""


def building(made: Made, report: Report, name: str, *, way: str, most: int) -> Work[None]:
    """Add the nearest real neighbors of a report's synthetic segments to what is made for it.

    Arguments and errors as for ``evaluation.building``. Adds nothing where no neighbor is known.
    """
    way, places = _pairs_of(report, way, most)
    if not places.size:
        return
    rows: list[Pair] = []
    stacks = {
        role: np.zeros((len(places), SIZE, SIZE), np.int16)
        for role in (_SEGMENTS, _NEAREST, _DIFFERENCE)
    }
    for number, place in enumerate(places):
        pair = report.pair(way, int(place))
        stacks[_SEGMENTS][number] = pair.segment.hu[0]
        # 0 where the training segment ends; else what a reader who subtracts both slices finds.
        near = np.rint(np.nan_to_num(pair.aligned))
        gap = np.where(np.isnan(pair.difference), 0, pair.segment.hu[0] - near)
        stacks[_NEAREST][number], stacks[_DIFFERENCE][number] = near, gap
        rows.append(pair)
        if number % _AT_ONCE == 0:
            yield 0.9 * number / len(places)
    scene = made.scene
    folder = hierarchy.add_folder(scene, f"{name}: nearest real", made.folder)
    first = rows[0].segment
    titles = {_SEGMENTS: "synthetic, paired", _NEAREST: "nearest real", _DIFFERENCE: "difference"}
    for role, title in titles.items():
        lowest, highest = first.hu_range
        window = (-DIFFERENCE_HU, DIFFERENCE_HU) if role == _DIFFERENCE else (lowest, highest)
        node = volumes.add_stack(
            scene, stacks[role], first.pixel_spacing_mm, f"{name}: {title}", window
        )
        node.SetAttribute(volumes.MAP_ATTRIBUTE, EVALUATED)
        made.keep(role, node, folder)
        yield 0.95
    node.GetDisplayNode().SetAndObserveColorNodeID(
        color_tables.table(scene, color_tables.DIVERGING).GetID()
    )
    color_tables.add_legend(node, "Synthetic - real (HU)", 0)
    node.SetDescription(
        "Synthetic minus nearest real segment, HU: blue where the synthetic one is less dense, "
        "orange where it is denser. Slice k belongs to slice k of the two others."
    )
    made.keep(_TABLE, _add_table(scene, rows, f"{name}: pairs", way), folder)
    yield 1.0


def pairs_of(text: slicer.vtkMRMLTextNode) -> PairNodes | None:
    """Give the neighbors of a report; None if there are none or some were deleted."""
    nodes = nodes_of(text)
    return PairNodes(*nodes) if len(nodes) == len(_ROLES) else None


def nodes_of(text: slicer.vtkMRMLTextNode) -> list[slicer.vtkMRMLNode]:
    """Give the nodes of a report's neighbors that are there."""
    return [node for node in map(text.GetNodeReference, _ROLES) if node is not None]


def remove_unused_colors(scene: slicer.vtkMRMLScene) -> None:
    """Take the color table of differences out of the scene if nothing is shown by it."""
    table = scene.GetFirstNode(color_tables.DIVERGING, "vtkMRMLColorTableNode")
    if table is not None and not _is_used(table):
        hierarchy.remove(table)


def described(nodes: PairNodes, index: int) -> dict[str, str]:
    """Give what the table says of a pair, by column."""
    table = nodes.table.GetTable()
    names = [table.GetColumnName(column) for column in range(table.GetNumberOfColumns())]
    return {name: table.GetValueByName(index, name).ToString() for name in names}


def _pairs_of(report: Report, way: str, most: int) -> tuple[str, np.ndarray]:
    """Give the way and the places of the synthetic segments to show, the nearest first."""
    if "synthetic" in report.sets:
        columns = report.sets["synthetic"].columns
        for one in (way, *WAYS):
            nearest = columns.get(f"{one}_nearest")
            if nearest is not None and (nearest >= 0).any():
                known = np.flatnonzero(nearest >= 0)
                ratio = columns[f"{one}_ratio"][known]
                return one, known[np.argsort(ratio, kind="stable")][:most]
    return way, np.zeros(0, int)


def _add_table(
    scene: slicer.vtkMRMLScene, pairs: list[Pair], name: str, way: str
) -> slicer.vtkMRMLTableNode:
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    unit = "HU" if way == "mse" else ""

    def whole(values: list[int]) -> np.ndarray:
        return np.array(values, np.int64)

    def numbers(values: list[float]) -> np.ndarray:
        return np.array(values, float).round(2)

    moved = "by which the training segment was moved to lie over the synthetic one"
    for title, values, of, description in (
        ("Synthetic", whole([p.place for p in pairs]), "", "Place in the synthetic set, from 0"),
        (
            "Training",
            whole([p.training_place for p in pairs]),
            "",
            f"Place in the training set of the nearest one by {WAYS[way]}, from 0",
        ),
        (
            "Distance",
            np.array([p.distance for p in pairs], float),
            unit,
            "Root mean square difference" if way == "mse" else "Mean distance of descriptors",
        ),
        (
            "Likeness ratio",
            np.array([p.ratio for p in pairs], float),
            "",
            "Distance over that to the next training segments: near 1 for a segment among many "
            "like it, 0 for a copy",
        ),
        ("Flipped", whole([p.flipped for p in pairs]), "", "1 where left and right were swapped"),
        ("Turned", numbers([p.turn_deg for p in pairs]), "deg", f"Counterclockwise, {moved}"),
        ("Rows down", numbers([p.shift_px[0] for p in pairs]), "px", moved),
        ("Columns right", numbers([p.shift_px[1] for p in pairs]), "px", moved),
        ("HU factor", numbers([p.gain for p in pairs]), "", "Of the training segment"),
        (
            "RMS difference",
            numbers([p.rms_hu for p in pairs]),
            "HU",
            "In and around the wall, as they lie over each other",
        ),
        ("Verdict", np.array([p.verdict for p in pairs], np.str_), "", "new, suspect or copy"),
        ("Way", np.array([WAYS[way]] * len(pairs), np.str_), "", "How the nearest was found"),
    ):
        tables.add_column(node, title, values, of, description)
    node.SetDescription(
        f"{LABELS['synthetic']} segments and their nearest training segments; row k is slice k"
    )
    return node


def _is_used(table: slicer.vtkMRMLColorTableNode) -> bool:
    scene, kind = table.GetScene(), "vtkMRMLDisplayNode"
    displays = (
        scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))
    )
    return any(node.GetColorNodeID() == table.GetID() for node in displays)
