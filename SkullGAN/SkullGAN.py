"""The module SkullGAN: segments of a head CT, and synthetic ones from a trained model.

``SkullGANLogic`` is what a script uses; ``SkullGANWidget`` is the panel, which only shows and asks.
The work is in ``SkullGANScene.jobs.segment_jobs`` and below, in child processes.
"""

# ruff: noqa: N802, N815 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
import slicer.util
from SkullGANGui import documentation, packages
from SkullGANGui.module_test import ModuleTest
from SkullGANGui.panel_widget import PanelWidget
from SkullGANGui.sections.logic import SectionsLogic
from slicer import vtkMRMLNode, vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

if TYPE_CHECKING:
    from SkullGANGui.sections.parameters import SkullGANParameterNode


_SETS, _MODELS = (".h5", ".hdf5"), (".safetensors",)
_CTS = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".zip", ".dcm")


class SkullGAN(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("SkullGAN")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
        parent.dependencies = []
        parent.contributors = ["The SkullGAN for 3D Slicer developers"]
        parent.helpText = _(
            "Cuts segments of temporal and parietal bone out of a head CT, measures them, and makes"
            " synthetic ones with a trained SkullGAN. Synthetic segments show nobody's skull and"
            " must not be used for diagnosis."
        )
        parent.helpText += documentation.link("panels.md")
        parent.acknowledgementText = _(
            'After the paper <a href="https://arxiv.org/abs/2308.00206">arXiv:2308.00206</a>.'
        )
        slicer.app.connect("startupCompleted()", registerSampleData)
        slicer.app.connect("startupCompleted()", registerHierarchyPlugin)


def registerSampleData() -> None:
    """Offer the head CT that comes with the extension in the module Sample Data."""
    import SampleData
    from SkullGANLib.errors import BadInputError
    from SkullGANLib.utils import resources

    known = SampleData.SampleDataLogic.sampleDataSourcesByCategory("SkullGAN")
    if any(source.sampleName == "SkullGANHeadCT" for source in known):
        return
    try:
        path = resources.sample_ct()
    except BadInputError:
        return  # an installation without it has nothing to offer
    icon = Path(__file__).parent / "Resources" / "Icons" / "SkullGAN.png"
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="SkullGAN",
        sampleName="SkullGANHeadCT",
        uris=path.as_uri(),
        fileNames=path.name,
        nodeNames="SkullGANHeadCT",
        checksums="SHA256:fcb394a3684fd8277d564e313168f6d9e8f4db03e9c967ab1ba35d7d959d3112",
        thumbnailFileName=str(icon),
        customDownloader=lambda source: loadSampleData(),
    )


def registerHierarchyPlugin() -> None:
    """Offer segments and a map in the menu of a CT in the subject hierarchy."""
    from SkullGANGui import SkullGANSubjectHierarchyPlugin

    SkullGANSubjectHierarchyPlugin.register()


def loadSampleData() -> list[vtkMRMLScalarVolumeNode]:
    """Load the head CT that comes with the extension and show it; it needs no network."""
    from SkullGANLib.ct import volume
    from SkullGANLib.utils import resources
    from SkullGANScene.nodes import volumes

    node = volumes.add_ct(slicer.mrmlScene, volume.read_ct(resources.sample_ct()), "SkullGANHeadCT")
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return [node]


class SkullGANLogic(SectionsLogic):
    """Skull, segments, maps and synthetic segments, one task at a time, without a panel.

    Example::

        logic = SkullGANLogic()
        logic.startExtraction(ctNode, bones=["temporal"], intervalMm=3.1)
        while logic.poll() == "running":
            slicer.app.processEvents()
        nodes = logic.takeResult()  # a SkullGANScene.nodes.segment_sets.SegmentSetNodes
    """

    def getParameterNode(self) -> SkullGANParameterNode:
        from SkullGANGui.sections import parameters  # with it comes the library

        return parameters.ofToday(self.wrapped(parameters.SkullGANParameterNode))


