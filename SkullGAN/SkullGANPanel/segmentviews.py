"""Slice views that go to the segment whose row was picked, and back to where they were."""

from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk

VIEW = "Red"


class SegmentViews:
    """Moves the red view; the other views jump to the place where a segment was cut.

    What the view showed is kept at the first ``go`` and comes back with ``restore``.
    """

    def __init__(self) -> None:
        self._before: tuple[str, vtk.vtkMatrix4x4] | None = None
        self._ct: Any = None

    def go(self, volume: Any, segment: int) -> None:
        """Show a segment: where it was cut if its CT is there, else its slice of the volume."""
        from SkullGANScene import cutplanes, segmentations, segmentsets

        view = slicer.app.layoutManager().sliceWidget(VIEW)
        if view is None:
            return  # a layout without it
        self._keep(view)
        ct = segmentsets.ct_of(volume)
        place = segmentsets.places_of(volume)[segment]
        if ct is not None and np.isfinite(place).all():
            masks = segmentsets.nodes_of(volume).masks
            mask = segmentations.slice_of(masks, volume, segment)
            self._ct = ct
            cutplanes.outline(ct, place, mask)
            self._show(view, ct)
            cutplanes.jump_to(slicer.mrmlScene, place)
            cutplanes.look_along(view.mrmlSliceNode(), place)
            return
        self._show(view, volume)
        node = view.mrmlSliceNode()
        node.SetOrientationToAxial()
        view.sliceLogic().FitSliceToAll()
        node.JumpSliceByOffsetting(0, 0, segment)

    def restore(self) -> None:
        """Put the view back to what it showed, and hide the outline."""
        from SkullGANScene import cutplanes

        if self._ct is not None and self._ct.GetScene() is not None:
            cutplanes.hide_outline(self._ct)
        self._ct = None
        if self._before is None:
            return
        background, matrix = self._before
        self._before = None
        view = slicer.app.layoutManager().sliceWidget(VIEW)
        if view is None:
            return
        there = slicer.mrmlScene.GetNodeByID(background) if background else None
        if there is not None:
            self._show(view, there)
        view.mrmlSliceNode().GetSliceToRAS().DeepCopy(matrix)
        view.mrmlSliceNode().UpdateMatrices()

    def forget(self) -> None:
        """Forget what the view showed: the scene goes."""
        self._before, self._ct = None, None

    def _keep(self, view: Any) -> None:
        if self._before is None:
            matrix = vtk.vtkMatrix4x4()
            matrix.DeepCopy(view.mrmlSliceNode().GetSliceToRAS())
            composite = view.sliceLogic().GetSliceCompositeNode()
            self._before = (composite.GetBackgroundVolumeID() or "", matrix)

    @staticmethod
    def _show(view: Any, volume: Any) -> None:
        composite = view.sliceLogic().GetSliceCompositeNode()
        if composite.GetBackgroundVolumeID() != volume.GetID():
            composite.SetBackgroundVolumeID(volume.GetID())
