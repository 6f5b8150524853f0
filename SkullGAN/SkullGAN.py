"""The module SkullGAN: segments of a head CT, and synthetic ones from a trained model.

``SkullGANLogic`` is what a script uses; ``SkullGANWidget`` is the panel, which only shows and asks.
Both leave the work to ``SkullGANLib``, in a child process, and the scene to ``SkullGANScene``.
"""

# ruff: noqa: N802, N803, N806, N815 - camel case is what Slicer calls and how its modules read
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import qt
import slicer
import slicer.util
import vtk
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

POLL_MSEC = 100


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
    """Load the head CT that comes with the extension; it needs no network."""
    from SkullGANLib import resources, volume
    from SkullGANScene import volumes

    ct = volume.read_ct(resources.sample_ct())
    return [volumes.add_ct(slicer.mrmlScene, ct, "SkullGANHeadCT")]


@parameterNodeWrapper
class SkullGANParameterNode:
    """What the panel remembers in the scene.

    ct: the head CT.
    temporal, parietal: bones to cut.
    intervalMm: distance of neighbouring planes.
    modelPath: of the generator (.safetensors).
    number: of synthetic segments.
    firstSeed: of the first of them; the others count up.
    """

    ct: vtkMRMLScalarVolumeNode
    temporal: bool = True
    parietal: bool = True
    intervalMm: Annotated[float, WithinRange(0.5, 20.0)] = 3.1
    modelPath: str = ""
    number: Annotated[int, WithinRange(1, 10000)] = 100
    firstSeed: Annotated[int, WithinRange(0, 2000000000)] = 0


@dataclass
class Work:
    """A child process that makes a segment set, and what becomes of the result.

    Attributes:
        child: the ``SkullGANLib.process.ChildProcess``.
        output: the segment set it writes.
        name: what its nodes will be called.
        ctID: of the CT node it comes from, empty for synthetic segments.
        shown: how the user knows the files that the child knows by their paths.
        intoScene: whether the result goes into the scene.
    """

    child: Any
    output: Path
    name: str
    ctID: str = ""
    shown: tuple[str, str] = ("", "")
    intoScene: bool = True


