"""Realness: what the discriminator says of the segments in the table, and where that comes from."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer.util
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from SkullGANGui import packages
from SkullGANGui.sections.review import ReviewSection
from SkullGANGui.sections.section import Section

if TYPE_CHECKING:
    from SkullGANGui.sections.section import SectionsPanel


class RealnessSection(Section):
    """Judges the segments that the table shows.

    Args:
        panel: the panel.
        review: its ``ReviewSection``.
    """

    def __init__(self, panel: SectionsPanel, review: ReviewSection) -> None:
        Section.__init__(self, panel)
        self._review = review
        self._shown = (False, "")
        self.ui.judgeButton.connect("clicked(bool)", self.onJudge)
        methods = {"positions": _("positions"), "occlusion": _("occlusion")}
        panel.keepChoice(self.ui.realnessMethodBox, "realnessMethod", methods)

    def show(self) -> None:
        """Show the overlay or take it away, if the parameters say so now, and what was judged."""
        node, table = self.node, self._review.table
        if self._shown != (node.showRealness, node.realnessMethod):
            self._shown = (node.showRealness, node.realnessMethod)
            if table.picked() >= 0:
                self._review.onPicked(table.picked())
        self.ui.realnessLabel.text = self._text()

    def update(self, busy: str) -> None:
        volume = self._review.table.volume
        nothing = _("Extract, generate or choose segments first.")
        ask = packages.sentence(packages.MODELS)
        self.panel.allow(
            self.ui.judgeButton,
            busy or ("" if volume is not None else nothing),
            _("Let the discriminator of the model below judge the segments in the table.") + ask,
        )
        self.panel.allow(
            self.ui.showRealnessBox,
            ""
            if self._text() and self._isMapped(volume)
            else _("Let the segments be judged first."),
            _("Lay over the segment that is clicked on what speaks for real and what for made."),
        )

    def onJudge(self) -> None:
        with self.panel.shownErrors(_("The segments were not judged.")):
            packages.ensure(packages.MODELS, _("The discriminator"))
            node = self.node
            volume = self._review.table.volume
            task = self.logic.startJudging(volume, node.realnessMethod, node.modelPath)
            self.panel.run(task, on_done=self._judged)

    def _judged(self, overlay: vtkMRMLScalarVolumeNode) -> str:
        self.panel.guidance.done("realnessSection")
        if self.node:
            self._shown = (False, "")
            self._review.look()
            self.node.showRealness = True
            self.show()
        return _("The segments are judged; click on a row to see where that comes from.")

    def _isMapped(self, volume: vtkMRMLScalarVolumeNode) -> bool:
        from SkullGANScene.nodes import realness

        return realness.realness_of(volume, self.node.realnessMethod) is not None

    def _text(self) -> str:
        from SkullGANScene.nodes import segment_sets
        from SkullGANScene.nodes.tables import REALNESS

        volume = self._review.table.volume
        if volume is None:
            return ""
        metrics = segment_sets.nodes_of(volume).metrics
        if metrics.GetColumnIndex(REALNESS) < 0:
            return ""
        scores = slicer.util.arrayFromTableColumn(metrics, REALNESS)
        return _(
            "Realness {mean:.2f} ± {sd:.2f}; {share:.0f} % are judged real (0.5 or more)."
            " Not calibrated: not a probability."
        ).format(mean=scores.mean(), sd=scores.std(), share=100 * np.mean(scores >= 0.5))
