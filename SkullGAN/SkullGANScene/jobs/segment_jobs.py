"""The long steps on a scene, as work for a ``SkullGANLib.utils.task.Task``.

Each is a generator: child processes do what takes long, and what is left for the thread of the
scene comes in pieces. A job that is cancelled or fails leaves the scene as it was. Panels watch
them with a timer, scripts with ``Task.wait``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from SkullGANLib.cli.selection_options import arguments_of
from SkullGANLib.data import hdf5
from SkullGANLib.data.depth import Depth
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction.batch_table import Row
from SkullGANLib.extraction.outcomes import cut_each
from SkullGANLib.generation.selection import Selection
from SkullGANLib.networks.conditions import QUANTITIES, options_of
from SkullGANLib.networks.model_card import read_card
from SkullGANLib.utils import resources
from SkullGANLib.utils.child_process import ChildProcess, module_line
from SkullGANLib.utils.task import Running, Work, subprogress

from ..nodes import head_attributes, segment_sets, segmentations, volumes, world_transforms
from ..nodes.segment_sets import MOST_IN_SCENE, SegmentSetNodes
from . import steps, surfaces

SEGMENT_SET, SKULL_MASK, CT = "segments.h5", "skull.nrrd", "ct.nrrd"
"""What jobs leave in their folder."""

_FRAME, _SURFACE = "frame.json", "skull.vtp"


def find_skull(
    ct_node: slicer.vtkMRMLScalarVolumeNode, folder: Path
) -> Work[slicer.vtkMRMLSegmentationNode]:
    """Find the skull in a CT and add it as a segmentation with its surface.

    Args:
        ct_node: the CT.
        folder: empty, for files between the processes.

    Returns:
        The ``vtkMRMLSegmentationNode``.

    Raises:
        BadInputError: if there is no vault in the CT, or it was deleted meanwhile.
    """
    path, mask_path = folder / CT, folder / SKULL_MASK
    yield from subprogress(volumes.writing(ct_node, path), 0.0, 0.1)
    names = {str(path): ct_node.GetName()}
    arguments = ["skull", path, "-o", mask_path, "--frame", folder / _FRAME, "--raw"]
    yield Running(steps.child(arguments), 0.1, 0.7, names)
    surface = module_line("SkullGANScene.jobs.surfaces", [mask_path, folder / _SURFACE])
    yield Running(ChildProcess(surface), 0.7, 0.9)
    steps.check_there(ct_node, names[str(path)])
    mask = steps.voxels(mask_path, ct_node)
    with steps.undone_unless_kept() as added:
        node = added(segmentations.add_skull(ct_node, mask))
        yield 0.95
        steps.check_there(ct_node, names[str(path)])
        world_to_node = volumes.ijk_to_ras(ct_node) @ np.linalg.inv(volumes.ijk_to_world(ct_node))
        surfaces.show(node, folder / _SURFACE, world_to_node)
        head_attributes.set_head(ct_node, head_attributes.read(folder / _FRAME))
    return node


def show_skull(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    skull_node: slicer.vtkMRMLSegmentationNode,
    folder: Path,
) -> Work[slicer.vtkMRMLSegmentationNode]:
    """Show a skull that has no surface yet, such as a loaded one, in 3D views; returns its node.

    Raises:
        BadInputError: if it was deleted meanwhile, or has no segment of a skull.
    """
    mask_path, name = folder / SKULL_MASK, skull_node.GetName()
    yield from subprogress(steps.mask_writing(skull_node, ct_node, mask_path), 0.0, 0.3)
    made = module_line("SkullGANScene.jobs.surfaces", [mask_path, folder / _SURFACE])
    yield Running(ChildProcess(made), 0.3, 0.95, {str(mask_path): name})
    steps.check_there(skull_node, name)
    to_node = world_transforms.world_to_node(skull_node)
    surfaces.show(skull_node, folder / _SURFACE, to_node)
    return skull_node


def extract(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    folder: Path,
    *,
    bones: Sequence[str],
    planes: Sequence[str],
    interval_mm: float,
    depth: Depth | None = None,
    skull_node: slicer.vtkMRMLSegmentationNode | None = None,
    into_scene: Callable[[], bool] = lambda: True,
) -> Work[SegmentSetNodes | None]:
    """Cut the segments of a CT and add them beside it; ``folder`` keeps them as ``SEGMENT_SET``.

    Args:
        ct_node: the CT.
        folder: empty, for files between the processes.
        bones, planes, interval_mm, depth: as for ``SkullGANLib.extraction.single_ct.extract``.
        skull_node: a segmentation of the skull, perhaps edited; found and added if None.
        into_scene: asked at the end; where it says no, the file is all there is.

    Returns:
        The ``SegmentSetNodes``, None if they did not go into the scene or are more than
        ``MOST_IN_SCENE``.

    Raises:
        BadInputError: if no segment can be cut.
    """
    work = _extract(
        ct_node,
        folder,
        bones=bones,
        planes=planes,
        interval_mm=interval_mm,
        depth=depth,
        skull_node=skull_node,
        into_scene=into_scene,
    )
    _segments, nodes = yield from work
    return nodes


def extract_all(
    ct_nodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
    new_folder: Callable[[], Path],
    **settings: Any,
) -> Work[list[tuple[Row, SegmentSetNodes | None]]]:
    """Cut the segments of several CTs, one after the other; one that fails does not stop the rest.

    A CT whose skull is in the scene, perhaps edited, is cut with it.

    Args:
        ct_nodes: the CTs.
        new_folder: makes an empty folder.
        settings: as for ``extract``.

    Returns:
        What became of each CT, as the table of a batch has it, and its ``SegmentSetNodes``; None
        where there are none.
    """
    nodes: list[SegmentSetNodes | None] = [None] * len(ct_nodes)

    def cut(number: int, name: str) -> Work[SegmentSet]:
        ct_node = ct_nodes[number]
        steps.check_there(ct_node, name)
        skull_node = segmentations.skull_for(ct_node)
        work = _extract(ct_node, new_folder(), skull_node=skull_node, **settings)
        segments, nodes[number] = yield from work
        if len(segments) > MOST_IN_SCENE:
            raise BadInputError(
                f"{name}: gave {len(segments)} segments, expected at most {MOST_IN_SCENE}, which a "
                "scene takes at once; widen the interval, or cut it with skullgan extract."
            )
        return segments

    names = [node.GetName() for node in ct_nodes]
    works = [(Row(name), cut(number, name)) for number, name in enumerate(names)]
    rows = yield from cut_each(works)
    return list(zip(rows, nodes, strict=True))


def _extract(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    folder: Path,
    *,
    bones: Sequence[str],
    planes: Sequence[str],
    interval_mm: float,
    skull_node: slicer.vtkMRMLSegmentationNode | None,
    depth: Depth | None = None,
    into_scene: Callable[[], bool] = lambda: True,
) -> Work[tuple[SegmentSet, SegmentSetNodes | None]]:
    """``extract``, with the segments beside their nodes."""
    name = ct_node.GetName()
    path, mask_path, output = folder / CT, folder / SKULL_MASK, folder / SEGMENT_SET
    scene = ct_node.GetScene()
    with steps.undone_unless_kept() as added:
        if skull_node is None:
            try:
                added((yield from subprogress(find_skull(ct_node, folder), 0.0, 0.45)))
            except BadInputError:
                # A CT that was deleted meanwhile can still be cut: its file and mask are there.
                if ct_node.GetScene() is not None or not mask_path.is_file():
                    raise
        else:
            yield from subprogress(volumes.writing(ct_node, path), 0.0, 0.1)
            yield from subprogress(steps.mask_writing(skull_node, ct_node, mask_path), 0.1, 0.2)
        cut = steps.extraction(
            path,
            output,
            bones=bones,
            planes=planes,
            interval_mm=interval_mm,
            depth=depth,
            mask_path=mask_path,
        )
        names = {str(path): name, str(mask_path): name}
        yield Running(cut, 0.45 if skull_node is None else 0.2, 0.9, names)
        segments = hdf5.read(output)
        if len(segments) > MOST_IN_SCENE:
            return segments, None
        metrics = yield from subprogress(steps.measured(segments), 0.9, 0.98)
        if not into_scene():
            return segments, None
        beside = ct_node if ct_node.GetScene() is not None else None
        title = f"{name} segments"
        return segments, segment_sets.add_segment_set(scene, segments, metrics, title, beside)


def generate(
    scene: slicer.vtkMRMLScene,
    folder: Path,
    *,
    count: int,
    first_seed: int,
    name: str,
    model: str | Path | None = None,
    selection: Selection | None = None,
    asked: Mapping[str, str | float] | None = None,
    into_scene: Callable[[], bool] = lambda: True,
) -> Work[SegmentSetNodes | None]:
    """Generate segments into the scene; ``folder`` keeps all of them as ``SEGMENT_SET``.

    Args:
        scene: the scene.
        folder: empty, for files between the processes.
        count: segments to make, or stacks by a model of stacks; with a selection to keep. At most
            ``MOST_IN_SCENE`` segments in all.
        first_seed: of the first of them; the others count up.
        name: of the set in the scene.
        model: file (.safetensors); the one that comes along if None.
        selection: which are kept; segments are made until there are enough.
        asked: conditions, of a model that is told some, by name (``networks.conditions``).
        into_scene: as for ``extract``.

    Returns:
        The ``SegmentSetNodes``, None if they did not go into the scene.

    Raises:
        BadInputError: if the model cannot be used, or too few segments fit the selection.
    """
    slices = _slices_of(model)
    if count * slices > MOST_IN_SCENE:
        what = f"{count} stacks of {slices} slices" if slices > 1 else f"{count} segments"
        raise BadInputError(
            f"{what} were asked for, a scene takes {MOST_IN_SCENE} segments at once; generate "
            "them into a file."
        )
    output = folder / SEGMENT_SET
    arguments = _generation(model, count, first_seed, selection, asked)
    yield Running(steps.child([*arguments, "-o", output, "--no-metrics"]), 0.0, 0.85)
    segments = yield from subprogress(steps.set_reading(output), 0.85, 0.9)
    metrics = yield from subprogress(steps.measured(segments), 0.9, 0.98)
    if not into_scene():
        return None
    return segment_sets.add_segment_set(scene, segments, metrics, name)


def _slices_of(model: str | Path | None) -> int:
    """How many segments a model makes of each seed; 1 where that is for its child to complain."""
    try:
        return read_card(model or resources.bundled_model()).slices
    except BadInputError:
        return 1


def _generation(
    model: str | Path | None,
    count: int,
    first_seed: int,
    selection: Selection | None,
    asked: Mapping[str, str | float] | None,
) -> list[Any]:
    ranges = selection.limits.ranges if selection else {}
    for quantity in (QUANTITIES[name] for name in asked or {} if name in QUANTITIES):
        if quantity.metric in ranges:  # they share an option of the command
            raise BadInputError(
                f"The {quantity.label} is asked for and limited, too; expected one of both."
            )
    arguments = ["generate", *([model] if model else []), "-n", count, "--seed", first_seed]
    arguments += options_of(asked or {})
    return [*arguments, *(arguments_of(selection) if selection else [])]


def generate_to_file(
    path: str | Path,
    *,
    count: int,
    first_seed: int,
    model: str | Path | None = None,
    selection: Selection | None = None,
    asked: Mapping[str, str | float] | None = None,
) -> Work[str]:
    """Generate any number of segments into a file, in the format of its ending; returns the path.

    Raises:
        BadInputError: if the model cannot be used, too few segments fit the selection, or the
            format does not hold so many.
        OutputError: if the file cannot be written.
    """
    arguments = _generation(model, count, first_seed, selection, asked)
    yield Running(steps.child([*arguments, "-o", path, "--overwrite"]))
    return str(path)


def save(volume: slicer.vtkMRMLScalarVolumeNode, path: str | Path, folder: Path) -> Work[int]:
    """Save the kept segments of a set in the scene to a file, in the format of its ending.

    Args:
        volume: of ``segment_sets.add_segment_set``.
        path: what ``SkullGANLib.export`` writes; replaced if it is there.
        folder: empty, for files between the processes.

    Returns:
        How many were saved.

    Raises:
        BadInputError: if none is kept, or the format does not hold so many.
        OutputError: if the file cannot be written.
    """
    from SkullGANLib.export import check, format_of

    path = Path(path)
    format = format_of(path)
    segments = segment_sets.segment_set_from(volume)
    check(path, format, len(segments))
    yield 0.05
    as_set = path if format.reads_back else folder / SEGMENT_SET
    yield from subprogress(steps.set_writing(segments, as_set), 0.05, 0.5)
    if not format.reads_back:
        arguments = ["export", as_set, "-o", path, "--overwrite"]
        yield Running(steps.child(arguments), 0.5, 1.0, {str(as_set): volume.GetName()})
    return len(segments)
