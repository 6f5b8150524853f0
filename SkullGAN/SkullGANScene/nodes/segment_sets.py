"""A segment set in a scene: volume, masks, metrics and provenance in a folder, and back.

``add_segment_set`` makes the nodes, ``nodes_of`` finds them again (also after a scene was saved and
opened), ``segment_set_from`` gives the set back whole, so that it can be saved as a file or trained
on, ``kept`` and ``set_kept`` are what the user decided of each segment, ``stack_numbers`` says
which are slices of one stack, ``remove`` takes all away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
from SkullGANLib.data.depth import Depth
from SkullGANLib.data.segment_set import IN_DEPTH, NO_STACK, TEXTS, SegmentSet, concatenate
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import METRICS, cautions, segment_cautions
from vtk.util.numpy_support import vtk_to_numpy

from . import hierarchy, segmentations, tables, volumes

MOST_IN_SCENE = 2000
"""Segments that a scene takes at once; a file takes any number."""

_MASKS, _METRICS, _PROVENANCE, _CT = (
    f"SkullGAN.{role}" for role in ("masks", "metrics", "provenance", "ct")
)
"""Roles of the node references of a segment volume."""
_EXPECTED = "expected a volume of skull segments that SkullGAN made"


@dataclass(frozen=True, eq=False)
class SegmentSetNodes:
    """What stands for a segment set in a scene.

    Attributes:
        volume: the segments, a slice each.
        masks: their masks over the volume.
        metrics: a row per segment.
        provenance: a text, JSON: what else a ``SegmentSet`` knows.
        folder: subject hierarchy item that holds them.
    """

    volume: slicer.vtkMRMLScalarVolumeNode
    masks: slicer.vtkMRMLSegmentationNode
    metrics: slicer.vtkMRMLTableNode
    provenance: slicer.vtkMRMLTextNode
    folder: int


def add_segment_set(
    scene: slicer.vtkMRMLScene,
    segments: SegmentSet,
    metrics: Mapping[str, np.ndarray],
    name: str,
    ct_node: slicer.vtkMRMLScalarVolumeNode | None = None,
) -> SegmentSetNodes:
    """Add a segment set, its masks and its metrics to a scene, in a folder of their own.

    Without a CT the folder is at the top of the subject hierarchy, under no patient: synthetic
    segments must never be taken for somebody's.

    Args:
        scene: the scene.
        segments: the N segments.
        metrics: what ``SkullGANLib.metrics.measure`` gave for them, float64 (N,) each.
        name: of the folder and the volume, and first part of the other names.
        ct_node: the CT that real segments were cut from: the folder is put beside it.

    Raises:
        BadInputError: if the set or all its masks are empty or the metrics are not of this set.
    """
    table = tables.add_metrics(scene, segments, metrics, f"{name} metrics")
    volume = volumes.add_segments(scene, segments, name)
    masks = segmentations.add_masks(volume, segments)
    text = scene.AddNewNodeByClass("vtkMRMLTextNode", f"{name} provenance")
    text.SetText(_provenance(segments))
    text.SetDescription("Where each segment comes from, as JSON; without it none can be exported")
    text.SetHideFromEditors(True)
    for role, node in ((_MASKS, masks), (_METRICS, table), (_PROVENANCE, text)):
        volume.SetNodeReferenceID(role, node.GetID())
    folder = hierarchy.add_folder(scene, name)
    for node in (volume, masks, table, text):
        hierarchy.put_into(node, folder)
    if ct_node is not None:
        volume.SetNodeReferenceID(_CT, ct_node.GetID())
        hierarchy.put_folder_beside(folder, ct_node)
    return SegmentSetNodes(volume, masks, table, text, folder)


def nodes_of(volume: slicer.vtkMRMLScalarVolumeNode) -> SegmentSetNodes:
    """Find the nodes of a segment set by its volume.

    Raises:
        BadInputError: if the volume holds no segments, or parts of the set were deleted.
    """
    roles = (_MASKS, _METRICS, _PROVENANCE)
    masks, metrics, provenance = found = [volume.GetNodeReference(role) for role in roles]
    gone = [
        role.removeprefix("SkullGAN.")
        for role, node in zip(roles, found, strict=True)
        if node is None
    ]
    if gone:
        raise BadInputError(
            f"Volume {volume.GetName()!r} has no {' and no '.join(gone)} beside it, {_EXPECTED}."
        )
    return SegmentSetNodes(volume, masks, metrics, provenance, hierarchy.folder_of(volume))


def ct_of(volume: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """Give the CT that the segments of a volume were cut from, if it is in the scene."""
    return volume.GetNodeReference(_CT)


def segment_set_from(
    volume: slicer.vtkMRMLScalarVolumeNode, *, kept_only: bool = True
) -> SegmentSet:
    """Give back the segment set of a volume, with what was done to voxels and masks in the scene.

    Args:
        volume: the volume of ``add_segment_set``.
        kept_only: leave out the segments that were rejected, and the stacks a slice of which was:
            a stack with a hole could neither be learned from nor simulated.

    Raises:
        BadInputError: if the volume holds no segments, parts of the set were deleted or changed in
            number, or none is kept.
    """
    nodes = nodes_of(volume)
    hu = slicer.util.arrayFromVolume(volume)
    known = json.loads(nodes.provenance.GetText())
    count = len(known["seed"])
    if hu.shape != (count, *hu.shape[1:]) or nodes.metrics.GetNumberOfRows() != count:
        raise BadInputError(
            f"Volume {volume.GetName()!r} has {len(hu)} slices and "
            f"{nodes.metrics.GetNumberOfRows()} rows of metrics for {count} segments, it was "
            "changed since; expected one slice and one row for each."
        )
    mask = segmentations.mask_from(nodes.masks, volume, segmentations.WALL)
    matrices = np.full((count, 4, 4), np.nan)
    for place, matrix in zip(matrices, known["pixel_to_ras"], strict=True):
        if matrix is not None:
            place[:] = matrix
    segments = SegmentSet(
        hu=np.where(mask, hu, 0).astype(np.int16),
        mask=mask,
        pixel_to_ras=matrices,
        **{name: np.array(known[name], dtype=np.str_) for name in TEXTS},
        seed=np.array(known["seed"], np.int64),
        **{name: np.array(known[name], np.int64) for name in IN_DEPTH if name in known},
        kind=known["kind"],
        pixel_spacing_mm=known["pixel_spacing_mm"],
        hu_range=tuple(known["hu_range"]),
        source=known["source"],
        created_by=known["created_by"],
    )
    if not kept_only:
        return segments
    keep = _of_whole_stacks(kept(volume), _numbers(known))
    if not keep.any():
        raise BadInputError(
            f"All {count} segments of {volume.GetName()!r} were rejected, expected at least one."
        )
    return segments[keep]


def append(
    volume: slicer.vtkMRMLScalarVolumeNode,
    segments: SegmentSet,
    metrics: Mapping[str, np.ndarray],
) -> None:
    """Add segments at the end of a set in the scene; what was decided of the others stays.

    Raises:
        BadInputError: if the sets differ in kind, pixel size or HU range, or as
            ``segment_set_from``.
    """
    nodes = nodes_of(volume)
    whole = concatenate([segment_set_from(volume, kept_only=False), segments])
    text = _provenance(whole)
    volumes.set_segments(volume, whole)
    segmentations.set_masks(nodes.masks, volume, whole)
    tables.append_metrics(nodes.metrics, segments, metrics)
    nodes.provenance.SetText(text)


def places_of(volume: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """Give ``pixel_to_ras``, float64 (N, 4, 4), of a volume's segments; NaN without a patient.

    Quicker than ``segment_set_from``: no voxel is looked at.
    """
    known = json.loads(nodes_of(volume).provenance.GetText())["pixel_to_ras"]
    return np.array([np.full((4, 4), np.nan) if one is None else one for one in known], float)


def kept(volume: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """Tell of each segment of a volume, bool (N,), whether it is kept."""
    return slicer.util.arrayFromTableColumn(nodes_of(volume).metrics, tables.KEEP) != 0


def cautions_of(volume: slicer.vtkMRMLScalarVolumeNode) -> list[str]:
    """Say what must be known of the SDR and thickness of a set that was cut from a CT."""
    nodes = nodes_of(volume)
    known = json.loads(nodes.provenance.GetText())
    if known["kind"] != "real":
        return []
    sdr = slicer.util.arrayFromTableColumn(nodes.metrics, METRICS["sdr_peaks"].title)
    subject, bone = np.array(known["subject"]), np.array(known["bone"])
    return cautions.of_parts(known["source"], subject, bone, np.asarray(sdr))


def depth_in(volume: slicer.vtkMRMLScalarVolumeNode) -> Depth | None:
    """Give the depth of a set of stacks; None for single cuts, and stacks of several depths."""
    found = json.loads(nodes_of(volume).provenance.GetText())["source"].get("depth")
    return Depth(**found) if isinstance(found, Mapping) else None


def stack_numbers(volume: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray | None:
    """Number the stacks of a set through, int (N,): the slices of one have the same number.

    A single cut has a number of its own; None where there are single cuts alone.
    """
    return _numbers(json.loads(nodes_of(volume).provenance.GetText()))


def set_kept(
    volume: slicer.vtkMRMLScalarVolumeNode,
    index: int | Sequence[int] | np.ndarray,
    keep: bool | np.ndarray,
) -> None:
    """Keep or reject one segment, or several: alike, or each as an array (its length,) says."""
    table = nodes_of(volume).metrics
    slicer.util.arrayFromTableColumn(table, tables.KEEP)[index] = keep
    slicer.util.arrayFromTableColumnModified(table, tables.KEEP)


def columns_of(volume: slicer.vtkMRMLScalarVolumeNode) -> dict[str, np.ndarray]:
    """Give the table of a set's metrics, an array (N,) for each column, by its title.

    Stack and slice of a set with depth are among them, also where its table is of before.
    """
    nodes = nodes_of(volume)
    table = nodes.metrics.GetTable()
    columns = {
        column.GetName(): np.array([column.GetValue(k) for k in range(table.GetNumberOfRows())])
        if column.IsA("vtkStringArray")
        else vtk_to_numpy(column)
        for column in (table.GetColumn(k) for k in range(table.GetNumberOfColumns()))
    }
    if tables.STACK not in columns:
        known = json.loads(nodes.provenance.GetText())
        for title, name in zip((tables.STACK, tables.SLICE), IN_DEPTH, strict=True):
            if name in known:
                columns[title] = np.array(known[name], np.int64)
    return columns


def segment_cautions_of(columns: Mapping[str, np.ndarray]) -> list[str]:
    """Say of each segment what a reviewer should look at; empty where there is nothing.

    Args:
        columns: what ``columns_of`` gave.
    """
    metrics = {name: columns[one.title] for name, one in METRICS.items() if one.title in columns}
    return segment_cautions.of_segments(metrics, columns[tables.BONE])


def remove(volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Take a segment set out of its scene: its nodes, their folder and nothing else."""
    nodes = nodes_of(volume)
    scene = volume.GetScene()
    for node in (nodes.masks, nodes.metrics, nodes.provenance, nodes.volume):
        hierarchy.remove(node)
    hierarchy.remove_empty_folder(scene, nodes.folder)


