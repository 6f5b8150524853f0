"""The logic of the SkullGAN panel: each long step as a task."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import slicer
import slicer.util
from slicer import vtkMRMLMarkupsFiducialNode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _

from SkullGANGui.task_logic import TaskLogic

if TYPE_CHECKING:
    from SkullGANLib.data.depth import Depth
    from SkullGANLib.extraction.batch_table import Row
    from SkullGANLib.generation.selection import Selection
    from SkullGANLib.utils.task import Task, Work
    from SkullGANScene.jobs.hand_cuts import HandCutter
    from SkullGANScene.nodes.map_nodes import MapNodes
    from SkullGANScene.nodes.segment_sets import SegmentSetNodes


T = TypeVar("T")


class SectionsLogic(TaskLogic):
    """Skull, segments, maps and synthetic segments, one task at a time, without a panel.

    Every ``start...`` begins a task and gives it, or raises ``SkullGANError`` if it cannot begin.
    A panel follows it with ``PanelWidget.run``; a script calls ``poll``, which carries on, and
    ``takeResult``, which gives what the docstring names.

    Attributes:
        leftover: segment set that did not go into the scene because that was closed meanwhile.
        vertices: by the CT's ID, the file that lets its map's overlay show another scalar.
    """

    def __init__(self) -> None:
        TaskLogic.__init__(self)
        self.leftover: Path | None = None
        self.vertices: dict[str, Path] = {}
        self._intoScene = True

    def objectionTo(self, ct: vtkMRMLScalarVolumeNode | None) -> str:
        """Say why no segments can be cut from a volume, or nothing."""
        from SkullGANScene.nodes.volumes import KIND_ATTRIBUTE, MAP_ATTRIBUTE

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

    def startSkull(self, ct: vtkMRMLScalarVolumeNode | None) -> Task[vtkMRMLSegmentationNode]:
        """Begin to look for the skull; the result is its segmentation node."""
        from SkullGANScene.jobs import segment_jobs

        ct = self._checked(ct)
        title = _("Looking for the skull in {ct}").format(ct=ct.GetName())
        return self.start(title, segment_jobs.find_skull(ct, self.newFolder()))

    def startSurface(
        self, ct: vtkMRMLScalarVolumeNode | None, skull: vtkMRMLSegmentationNode
    ) -> Task[vtkMRMLSegmentationNode]:
        """Begin to make a skull's surface for 3D views; the result is the segmentation node."""
        from SkullGANScene.jobs import segment_jobs

        work = segment_jobs.show_skull(self._checked(ct), skull, self.newFolder())
        return self.start(_("Making the surface of {name}").format(name=skull.GetName()), work)

    def startLoading(self, path: str) -> Task[SegmentSetNodes] | Task[vtkMRMLScalarVolumeNode]:
        """Begin to load a segment set (.h5), or a head CT: a file, or a folder of DICOM.

        The result is a ``SegmentSetNodes``, or the volume node of the CT.
        """
        from SkullGANScene.jobs import loading

        name, scene = Path(path).name, slicer.mrmlScene
        title = _("Loading {name}").format(name=name)
        if Path(path).suffix.lower() in (".h5", ".hdf5"):
            return self.start(title, loading.load_set(scene, path))
        return self.start(title, loading.load_ct(scene, path))

    def startExtraction(
        self,
        ct: vtkMRMLScalarVolumeNode | None,
        bones: Sequence[str],
        intervalMm: float,
        planes: Sequence[str] = (),
        skull: vtkMRMLSegmentationNode | None = None,
        depth: Depth | None = None,
    ) -> Task[SegmentSetNodes | None]:
        """Begin to cut segments, with a depth stacks around them.

        The result is a ``SegmentSetNodes``, None if the scene was closed or does not take so many.
        Without planes, those of ``cut_plan.DEFAULT_PLANES`` are cut.

        Raises:
            SkullGANError: if it cannot be begun.
        """
        from SkullGANLib.anatomy.cut_plan import DEFAULT_PLANES
        from SkullGANScene.jobs import segment_jobs

        ct = self._checked(ct)
        folder = self._folderForSegments()
        work = segment_jobs.extract(
            ct,
            folder,
            bones=bones,
            planes=planes or DEFAULT_PLANES,
            interval_mm=intervalMm,
            depth=depth,
            skull_node=skull,
            into_scene=lambda: self._intoScene,
        )
        return self.start(_("Extracting segments from {ct}").format(ct=ct.GetName()), work)

    def startBatch(
        self, cts: Sequence[vtkMRMLScalarVolumeNode], bones: Sequence[str], **settings: Any
    ) -> Task[list[tuple[Row, SegmentSetNodes | None]]]:
        """Begin to cut segments of several CTs; the result is that of ``jobs.extract_all``."""
        from SkullGANScene.jobs import segment_jobs

        work = segment_jobs.extract_all(
            cts, self.newFolder, bones=bones, into_scene=lambda: self._intoScene, **settings
        )
        self._intoScene = True
        return self.start(_("Extracting segments from {n} CTs").format(n=len(cts)), work)

    def startGeneration(
        self,
        modelPath: str,
        number: int,
        firstSeed: int,
        selection: Selection | None = None,
        asked: Mapping[str, str | float] | None = None,
    ) -> Task[SegmentSetNodes | None]:
        """Begin to make synthetic segments for the scene, by the bundled model if none is named.

        With a selection, as many are made as it takes to keep that number; of a model that was
        trained with conditions, some may be asked for. The result is a ``SegmentSetNodes``, None if
        the scene was closed.
        """
        from SkullGANScene.jobs import segment_jobs

        work = segment_jobs.generate(
            slicer.mrmlScene,
            self._folderForSegments(),
            count=number,
            first_seed=firstSeed,
            name=_("Synthetic skull segments"),
            model=modelPath or None,
            selection=selection,
            asked=asked,
            into_scene=lambda: self._intoScene,
        )
        return self.start(_("Generating {n} segments").format(n=number), work)

    def startGenerationToFile(
        self,
        modelPath: str,
        number: int,
        firstSeed: int,
        path: str,
        selection: Selection | None = None,
        asked: Mapping[str, str | float] | None = None,
    ) -> Task[str]:
        """Begin to make any number of synthetic segments into a file; the result is its path.

        Arguments as of ``startGeneration``.
        """
        from SkullGANScene.jobs import segment_jobs

        work = segment_jobs.generate_to_file(
            path,
            count=number,
            first_seed=firstSeed,
            model=modelPath or None,
            selection=selection,
            asked=asked,
        )
        return self.start(_("Generating {n} segments").format(n=number), work)

    def startSaving(self, segments: vtkMRMLScalarVolumeNode, path: str) -> Task[int]:
        """Begin to save the kept segments of a set in the scene; the result is their number."""
        from SkullGANScene.jobs import segment_jobs

        title = _("Saving {name}").format(name=Path(path).name)
        return self.start(title, segment_jobs.save(segments, path, self.newFolder()))

    def startHandCuts(
        self, ct: vtkMRMLScalarVolumeNode, skull: vtkMRMLSegmentationNode
    ) -> Task[HandCutter]:
        """Begin to prepare cuts by hand; the result is a ``hand_cuts.HandCutter``."""
        ct = self._checked(ct)
        work = _imported("jobs.hand_cuts", lambda hand_cuts: hand_cuts.prepare(ct, skull))
        return self.start(_("Preparing cuts by hand"), work)

    def startMap(
        self,
        ct: vtkMRMLScalarVolumeNode,
        scalar: str = "thickness_mm",
        skull: vtkMRMLSegmentationNode | None = None,
        target: vtkMRMLMarkupsFiducialNode | None = None,
        array: str = "hemisphere",
        arrayScalar: str = "sdr_peaks",
    ) -> Task[MapNodes]:
        """Begin to map SDR and thickness on the skull; the result is a ``map_nodes.MapNodes``.

        Args:
            ct: the CT.
            scalar: to show, one of ``metrics.METRICS``.
            skull: its skull; found if None.
            target: whose first point the array's rays go to; the middle of the head if None.
            array: one of ``array_presets.PRESETS``, or the path of a file of elements (.csv).
            arrayScalar: what its elements are colored by, one of ``array_model.SCALARS``.
        """
        ct = self._checked(ct)
        point = None
        if target is not None and target.GetNumberOfControlPoints():
            point = [0.0, 0.0, 0.0]
            target.GetNthControlPointPositionWorld(0, point)
        folder = self.newFolder()
        work = _imported(
            "jobs.map_jobs",
            lambda map_jobs: map_jobs.map_skull(
                ct,
                folder,
                scalar=scalar,
                skull_node=skull,
                target_ras=point,
                array=array,
                array_scalar=arrayScalar,
            ),
        )
        return self.start(_("Mapping the skull of {ct}").format(ct=ct.GetName()), work)

    def startOverlay(
        self, ct: vtkMRMLScalarVolumeNode, scalar: str
    ) -> Task[vtkMRMLScalarVolumeNode] | None:
        """Begin to let the overlay show another scalar; the result is the overlay.

        None is begun where the overlay shows it already, or only a new map can.
        """
        from SkullGANScene.jobs import map_jobs
        from SkullGANScene.nodes import map_nodes, map_overlay

        overlay = map_nodes.overlay_of(ct)
        vertices = self.vertices.get(ct.GetID())
        if overlay is None or vertices is None or not vertices.is_file():
            return None
        if map_overlay.scalar_of(overlay) == scalar:
            return None
        return self.start(_("Filling the overlay"), map_jobs.refill(overlay, vertices, scalar))

    def startJudging(
        self, segments: vtkMRMLScalarVolumeNode, method: str, modelPath: str = ""
    ) -> Task[vtkMRMLScalarVolumeNode]:
        """Begin to let a discriminator judge segments; the result is the overlay over them.

        Args:
            segments: volume of a segment set.
            method: one of ``SkullGANLib.evaluation.measures.realness.METHODS``.
            modelPath: whose discriminator; the bundled model if empty.
        """
        folder, model = self.newFolder(), modelPath or None
        work = _imported(
            "jobs.map_jobs",
            lambda map_jobs: map_jobs.judge(segments, folder, method=method, model=model),
        )
        return self.start(_("Judging {name}").format(name=segments.GetName()), work)

    def saveLeftover(self, path: str) -> None:
        """Copy what did not go into the scene to a file.

        Raises:
            BadInputError: if there is nothing of the kind.
            OutputError: if the file cannot be written.
        """
        import shutil

        from SkullGANLib.errors import BadInputError
        from SkullGANLib.utils.atomic_files import written_aside

        if self.leftover is None:
            raise BadInputError(_("All segments that were made are in the scene."))
        with written_aside(path) as temporary:
            shutil.copyfile(self.leftover, temporary)

    def takeResult(self) -> Any:
        result = TaskLogic.takeResult(self)
        if result is None and self._output is not None and self._output.is_file():
            self.leftover = self._output
        self._output = None
        return result

    @property
    def keptOut(self) -> bool:
        """Whether what is being made does not go into the scene, because that was closed."""
        return not self._intoScene

    def keepOutOfScene(self) -> None:
        """Let go of the scene: what is being made can still be saved as a file."""
        self._intoScene = False

    def close(self) -> None:
        TaskLogic.close(self)
        self.leftover = None

    _output: Path | None = None

    def _folderForSegments(self) -> Path:
        from SkullGANScene.jobs import segment_jobs

        folder = self.newFolder()
        self._output, self._intoScene = folder / segment_jobs.SEGMENT_SET, True
        return folder

    def _checked(self, ct: vtkMRMLScalarVolumeNode | None) -> vtkMRMLScalarVolumeNode:
        from SkullGANLib.errors import BadInputError

        rejection_reason = self.objectionTo(ct)
        if rejection_reason:
            raise BadInputError(rejection_reason)
        return ct


def _imported(name: str, work: Callable[[Any], Work[T]]) -> Work[T]:
    """Import a module of ``SkullGANScene`` in a thread, then do its work: some bring SciPy."""
    from SkullGANLib.utils.task import in_thread, subprogress

    module = yield from subprogress(
        in_thread(lambda: import_module(f"SkullGANScene.{name}")), 0.0, 0.05
    )
    return (yield from subprogress(work(module), 0.05, 1.0))
