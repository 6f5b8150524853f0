"""A segment set in a scene: volume, masks and metrics together in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import slicer
from SkullGANLib.segmentset import SegmentSet

from . import hierarchy, segmentations, tables, volumes


@dataclass(frozen=True, eq=False)
class SegmentSetNodes:
    """What stands for a segment set in a scene.

    Attributes:
        volume: the segments, a slice each.
        masks: their masks over the volume.
        metrics: a row per segment.
        folder: subject hierarchy item that holds the three.
    """

    volume: slicer.vtkMRMLScalarVolumeNode
    masks: slicer.vtkMRMLSegmentationNode
    metrics: slicer.vtkMRMLTableNode
    folder: int


def add_segment_set(
    scene: slicer.vtkMRMLScene,
    segments: SegmentSet,
    metrics: Mapping[str, np.ndarray],
    name: str,
) -> SegmentSetNodes:
    """Add a segment set, its masks and its metrics to a scene, in a folder of their own.

    The folder is at the top of the subject hierarchy, under no patient: synthetic segments must
    never be taken for somebody's.

    Args:
        scene: the scene.
        segments: the N segments.
        metrics: what ``SkullGANLib.radiology.measure`` gave for them, float64 (N,) each.
        name: of the folder and the volume, and first part of the other names.

    Raises:
        BadInputError: if the set or all its masks are empty or the metrics are not of this set.
    """
    table = tables.add_metrics(scene, segments, metrics, f"{name} metrics")
    volume = volumes.add_segments(scene, segments, name)
    masks = segmentations.add_masks(volume, segments)
    folder = hierarchy.add_folder(scene, name)
    for node in (volume, masks, table):
        hierarchy.put_into(node, folder)
    return SegmentSetNodes(volume, masks, table, folder)
