"""Synthetic segments: from a model, into the scene or a file."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from SkullGANGui import packages
from SkullGANGui.model_list import ModelList
from SkullGANGui.sections import condition_fields, segment_files
from SkullGANGui.sections.condition_fields import ConditionFields
from SkullGANGui.sections.review import ReviewSection
from SkullGANGui.sections.section import Section

if TYPE_CHECKING:
    from SkullGANLib.generation.selection import Selection
    from SkullGANLib.networks.conditions import Conditions
    from SkullGANLib.networks.model_card import ModelCard

    from SkullGANGui.sections.section import SectionsPanel


class SyntheticSection(Section):
    """Generates segments: within limits, whole walls, like a real set or diverse, if wanted.

    Args:
        panel: the panel.
        review: its ``ReviewSection``, which shows what was generated.

    Attributes:
        models: the ``ModelList``.
        asking: the ``ConditionFields``.
    """

    def __init__(self, panel: SectionsPanel, review: ReviewSection) -> None:
        Section.__init__(self, panel)
        self._review = review
        self.ui.generateButton.connect("clicked(bool)", self.onGenerate)
        self.ui.generateFileButton.connect("clicked(bool)", self.onGenerateToFile)
        panel.keepPath(self.ui.modelPath, "modelPath")
        panel.keepPath(self.ui.likePath, "likePath")
        self.models = ModelList(self.ui.modelsFrame, self.onModel)
        self.asking = ConditionFields(self.ui.askFrame, self.onAsked)
        self._card: ModelCard | None = None
        self._conditions: Conditions | None = None
        ui = self.ui
        boxes = {
            "sdr_peaks": (ui.sdrFromSpinBox, ui.sdrToSpinBox),
            "thickness_mm": (ui.thicknessFromSpinBox, ui.thicknessToSpinBox),
            "mean_intensity_hu": (ui.intensityFromSpinBox, ui.intensityToSpinBox),
        }
        self._limits = {
            metric: [(box, box.toolTip) for box in of_metric] for metric, of_metric in boxes.items()
        }
        self.ui.generateSection.connect("contentsCollapsed(bool)", self._onFolded)

    def show(self) -> None:
        self.models.show(self.node.modelPath)
        if self.models.card is not self._card:
            self._card = self.models.card
            given = self._card.conditions if self._card is not None else {}
            self._conditions = condition_fields.conditions_of(given)
        asked = self._asked()
        self.asking.show(self._conditions, asked)
        self._showLimits(asked)
        self._showStacks()

    def onAsked(self, asked: condition_fields.Asked) -> None:
        if self.node:
            self.node.asked = condition_fields.as_text(asked)

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
                node.modelPath, node.number, node.firstSeed, self._selection(), self._asked()
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
                node.modelPath,
                node.number,
                node.firstSeed,
                path,
                self._selection(),
                self._asked(),
            )
            self.panel.run(task, on_done=str)

    def _selection(self) -> Selection:
        """Give what is kept."""
        from SkullGANLib.generation.diversity import Diversity
        from SkullGANLib.generation.selection import Limits, Selection

        node = self.node
        return Selection(
            limits=Limits(self._ranges()),
            whole=node.whole,
            like=Path(node.likePath) if node.likePath else None,
            diverse=Diversity() if node.diverse else None,
        )

    def _limitsObjection(self) -> str:
        turned = any(low > high for low, high in self._ranges().values())
        return _("A lower limit is above its upper one.") if turned else ""

    def _ranges(self) -> dict[str, tuple[float, float]]:
        """Give the limits that are set, by metric."""
        node = self.node
        if not node.limited:
            return {}
        ranges = {
            "sdr_peaks": (node.sdrFrom, node.sdrTo),
            "thickness_mm": (node.thicknessFromMm, node.thicknessToMm),
            "mean_intensity_hu": (node.intensityFromHu, node.intensityToHu),
        }
        taken = self._askedMetrics(self._asked())
        return {name: of for name, of in ranges.items() if name not in taken}

    def _asked(self) -> condition_fields.Asked:
        """Give what the chosen model is asked for."""
        return condition_fields.possible(self._conditions, self.node.asked)

    @staticmethod
    def _askedMetrics(asked: condition_fields.Asked) -> set[str]:
        from SkullGANLib.networks.conditions import QUANTITIES

        return {QUANTITIES[name].metric for name in asked if name in QUANTITIES}

    def _showLimits(self, asked: condition_fields.Asked) -> None:
        """What is asked for is not limited, too: the model is to make it, not to be thinned out."""
        taken = self._askedMetrics(asked)
        reason = _("This is asked of the model above and not limited.")
        for metric, boxes in self._limits.items():
            for box, use in boxes:
                self.panel.allow(box, reason if metric in taken else "", use)

    def _showStacks(self) -> None:
        """Say so where the number is that of stacks."""
        stacks = self._card.stacks if self._card is not None else ""
        self.ui.numberSpinBoxLabel.text = _("Stacks:") if stacks else _("Number:")
        self.ui.stacksLabel.visible = bool(stacks)
        self.ui.stacksLabel.text = _(
            "This model makes stacks of {stacks}: the number is that of stacks, each has a seed."
        ).format(stacks=stacks)

    def _tooMany(self) -> str:
        from SkullGANScene.nodes.segment_sets import MOST_IN_SCENE

        slices = self._card.slices if self._card is not None else 1
        if self.node.number * slices <= MOST_IN_SCENE:
            return ""
        if slices > 1:
            return _(
                "A scene takes {n} segments at once, {stacks} stacks of {slices}; generate more"
                " into a file."
            ).format(n=MOST_IN_SCENE, stacks=MOST_IN_SCENE // slices, slices=slices)
        return _("A scene takes {n} segments at once; generate more into a file.").format(
            n=MOST_IN_SCENE
        )
