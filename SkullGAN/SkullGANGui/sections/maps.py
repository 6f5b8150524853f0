"""Maps of the skull: thickness and SDR on the surface and the slices, and an array's rays."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import TYPE_CHECKING

import slicer
from SkullGANLib.mapping import scalars
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from SkullGANGui.sections.mapping import (
    ARRAY_SCALARS,
    ARRAYS,
    FROM_FILE,
    SCALARS,
    Mapping,
    sentence,
)
from SkullGANGui.sections.section import Section

if TYPE_CHECKING:
    from SkullGANScene.nodes.map_nodes import MapNodes

    from SkullGANGui.sections.section import SectionsPanel


class MapsSection(Section):
    """Makes the map of the CT and shows it as the parameters say."""

    def __init__(self, panel: SectionsPanel) -> None:
        Section.__init__(self, panel)
        self.mapping = Mapping(self.ui.mapValueLabel)
        self.ui.mapButton.connect("clicked(bool)", self.onMap)
        self.ui.mapTableButton.connect("clicked(bool)", self.onMapTable)
        self.ui.placeTargetButton.connect("clicked(bool)", self.onPlaceTarget)
        panel.keepPath(self.ui.arrayPath, "mapArrayPath")
        self._scalar: str | None = None
        panel.keepChoice(self.ui.mapScalarBox, "mapScalar", {title: _(title) for title in SCALARS})
        panel.keepChoice(self.ui.arrayBox, "mapArray", {title: _(title) for title in ARRAYS})
        elements = {title: _(title) for title in ARRAY_SCALARS}
        panel.keepChoice(self.ui.arrayScalarBox, "mapArrayScalar", elements)

    def update(self, busy: str) -> None:
        from_file = self.node.mapArray == FROM_FILE
        no_file = from_file and not self.node.mapArrayPath
        self.panel.allow(
            self.ui.placeTargetButton,
            self.logic.objectionTo(self.node.ct),
            _("Click in a slice view where the array is to aim: a new target, or this one moved."),
        )
        self.panel.allow(
            self.ui.mapButton,
            busy
            or self.logic.objectionTo(self.node.ct)
            or (_("Choose the file of the array's elements first.") if no_file else ""),
            _("Map thickness and SDR on the skull, about 15 s, and cast the rays of an array."),
        )
        mapped = self.node.ct is not None and self._isMapped(self.node.ct)
        self.panel.allow(
            self.ui.mapTableButton,
            "" if mapped else _("Map the skull first."),
            _("Show the map's summary by bone and side in a table beside the views."),
        )
        no_array = "" if self._hasArray() else _("Map the skull first.")
        self.panel.allow(
            self.ui.mapArrayCheckBox,
            no_array,
            _("Show the elements of the array in 3D views; those switched off are gray."),
        )

    def forget(self) -> None:
        self.mapping.stop()
        self.logic.vertices.clear()
        self._scalar = None

    def show(self) -> None:
        """Show the map as the parameters say; a new scalar brings its own range along."""
        from SkullGANScene.nodes import map_nodes

        node, scalar = self.node, SCALARS[self.node.mapScalar]
        self.ui.arrayPath.enabled = node.mapArray == FROM_FILE
        self._showArray()
        self.mapping.skullOpacity = node.mapSkullOpacity
        self.mapping.slicesOpacity = node.mapSlicesOpacity
        self.mapping.show(node.ct, scalar, node.mapOnSkull, node.mapOnSlices)
        before, self._scalar = self._scalar, scalar
        if before not in (None, scalar):  # not when a scene was opened: its range stays
            self._setRange(*scalars.color_range(scalar))
        if node.ct is None or map_nodes.surface_of(node.ct) is None:
            return
        if node.mapFrom < node.mapTo and (node.mapFrom, node.mapTo) != self.mapping.range(node.ct):
            self.mapping.setRange(node.ct, node.mapFrom, node.mapTo)
        if scalar != scalars.REALNESS and node.mapOnSlices and not self.logic.isWorking():
            with self.panel.shownErrors(_("The overlay was not changed.")):
                task = self.logic.startOverlay(node.ct, scalar)
                if task:
                    self.panel.run(task, on_done=self._overlayFilled)

    def onMap(self) -> None:
        node = self.node
        with self.panel.shownErrors(_("The skull was not mapped.")):
            task = self.logic.startMap(
                node.ct,
                SCALARS[node.mapScalar],
                node.skull,
                node.mapTarget,
                ARRAYS[node.mapArray] or node.mapArrayPath,
                ARRAY_SCALARS[node.mapArrayScalar],
            )
            self.panel.run(task, on_done=self._mapMade)

    def onPlaceTarget(self) -> None:
        """Let the next click in a view place the target: a new one, or the chosen one again."""
        from SkullGANScene.nodes import targets

        self.node.mapTarget = targets.place(slicer.mrmlScene, self.node.mapTarget, _("Target"))
        slicer.modules.markups.logic().StartPlaceMode(False)
        self.ui.statusLabel.text = _("Click in a slice view where the array is to aim, then map.")

    def _showArray(self) -> None:
        """Show the array as the parameters say, if the CT has one."""
        if not self._hasArray():
            return
        from SkullGANScene.nodes import array_model

        node, scalar = self.node, ARRAY_SCALARS[self.node.mapArrayScalar]
        active = array_model.active_of(node.ct)
        if active is not None and active.GetDisplayNode().GetActiveScalarName() != scalar:
            array_model.show_scalar(node.ct, scalar)
        array_model.show(node.ct, node.mapShowArray)

    def _hasArray(self) -> bool:
        ct = self.node.ct
        roles = ("SkullGAN.map.array", "SkullGAN.map.arrayInactive")
        return ct is not None and any(ct.GetNodeReference(role) is not None for role in roles)

    def onMapTable(self) -> None:
        """Show the table of the map's summary in the table view."""
        from SkullGANScene.nodes import map_nodes

        summary = map_nodes.nodes_of(self.node.ct)[2]
        slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetActiveTableID(summary.GetID())
        slicer.app.applicationLogic().PropagateTableSelection()

    def _setRange(self, low: float, high: float) -> None:
        modified = self.node.StartModify()
        self.node.mapFrom, self.node.mapTo = low, high
        self.node.EndModify(modified)

    def _overlayFilled(self, overlay: vtkMRMLScalarVolumeNode) -> str:
        if self.node:
            self.show()
        return _("The overlay is filled anew.")

    def _mapMade(self, nodes: MapNodes) -> str:
        self.panel.guidance.done("mapSection")
        ct = self.node.ct if self.node else None
        if ct is not None:
            self.logic.vertices[ct.GetID()] = nodes.vertices
            self.show()
        self.ui.mapTextLabel.text = sentence(nodes.numbers)
        return _(
            "The map is in the scene as {name}; move the mouse over the skull to read it."
        ).format(name=nodes.surface.GetName())

    @staticmethod
    def _isMapped(ct: vtkMRMLScalarVolumeNode) -> bool:
        from SkullGANScene.nodes import map_nodes

        return len(map_nodes.nodes_of(ct)) == 4
