"""Slice views that go to the segment whose row was picked, and back to where they were."""

# ruff: noqa: N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
import slicer.util
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode

VIEW = "Red"
OVERLAY_OPACITY = 0.5


@dataclass(frozen=True)
class _Sight:
    """What the view showed: background, direction and place, size in mm."""

    background: str
    slice_to_ras: vtk.vtkMatrix4x4
    field_of_view_mm: tuple[float, float, float]


class SegmentViews:
    """Moves the red view; the other views jump to the place where a segment was cut.

    What the view showed is kept at the first ``go`` and comes back with ``restore``.
    """

    def __init__(self) -> None:
        self._before: _Sight | None = None
        self._ct: vtkMRMLScalarVolumeNode | None = None
        self._masks: vtkMRMLSegmentationNode | None = None
        self._overlaid = False

    def go(
        self,
        volume: vtkMRMLScalarVolumeNode,
        segment: int,
        overlay: vtkMRMLScalarVolumeNode | None = None,
    ) -> None:
        """Show a segment: where it was cut if its CT is there, else its slice of the volume.

        Args:
            volume: of the segment set.
            segment: its number.
            overlay: what to lay over it (``realness.realness_of``); it is then its slice that is
                shown.
        """
        from SkullGANScene.nodes import cut_planes, segment_sets, segmentations

        view = _view()
        if view is None:
            return
        node = view.mrmlSliceNode()
        self._hide()
        if self._before is None:
            self._before = self._sight(view)
        else:
            node.SetFieldOfView(*self._before.field_of_view_mm)
        ct = segment_sets.ct_of(volume)
        masks = segment_sets.nodes_of(volume).masks
        place = segment_sets.places_of(volume)[segment]
        if overlay is None and ct is not None and np.isfinite(place).all():
            self._ct = ct
            cut_planes.outline(ct, place, segmentations.slice_of(masks, volume, segment))
            self._show(view, ct.GetID())
            cut_planes.jump_to(slicer.mrmlScene, place)
            cut_planes.look_along(node, place)
        else:
            self._masks = masks
            segmentations.show_masks(masks, True, node)
            self._show(view, volume.GetID())
            node.SetOrientationToAxial()
            view.sliceLogic().FitSliceToAll()
            node.JumpSliceByOffsetting(0, 0, segment)
            if overlay is not None:  # in this view alone: the others may show a CT
                self._overlaid = True
                composite = view.sliceLogic().GetSliceCompositeNode()
                composite.SetForegroundVolumeID(overlay.GetID())
                composite.SetForegroundOpacity(OVERLAY_OPACITY)

    def restore(self) -> None:
        """Put the view back to what it showed, and hide outlines."""
        self._hide()
        before, self._before = self._before, None
        view = _view()
        if before is None or view is None:
            return
        node = view.mrmlSliceNode()
        if slicer.mrmlScene.GetNodeByID(before.background or "") is not None:
            self._show(view, before.background)
        node.SetFieldOfView(*before.field_of_view_mm)
        node.GetSliceToRAS().DeepCopy(before.slice_to_ras)
        node.UpdateMatrices()

    def forget(self) -> None:
        """Forget what the view showed: the scene goes."""
        self._before, self._ct, self._masks = None, None, None
        self._overlaid = False

    def _hide(self) -> None:
        from SkullGANScene.nodes import cut_planes, segmentations

        view = _view()
        if self._overlaid and view is not None:
            view.sliceLogic().GetSliceCompositeNode().SetForegroundVolumeID(None)
        self._overlaid = False
        if self._ct is not None and self._ct.GetScene() is not None:
            cut_planes.hide_outline(self._ct)
        if self._masks is not None and self._masks.GetScene() is not None:
            segmentations.show_masks(self._masks, False)
        self._ct, self._masks = None, None

    @staticmethod
    def _sight(view: slicer.qMRMLSliceWidget) -> _Sight:
        node, matrix = view.mrmlSliceNode(), vtk.vtkMatrix4x4()
        matrix.DeepCopy(node.GetSliceToRAS())
        background = view.sliceLogic().GetSliceCompositeNode().GetBackgroundVolumeID()
        return _Sight(background or "", matrix, tuple(node.GetFieldOfView()))

    @staticmethod
    def _show(view: slicer.qMRMLSliceWidget, volumeID: str) -> None:
        composite = view.sliceLogic().GetSliceCompositeNode()
        if composite.GetBackgroundVolumeID() != volumeID:
            composite.SetBackgroundVolumeID(volumeID)


def _view() -> slicer.qMRMLSliceWidget | None:
    """Give the view's widget; None where the layout lacks it, or there is none."""
    layouts = slicer.app.layoutManager()  # None without a main window
    return layouts.sliceWidget(VIEW) if layouts is not None else None
