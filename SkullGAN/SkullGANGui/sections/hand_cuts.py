"""Cut by hand: a plane on the skull, its segment live, and a button to add it."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import TYPE_CHECKING

import qt
from slicer import vtkMRMLSegmentationNode
from slicer.i18n import tr as _

from SkullGANGui import packages
from SkullGANGui.sections.hand_cutting import HandCutting
from SkullGANGui.sections.head_ct import HeadSection
from SkullGANGui.sections.review import ReviewSection
from SkullGANGui.sections.section import Section

if TYPE_CHECKING:
    from SkullGANScene.jobs.hand_cuts import HandCutter

    from SkullGANGui.sections.section import SectionsPanel


class HandCutsSection(Section):
    """Places the plane and adds cuts to the segments that the table shows.

    Args:
        panel: the panel.
        head: its ``HeadSection``, which takes a skull that is found on the way.
        review: its ``ReviewSection``, which shows what is added.

    Attributes:
        cutting: the ``HandCutting``.
    """

    def __init__(self, panel: SectionsPanel, head: HeadSection, review: ReviewSection) -> None:
        Section.__init__(self, panel)
        self._head, self._review = head, review
        self.cutting = HandCutting(self.ui.previewLabel, self.ui.previewText, panel.updateButtons)
        self.ui.planeButton.connect("clicked(bool)", self.onPlane)
        self.ui.addButton.connect("clicked(bool)", self.onAdd)

    def show(self) -> None:
        if self.cutting.cutter and self.cutting.cutter.node is not self.node.ct:
            self.cutting.stop()

    def update(self, busy: str) -> None:
        placed = self.cutting.cutter is not None
        self.panel.allow(
            self.ui.planeButton,
            busy or self.logic.objectionTo(self.node.ct),
            _("Put the plane back onto the skull.")
            if placed
            else _("Put a plane on the skull, to be dragged and turned in the views."),
        )
        self.panel.allow(
            self.ui.addButton,
            busy or self.cutting.rejection_reason(),
            _("Add this cut to the segments."),
        )

    def forget(self) -> None:
        self.cutting.stop()

    def onPlane(self) -> None:
        """Put the plane on the skull, after finding it and preparing the cutter if need be."""
        cutter = self.cutting.cutter
        if cutter:
            self.node.plane = self.cutting.place(cutter, self.node.plane)
            return
        with self.panel.shownErrors(_("The plane was not placed.")):
            from SkullGANScene.nodes import head_attributes

            if self.node.skull is None or head_attributes.head_of(self.node.ct) is None:
                self.panel.run(self.logic.startSkull(self.node.ct), on_done=self._skullFound)
            else:
                task = self.logic.startHandCuts(self.node.ct, self.node.skull)
                self.panel.run(task, on_done=self._cutterReady)

    def _skullFound(self, skull: vtkMRMLSegmentationNode) -> str:
        if self.node:  # the user may have left the panel meanwhile
            qt.QTimer.singleShot(0, self.onPlane)  # once this task has made room for the next
        return self._head.skullFound(skull)

    def _cutterReady(self, cutter: HandCutter) -> str:
        self._review.views.restore()
        if self.node:
            self.node.plane = self.cutting.start(cutter, self.node.plane)
        return _("Drag and turn the plane; the cut follows below.")

    def onAdd(self) -> None:
        from SkullGANScene.jobs import hand_cuts

        cutter, cut = self.cutting.cutter, self.cutting.cut
        if cutter is None or cut is None or cut.segments is None:
            return  # the button is off by then
        with self.panel.shownErrors(_("The cut was not added.")):
            packages.ensure(packages.SEGMENTS, _("Adding a segment"))
            volume = hand_cuts.add(cutter, cut.segments, self._review.table.volume)
            self.panel.guidance.done("handSection")
            self.node.segments = volume
            self._review.showSet(volume)
            self._review.table.pick(volume.GetImageData().GetDimensions()[2] - 1)
            self.ui.statusLabel.text = _("The cut was added to {name}.").format(
                name=volume.GetName()
            )
