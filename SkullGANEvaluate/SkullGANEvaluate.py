"""The module SkullGANEvaluate: are synthetic segments like real ones, copies, of use?

``SkullGANEvaluateLogic`` is what a script uses; ``SkullGANEvaluateWidget`` is the panel, which only
shows and asks. The evaluation is done by ``SkullGANLib`` in a child process; what comes of it in
the scene is the matter of ``SkullGANScene``.
"""

# ruff: noqa: N802, N815 - camel case is what Slicer calls and how its modules read
from typing import Any

import slicer
from SkullGANEvaluateLib.logic import SkullGANEvaluateLogic
from SkullGANEvaluateLib.neighbors_section import NeighborsSection
from SkullGANEvaluateLib.parameters import ChosenSet, SkullGANEvaluateParameterNode
from SkullGANEvaluateLib.results_section import ResultsSection
from SkullGANEvaluateLib.run_section import RunSection
from SkullGANEvaluateLib.segments_section import SegmentsSection
from SkullGANEvaluateLib.sets_section import SetsSection
from SkullGANGui import documentation, last_places, packages
from SkullGANGui.module_test import ModuleTest
from SkullGANGui.panel_widget import PanelWidget
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

__all__ = [
    "ChosenSet",
    "SkullGANEvaluate",
    "SkullGANEvaluateLogic",
    "SkullGANEvaluateParameterNode",
    "SkullGANEvaluateTest",
    "SkullGANEvaluateWidget",
]


class SkullGANEvaluate(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("SkullGAN Evaluate")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
        parent.dependencies = ["SkullGAN"]
        parent.contributors = ["The SkullGAN for 3D Slicer developers"]
        parent.helpText = _(
            "Says of synthetic skull segments whether they are like real ones, whether they are"
            " copies, whether the discriminator can be trusted and whether they are worth learning"
            " from: as charts, tables and nearest neighbors in the scene, and as a report for the"
            " browser."
        )
        parent.helpText += documentation.link("evaluation.md")
        parent.acknowledgementText = _(
            'After the paper <a href="https://arxiv.org/abs/2308.00206">arXiv:2308.00206</a>.'
        )


class SkullGANEvaluateWidget(PanelWidget):
    """The panel: choose sets, evaluate, look at the results.

    Attributes:
        sets: the ``SetsSection``.
        segments: the ``SegmentList`` of the report that is shown.
    """

    logicClass = SkullGANEvaluateLogic
    logic: SkullGANEvaluateLogic
    node: SkullGANEvaluateParameterNode | None

    def connectWidgets(self) -> None:
        self.sets = SetsSection(self, self.onParameters)
        segments, neighbors = SegmentsSection(self), NeighborsSection(self)
        self.segments = segments.list
        self.sections = (
            self.sets,
            RunSection(self, self.sets),
            ResultsSection(self, segments, neighbors),
            segments,
            neighbors,
        )

    def parametersChosen(self) -> None:
        if self.node and not self.node.reportsFolder:
            self.node.reportsFolder = last_places.folder(last_places.REPORTS)

    def hints(self) -> dict[str, str]:
        return {
            "setsSection": _(
                "Add what the model learned from (training), real segments that it did not see"
                " (test) and synthetic ones, and say of each what it is."
            ),
            "runSection": _(
                "Choose the model that made them and a folder for reports, then evaluate."
            ),
            "resultsSection": _(
                "Read the answers, show charts and numbers in the views, or open the report in the"
                " browser."
            ),
            "segmentsSection": _(
                "Sort by realness or likeness and click on a row to see the segment."
            ),
            "pairsSection": _(
                "Show three views and step through the pairs: the first ones are most like copies."
            ),
        }

    def sceneStartsClosing(self) -> None:
        self.logic.leaveScene()
        PanelWidget.sceneStartsClosing(self)

    def updateButtons(self) -> None:
        """Enable what can be done; a button that cannot be pressed says why."""
        working = self.logic.isWorking()
        self.allow(
            self.ui.cancelButton,
            "" if working else _("Nothing is being done."),
            _("End the work; the scene stays as it was and no report is left."),
        )
        busy = _("Wait until the work below has ended, or cancel it.") if working else ""
        for section in self.sections:
            section.update(busy)


class SkullGANEvaluateTest(ModuleTest):
    """Runs in Slicer's self tests: sets that are not there are named."""

    needs = packages.SEGMENTS

    def test_a_set_that_is_not_there_is_named(self) -> None:
        from SkullGANLib.errors import SkullGANError

        logic = SkullGANEvaluateLogic()
        gone = [ChosenSet("test", path="nowhere.h5")]
        logic.startEvaluation(gone, slicer.app.temporaryPath)
        while logic.poll() == "running":
            slicer.app.processEvents()
        self.assertRaisesRegex(SkullGANError, "nowhere.h5", logic.takeResult)  # noqa: PT027
        self.delayDisplay("A set that is not there is named")
