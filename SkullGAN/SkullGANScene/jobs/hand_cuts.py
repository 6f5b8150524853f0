"""Cuts by hand: a plane on the skull, and the segment that is there, quickly enough to be dragged.

``prepare`` gives a ``HandCutter`` for a CT whose skull is known; its ``cut`` takes some hundredths
of a second, and ``add`` puts what it gave beside the CT's other segments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.ct.volume import HeadCT, pseudonym
from SkullGANLib.data.segment_set import PIXEL_SPACING_MM, SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import cutting
from SkullGANLib.metrics import measure
from SkullGANLib.metrics.wall_rules import rejection_reason
from SkullGANLib.utils.task import Work

from ..nodes import head_attributes, segment_sets, segmentations, volumes

_FARTHEST_MM = 130.0
_STEP_MM = 0.5


@dataclass(frozen=True, eq=False)
class HandCut:
    """What a plane gives.

    Attributes:
        segments: a set of the one segment; None if there is none.
        rejection_reason: why it is no good segment, or why there is none; empty if it is good.
    """

    segments: SegmentSet | None
    rejection_reason: str


@dataclass(frozen=True, eq=False)
class HandCutter:
    """Cuts segments out of one CT where it is told.

    Attributes:
        node: the CT's node.
        ct: its voxels, as they were when it was prepared.
        mask: uint8 (slices, rows, columns), the skull.
        head: its frame and bone threshold.
        name: pseudonym of the CT, and of the subject.
    """

    node: slicer.vtkMRMLScalarVolumeNode
    ct: HeadCT
    mask: np.ndarray
    head: head_attributes.Head
    name: str

    def cut(self, point_ras: np.ndarray, normal: np.ndarray) -> HandCut:
        """Cut the wall at a point, in the plane of a normal.

        Args:
            point_ras: (3,), on or near the skull, RAS mm.
            normal: (3,), of the plane.
        """
        try:
            site = cut_plan.by_hand(self.head.frame, point_ras, normal)
        except BadInputError as error:
            return HandCut(None, str(error))
        matrix = cutting.place(self.ct, self.mask, site)
        if isinstance(matrix, str):
            return HandCut(None, matrix)
        hu, mask = cutting.cut(self.ct, self.mask, matrix, self.head.threshold_hu)
        found = SegmentSet(
            hu=hu[None],
            mask=mask[None],
            pixel_to_ras=matrix[None],
            subject=np.array([self.name]),
            bone=np.array([site.bone]),
            side=np.array([site.side]),
            plane=np.array([site.plane]),
            seed=np.array([-1]),
            kind="real",
            source={
                **self.ct.source,
                "threshold_hu": self.head.threshold_hu,
                "cts": {self.name: {**self.ct.source, "threshold_hu": self.head.threshold_hu}},
            },
            ct=np.array([self.name]),
        )
        return HandCut(found, rejection_reason(hu, mask, PIXEL_SPACING_MM) or "")

    def on_skull(self, direction: np.ndarray) -> np.ndarray:
        """Find where a ray from the middle of the head leaves the skull.

        Args:
            direction: (3,), in head coordinates: right, anterior, superior.

        Returns:
            RAS mm; the end of the ray where it meets no skull.
        """
        steps = np.arange(_STEP_MM, _FARTHEST_MM, _STEP_MM)[:, None]
        ray = self.head.frame.to_ras(steps * direction / np.linalg.norm(direction))
        to_ijk = np.linalg.inv(self.ct.ijk_to_ras)
        index = np.rint(ray @ to_ijk[:3, :3].T + to_ijk[:3, 3]).astype(int)[:, ::-1]
        inside = ((index >= 0) & (index < self.mask.shape)).all(axis=1)
        index[~inside] = 0
        on_wall = np.flatnonzero(inside & (self.mask[tuple(index.T)] > 0))
        return ray[on_wall[-1] if on_wall.size else -1]


def prepare(
    ct_node: slicer.vtkMRMLScalarVolumeNode, skull_node: slicer.vtkMRMLSegmentationNode
) -> Work[HandCutter]:
    """Make the cutter of a CT; voxels and mask are taken piece by piece.

    Raises:
        BadInputError: if nothing is known of the head yet (``jobs.find_skull`` finds it), the CT
            has no voxels or the segmentation no skull.
    """
    head = head_attributes.head_of(ct_node)
    if head is None:
        raise BadInputError(
            f"The head in {ct_node.GetName()!r} was not looked for yet; segment its skull first."
        )
    ct = volumes.ct_from(ct_node)
    yield 0.3
    mask = segmentations.mask_from(skull_node, ct_node)
    yield 0.6
    if not mask.any():
        raise BadInputError(f"{skull_node.GetName()!r} is empty, expected the skull in it.")
    yield 0.7
    return HandCutter(ct_node, ct, mask, head, pseudonym(ct))


def add(
    cutter: HandCutter, found: SegmentSet, volume: slicer.vtkMRMLScalarVolumeNode | None
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a segment that was cut by hand to a set of its CT, or to a new one beside it.

    Args:
        cutter: that cut it.
        found: ``HandCut.segments``.
        volume: of the set to add to; a new set is made if it is None, another CT's or one of
            stacks, among which a single cut would be a hole.

    Returns:
        The volume of the set.
    """
    metrics = measure(found)
    is_one = volume is not None and segment_sets.ct_of(volume) is cutter.node
    if is_one and segment_sets.stack_numbers(volume) is None:
        segment_sets.append(volume, found, metrics)
        return volume
    scene, name = cutter.node.GetScene(), f"{cutter.node.GetName()} segments by hand"
    return segment_sets.add_segment_set(scene, found, metrics, name, cutter.node).volume
