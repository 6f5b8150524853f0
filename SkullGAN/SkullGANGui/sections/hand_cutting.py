"""Cuts by hand in a panel: a plane that is dragged in the views, and what it gives, live."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import qt
import slicer
import vtk
from slicer import vtkMRMLMarkupsPlaneNode
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from SkullGANGui import thumbnails

if TYPE_CHECKING:
    from SkullGANScene.jobs.hand_cuts import HandCut, HandCutter

PREVIEW_MSEC = 60
"""Dragging sends many events: one cut for all that came in so long a time."""
_ZOOM = 3
_START = (-1.0, 0.1, 0.3)
"""From the middle of the head to where the plane is put: left, a little above the ear."""


class HandCutting(VTKObservationMixin):
    """Follows a markups plane and shows the segment that it cuts.

    Args:
        label: ``QLabel`` for the picture.
        text: ``QLabel`` for what it measures, or why it is no segment.
        onChanged: called when there is another cut.

    Attributes:
        cutter: the ``SkullGANScene.jobs.hand_cuts.HandCutter``; None while there is none.
        cut: the last ``HandCut``.
    """

    def __init__(self, label: qt.QLabel, text: qt.QLabel, onChanged: Callable[[], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._label, self._text, self._onChanged = label, text, onChanged
        self.cutter: HandCutter | None = None
        self.cut: HandCut | None = None
        self._plane: vtkMRMLMarkupsPlaneNode | None = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(PREVIEW_MSEC)
        self._timer.connect("timeout()", self._preview)

    def start(
        self, cutter: HandCutter, plane: vtkMRMLMarkupsPlaneNode | None
    ) -> vtkMRMLMarkupsPlaneNode:
        """Follow a plane, or a new one on the skull if there is none; give the plane's node."""
        from SkullGANScene.nodes import cut_planes

        self.stop()
        self.cutter = cutter
        if plane is None:
            plane = cut_planes.plane_on_skull(cutter.node, *_where(cutter))
        self._plane = plane
        self.addObserver(plane, vtk.vtkCommand.ModifiedEvent, self._onPlane)
        self.addObserver(plane, slicer.vtkMRMLMarkupsNode.PointModifiedEvent, self._onPlane)
        self._preview()
        return plane

    def place(
        self, cutter: HandCutter, plane: vtkMRMLMarkupsPlaneNode | None
    ) -> vtkMRMLMarkupsPlaneNode:
        """Put the plane back onto the skull, with a new one if it was deleted; give its node."""
        followed = self._plane
        if followed is None or plane != followed:
            return self.start(cutter, plane)
        point, normal = _where(cutter)
        followed.SetOriginWorld(point)
        followed.SetNormalWorld(normal)
        return followed

    def stop(self) -> None:
        """Follow no plane any more."""
        from SkullGANScene.nodes import cut_planes

        self._timer.stop()
        self.removeObservers()
        if self.cutter is not None and self.cutter.node.GetScene() is not None:
            cut_planes.hide_outline(self.cutter.node)
        self.cutter, self.cut, self._plane = None, None, None
        self._label.clear()
        self._text.text = ""

    def rejection_reason(self) -> str:
        """Say why the cut cannot be added, or nothing."""
        if self.cutter is None:
            return _("Place a plane on the skull first.")
        if self.cut is None or self.cut.segments is None or self.cut.rejection_reason:
            return _("This plane gives no segment that is one wall from edge to edge.")
        return ""

    def _onPlane(self, caller: vtk.vtkObject, event: str) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _preview(self) -> None:
        from SkullGANLib.metrics import measure
        from SkullGANScene.nodes import cut_planes

        cutter = self.cutter
        placed = cut_planes.plane_of(self._plane) if cutter else None
        if cutter is None or placed is None:
            return
        self.cut = cutter.cut(*placed)
        found = self.cut.segments
        if found is None:
            self._label.clear()
        else:
            rows = thumbnails.used_rows(found.hu)
            picture = thumbnails.pixmap(found.hu[0], zoom=_ZOOM, rows=rows)
            if 0 < self._label.width < picture.width():  # in a narrow panel
                picture = picture.scaledToWidth(self._label.width, qt.Qt.SmoothTransformation)
            self._label.setPixmap(picture)
            cut_planes.outline(cutter.node, found.pixel_to_ras[0], found.mask[0])
        if found is None or self.cut.rejection_reason:
            self._text.text = _("No segment here: {why}.").format(why=self.cut.rejection_reason)
        else:
            metrics = measure(found)
            self._text.text = _("{side}, {plane}: SDR {sdr:.2f}, {mm:.1f} mm thick").format(
                side=found.side[0],
                plane=found.plane[0],
                sdr=metrics["sdr_peaks"][0],
                mm=metrics["thickness_mm"][0],
            )
        self._onChanged()


def _where(cutter: HandCutter) -> tuple[np.ndarray, np.ndarray]:
    return cutter.on_skull(np.array(_START)), cutter.head.frame.superior