class SkullGANWidget(PanelWidget):
    """The panel: sections from the CT to synthetic segments, and one task at a time."""

    logicClass = SkullGANLogic
    logic: SkullGANLogic
    node: SkullGANParameterNode | None

    def connectWidgets(self) -> None:
        from SkullGANGui.drops import Drops
        from SkullGANGui.sections.hand_cuts import HandCutsSection
        from SkullGANGui.sections.head_ct import HeadSection
        from SkullGANGui.sections.maps import MapsSection
        from SkullGANGui.sections.realness import RealnessSection
        from SkullGANGui.sections.review import ReviewSection
        from SkullGANGui.sections.segments import SegmentsSection
        from SkullGANGui.sections.synthetic import SyntheticSection

        self.drops = Drops(
            self._uiWidget,
            takesFile=self.takesFile,
            onFile=self.onFile,
            takesNode=self.takesNode,
            onNode=self.onNode,
        )
        head, self.review = HeadSection(self, loadSampleData), ReviewSection(self)
        segments = SegmentsSection(self, self.review)
        hand = HandCutsSection(self, head, self.review)
        self.table, self.hand = self.review.table, hand.cutting
        self.bones, self.planes = segments.bones, segments.planes
        self.sections = (
            hand,
            head,
            segments,
            self.review,
            RealnessSection(self, self.review),
            MapsSection(self),
            SyntheticSection(self, self.review),
        )

    def takesFile(self, path: str) -> bool:
        """Tell whether a file or folder that is dragged over the panel can be taken."""
        name = Path(path).name.lower()
        return Path(path).is_dir() or name.endswith((*_SETS, *_MODELS, *_CTS))

    def onFile(self, path: str) -> None:
        """Take what was dropped: a segment set, a model, or a head CT."""
        name = Path(path).name.lower()
        if self.node is None:
            return
        if name.endswith(_MODELS):
            self.node.modelPath = path
            self.ui.generateSection.collapsed = False
        elif name.endswith(_SETS):
            self.review.load(path)
        else:
            with self.shownErrors(_("The head CT was not loaded.")):
                self.run(self.logic.startLoading(path), on_done=self._ctLoaded)

    def _ctLoaded(self, ct: vtkMRMLScalarVolumeNode) -> str:
        if self.node:
            self.node.ct = ct
        slicer.util.setSliceViewerLayers(background=ct, fit=True)
        return _("{name} is in the scene.").format(name=ct.GetName())

    def takesNode(self, node: vtkMRMLNode) -> bool:
        """Tell whether a node that is dragged over the panel can be chosen there."""
        return node in self.logic.headCTs() or self._isSet(node)

    def onNode(self, node: vtkMRMLNode) -> None:
        if self.node and self._isSet(node):
            self.node.segments = node
        elif self.node:
            self.node.ct = node

    @staticmethod
    def _isSet(node: vtkMRMLNode) -> bool:
        from SkullGANScene.nodes import segment_sets

        return node in segment_sets.in_scene(slicer.mrmlScene)

    def hints(self) -> dict[str, str]:
        return {
            "headSection": _(
                "Choose a head CT, or load the sample. Then extract its segments below; whoever"
                " wants to see the skull first segments and edits it here."
            ),
            "extractSection": _(
                "Tick what to cut and extract: about 20 s for a head. The segments appear under"
                " Review and in the scene."
            ),
            "reviewSection": _(
                "Click on the first row, then K keeps and R rejects, U undoes. Save the kept ones"
                " to train on them in SkullGAN Train."
            ),
            "handSection": _(
                "Place a plane, drag and turn it in the views, and add its cut to the segments."
            ),
            "realnessSection": _(
                "Extract or generate segments, then judge them: each gets a realness, and a click"
                " on a row shows where it comes from."
            ),
            "mapSection": _(
                "Map the skull, then move the mouse over it to read thickness and SDR. A target"
                " says where an ultrasound array is to aim."
            ),
            "generateSection": _(
                "Choose a model and generate: the segments appear under Review. SkullGAN Evaluate"
                " says what they are worth."
            ),
        }

    def parametersChosen(self) -> None:
        """Choose the scene's first CT if none was chosen."""
        node, heads = self.node, self.logic.headCTs()
        if node and node.ct is None and heads:
            node.ct = heads[0]

    def sceneStartsClosing(self) -> None:
        self.logic.keepOutOfScene()
        PanelWidget.sceneStartsClosing(self)

    def updateButtons(self) -> None:
        """Enable what can be done; a button that cannot be pressed says why."""
        working = self.logic.isWorking()
        busy = _("Wait until the work below has ended, or cancel it.") if working else ""
        self.allow(
            self.ui.cancelButton,
            "" if working else _("Nothing is being done."),
            _("End the work; nothing of it enters the scene."),
        )
        if self.node:
            self._hint(self.node.ct is not None)
            for section in self.sections:
                section.update(busy)

    def _hint(self, chosen: bool) -> None:
        hint = _(
            "Load a head CT to begin. To try it out, load the sample, which the module Sample Data"
            " has, too: SkullGANHeadCT."
        )
        if self.ui.statusLabel.text in ("", hint):
            self.ui.statusLabel.text = "" if chosen else hint


class SkullGANTest(ModuleTest):
    """Runs in Slicer's self tests: from the sample CT to segments in the scene, by the logic."""

    needs = packages.SEGMENTS

    def test_segments_of_the_sample_ct_are_in_the_scene(self) -> None:
        slicer.mrmlScene.Clear()
        [ct] = loadSampleData()
        logic = SkullGANLogic()
        logic.startExtraction(ct, ["temporal"], intervalMm=12.4)
        while logic.poll() == "running":
            slicer.app.processEvents()
        nodes = logic.takeResult()
        logic.close()
        assert nodes.volume.GetImageData().GetDimensions()[2] > 0
        self.delayDisplay("The sample CT's segments are in the scene")
