"""Head CT: which one, and its skull."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import TYPE_CHECKING

import slicer
import slicer.util
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _

from SkullGANGui.sections.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from SkullGANGui.sections.section import SectionsPanel


class HeadSection(Section):
    """Chooses the CT and finds its skull.

    Args:
        panel: the panel.
        loadSample: loads the head CT that comes along, as the module Sample Data does.
    """

    def __init__(
        self, panel: SectionsPanel, loadSample: Callable[[], list[vtkMRMLScalarVolumeNode]]
    ) -> None:
        Section.__init__(self, panel)
        self.loadSample = loadSample
        self.ui.skullButton.connect("clicked(bool)", self.onSkull)
        self.ui.editSkullButton.connect("clicked(bool)", self.onEditSkull)
        self.ui.sampleButton.connect("clicked(bool)", self.onSample)
        self.ui.skull3DCheckBox.connect("clicked(bool)", self.onShow3D)
        self.ui.skullOpacitySlider.connect("valueChanged(double)", self.onOpacity)

    def show(self) -> None:
        from SkullGANScene.nodes import segmentations

        node = self.node
        if node.ct is not None and not self._isOf(node.ct, node.skull):
            node.skull = segmentations.skull_of(node.ct)
        self.ui.sampleButton.visible = node.ct is None
        self._showDisplay()
        self.ui.frameLabel.text = self._frameSentence(node.ct)
        self.ui.frameLabel.visible = bool(self.ui.frameLabel.text)

    def update(self, busy: str) -> None:
        self.panel.allow(
            self.ui.skullButton,
            busy or self.logic.objectionTo(self.node.ct),
            _("Find the wall of the skull, about 10 s; it can be edited before extracting."),
        )
        self.panel.allow(
            self.ui.editSkullButton,
            "" if self.node.skull else _("Segment the skull first."),
            _("Open the skull in the Segment Editor."),
        )
        none = "" if self.node.skull else _("Segment the skull first.")
        self.panel.allow(
            self.ui.skull3DCheckBox, none or busy, _("Show the skull in the 3D views.")
        )
        self.panel.allow(
            self.ui.skullOpacitySlider,
            none,
            _("How opaque the skull is in 3D views, from 0 to 1."),
        )

    def onShow3D(self, shown: bool) -> None:
        """Show the skull in 3D views; its surface is made first where it has none."""
        skull = self.node.skull
        display = skull.GetDisplayNode()
        if shown:
            display.SetVisibility(True)
        display.SetVisibility3D(shown)
        if shown and not skull.GetSegmentation().ContainsRepresentation("Closed surface"):
            with self.panel.shownErrors(_("The skull is not shown in 3D.")):
                task = self.logic.startSurface(self.node.ct, skull)
                self.panel.run(task, on_done=self._surfaceMade)

    def onOpacity(self, opacity: float) -> None:
        skull = self.node.skull if self.node else None
        if skull is not None and skull.GetDisplayNode().GetOpacity3D() != opacity:
            skull.GetDisplayNode().SetOpacity3D(opacity)

    def _surfaceMade(self, skull: vtkMRMLSegmentationNode) -> str:
        if self.node:
            self._showDisplay()
        return _("{name} is shown in 3D views.").format(name=skull.GetName())

    def _showDisplay(self) -> None:
        """Show how the skull is shown, which may have been changed elsewhere."""
        skull = self.node.skull
        display = skull.GetDisplayNode() if skull is not None else None
        shown = display is not None and display.GetVisibility() and display.GetVisibility3D()
        self.ui.skull3DCheckBox.checked = bool(shown)
        if display is not None:
            self.ui.skullOpacitySlider.value = display.GetOpacity3D()

    def onSample(self) -> None:
        """Load the head CT that comes along and choose it."""
        with self.panel.shownErrors(_("The sample CT was not loaded.")):
            [self.node.ct] = self.loadSample()

    def onSkull(self) -> None:
        with self.panel.shownErrors(_("The skull was not segmented.")):
            self.panel.run(self.logic.startSkull(self.node.ct), on_done=self.skullFound)

    def skullFound(self, skull: vtkMRMLSegmentationNode) -> str:
        """Take the skull that was found in the CT."""
        self.panel.guidance.done("headSection")
        if self.node:
            self.node.skull = skull
            self.show()
        return _("The skull is in the scene as {name}; it can be edited.").format(
            name=skull.GetName()
        )

    def onEditSkull(self) -> None:
        skull, ct = self.node.skull, self.node.ct  # the panel is left: it has no parameters then
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.util.getModuleWidget("SegmentEditor").editor
        editor.setSegmentationNode(skull)
        editor.setSourceVolumeNode(ct)

    @staticmethod
    def _frameSentence(ct: vtkMRMLScalarVolumeNode | None) -> str:
        """How sure the head's axes are; empty where nobody looked yet, or it is not known."""
        from SkullGANLib.anatomy.head_frame import GUESSED
        from SkullGANScene.nodes import head_attributes

        head = head_attributes.head_of(ct) if ct is not None else None
        if head is None or not head.frame.certainty >= 0.0:
            return ""
        if head.frame.certainty > GUESSED:
            return _("Head frame: certainty {sure:.2f}.").format(sure=head.frame.certainty)
        return _(
            "Head frame: a guess by the scanner's axes (certainty {sure:.2f}); bones and sides may"
            " be wrong."
        ).format(sure=head.frame.certainty)

    @staticmethod
    def _isOf(ct: vtkMRMLScalarVolumeNode, skull: vtkMRMLSegmentationNode | None) -> bool:
        """Whether a skull may be this CT's: two CTs in turn must not mix."""
        from SkullGANScene.nodes import segmentations

        if skull is None:
            return segmentations.skull_of(ct) is None
        return segmentations.volume_of(skull) in (ct, None)
