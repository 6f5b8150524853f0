"""Synthetic segments: from a model, into the scene or a file."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from SkullGANGui import packages
from SkullGANGui.model_list import ModelList
from SkullGANGui.sections import segment_files
from SkullGANGui.sections.review import ReviewSection
from SkullGANGui.sections.section import Section

if TYPE_CHECKING:
    from SkullGANLib.generation.selection import Selection

    from SkullGANGui.sections.section import SectionsPanel


class SyntheticSection(Section):
    """Generates segments: within limits, whole walls, like a real set or diverse, if wanted.

    Args:
        panel: the panel.
        review: its ``ReviewSection``, which shows what was generated.

    Attributes:
        models: the ``ModelList``.
    """

    def __init__(self, panel: SectionsPanel, review: ReviewSection) -> None:
        Section.__init__(self, panel)
        self._review = review
        self.ui.generateButton.connect("clicked(bool)", self.onGenerate)
        self.ui.generateFileButton.connect("clicked(bool)", self.onGenerateToFile)
        panel.keepPath(self.ui.modelPath, "modelPath")
        panel.keepPath(self.ui.likePath, "likePath")
        self.models = ModelList(self.ui.modelsFrame, self.onModel)
        self.ui.generateSection.connect("contentsCollapsed(bool)", self._onFolded)

    def show(self) -> None:
        self.models.show(self.node.modelPath)

    def forget(self) -> None:
        self.models.stop()

    def onModel(self, path: str) -> None:
        """Take the model that was clicked on."""
        if self.node:
            self.node.modelPath = path

    def _onFolded(self, collapsed: bool) -> None:
        """Look for models that came since, whenever the section is opened."""
        if not collapsed:
            self.models.look()

    def update(self, busy: str) -> None:
        ask = packages.sentence(packages.MODELS)
        self.panel.allow(
            self.ui.generateButton,
            busy or self._limitsObjection() or self._tooMany(),
            _("Make synthetic segments; they appear in the table and the scene.") + ask,
        )
        self.panel.allow(
            self.ui.generateFileButton,
            busy or self._limitsObjection(),
            _("Make any number of synthetic segments into a file.") + ask,
        )

    def onGenerate(self) -> None:
        node = self.node
        with self.panel.shownErrors(_("No segments were generated.")):
            packages.ensure(packages.MODELS, _("Generation"))
            self.ui.modelPath.addCurrentPathToHistory()
            task = self.logic.startGeneration(
                node.modelPath, node.number, node.firstSeed, self._selection()
            )
            self.panel.run(task, on_done=self._review.segmentsMade)

    def onGenerateToFile(self) -> None:
        path = segment_files.askForSegments(_("Generate into a file"), "synthetic")
        if not path:
            return
        node = self.node
        with self.panel.shownErrors(_("No segments were generated.")):
            packages.ensure(packages.MODELS, _("Generation"))
            self.ui.modelPath.addCurrentPathToHistory()
            task = self.logic.startGenerationToFile(
                node.modelPath, node.number, node.firstSeed, path, self._selection()
            )
            self.panel.run(task, on_done=str)

    def _selection(self) -> Selection:
        """Give what is kept."""
        from SkullGANLib.generation.diversity import Diversity
        from SkullGANLib.generation.selection import Limits, Selection

        node = self.node
        ranges = {
            "sdr_peaks": (node.sdrFrom, node.sdrTo),
            "thickness_mm": (node.thicknessFromMm, node.thicknessToMm),
            "mean_intensity_hu": (node.intensityFromHu, node.intensityToHu),
        }
        return Selection(
            limits=Limits(ranges if node.limited else {}),
            whole=node.whole,
            like=Path(node.likePath) if node.likePath else None,
            diverse=Diversity() if node.diverse else None,
        )

    def _limitsObjection(self) -> str:
        node = self.node
        turned = (
            node.sdrFrom > node.sdrTo
            or node.thicknessFromMm > node.thicknessToMm
            or node.intensityFromHu > node.intensityToHu
        )
        return _("A lower limit is above its upper one.") if node.limited and turned else ""

    def _tooMany(self) -> str:
        from SkullGANScene.nodes.segment_sets import MOST_IN_SCENE

        if self.node.number <= MOST_IN_SCENE:
            return ""
        return _("A scene takes {n} segments at once; generate more into a file.").format(
            n=MOST_IN_SCENE
        )
