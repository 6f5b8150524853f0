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

    def show(self) -> None:
        from SkullGANScene.nodes import segmentations

        node = self.node
        if node.ct is not None and not self._isOf(node.ct, node.skull):
            node.skull = segmentations.skull_of(node.ct)
        self.ui.sampleButton.visible = node.ct is None
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
