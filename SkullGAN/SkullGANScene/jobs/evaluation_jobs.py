"""An evaluation as work for a ``utils.task.Task``: from sets to a report in the scene."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.names import NAMES
from SkullGANLib.evaluation.report import reader
from SkullGANLib.utils.child_process import ChildProcess, command_line
from SkullGANLib.utils.task import Running, Work, in_thread, subprogress

from ..nodes import evaluation, nearest_neighbors

SETS = "sets"
"""Folder in a report's, with the sets that came out of the scene."""
_STACK = "segments.h5"
_AT_ONCE = 32


@dataclass(frozen=True)
class Shown:
    """How much of a report comes into the scene.

    Attributes:
        segments: of each set, at most.
        pairs: of synthetic segments and their nearest real ones, at most.
        way: how these are found, one of ``measures.nearest_neighbors.WAYS``.
    """

    segments: int = evaluation.MOST_SEGMENTS
    pairs: int = nearest_neighbors.MOST_PAIRS
    way: str = "mse"

    def __post_init__(self) -> None:
        """Check the numbers; raises ``BadInputError``."""
        for what, number in (("segments", self.segments), ("pairs", self.pairs)):
            if number < 1:
                raise BadInputError(f"{number} {what} cannot be shown: expected 1 or more.")


@dataclass(frozen=True)
class Chosen:
    """What is evaluated.

    Attributes:
        files: paths of segment sets, by one of ``names.NAMES``.
        volumes: sets in the scene (``segment_sets.add_segment_set``), likewise; kept ones only.
        model: whose discriminator judges; None for none.
        seed: of all chance.
        most: segments of each set that are compared; None for what the command takes.
    """

    files: Mapping[str, Sequence[str | Path]] = field(default_factory=dict)
    volumes: Mapping[str, Sequence[slicer.vtkMRMLScalarVolumeNode]] = field(default_factory=dict)
    model: str | Path | None = None
    seed: int = 0
    most: int | None = None


def evaluate(
    scene: slicer.vtkMRMLScene,
    chosen: Chosen,
    folder: Path,
    name: str,
    *,
    shown: Shown = Shown(),
    into_scene: Callable[[], bool] = lambda: True,
) -> Work[slicer.vtkMRMLTextNode | None]:
    """Evaluate segment sets in a child process and put the report into the scene.

    Args:
        scene: the scene.
        chosen: what is evaluated.
        folder: of the report; must not be there. Removed again if there is no report.
        name: of the report in the scene.
        shown: how much of it comes into the scene.
        into_scene: asked at the end; where it says no, the report's folder is all there is.

    Returns:
        The text node of the report (``evaluation.nodes_of``), None if it is not in the scene.

    Raises:
        BadInputError: if nothing was chosen, or the sets or the model do not go together.
        OutputError: if the report cannot be written.
    """
    if folder.exists():
        raise BadInputError(f"{folder}: is there already: expected a new name.")
    complete = False
    try:
        sets = {one: [str(path) for path in chosen.files.get(one, ())] for one in NAMES}
        names: dict[str, str] = {}
        yield from subprogress(_writing(chosen, folder / SETS, sets, names), 0.0, 0.1)
        arguments: list[Any] = ["evaluate", "-o", folder, "--seed", chosen.seed, "--overwrite"]
        for one, paths in sets.items():
            arguments += [f"--{one}", *paths] if paths else []
        arguments += ["--model", chosen.model] if chosen.model else []
        arguments += ["--most", chosen.most] if chosen.most else []
        child = ChildProcess(command_line([*arguments, "--progress", "lines"]))
        yield Running(child, 0.1, 0.8, names)
        complete = True
    finally:
        if not complete:
            shutil.rmtree(folder, ignore_errors=True)
    if not into_scene():
        return None
    return (yield from subprogress(add_report(scene, folder, name, shown=shown), 0.8, 1.0))


def add_report(
    scene: slicer.vtkMRMLScene, folder: str | Path, name: str, *, shown: Shown = Shown()
) -> Work[slicer.vtkMRMLTextNode]:
    """Put a report that is there already into the scene; returns its text node.

    Raises:
        BadInputError: if there is no report in the folder, or its segments are gone.
    """
    report = yield from subprogress(in_thread(lambda: reader.read(folder)), 0.0, 0.1)
    building = evaluation.building(
        scene, report, name, most=shown.segments, way=shown.way, pairs=shown.pairs
    )
    return (yield from subprogress(building, 0.1, 1.0))


