"""Maps of the skull in a panel: which scalar, in which range, where, and its value at the mouse."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Mapping as ReadOnlyMapping
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from SkullGANLib.mapping import array_presets, scalars
from SkullGANLib.metrics.voxels import describe_voxels
from slicer import vtkMRMLCrosshairNode, vtkMRMLModelNode, vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

if TYPE_CHECKING:
    import qt
    from SkullGANScene.nodes.map_probe import Probe

SCALARS = {
    scalars.title(name): name
    for name in sorted(scalars.names(), key=lambda name: name != scalars.DEFAULT)
}
"""What a map shows, as the panel calls it; what is shown at first comes first."""


FROM_FILE = "From a file"
ARRAYS = {one.title: one.name for one in array_presets.PRESETS.values()} | {FROM_FILE: ""}
"""The ultrasound arrays, as the panel calls them."""
ARRAY_SCALARS = {
    "SDR (peaks)": "sdr_peaks",
    "Thickness (mm)": "thickness_mm",
    "Incidence (°)": "incidence_deg",
}
"""What the array's elements are colored by, as the panel calls it."""


class Mapping(VTKObservationMixin):
    """Shows the map of one CT as the panel says, and reads it at the mouse.

    Args:
        label: ``QLabel`` for the value at the mouse.

    Attributes:
        skullOpacity, slicesOpacity: how opaque the colors are in 3D and on slices, 0 to 1.
    """

    def __init__(self, label: qt.QLabel) -> None:
        VTKObservationMixin.__init__(self)
        self._label = label
        self._probe: Probe | None = None
        self._surface: vtkMRMLModelNode | None = None
        self._scalar = ""
        self.skullOpacity, self.slicesOpacity = 1.0, 0.6

    def show(
        self, ct: vtkMRMLScalarVolumeNode | None, scalar: str, surface: bool, overlay: bool
    ) -> None:
        """Show what there is of a CT's map; nothing for a CT without one.

        Args:
            ct: the CT's node or None.
            scalar: one of ``SCALARS``' values.
            surface: whether the skull's surface is shown in 3D.
            overlay: whether the overlay lies over the slices; where it still holds another scalar,
                it is not shown.
        """
        from SkullGANScene.nodes import map_nodes

        self._scalar = scalar
        node = map_nodes.surface_of(ct) if ct is not None else None
        self._follow(node)
        if node is None:
            return
        from SkullGANScene.nodes import map_display, map_overlay, map_surface

        surface = surface and scalar in map_surface.scalars_of(node)
        if surface and node.GetDisplayNode().GetActiveScalarName() != scalar:
            map_surface.show_scalar(node, scalar)
        if bool(node.GetDisplayNode().GetVisibility()) != surface:
            node.GetDisplayNode().SetVisibility(surface)
            map_display.show_legend(node, surface)
        node.GetDisplayNode().SetOpacity(self.skullOpacity)
        over = map_nodes.overlay_of(ct)
        if over is not None:
            shown = overlay and map_overlay.scalar_of(over) == scalar
            map_display.show_in_slices(
                over if shown else None, slicer.mrmlScene, self.slicesOpacity
            )
            map_display.show_legend(over, shown)

    def range(self, ct: vtkMRMLScalarVolumeNode) -> tuple[float, float]:
        """The range of the colors of a CT's map."""
        from SkullGANScene.nodes import map_display, map_nodes

        return map_display.range_of(map_nodes.surface_of(ct))

    def setRange(self, ct: vtkMRMLScalarVolumeNode, low: float, high: float) -> None:
        """Let the colors of a CT's map reach from one value to another."""
        from SkullGANScene.nodes import map_display, map_nodes

        for node in (map_nodes.surface_of(ct), map_nodes.overlay_of(ct)):
            if node is not None:
                map_display.set_range(node, low, high)

    def stop(self) -> None:
        """Read nothing at the mouse any more."""
        self._follow(None)

    def _follow(self, surface: vtkMRMLModelNode | None) -> None:
        """Read this surface at the mouse from now on."""
        if surface is self._surface:
            return
        self.removeObservers()
        self._surface, self._probe = surface, None
        self._label.text = ""
        if surface is None:
            return
        from SkullGANScene.nodes.map_probe import Probe

        self._probe = Probe(surface)
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is not None:
            event = slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent
            self.addObserver(crosshair, event, self._onMouse)

    def _onMouse(self, crosshair: vtkMRMLCrosshairNode, event: str) -> None:
        point = np.zeros(3)
        over = crosshair.GetCursorPositionRAS(point)
        reading = self._probe.at(point.tolist()) if over and self._probe else None
        self._label.text = reading.text(self._scalar) if reading else _("no skull at the mouse")


def sentence(numbers: ReadOnlyMapping[str, Any]) -> str:
    """What the array sees, and what must be known beside it.

    Args:
        numbers: what ``head_maps.read_numbers`` gave.
    """
    array = numbers["array"]
    sdr = array["scalars"]["sdr_peaks"]
    text = _("{n} elements: mean SDR {sdr:.2f} ± {sd:.2f}, {active} active ({rule}).").format(
        n=array["elements"],
        sdr=sdr["mean"] if sdr["mean"] is not None else float("nan"),
        sd=sdr["sd"] if sdr["sd"] is not None else float("nan"),
        active=array["active"],
        rule=array["rule"],
    )
    source = numbers["source"]
    text += " " + _("Kernel {kernel}, {voxels}, slices {mm} mm.").format(
        kernel=source.get("kernel") or _("unknown"),
        voxels=describe_voxels(source),
        mm=source.get("slice_thickness_mm") or _("of unknown thickness,"),
    )
    return "\n".join([text, *numbers["caveats"]])