class SkullGANLogic(ScriptedLoadableModuleLogic):
    """Extraction and generation, one at a time, without a panel.

    Example::

        logic = SkullGANLogic()
        logic.startExtraction(ctNode, ["temporal"], intervalMm=3.1)
        while logic.poll() == "running":
            slicer.app.processEvents()
        nodes = logic.takeResult()
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.work: Work | None = None
        self.segmentSetPath: Path | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        self._count = 0

    def getParameterNode(self) -> SkullGANParameterNode:
        return SkullGANParameterNode(super().getParameterNode())

    def objectionTo(self, ct: vtkMRMLScalarVolumeNode | None) -> str:
        """Say why no segments can be cut from a volume, or nothing."""
        from SkullGANScene.volumes import KIND_ATTRIBUTE

        if ct is None:
            return _("Choose a head CT first.")
        if ct.GetAttribute(KIND_ATTRIBUTE):
            return _("This volume holds skull segments already; choose a head CT.")
        if ct.GetImageData() is None:
            return _("This volume has no voxels; choose a head CT.")
        return ""

    def startExtraction(
        self, ct: vtkMRMLScalarVolumeNode, bones: list[str], intervalMm: float
    ) -> None:
        """Begin to cut segments out of a CT; raises ``SkullGANError`` if it cannot be."""
        from SkullGANLib import volume
        from SkullGANLib.errors import BadInputError
        from SkullGANScene import volumes

        objection = self.objectionTo(ct)
        if objection:
            raise BadInputError(objection)
        head = volumes.ct_from(ct)
        folder = self._newFolder()
        path = folder / "ct.nrrd"
        volume.write_volume(path, head.hu, head.ijk_to_ras, head.source, compress=False)
        arguments = ["extract", path, "-o", folder / "segments.h5"]
        arguments += ["--bones", ",".join(bones), "--interval-mm", str(intervalMm)]
        name = _("{ct} segments").format(ct=ct.GetName())
        self._start(arguments, folder, name, ct.GetID(), (str(path), ct.GetName()))

    def startGeneration(self, modelPath: str, number: int, firstSeed: int) -> None:
        """Begin to make synthetic segments; raises ``SkullGANError`` if it cannot be."""
        folder = self._newFolder()
        arguments = ["generate", modelPath, "-n", number, "--seed", firstSeed]
        arguments += ["-o", folder / "segments.h5"]
        self._start(list(map(str, arguments)), folder, _("Synthetic skull segments"))

    def isWorking(self) -> bool:
        return self.work is not None

    def poll(self) -> str:
        """Carry on; give ``idle``, ``running``, ``finished``, ``cancelled`` or ``failed``."""
        return self.work.child.poll() if self.work else "idle"

    def takeResult(self) -> Any:
        """Put what a finished child made into the scene.

        Returns:
            The ``SegmentSetNodes``; None if it was cancelled or is not for the scene any more.

        Raises:
            SkullGANError: with the child's sentence if it failed.
        """
        from SkullGANLib import radiology, segmentset
        from SkullGANLib.errors import SkullGANError
        from SkullGANScene import synthetic

        work, self.work = self.work, None
        if work.child.state == "cancelled":
            return None
        if work.child.state != "finished":
            raise SkullGANError(work.child.sentence.replace(*work.shown))
        segments = segmentset.read(work.output)
        self.segmentSetPath = work.output
        if not work.intoScene:
            return None
        metrics = radiology.measure(segments)
        nodes = synthetic.add_segment_set(slicer.mrmlScene, segments, metrics, work.name)
        ct = slicer.mrmlScene.GetNodeByID(work.ctID) if work.ctID else None
        if ct is not None:
            self._putUnderStudyOf(ct, nodes.folder)
        return nodes

    def saveSegmentSet(self, path: str) -> None:
        """Copy the last result to a file; raises ``OutputError`` if it cannot be written."""
        from SkullGANLib.files import written_aside

        with written_aside(path) as aside:
            shutil.copyfile(self.segmentSetPath, aside)

    def cancel(self) -> None:
        """Begin to end what is being done; ``poll`` says when it has ended."""
        if self.work:
            self.work.child.cancel()

    def keepOutOfScene(self) -> None:
        """Let go of the scene: what is being made can still be saved as a file."""
        if self.work:
            self.work.intoScene = False

    def close(self) -> None:
        """End what is being done and remove the temporary files."""
        if self.work:
            self.work.child.end()
            self.work = None
        if self._folder:
            self._folder.cleanup()
        self._folder, self.segmentSetPath = None, None

    def _newFolder(self) -> Path:
        if self.work:
            raise RuntimeError("one extraction or generation at a time")
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="skullgan-panel-")
        self._count += 1
        folder = Path(self._folder.name) / str(self._count)
        folder.mkdir()
        return folder

    def _start(
        self,
        arguments: list,
        folder: Path,
        name: str,
        ctID: str = "",
        shown: tuple[str, str] = ("", ""),
    ) -> None:
        from SkullGANLib.process import ChildProcess, command_line

        child = ChildProcess(command_line([*arguments, "--progress", "lines"]))
        self.work = Work(child, folder / "segments.h5", name, ctID, shown)

    @staticmethod
    def _putUnderStudyOf(ct: vtkMRMLScalarVolumeNode, folder: int) -> None:
        """Move the folder of real segments to where their CT is, if that is a study or folder."""
        from SkullGANScene import hierarchy

        tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(ct.GetScene())
        tree.SetItemParent(folder, tree.GetItemParent(hierarchy.item_of(ct)))


class SkullGANWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: SkullGANLogic | None = None
        self._parameterNode: SkullGANParameterNode | None = None
        self._guiTag: int | None = None

    def setup(self) -> None:
        """Build the panel, when it is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SkullGAN.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        self._uiWidget = uiWidget
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SkullGANLogic()
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MSEC)
        self.timer.connect("timeout()", self.onTimer)

        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.ui.extractButton.connect("clicked(bool)", self.onExtract)
        self.ui.saveButton.connect("clicked(bool)", self.onSave)
        self.ui.generateButton.connect("clicked(bool)", self.onGenerate)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancel)
        self.ui.modelPath.connect("currentPathChanged(QString)", self.onModelPath)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module goes: with it go its child process and temporary files."""
        self.timer.stop()
        self.setParameterNode(None)
        self.removeObservers()
        self.logic.close()

    def enter(self) -> None:
        """Called whenever the user comes to the panel."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """Called whenever the user leaves the panel; work goes on."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller: Any, event: Any) -> None:
        self.setParameterNode(None)
        if self.logic.isWorking():
            self.logic.keepOutOfScene()

    def onSceneEndClose(self, caller: Any, event: Any) -> None:
        self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        """Take the parameters from the scene; choose its first CT if none was chosen."""
        self.setParameterNode(self.logic.getParameterNode())
        if self._parameterNode.ct is None:
            volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
            heads = [volume for volume in volumes if not self.logic.objectionTo(volume)]
            if heads:
                self._parameterNode.ct = heads[0]

    def setParameterNode(self, node: SkullGANParameterNode | None) -> None:
        """Show the parameters of a node, and no longer those of the one before."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(
                self._parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameters
            )
        self._parameterNode = node
        if node:
            # Not connectGui, which gives no tag to disconnect by (Slicer/Slicer#7547).
            self._guiTag = node.connectParametersToGui(self._namedWidgets())
            self.addObserver(node.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameters)
            self.onParameters()

    def _namedWidgets(self) -> dict[str, Any]:
        """The widgets that name a parameter, by its name."""
        named = "SlicerParameterName"
        widgets = slicer.util.findChildren(self._uiWidget)
        return {w.property(named): w for w in widgets if w.property(named)}

    def onParameters(self, caller: Any = None, event: Any = None) -> None:
        """Show what the parameter node holds and allow what it allows."""
        if self.ui.modelPath.currentPath != self._parameterNode.modelPath:
            self.ui.modelPath.currentPath = self._parameterNode.modelPath
        self.updateButtons()

    def onModelPath(self, path: str) -> None:
        if self._parameterNode:
            self._parameterNode.modelPath = path

    def updateButtons(self) -> None:
        """Enable what can be done; a button that cannot be pressed says why."""
        busy = _("Wait until the work below has ended, or cancel it.")
        working = self.logic.isWorking()
        node = self._parameterNode
        if node:
            hint = _(
                "Load a head CT to begin. To try it out, the module Sample Data has one:"
                " SkullGANHeadCT."
            )
            if self.ui.statusLabel.text in ("", hint):
                self.ui.statusLabel.text = "" if node.ct else hint
            noBone = _("Choose at least one bone.") if not (node.temporal or node.parietal) else ""
            self._allow(
                self.ui.extractButton,
                (busy if working else "") or self.logic.objectionTo(node.ct) or noBone,
                _("Cut segments out of the CT, about 10 seconds; they appear in the scene."),
            )
            noModel = _("Choose a model file (.safetensors) first.") if not node.modelPath else ""
            self._allow(
                self.ui.generateButton,
                (busy if working else "") or noModel,
                _("Make synthetic segments; they appear in the scene."),
            )
        nothing = _("Extract or generate segments first.")
        self._allow(
            self.ui.saveButton,
            "" if self.logic.segmentSetPath else nothing,
            _("Save the segments made last as a file (.h5), for training and evaluation."),
        )
        self._allow(
            self.ui.cancelButton,
            "" if working else _("Nothing is being done."),
            _("End the work; nothing of it enters the scene."),
        )

    @staticmethod
    def _allow(button: Any, objection: str, use: str) -> None:
        button.enabled = not objection
        button.toolTip = objection or use

    def onExtract(self) -> None:
        node = self._parameterNode
        bones = [bone for bone in ("temporal", "parietal") if getattr(node, bone)]
        with self._shownErrors(_("No segments were extracted.")):
            self.logic.startExtraction(node.ct, bones, node.intervalMm)
            self._watch(_("Extracting segments from {ct}").format(ct=node.ct.GetName()))

    def onGenerate(self) -> None:
        node = self._parameterNode
        with self._shownErrors(_("No segments were generated.")):
            self.logic.startGeneration(node.modelPath, node.number, node.firstSeed)
            self._watch(_("Generating {n} segments").format(n=node.number))

    def onCancel(self) -> None:
        self.logic.cancel()
        self.ui.statusLabel.text = _("Cancelling...")

    def onSave(self) -> None:
        path = qt.QFileDialog.getSaveFileName(
            None, _("Save segment set"), "segments.h5", _("Segment set (*.h5)")
        )
        if path:
            path = path if path.endswith((".h5", ".hdf5")) else f"{path}.h5"
            with self._shownErrors(_("The segment set was not saved.")):
                self.logic.saveSegmentSet(path)
                self.ui.statusLabel.text = _("Saved as {path}").format(path=path)

    def onTimer(self) -> None:
        """Show how far the child is, and take its result when it has ended."""
        state = self.logic.poll()
        child = self.logic.work.child
        self.ui.progressBar.value = round(100 * child.share)
        if state == "running":
            if not child.cancelling and child.eta_s is not None:
                left = _("{s} s left").format(s=max(1, round(child.eta_s)))
                self.ui.statusLabel.text = f"{self._title}: {left}"
            return
        self.timer.stop()
        with self._shownErrors(_("That did not work.")):
            self._report(state, self.logic.takeResult())

    def _report(self, state: str, nodes: Any) -> None:
        self.updateButtons()
        if state == "cancelled":
            self.ui.progressBar.value = 0
            self.ui.statusLabel.text = _("Cancelled; the scene is as it was.")
        elif nodes is None:
            self.ui.statusLabel.text = _(
                "The scene was closed meanwhile. The segments can still be saved."
            )
        else:
            count = nodes.volume.GetImageData().GetDimensions()[2]
            self.ui.statusLabel.text = _(
                "{n} segments are in the scene as the volume {name}, one a slice, with masks and a"
                " table of metrics. The module Data shows them."
            ).format(n=count, name=nodes.volume.GetName())

    def _watch(self, title: str) -> None:
        self._title = title
        self.ui.progressBar.value = 0
        self.ui.statusLabel.text = f"{title}..."
        self.timer.start()
        self.updateButtons()

    @contextmanager
    def _shownErrors(self, message: str) -> Iterator[None]:
        """Show what a user can mend as a sentence; the rest is a bug and keeps its traceback."""
        from SkullGANLib.errors import SkullGANError

        problem = None
        with slicer.util.tryWithErrorDisplay(message, waitCursor=True):
            try:
                yield
            except SkullGANError as error:
                problem = error
        if problem:
            self.ui.progressBar.value = 0
            self.ui.statusLabel.text = str(problem)
            self.updateButtons()
            slicer.util.errorDisplay(f"{message}\n\n{problem}")


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
