"""Trainings with or without a panel: started, found again, watched, stopped, resumed."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
import slicer.util
from SkullGANGui.task_logic import TaskLogic
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SkullGANLib.training.command import TrainCommand
    from SkullGANLib.training.monitor import Follower, RunState
    from SkullGANLib.training.recipe import Recipe
    from SkullGANLib.utils.child_process import ChildProcess
    from SkullGANLib.utils.task import Task, Work

    from .parameters import SkullGANTrainParameterNode

PATIENCE_S = 60.0
"""How long a training may take to save before it is ended, on the first press of Stop."""
_LISTING_S = 0.03


@dataclass(frozen=True)
class Ended:
    """A training of ours that ended.

    Attributes:
        folder: its run folder.
        state: "finished", "cancelled" or "failed".
        sentence: why it failed.
    """

    folder: Path
    state: str
    sentence: str


class SkullGANTrainLogic(TaskLogic):
    """Starts trainings, each in a process group of its own, and watches run folders.

    A training outlives the panel and Slicer: its run folder is all that is watched, whoever began
    it. Of the two tasks that run at a time, that of ``TaskLogic`` prepares a start (segment sets of
    the scene are saved first), ``checking`` checks the form beforehand.

    Example::

        logic = SkullGANTrainLogic()
        node = logic.getParameterNode()
        node.segmentSets, node.runsFolder, node.recipe = "segments.h5", "runs", "demo"
        logic.startTraining(node)
        while logic.poll() == "running":
            slicer.app.processEvents()
        folder = logic.takeResult()
        while logic.runState(folder).goes_on:
            logic.pollTrainings()
            slicer.app.processEvents()
    """

    def __init__(self) -> None:
        TaskLogic.__init__(self)
        self.trainings: dict[Path, ChildProcess] = {}
        """The ``ChildProcess`` of each training that we started and that goes on."""
        self.checking: Task[dict[str, Any]] | None = None
        self.follower: Follower | None = None
        self._recipes: dict[Path, Recipe] = {}

    def getParameterNode(self) -> SkullGANTrainParameterNode:
        from .parameters import SkullGANTrainParameterNode  # with it comes the library

        return self.wrapped(SkullGANTrainParameterNode)

    # Starting.

    def startTraining(self, node: SkullGANTrainParameterNode) -> Task[Path]:
        """Begin to start a training; the task's result is its run folder.

        Raises:
            BadInputError: if the form does not do, or another start is being prepared.
        """
        from SkullGANLib.errors import BadInputError

        from . import parameters

        problem = parameters.rejection_reason(node)
        if problem:
            raise BadInputError(problem)
        work = self._starting(node, parameters.runFolder(node))
        return self.start(_("Starting the training"), work)

    def _starting(self, node: SkullGANTrainParameterNode, folder: Path) -> Work[Path]:
        command = yield from self._command(node, folder, folder / "segments")
        self._launch(command.arguments(), folder)
        return folder

    def startCommand(self, node: SkullGANTrainParameterNode) -> Task[str]:
        """Begin to write the command of the form; the task's result is the line for a shell."""
        from . import parameters

        folder = parameters.runFolder(node)
        return self.start(_("Writing the command"), self._writing(node, folder, node.processes))

    def _writing(self, node: SkullGANTrainParameterNode, folder: Path, processes: int) -> Work[str]:
        from SkullGANLib.utils.child_process import slicers_python

        beside = folder.with_name(f"{folder.name} segments")
        command = yield from self._command(node, folder, beside)
        # An installed extension has the library and neither skullgan nor torchrun.
        return command.line(processes, slicers_python())

    def resume(self, folder: Path, device: str = "auto") -> None:
        """Resume a training that ended early; raises ``OutputError`` if it cannot be."""
        from SkullGANLib.training.command import resume_arguments

        self._launch(resume_arguments(folder, device), folder)

    def _launch(self, arguments: list[str], folder: Path) -> None:
        from SkullGANLib.utils.child_process import ChildProcess, command_line

        line = command_line([*arguments, "--progress", "lines"])
        self.trainings[folder] = ChildProcess(line, run_directory=folder)

    def _command(
        self, node: SkullGANTrainParameterNode, output: Path, beside: Path
    ) -> Work[TrainCommand]:
        """Save the sets of the scene into a folder and give the command for all sets."""
        from SkullGANLib.utils.task import subprogress

        from . import parameters

        command, volumes = parameters.trainCommand(node, [], output), parameters.sceneSets(node)
        if volumes:
            from SkullGANScene.jobs import segment_jobs
        sets, names = parameters.paths(node), parameters.fileNames(volumes)
        for number, (volume, name) in enumerate(zip(volumes, names, strict=True)):
            share = number / len(volumes)
            saving = segment_jobs.save(volume, beside / name, beside)
            yield from subprogress(saving, share, share + 1 / len(volumes))
            sets.append(str(beside / name))
        return command.with_segments(sets)

    # Checking the form beforehand.

    def checkForm(self, node: SkullGANTrainParameterNode) -> None:
        """Begin to check the form, in a child; a check that has not ended is given up."""
        from SkullGANLib.utils.task import Task

        if self.checking:
            self.checking.cancel()
        self.checking = Task(_("Checking the segment sets"), self._checking(node))

    def _checking(self, node: SkullGANTrainParameterNode) -> Work[dict[str, Any]]:
        from SkullGANLib.errors import SkullGANError
        from SkullGANLib.utils.child_process import ChildProcess, command_line
        from SkullGANLib.utils.task import Running

        folder = self.newFolder()
        try:
            command = yield from self._command(node, folder, folder)
            there, sheet = folder / "found.json", folder / "sheet.png"
            line = command_line(command.check_arguments(there, sheet))
            try:
                yield Running(ChildProcess(line))
            except SkullGANError:
                if not there.is_file():
                    raise
            picture = sheet.read_bytes() if sheet.is_file() else b""
            return json.loads(there.read_text(encoding="utf-8")) | {"sheet": picture}
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # Watching.

    def runState(self, folder: Path | str) -> RunState:
        """Find where a run stands."""
        from SkullGANLib.training import monitor
        from SkullGANLib.training.run_directory import Run

        return monitor.poll(Run(Path(folder)))

    def runsIn(self, folder: str) -> Iterator[list[RunState] | None]:
        """List the runs of a folder, those that go on first, then the newest.

        Yields None after every few hundredths of a second until the list is there.
        """
        from SkullGANLib.training.run_directory import runs_in

        found, deadline = [], time.monotonic() + _LISTING_S
        for run in runs_in(folder) if folder else []:
            found.append(self.runState(run.path))
            if time.monotonic() >= deadline:
                yield None
                deadline = time.monotonic() + _LISTING_S
        yield sorted(found, key=_silence)

    def follow(self, folder: Path | str) -> None:
        """Read the reports of a run from now on, from its first one."""
        from SkullGANLib.training.monitor import Follower
        from SkullGANLib.training.run_directory import Run

        self.follower = Follower(Run(Path(folder))) if str(folder) else None

    def recipeOf(self, folder: Path) -> Recipe | None:
        """Give the recipe of a run, which never changes; None where it cannot be read."""
        from SkullGANLib.errors import BadInputError
        from SkullGANLib.training.run_directory import Run

        if folder not in self._recipes:
            try:
                self._recipes[folder] = Run(folder).recipe()
            except BadInputError:
                return None
        return self._recipes[folder]

    def samples(self) -> list[Path]:
        """Give the pictures of synthetic segments of the run that is followed, oldest first."""
        return self.follower.run.samples() if self.follower else []

    def pollTrainings(self) -> list[Ended]:
        """Look after the trainings that we started; give those that have ended since."""
        ended = []
        for folder, child in list(self.trainings.items()):
            state = child.poll()
            if state != "running":
                del self.trainings[folder]
                ended.append(Ended(folder, state, child.sentence if state == "failed" else ""))
        return ended

    # Ending.

    def isStopping(self, folder: Path) -> bool:
        """Tell whether a training was asked to end."""
        from SkullGANLib.training.run_directory import Run

        child = self.trainings.get(folder)
        return child.cancelling if child else Run(folder).stop_requested()

    def stop(self, folder: Path) -> None:
        """Ask a training to save and end; the second time, end it at once with all it started.

        Raises:
            SkullGANError: if it cannot be asked or ended.
        """
        from SkullGANLib.training import monitor
        from SkullGANLib.training.run_directory import Run

        again, child = self.isStopping(folder), self.trainings.get(folder)
        if child:
            # One that has only begun to start has nothing to save, and would miss the file.
            saves = self.runState(folder).state == "running" and not again
            child.cancel(ask_s=PATIENCE_S if saves else 0.0)
        elif again:
            monitor.end(Run(folder))
        else:
            Run(folder).request_stop()

    def askAllToStop(self) -> None:
        """Ask every training that we started to save and end, without waiting for it."""
        from SkullGANLib.errors import OutputError
        from SkullGANLib.training.run_directory import Run

        for folder, child in self.trainings.items():
            try:
                if self.runState(folder).state == "running":
                    Run(folder).request_stop()
                    continue
            except OutputError:  # a full disk: it is asked another way
                pass
            child.cancel(ask_s=0.0)

    def letGo(self) -> None:
        """Leave the trainings to themselves."""
        for child in self.trainings.values():
            if child.poll() == "running":
                child.let_go()
        self.trainings.clear()

    def close(self) -> None:
        """End what is being prepared; trainings go on."""
        self.letGo()
        if self.checking:
            self.checking.end()
            self.checking = None
        TaskLogic.close(self)

    # What becomes of it.

    def offerToGenerate(self, folder: Path) -> None:
        """Choose a run's model in the module SkullGAN and go there."""
        from SkullGANLib.training.run_directory import Run

        path = Run(folder).model_path
        slicer.util.getModuleLogic("SkullGAN").getParameterNode().modelPath = str(path)
        slicer.util.selectModule("SkullGAN")

    def showCurves(self, folder: Path, chart: str) -> None:
        """Put the curves of the run that is followed into the scene and a plot view."""
        from SkullGANScene.nodes import curves

        scene = slicer.mrmlScene
        nodes = curves.curves_of(scene, str(folder))
        nodes = nodes or curves.add_curves(scene, str(folder), folder.name)
        if self.follower:
            curves.update(nodes, self.follower.curves.columns())
        slicer.modules.plots.logic().ShowChartInLayout(nodes.charts[chart])

    def updateCurves(self, folder: Path) -> None:
        """Let the curves in the scene grow, if they are there."""
        from SkullGANScene.nodes import curves

        nodes = curves.curves_of(slicer.mrmlScene, str(folder))
        if nodes and self.follower:
            curves.update(nodes, self.follower.curves.columns())

    def removeCurves(self, folder: Path) -> None:
        """Take the curves out of the scene, if they are there."""
        from SkullGANScene.nodes import curves

        nodes = curves.curves_of(slicer.mrmlScene, str(folder))
        if nodes:
            curves.remove(nodes)

    def hasCurves(self, folder: Path) -> bool:
        """Tell whether the curves of a run are in the scene."""
        from SkullGANScene.nodes import curves

        return curves.curves_of(slicer.mrmlScene, str(folder)) is not None


def _silence(run: RunState) -> tuple[bool, float]:
    return not run.goes_on, float("inf") if run.silent_s is None else run.silent_s
