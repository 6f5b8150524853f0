"""The module SkullGAN: segments of a head CT, and synthetic ones from a trained model.

``SkullGANLogic`` is what a script uses; ``SkullGANWidget`` is the panel, which only shows and asks.
The work is in ``SkullGANScene.jobs`` and below, in child processes.
"""

# ruff: noqa: N802, N803, N806, N815 - camel case is what Slicer calls and how its modules read
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import qt
import slicer
import slicer.util
from SkullGANPanel import packages
from SkullGANPanel.logic import TaskLogic
from SkullGANPanel.mapping import SCALARS, Mapping, sentence
from SkullGANPanel.widget import PanelWidget
from slicer import (
    vtkMRMLMarkupsFiducialNode,
    vtkMRMLMarkupsPlaneNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
)
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest

BONES = ("temporal", "parietal", "frontal", "occipital")
PLANES = ("axial", "coronal", "sagittal")
FORMATS = (
    ("Segment set", "*.h5"),
    ("NRRD", "*.nrrd"),
    ("NIfTI", "*.nii.gz"),
    ("NumPy", "*.npy"),
    ("MATLAB", "*.mat"),
)


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
        parent.acknowledgementText = _(
            'After the paper <a href="https://arxiv.org/abs/2308.00206">arXiv:2308.00206</a>.'
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData() -> None:
    """Offer the head CT that comes with the extension in the module Sample Data."""
    import SampleData
    from SkullGANLib import resources
    from SkullGANLib.errors import BadInputError

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


def loadSampleData() -> list[vtkMRMLScalarVolumeNode]:
    """Load the head CT that comes with the extension and show it; it needs no network."""
    from SkullGANLib import resources, volume
    from SkullGANScene import volumes

    node = volumes.add_ct(slicer.mrmlScene, volume.read_ct(resources.sample_ct()), "SkullGANHeadCT")
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return [node]


@parameterNodeWrapper
class SkullGANParameterNode:
    """What the panel remembers in the scene.

    ct: the head CT.
    skull: its skull; found when segments are extracted if there is none.
    temporal, parietal, frontal, occipital: bones to cut.
    axial, coronal, sagittal: planes to cut in.
    intervalMm: distance of neighbouring planes.
    segments: the volume of the segment set that the table shows.
    follow: whether the views go to the cut whose row is picked.
    plane: for cuts by hand.
    modelPath: of the generator (.safetensors); empty for the one that comes along.
    number: of synthetic segments.
    firstSeed: of the first of them; the others count up.
    limited: whether only synthetic segments within the limits below go into the scene.
    sdrFrom, sdrTo, thicknessFromMm, thicknessToMm: those limits.
    mapTarget: point that the array's rays go to; the middle of the head if there is none.
    mapScalar: what the map shows.
    mapOnSkull, mapOnSlices: where it is shown.
    mapFrom, mapTo: range of its colours, in the unit of the scalar.
    """

    ct: vtkMRMLScalarVolumeNode
    skull: vtkMRMLSegmentationNode
    temporal: bool = True
    parietal: bool = True
    frontal: bool = False
    occipital: bool = False
    axial: bool = True
    coronal: bool = True
    sagittal: bool = True
    intervalMm: Annotated[float, WithinRange(0.5, 20.0)] = 3.1
    segments: vtkMRMLScalarVolumeNode
    follow: bool = True
    plane: vtkMRMLMarkupsPlaneNode
    modelPath: str = ""
    number: Annotated[int, WithinRange(1, 1000000)] = 100
    firstSeed: Annotated[int, WithinRange(0, 2000000000)] = 0
    limited: bool = False
    sdrFrom: Annotated[float, WithinRange(0.0, 1.0)] = 0.4
    sdrTo: Annotated[float, WithinRange(0.0, 1.0)] = 1.0
    thicknessFromMm: Annotated[float, WithinRange(0.0, 30.0)] = 2.0
    thicknessToMm: Annotated[float, WithinRange(0.0, 30.0)] = 15.0
    mapTarget: vtkMRMLMarkupsFiducialNode
    mapScalar: Annotated[str, Choice(list(SCALARS))] = "Thickness (mm)"
    mapOnSkull: bool = True
    mapOnSlices: bool = True
    mapFrom: Annotated[float, WithinRange(-1024.0, 4000.0)] = 0.0
    mapTo: Annotated[float, WithinRange(-1024.0, 4000.0)] = 12.0


class SkullGANLogic(TaskLogic):
    """Skull, segments and synthetic segments, one task at a time, without a panel.

    Example::

        logic = SkullGANLogic()
        logic.startExtraction(ctNode, bones=["temporal"], intervalMm=3.1)
        while logic.poll() == "running":
            slicer.app.processEvents()
        nodes = logic.takeResult()  # a SkullGANScene.segmentsets.SegmentSetNodes

    Attributes:
        leftover: segment set that did not go into the scene because that was closed meanwhile.
        vertices: by the CT's ID, the file that lets its map's overlay show another scalar.
    """

    def __init__(self) -> None:
        TaskLogic.__init__(self)
        self.leftover: Path | None = None
        self.vertices: dict[str, Path] = {}
        self._intoScene = True

    def getParameterNode(self) -> SkullGANParameterNode:
        return SkullGANParameterNode(super().getParameterNode())

    def objectionTo(self, ct: vtkMRMLScalarVolumeNode | None) -> str:
        """Say why no segments can be cut from a volume, or nothing."""
        from SkullGANScene.volumes import KIND_ATTRIBUTE, MAP_ATTRIBUTE

        if ct is None:
            return _("Choose a head CT first.")
        if ct.GetAttribute(KIND_ATTRIBUTE):
            return _("This volume holds skull segments already; choose a head CT.")
        if ct.GetAttribute(MAP_ATTRIBUTE):
            return _("This volume is a map of a skull; choose a head CT.")
        if ct.GetImageData() is None:
            return _("This volume has no voxels; choose a head CT.")
        return ""

    def headCTs(self) -> list[vtkMRMLScalarVolumeNode]:
        """The volumes of the scene that may be head CTs."""
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        return [volume for volume in volumes if not self.objectionTo(volume)]

    def startSkull(self, ct: vtkMRMLScalarVolumeNode) -> None:
        """Begin to look for the skull; the result is its segmentation node."""
        from SkullGANScene import jobs

        self._check(ct)
        title = _("Looking for the skull in {ct}").format(ct=ct.GetName())
        self.start(title, jobs.find_skull(ct, self.newFolder()))

    def startExtraction(
        self,
        ct: vtkMRMLScalarVolumeNode,
        bones: Sequence[str],
        intervalMm: float,
        planes: Sequence[str] = PLANES,
        skull: vtkMRMLSegmentationNode | None = None,
    ) -> None:
        """Begin to cut segments; the result is a ``SegmentSetNodes``, None if the scene was closed.

        Raises:
            SkullGANError: if it cannot be begun.
        """
        from SkullGANScene import jobs

        self._check(ct)
        folder = self._folderForSegments()
        work = jobs.extract(
            ct,
            folder,
            bones=bones,
            planes=planes,
            interval_mm=intervalMm,
            skull_node=skull,
            into_scene=lambda: self._intoScene,
        )
        self.start(_("Extracting segments from {ct}").format(ct=ct.GetName()), work)

    def startBatch(
        self, cts: Sequence[vtkMRMLScalarVolumeNode], bones: Sequence[str], **settings: Any
    ) -> None:
        """Begin to cut segments of several CTs; the result is that of ``jobs.extract_all``."""
        from SkullGANScene import jobs

        work = jobs.extract_all(
            cts, self.newFolder, bones=bones, into_scene=lambda: self._intoScene, **settings
        )
        self._intoScene = True
        self.start(_("Extracting segments from {n} CTs").format(n=len(cts)), work)

    def startGeneration(
        self,
        modelPath: str,
        number: int,
        firstSeed: int,
        limits: dict[str, tuple[float, float]] | None = None,
    ) -> None:
        """Begin to make synthetic segments for the scene, by the model in the box if none is named.

        The result is a ``SegmentSetNodes``, None if the scene was closed.
        """
        from SkullGANScene import jobs

        work = jobs.generate(
            slicer.mrmlScene,
            self._folderForSegments(),
            count=number,
            first_seed=firstSeed,
            name=_("Synthetic skull segments"),
            model=modelPath or None,
            limits=limits,
            into_scene=lambda: self._intoScene,
        )
        self.start(_("Generating {n} segments").format(n=number), work)

    def startGenerationToFile(self, modelPath: str, number: int, firstSeed: int, path: str) -> None:
        """Begin to make any number of synthetic segments into a file; the result is its path."""
        from SkullGANScene import jobs

        work = jobs.generate_to_file(
            path, count=number, first_seed=firstSeed, model=modelPath or None
        )
        self.start(_("Generating {n} segments").format(n=number), work)

    def startSaving(self, segments: vtkMRMLScalarVolumeNode, path: str) -> None:
        """Begin to save the kept segments of a set in the scene; the result is their number."""
        from SkullGANScene import jobs

        title = _("Saving {name}").format(name=Path(path).name)
        self.start(title, jobs.save(segments, path, self.newFolder()))

    def startHandCuts(self, ct: vtkMRMLScalarVolumeNode, skull: vtkMRMLSegmentationNode) -> None:
        """Begin to prepare cuts by hand; the result is a ``handcuts.HandCutter``."""
        from SkullGANScene import handcuts

        self._check(ct)
        self.start(_("Preparing cuts by hand"), handcuts.prepare(ct, skull))

    def startMap(
        self,
        ct: vtkMRMLScalarVolumeNode,
        scalar: str = "thickness_mm",
        skull: vtkMRMLSegmentationNode | None = None,
        target: vtkMRMLMarkupsFiducialNode | None = None,
    ) -> None:
        """Begin to map SDR and thickness on the skull; the result is a ``jobs.MapNodes``.

        Args:
            ct: the CT.
            scalar: to show, one of ``radiology.METRICS``.
            skull: its skull; found if None.
            target: whose first point the array's rays go to; the middle of the head if None.
        """
        from SkullGANScene import jobs

        self._check(ct)
        point = None
        if target is not None and target.GetNumberOfControlPoints():
            point = [0.0, 0.0, 0.0]
            target.GetNthControlPointPositionWorld(0, point)
        work = jobs.map_skull(
            ct, self.newFolder(), scalar=scalar, skull_node=skull, target_ras=point
        )
        self.start(_("Mapping the skull of {ct}").format(ct=ct.GetName()), work)

    def startOverlay(self, ct: vtkMRMLScalarVolumeNode, scalar: str) -> bool:
        """Begin to let the overlay show another scalar; False if only a new map can do that."""
        from SkullGANScene import jobs, maps

        overlay = maps.overlay_of(ct)
        vertices = self.vertices.get(ct.GetID())
        if overlay is None or vertices is None or not vertices.is_file():
            return False
        self.start(_("Filling the overlay"), jobs.refill(overlay, vertices, scalar))
        return True

    def saveLeftover(self, path: str) -> None:
        """Copy what did not go into the scene to a file."""
        import shutil

        from SkullGANLib.files import written_aside

        with written_aside(path) as aside:
            shutil.copyfile(self.leftover, aside)

    def takeResult(self) -> Any:
        result = TaskLogic.takeResult(self)
        if result is None and self._output is not None and self._output.is_file():
            self.leftover = self._output
        self._output = None
        return result

    def keepOutOfScene(self) -> None:
        """Let go of the scene: what is being made can still be saved as a file."""
        self._intoScene = False

    def close(self) -> None:
        TaskLogic.close(self)
        self.leftover = None

    _output: Path | None = None

    def _folderForSegments(self) -> Path:
        from SkullGANScene import jobs

        folder = self.newFolder()
        self._output, self._intoScene = folder / jobs.SEGMENT_SET, True
        return folder

    def _check(self, ct: vtkMRMLScalarVolumeNode | None) -> None:
        from SkullGANLib.errors import BadInputError

        objection = self.objectionTo(ct)
        if objection:
            raise BadInputError(objection)


class SkullGANWidget(PanelWidget):
    """The panel."""

    logicClass = SkullGANLogic

    def connectWidgets(self) -> None:
        from SkullGANPanel.handcutting import HandCutting
        from SkullGANPanel.segmenttable import SegmentTable
        from SkullGANPanel.segmentviews import SegmentViews

        ui = self.ui
        ui.setSelector.addAttribute("vtkMRMLScalarVolumeNode", "SkullGAN.Kind")
        self.table = SegmentTable(ui.segmentTable, self.onPicked, self.onKept)
        self.views = SegmentViews()
        self.mapping = Mapping(ui.mapValueLabel)
        self.hand = HandCutting(ui.previewLabel, ui.previewText, self.updateButtons)
        for button, slot in (
            (ui.skullButton, self.onSkull),
            (ui.editSkullButton, self.onEditSkull),
            (ui.extractButton, self.onExtract),
            (ui.batchButton, self.onBatch),
            (ui.saveButton, self.onSave),
            (ui.removeButton, self.onRemove),
            (ui.planeButton, self.onPlane),
            (ui.addButton, self.onAdd),
            (ui.generateButton, self.onGenerate),
            (ui.generateFileButton, self.onGenerateToFile),
            (ui.mapButton, self.onMap),
            (ui.mapTableButton, self.onMapTable),
        ):
            button.connect("clicked(bool)", slot)
        self.keepPath(ui.modelPath, "modelPath")

    def cleanup(self) -> None:
        self.hand.stop()
        self.mapping.stop()
        self.table.show(None)
        PanelWidget.cleanup(self)

    def parametersChosen(self) -> None:
        """Choose the scene's first CT if none was chosen."""
        heads = self.logic.headCTs()
        if self.node.ct is None and heads:
            self.node.ct = heads[0]

    def sceneStartsClosing(self) -> None:
        self.logic.keepOutOfScene()
        self.hand.stop()
        self.mapping.stop()
        self.logic.vertices.clear()
        self.views.forget()
        self.table.show(None)

    def showParameters(self) -> None:
        from SkullGANScene import segmentations, segmentsets

        node = self.node
        if node.ct is not None and not self._isOf(node.ct, node.skull):
            node.skull = segmentations.skull_of(node.ct)
        volume = node.segments if node.segments in segmentsets.in_scene(slicer.mrmlScene) else None
        if self.table.volume is not volume:
            self.table.show(volume)
            self._count()
        if not node.follow:
            self.views.restore()
        if self.hand.cutter and self.hand.cutter.node is not node.ct:
            self.hand.stop()
        self._showMap()

    @staticmethod
    def _isOf(ct: vtkMRMLScalarVolumeNode, skull: vtkMRMLSegmentationNode | None) -> bool:
        """Whether a skull may be this CT's: two CTs in turn must not mix."""
        from SkullGANScene import segmentations

        if skull is None:
            return segmentations.skull_of(ct) is None
        return segmentations.volume_of(skull) in (ct, None)

    def updateButtons(self) -> None:
        """Enable what can be done; a button that cannot be pressed says why."""
        ui, logic, node = self.ui, self.logic, self.node
        working = logic.isWorking()
        busy = _("Wait until the work below has ended, or cancel it.") if working else ""
        self.allow(
            ui.cancelButton,
            "" if working else _("Nothing is being done."),
            _("End the work; nothing of it enters the scene."),
        )
        if node is None:
            return
        self._hint()
        ct = busy or logic.objectionTo(node.ct)
        bones = _("Choose at least one bone.") if not self._chosen(BONES) else ""
        planes = _("Choose at least one plane.") if not self._chosen(PLANES) else ""
        self.allow(
            ui.skullButton,
            ct,
            _("Find the wall of the skull, about 10 s; it can be edited before extracting."),
        )
        self.allow(
            ui.editSkullButton,
            "" if node.skull else _("Segment the skull first."),
            _("Open the skull in the Segment Editor."),
        )
        ask = packages.sentence(packages.SEGMENTS)
        self.allow(
            ui.extractButton,
            ct or bones or planes,
            _("Cut the segments, about 20 s; they appear in the table and the scene.") + ask,
        )
        few = _("There is no head CT in the scene.") if not logic.headCTs() else ""
        self.allow(
            ui.batchButton,
            busy or few or bones or planes,
            _("Cut the segments of every CT in the scene, one after the other.") + ask,
        )
        nothing = _("Extract, generate or choose segments first.")
        chosen = self.table.volume is not None
        self.allow(
            ui.saveButton,
            busy or ("" if chosen or logic.leftover else nothing),
            _("Save the kept segments as a file, for training, evaluation and other programs."),
        )
        self.allow(
            ui.removeButton,
            busy or ("" if chosen else nothing),
            _("Remove these segments, their masks and metrics from the scene."),
        )
        self.allow(
            ui.planeButton,
            ct,
            _("Put a plane on the skull, to be dragged and turned in the views.")
            if not self.hand.cutter
            else _("Put the plane back onto the skull."),
        )
        self.allow(ui.addButton, busy or self.hand.objection(), _("Add this cut to the segments."))
        self.allow(
            ui.mapButton,
            ct,
            _("Map thickness and SDR on the skull, about 15 s, and cast the rays of an array."),
        )
        mapped = node.ct is not None and self._isMapped(node.ct)
        self.allow(
            ui.mapTableButton,
            "" if mapped else _("Map the skull first."),
            _("Show the map's summary by bone and side in a table beside the views."),
        )
        models = packages.sentence(packages.MODELS)
        order = self._limitsObjection()
        self.allow(
            ui.generateButton,
            busy or order or self._tooMany(),
            _("Make synthetic segments; they appear in the table and the scene.") + models,
        )
        self.allow(
            ui.generateFileButton,
            busy,
            _("Make any number of synthetic segments into a file, without limits.") + models,
        )

    # Head CT and segments.

    def onSkull(self) -> None:
        with self.shownErrors(_("The skull was not segmented.")):
            self.logic.startSkull(self.node.ct)
            self.watch()

    def onEditSkull(self) -> None:
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.util.getModuleWidget("SegmentEditor").editor
        editor.setSegmentationNode(self.node.skull)
        editor.setSourceVolumeNode(self.node.ct)

    def onExtract(self) -> None:
        node = self.node
        with self.shownErrors(_("No segments were extracted.")):
            packages.ensure(packages.SEGMENTS, _("Extraction"))
            self.logic.startExtraction(
                node.ct,
                self._chosen(BONES),
                node.intervalMm,
                self._chosen(PLANES),
                node.skull,
            )
            self.watch()

    def onBatch(self) -> None:
        with self.shownErrors(_("No segments were extracted.")):
            packages.ensure(packages.SEGMENTS, _("Extraction"))
            self.logic.startBatch(
                self.logic.headCTs(),
                self._chosen(BONES),
                planes=self._chosen(PLANES),
                interval_mm=self.node.intervalMm,
            )
            self.watch()

    # The table.

    def onPicked(self, segment: int) -> None:
        """Let the views follow the row that was picked."""
        if self.node and self.node.follow and segment >= 0:
            with self.shownErrors(_("The views could not follow.")):
                self.views.go(self.table.volume, segment)

    def onKept(self, segment: int, keep: bool) -> None:
        from SkullGANScene import segmentsets

        segmentsets.set_kept(self.table.volume, segment, keep)
        self._count()

    def onSave(self) -> None:
        path = self._askForFile(_("Save segments"), "segments.h5")
        if not path:
            return
        with self.shownErrors(_("The segments were not saved.")):
            packages.ensure(packages.SEGMENTS, _("Saving"))
            if self.table.volume is None:
                self.logic.saveLeftover(path)
                self.ui.statusLabel.text = _("Saved as {path}").format(path=path)
            else:
                self._savedAs = path
                self.logic.startSaving(self.table.volume, path)
                self.watch()

    def onRemove(self) -> None:
        from SkullGANScene import segmentsets

        volume = self.table.volume
        name = volume.GetName()
        self.views.restore()
        self.node.segments = None
        self.table.show(None)
        segmentsets.remove(volume)
        self.ui.statusLabel.text = _("{name} was removed from the scene.").format(name=name)
        self._count()

    def _count(self) -> None:
        """Say how many segments are kept, and what they measure."""
        from SkullGANPanel.segmenttable import summary

        self.ui.countLabel.text = summary(self.table.volume)
        self.updateButtons()

    # Cuts by hand.

    def onPlane(self) -> None:
        """Put the plane on the skull, after finding it and preparing the cutter if need be."""
        if self.hand.cutter:
            self.node.plane = self.hand.place(self.node.plane)
            return
        with self.shownErrors(_("The plane was not placed.")):
            from SkullGANScene import heads

            if self.node.skull is None or heads.head_of(self.node.ct) is None:
                self._thenPlane = True
                self.logic.startSkull(self.node.ct)
            else:
                self.logic.startHandCuts(self.node.ct, self.node.skull)
            self.watch()

    _thenPlane = False

    def onAdd(self) -> None:
        from SkullGANScene import handcuts

        with self.shownErrors(_("The cut was not added.")):
            packages.ensure(packages.SEGMENTS, _("Adding a segment"))
            volume = handcuts.add(self.hand.cutter, self.hand.cut.segments, self.table.volume)
            self.node.segments = volume
            self.table.show(volume)
            self.table.pick(volume.GetImageData().GetDimensions()[2] - 1)
            self._count()
            self.ui.statusLabel.text = _("The cut was added to {name}.").format(
                name=volume.GetName()
            )

    # Synthetic segments.

    def onGenerate(self) -> None:
        node = self.node
        with self.shownErrors(_("No segments were generated.")):
            packages.ensure(packages.MODELS, _("Generation"))
            limits = None
            if node.limited:
                limits = {
                    "sdr_peaks": (node.sdrFrom, node.sdrTo),
                    "thickness_mm": (node.thicknessFromMm, node.thicknessToMm),
                }
            self.logic.startGeneration(node.modelPath, node.number, node.firstSeed, limits)
            self.watch()

    def onGenerateToFile(self) -> None:
        path = self._askForFile(_("Generate into a file"), "synthetic.h5")
        if not path:
            return
        node = self.node
        with self.shownErrors(_("No segments were generated.")):
            packages.ensure(packages.MODELS, _("Generation"))
            self.logic.startGenerationToFile(node.modelPath, node.number, node.firstSeed, path)
            self.watch()

    @staticmethod
    def _isMapped(ct: vtkMRMLScalarVolumeNode) -> bool:
        from SkullGANScene import maps

        return len(maps.nodes_of(ct)) == 4

    def _limitsObjection(self) -> str:
        node = self.node
        turned = node.sdrFrom > node.sdrTo or node.thicknessFromMm > node.thicknessToMm
        return _("A lower limit is above its upper one.") if node.limited and turned else ""

    def _tooMany(self) -> str:
        from SkullGANScene.segmentsets import MOST_IN_SCENE

        if self.node.number <= MOST_IN_SCENE:
            return ""
        return _("A scene takes {n} segments at once; generate more into a file.").format(
            n=MOST_IN_SCENE
        )

    # Maps.

    def onMap(self) -> None:
        node = self.node
        with self.shownErrors(_("The skull was not mapped.")):
            self.logic.startMap(node.ct, SCALARS[node.mapScalar], node.skull, node.mapTarget)
            self.watch()

    def onMapTable(self) -> None:
        """Show the table of the map's summary in the table view."""
        from SkullGANScene import maps

        summary = maps.nodes_of(self.node.ct)[2]
        slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetActiveTableID(summary.GetID())
        slicer.app.applicationLogic().PropagateTableSelection()

    def _showMap(self) -> None:
        """Show the map as the parameters say; a new scalar brings its own range along."""
        from SkullGANScene import maps

        node = self.node
        scalar = SCALARS[node.mapScalar]
        surface = maps.surface_of(node.ct) if node.ct else None
        self.mapping.show(node.ct, scalar, node.mapOnSkull, node.mapOnSlices)
        if scalar != self._scalar:
            known, self._scalar = self._scalar is not None, scalar
            if known:  # not when a scene was opened: its range stays
                self._setRange(*maps.RANGES[scalar])
        if surface is None:
            return
        if node.mapFrom < node.mapTo and (node.mapFrom, node.mapTo) != self.mapping.range(node.ct):
            self.mapping.setRange(node.ct, node.mapFrom, node.mapTo)
        overlay = maps.overlay_of(node.ct)
        other = overlay is not None and maps.scalar_of(overlay) != scalar
        if other and node.mapOnSlices and not self.logic.isWorking():
            with self.shownErrors(_("The overlay was not changed.")):
                if self.logic.startOverlay(node.ct, scalar):
                    self.watch()

    _scalar: str | None = None

    def _setRange(self, low: float, high: float) -> None:
        modified = self.node.StartModify()
        self.node.mapFrom, self.node.mapTo = low, high
        self.node.EndModify(modified)

    # What came of it.

    def taskEnded(self, state: str, result: Any) -> str:
        from SkullGANScene.handcuts import HandCutter
        from SkullGANScene.jobs import MapNodes
        from SkullGANScene.segmentsets import SegmentSetNodes

        thenPlane, self._thenPlane = self._thenPlane, False
        if state == "cancelled":
            return _("Cancelled; the scene is as it was.")
        if result is None:
            return _("The scene was closed meanwhile. The segments can still be saved.")
        if isinstance(result, SegmentSetNodes):
            return self._segmentsCame(result)
        if isinstance(result, MapNodes):
            return self._mapCame(result)
        if isinstance(result, HandCutter):
            self.node.plane = self.hand.start(result, self.node.plane)
            return _("Drag and turn the plane; the cut follows below.")
        if isinstance(result, vtkMRMLSegmentationNode):
            self.node.skull = result
            if thenPlane:
                qt.QTimer.singleShot(0, self.onPlane)
            return _("The skull is in the scene as {name}; it can be edited.").format(
                name=result.GetName()
            )
        if isinstance(result, vtkMRMLScalarVolumeNode):  # an overlay
            if self.node:
                self.showParameters()
            return _("The overlay is filled anew.")
        if isinstance(result, list):
            return self._batchCame(result)
        if isinstance(result, int):
            return _("{n} segments were saved as {path}").format(n=result, path=self._savedAs)
        return str(result)

    def _segmentsCame(self, nodes: Any) -> str:
        if self.node:
            self.node.segments = nodes.volume
        count = nodes.volume.GetImageData().GetDimensions()[2]
        return _(
            "{n} segments are in the scene as the volume {name}, one a slice, with masks and a"
            " table of metrics."
        ).format(n=count, name=nodes.volume.GetName())

    def _mapCame(self, nodes: Any) -> str:
        ct = self.node.ct if self.node else None
        if ct is not None:
            self.logic.vertices[ct.GetID()] = nodes.vertices
            self.showParameters()
        self.ui.mapTextLabel.text = sentence(nodes.numbers)
        return _(
            "The map is in the scene as {name}; move the mouse over the skull to read it."
        ).format(name=nodes.surface.GetName())

    def _batchCame(self, rows: list[tuple[str, Any]]) -> str:
        good = [nodes for _name, nodes in rows if not isinstance(nodes, str) and nodes is not None]
        if good and self.node:
            self.node.segments = good[-1].volume
        said = [_("{n} of {of} CTs gave segments.").format(n=len(good), of=len(rows))]
        said += [f"{name}: {why}" for name, why in rows if isinstance(why, str)]
        return "\n".join(said)

    def _chosen(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if getattr(self.node, name)]

    def _hint(self) -> None:
        hint = _(
            "Load a head CT to begin. To try it out, the module Sample Data has one:"
            " SkullGANHeadCT."
        )
        if self.ui.statusLabel.text in ("", hint):
            self.ui.statusLabel.text = "" if self.node.ct else hint

    def _askForFile(self, title: str, name: str) -> str:
        filters = ";;".join(f"{_(kind)} ({pattern})" for kind, pattern in FORMATS)
        path = qt.QFileDialog.getSaveFileName(None, title, name, filters)
        known = tuple(pattern.lstrip("*") for _kind, pattern in FORMATS)
        return path if not path or path.endswith(known) else f"{path}.h5"


class SkullGANTest(ScriptedLoadableModuleTest):
    """Runs in Slicer's self tests: from the sample CT to segments in the scene, by the logic."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        self.setUp()
        self.test_segments_of_the_sample_ct_are_in_the_scene()

    def test_segments_of_the_sample_ct_are_in_the_scene(self) -> None:
        [ct] = loadSampleData()
        logic = SkullGANLogic()
        logic.startExtraction(ct, ["temporal"], intervalMm=12.4)
        while logic.poll() == "running":
            slicer.app.processEvents()
        nodes = logic.takeResult()
        logic.close()
        assert nodes.volume.GetImageData().GetDimensions()[2] > 0
        self.delayDisplay("The sample CT's segments are in the scene")