def explain(
    volume: slicer.vtkMRMLScalarVolumeNode,
    folder: Path,
    *,
    model: str | Path,
    method: str,
    label: str,
) -> Work[slicer.vtkMRMLScalarVolumeNode]:
    """Say in a child process where in each segment of a set the discriminator's decision is from.

    Args:
        volume: one of ``evaluation.EvaluationNodes.volumes``.
        folder: empty, for files between the processes.
        model: whose discriminator.
        method: one of ``SkullGANLib.evaluation.names.REALNESS_METHODS``.
        label: whether realness is calibrated.

    Returns:
        The overlay, which ``evaluation.overlay_of`` finds again.

    Raises:
        BadInputError: if the model cannot be used or does not fit the segments, or the volume was
            deleted meanwhile.
    """
    path, values = folder / _STACK, folder / "why.npy"
    name = volume.GetName()
    yield from subprogress(_writing_stack(volume, path), 0.0, 0.1)
    arguments: list[str | Path] = ["realness", path, "--model", model]
    arguments += ["--method", method, "-o", values]
    child = ChildProcess(command_line([*arguments, "--progress", "lines"]))
    yield Running(child, 0.1, 0.9, {str(path): name})
    if volume.GetScene() is None:
        raise BadInputError(f"Volume {name!r} was deleted meanwhile: expected it to stay.")
    realness = yield from subprogress(
        in_thread(lambda: import_module("SkullGANScene.nodes.realness")), 0.9, 0.95
    )
    overlay = realness.add_realness(volume, np.load(values), method, *([label] if label else []))
    volume.SetNodeReferenceID(f"{evaluation.OVERLAY}.{method}", overlay.GetID())
    return overlay


def free_name(scene: slicer.vtkMRMLScene, folder: Path, stem: str) -> str:
    """Give a name that no report in the scene and nothing in the folder of reports has."""
    taken = {node.GetName() for node in evaluation.in_scene(scene)}
    number = 1
    while f"{stem} {number}" in taken or (folder / f"{stem} {number}").exists():
        number += 1
    return f"{stem} {number}"


def _writing(
    chosen: Chosen, folder: Path, sets: dict[str, list[str]], names: dict[str, str]
) -> Work[None]:
    """Write the sets of the scene as files and add these to ``sets``; ``names`` says whose."""
    volumes = [(one, node) for one in NAMES for node in chosen.volumes.get(one, ())]
    if not volumes:
        return
    # The import takes a while: of scipy's filters, which extraction needs.
    jobs = yield from subprogress(
        in_thread(lambda: import_module("SkullGANScene.jobs.segment_jobs")), 0.0, 0.0
    )
    for number, (one, node) in enumerate(volumes):
        # Not by the node's name, which may be a patient's.
        path = folder / f"{one}-{len(sets[one]) + 1}.h5"
        first, last = number / len(volumes), (number + 1) / len(volumes)
        yield from subprogress(jobs.save(node, path, folder), first, last)
        sets[one].append(str(path))
        names[str(path)] = node.GetName()


def _writing_stack(volume: slicer.vtkMRMLScalarVolumeNode, path: Path) -> Work[None]:
    """Write the segments of a stack as a set; what is not 0 HU is their wall."""
    hu = slicer.util.arrayFromVolume(volume)
    kind, spacing_mm = volume.GetAttribute(evaluation.KIND_ATTRIBUTE), volume.GetSpacing()[0]
    with hdf5.Writer(path, kind=kind, pixel_spacing_mm=spacing_mm, commit_every_s=None) as writer:
        for first in range(0, len(hu), _AT_ONCE):
            part = hu[first : first + _AT_ONCE]
            writer.append(
                segment_set.without_patient(
                    part,
                    part != 0,
                    np.full(len(part), -1),
                    kind=kind,
                    pixel_spacing_mm=spacing_mm,
                )
            )
            yield first / len(hu)
