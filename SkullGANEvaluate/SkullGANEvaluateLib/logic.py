"""Evaluations, one at a time, with or without a panel."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import slicer
from SkullGANGui.task_logic import TaskLogic
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLTextNode
from slicer.i18n import tr as _

from .parameters import OCCLUSION, SIFT, ChosenSet, SkullGANEvaluateParameterNode, setsOf

if TYPE_CHECKING:
    from SkullGANLib.utils.task import Task
    from SkullGANScene.jobs.evaluation_jobs import Shown

T = TypeVar("T")


class SkullGANEvaluateLogic(TaskLogic):
    """Evaluates segment sets and brings reports into the scene.

    Example::

        logic = SkullGANEvaluateLogic()
        sets = [ChosenSet("test", path="test.h5"), ChosenSet("synthetic", volume=node)]
        logic.startEvaluation(sets, "/reports")
        while logic.poll() == "running":
            slicer.app.processEvents()
        text = logic.takeResult()  # SkullGANScene.nodes.evaluation.nodes_of(text) has the rest
    """

    def __init__(self) -> None:
        TaskLogic.__init__(self)
        self.reportFolder: Path | None = None
        self._intoScene = True
        self._outlivesScene = False

    def getParameterNode(self) -> SkullGANEvaluateParameterNode:
        return self.wrapped(SkullGANEvaluateParameterNode)

    @staticmethod
    def chosenSets(node: SkullGANEvaluateParameterNode) -> list[ChosenSet]:
        return setsOf(node.parameterNode, node.files)

    @staticmethod
    def modelOf(node: SkullGANEvaluateParameterNode) -> Path | None:
        """Give the model that judges; raises ``BadInputError`` if none came with SkullGAN."""
        from SkullGANLib.utils import resources

        if not node.useModel:
            return None
        return Path(node.modelPath) if node.modelPath else resources.bundled_model()

    @staticmethod
    def shownOf(node: SkullGANEvaluateParameterNode) -> Shown:
        """Give how much of a report comes into the scene."""
        from SkullGANScene.jobs.evaluation_jobs import Shown

        way = "sift" if node.way == SIFT else "mse"
        return Shown(segments=node.shown, pairs=node.pairs, way=way)

    def startEvaluation(
        self,
        sets: Iterable[ChosenSet],
        reportsFolder: str | Path,
        *,
        model: str | Path | None = None,
        seed: int = 0,
        most: int | None = None,
        shown: Shown | None = None,
    ) -> Task[vtkMRMLTextNode | None]:
        """Begin an evaluation; the result is its report's text node, None if the scene was closed.

        ``reportFolder`` is where the report will be; the scene has it by that folder's name.

        Args:
            sets: what is compared.
            reportsFolder: where the report's folder is made.
            model: whose discriminator judges; None for none.
            seed, most: of the evaluation.
            shown: how much comes into the scene.
        """
        from SkullGANScene.jobs import evaluation_jobs

        sets = list(sets)
        chosen = evaluation_jobs.Chosen(
            files=_byName((one.name, one.path) for one in sets if one.volume is None),
            volumes=_byName((one.name, one.volume) for one in sets if one.volume is not None),
            model=model,
            seed=seed,
            most=most,
        )
        name = evaluation_jobs.free_name(slicer.mrmlScene, Path(reportsFolder), _("Evaluation"))
        self.reportFolder = Path(reportsFolder) / name
        self._intoScene = True
        work = evaluation_jobs.evaluate(
            slicer.mrmlScene,
            chosen,
            self.reportFolder,
            name,
            shown=shown or evaluation_jobs.Shown(),
            into_scene=lambda: self._intoScene,
        )
        task = self.start(_("Evaluating"), work)
        self._outlivesScene = True
        return task

    def startReport(
        self, folder: str | Path, *, shown: Shown | None = None
    ) -> Task[vtkMRMLTextNode]:
        """Begin to bring a report that was made earlier into the scene; the result is its text."""
        from SkullGANScene.jobs import evaluation_jobs

        self.reportFolder = Path(folder)
        work = evaluation_jobs.add_report(
            slicer.mrmlScene, folder, Path(folder).name, shown=shown or evaluation_jobs.Shown()
        )
        task = self.start(_("Reading the report"), work)
        self._outlivesScene = False
        return task

    def startOverlay(
        self, volume: vtkMRMLScalarVolumeNode, model: str | Path, method: str, label: str = ""
    ) -> Task[vtkMRMLScalarVolumeNode]:
        """Begin to lay a realness map over the segments of a set; the result is the overlay.

        Args:
            volume: one of ``evaluation.EvaluationNodes.volumes``.
            model: whose discriminator is explained.
            method: one of ``evaluation.METHODS``.
            label: whether realness is calibrated.
        """
        from SkullGANScene.jobs import evaluation_jobs

        work = evaluation_jobs.explain(
            volume, self.newFolder(), model=model, method=method, label=label
        )
        task = self.start(_("Looking for where realness comes from"), work)
        self._outlivesScene = False
        return task

    @staticmethod
    def methodOf(node: SkullGANEvaluateParameterNode) -> str:
        return "occlusion" if node.method == OCCLUSION else "positions"

    def leaveScene(self) -> None:
        """Let go of the scene: an evaluation goes on, its report stays out of the scene."""
        self._intoScene = False
        if self.task and not (self.task.child and self._outlivesScene):
            self.task.cancel()


def _byName(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for name, one in pairs:
        found.setdefault(name, []).append(one)
    return found