def in_scene(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Give the volumes of a scene that hold a whole segment set, in the order they came."""
    kind = "vtkMRMLScalarVolumeNode"
    volumes = (scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind)))
    return [
        node
        for node in volumes
        if all(node.GetNodeReference(role) for role in (_MASKS, _METRICS, _PROVENANCE))
    ]


def _numbers(known: Mapping[str, Any]) -> np.ndarray | None:
    """``stack_numbers`` of what the provenance's JSON holds."""
    if not all(name in known for name in IN_DEPTH):
        return None
    stack, place = (np.array(known[name], np.int64) for name in IN_DEPTH)
    follows = (np.diff(place) == 1) & (np.diff(stack) == 0)
    return np.cumsum(np.concatenate([[True], ~follows])) - 1


def _of_whole_stacks(keep: np.ndarray, numbers: np.ndarray | None) -> np.ndarray:
    """Leave out the stacks a slice of which is left out, bool (N,)."""
    if numbers is None:
        return keep
    return keep & (np.bincount(numbers, ~keep) == 0)[numbers]


def _provenance(segments: SegmentSet) -> str:
    """What the volume, the masks and the metrics do not say of a segment set, as JSON."""
    whole = np.isfinite(segments.pixel_to_ras).all(axis=(1, 2))
    matrices = zip(segments.pixel_to_ras.tolist(), whole, strict=True)
    in_depth = {name: np.asarray(getattr(segments, name)) for name in IN_DEPTH}
    in_depth = {name: each for name, each in in_depth.items() if (each != NO_STACK).any()}
    return json.dumps(
        {
            "kind": segments.kind,
            "pixel_spacing_mm": segments.pixel_spacing_mm,
            "hu_range": list(segments.hu_range),
            "created_by": segments.created_by,
            "source": dict(segments.source),
            "seed": segments.seed.tolist(),
            **{name: np.asarray(getattr(segments, name)).astype(str).tolist() for name in TEXTS},
            **{name: each.tolist() for name, each in in_depth.items()},
            "pixel_to_ras": [matrix if there else None for matrix, there in matrices],
        }
    )
