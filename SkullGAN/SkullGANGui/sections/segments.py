"""Segments: cutting them out of the CT, or out of every CT of the scene."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import TYPE_CHECKING

from SkullGANLib.anatomy import cut_plan
from slicer.i18n import tr as _

from SkullGANGui import packages
from SkullGANGui.check_boxes import CheckBoxes
from SkullGANGui.sections.review import ReviewSection
from SkullGANGui.sections.section import Section

if TYPE_CHECKING:
    from SkullGANLib.data.depth import Depth
    from SkullGANLib.extraction.batch_table import Row
    from SkullGANScene.nodes.segment_sets import SegmentSetNodes

    from SkullGANGui.sections.section import SectionsPanel


class SegmentsSection(Section):
    """Extracts segments.

    Args:
        panel: the panel.
        review: its ``ReviewSection``, which shows what was extracted.

    Attributes:
        bones, planes: the check boxes that say what is cut.
    """

    def __init__(self, panel: SectionsPanel, review: ReviewSection) -> None:
        Section.__init__(self, panel)
        self._review = review
        ui = self.ui
        self.bones = CheckBoxes(ui.bonesFrame, cut_plan.BONE_CHOICES, self.onBones)
        self.planes = CheckBoxes(ui.planesFrame, cut_plan.PLANE_CHOICES, self.onPlanes)
        ui.extractButton.connect("clicked(bool)", self.onExtract)
        ui.batchButton.connect("clicked(bool)", self.onBatch)

    def show(self) -> None:
        self.bones.show(self.node.bones)
        self.planes.show(self.node.planes)

    def update(self, busy: str) -> None:
        ui, allow = self.ui, self.panel.allow
        single = self.node.depthSlices == 1
        allow(
            ui.depthStepSpinBox,
            _("Single cuts have no depth; ask for more slices first.") if single else "",
            _("From a slice of a stack to the next, in mm; 0.9 mm are two pixels."),
        )
        bones = _("Choose at least one bone.") if not self.node.bones else ""
        planes = _("Choose at least one plane.") if not self.node.planes else ""
        depth = self._depthObjection()
        ask = packages.sentence(packages.SEGMENTS)
        allow(
            ui.extractButton,
            busy or self.logic.objectionTo(self.node.ct) or bones or planes or depth,
            _("Cut the segments, about 20 s; they appear in the table and the scene.") + ask,
        )
        few = _("There is no head CT in the scene.") if not self.logic.headCTs() else ""
        allow(
            ui.batchButton,
            busy or few or bones or planes or depth,
            _("Cut the segments of every CT in the scene, one after the other.") + ask,
        )

    def onBones(self, names: list[str]) -> None:
        if self.node:
            self.node.bones = names

    def onPlanes(self, names: list[str]) -> None:
        if self.node:
            self.node.planes = names

    def onExtract(self) -> None:
        node = self.node
        with self.panel.shownErrors(_("No segments were extracted.")):
            packages.ensure(packages.SEGMENTS, _("Extraction"))
            task = self.logic.startExtraction(
                node.ct,
                list(node.bones),
                node.intervalMm,
                list(node.planes),
                node.skull,
                self._depth(),
            )
            self.panel.run(task, on_done=self._review.segmentsMade)

    def onBatch(self) -> None:
        node = self.node
        with self.panel.shownErrors(_("No segments were extracted.")):
            packages.ensure(packages.SEGMENTS, _("Extraction"))
            task = self.logic.startBatch(
                self.logic.headCTs(),
                list(node.bones),
                planes=list(node.planes),
                interval_mm=node.intervalMm,
                depth=self._depth(),
            )
            self.panel.run(task, on_done=self._batchCame)

    def _depth(self) -> Depth | None:
        """Give what stacks are to be like, None for single cuts; raises where they cannot be."""
        from SkullGANLib.data.depth import Depth

        node = self.node
        # What a widget keeps in binary is not quite the 0.9 that it shows.
        step_mm = round(node.depthStepMm, self.ui.depthStepSpinBox.decimals)
        return Depth(node.depthSlices, step_mm) if node.depthSlices > 1 else None

    def _depthObjection(self) -> str:
        from SkullGANLib.errors import BadInputError

        try:
            self._depth()
        except BadInputError as error:
            return str(error)
        return ""

    def _batchCame(self, results: list[tuple[Row, SegmentSetNodes | None]]) -> str:
        good = [nodes for _row, nodes in results if nodes is not None]
        if good and self.node:
            self.node.segments = good[-1].volume
        sentences = [_("{n} of {of} CTs gave segments.").format(n=len(good), of=len(results))]
        sentences += [row.sentence for row, _nodes in results if row.state == "failed"]
        return "\n".join(sentences)
