"""The long steps on a scene, as work for a ``SkullGANLib.task.Task``.

Each is a generator: child processes do what takes long, and what is left for the thread of the
scene comes in pieces. A job that is cancelled or fails leaves the scene as it was. Panels watch
them with a timer, scripts with ``Task.wait``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from SkullGANLib import radiology, segmentset
from SkullGANLib.errors import BadInputError, SkullGANError
from SkullGANLib.process import ChildProcess, command_line, module_line
from SkullGANLib.segmentset import SegmentSet
from SkullGANLib.task import Running, Work, within
from SkullGANLib.volume import write_in_slabs

from . import heads, hierarchy, segmentations, segmentsets, surfaces, volumes
from .segmentsets import MOST_IN_SCENE, SegmentSetNodes

SEGMENT_SET, SKULL_MASK = "segments.h5", "skull.nrrd"
"""What jobs leave in their folder."""

_FRAME, _SURFACE, _CT = "frame.json", "skull.vtp", "ct.nrrd"
_MEASURED_AT_ONCE = 32
_READ_AT_ONCE = 128
_SLICES_AT_ONCE = 16


def find_skull(ct_node: slicer.vtkMRMLScalarVolumeNode, folder: Path) -> Work:
    """Find the skull in a CT and add it as a segmentation with its surface.

    Args:
        ct_node: the CT.
        folder: empty, for files between the processes.

    Returns:
        The ``vtkMRMLSegmentationNode``.

    Raises:
        BadInputError: if there is no vault in the CT, or it was deleted meanwhile.
    """
    path, mask_path = folder / _CT, folder / SKULL_MASK
    yield from within(volumes.writing(ct_node, path), 0.0, 0.1)
    names = {str(path): ct_node.GetName()}
    arguments = ["skull", path, "-o", mask_path, "--frame", folder / _FRAME, "--raw"]
    yield Running(_child(arguments), 0.1, 0.7, names)
    surface = module_line("SkullGANScene.surfaces", [mask_path, folder / _SURFACE])
    yield Running(ChildProcess(surface), 0.7, 0.9)
    _check_there(ct_node, names[str(path)])
    mask = _voxels(mask_path, ct_node)
    with _undone_unless_kept() as added:
        node = added(segmentations.add_skull(ct_node, mask))
        yield 0.95
        _check_there(ct_node, names[str(path)])
        world_to_node = volumes.ijk_to_ras(ct_node) @ np.linalg.inv(volumes.ijk_to_world(ct_node))
        surfaces.show(node, folder / _SURFACE, world_to_node)
        heads.set_head(ct_node, heads.read(folder / _FRAME))
    return node


def extract(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    folder: Path,
    *,
    bones: Sequence[str],
    planes: Sequence[str],
    interval_mm: float,
    skull_node: slicer.vtkMRMLSegmentationNode | None = None,
    into_scene: Callable[[], bool] = lambda: True,
) -> Work:
    """Cut the segments of a CT and add them beside it; ``folder`` keeps them as ``SEGMENT_SET``.

    Args:
        ct_node: the CT.
        folder: empty, for files between the processes.
        bones, planes, interval_mm: as for ``SkullGANLib.segments.extract``.
        skull_node: a segmentation of the skull, perhaps edited; found and added if None.
        into_scene: asked at the end; where it says no, the file is all there is.

    Returns:
        The ``SegmentSetNodes``, None if they did not go into the scene.

    Raises:
        BadInputError: if no segment can be cut.
    """
    name = ct_node.GetName()
    path, mask_path, output = folder / _CT, folder / SKULL_MASK, folder / SEGMENT_SET
    scene = ct_node.GetScene()
    with _undone_unless_kept() as added:
        if skull_node is None:
            try:
                added((yield from within(find_skull(ct_node, folder), 0.0, 0.45)))
            except BadInputError:
                # A CT that was deleted meanwhile can still be cut: its file and mask are there.
                if ct_node.GetScene() is not None or not mask_path.is_file():
                    raise
        else:
            yield from within(volumes.writing(ct_node, path), 0.0, 0.1)
            yield from within(_mask_writing(skull_node, ct_node, mask_path), 0.1, 0.2)
        arguments = ["extract", path, "-o", output, "--skull-mask", mask_path]
        arguments += ["--bones", ",".join(bones), "--planes", ",".join(planes)]
        arguments += ["--interval-mm", str(interval_mm)]
        names = {str(path): name, str(mask_path): name}
        yield Running(_child(arguments), 0.45 if skull_node is None else 0.2, 0.9, names)
        segments = segmentset.read(output)
        metrics = yield from within(measured(segments), 0.9, 0.98)
        if not into_scene():
            return None
        beside = ct_node if ct_node.GetScene() is not None else None
        title = f"{name} segments"
        return segmentsets.add_segment_set(scene, segments, metrics, title, beside)


def extract_all(
    ct_nodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
    new_folder: Callable[[], Path],
    **settings: Any,
) -> Work:
    """Cut the segments of several CTs, one after the other; one that fails does not stop the rest.

    Args:
        ct_nodes: the CTs.
        new_folder: makes an empty folder.
        settings: as for ``extract``.

    Returns:
        List of (name of the CT, ``SegmentSetNodes`` or the sentence why there are none).
    """
    done: list[tuple[str, SegmentSetNodes | str]] = []
    for number, node in enumerate(ct_nodes):
        name, share = node.GetName(), number / len(ct_nodes)
        try:
            work = extract(node, new_folder(), **settings)
            done.append((name, (yield from within(work, share, share + 1 / len(ct_nodes)))))
        except SkullGANError as error:
            done.append((name, str(error)))
    return done


def generate(
    scene: slicer.vtkMRMLScene,
    folder: Path,
    *,
    count: int,
    first_seed: int,
    name: str,
    model: str | Path | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
    into_scene: Callable[[], bool] = lambda: True,
) -> Work:
    """Generate segments into the scene; ``folder`` keeps all of them as ``SEGMENT_SET``.

    Args:
        scene: the scene.
        folder: empty, for files between the processes.
        count: segments to make, at most ``MOST_IN_SCENE``.
        first_seed: of the first of them; the others count up.
        name: of the set in the scene.
        model: file (.safetensors); the one that comes along if None.
        limits: lowest and highest value of ``radiology.METRICS``; only segments within all of them
            go into the scene.
        into_scene: as for ``extract``.

    Returns:
        The ``SegmentSetNodes``, None if they did not go into the scene.

    Raises:
        BadInputError: if the model cannot be used, or no segment is within the limits.
    """
    if count > MOST_IN_SCENE:
        raise BadInputError(
            f"{count} segments were asked for, a scene takes {MOST_IN_SCENE} at once; generate "
            "them into a file."
        )
    output = folder / SEGMENT_SET
    arguments = ["generate", *([model] if model else []), "-n", count, "--seed", first_seed]
    yield Running(_child([*arguments, "-o", output, "--no-metrics"]), 0.0, 0.85)
    segments = yield from within(_read(output), 0.85, 0.9)
    metrics = yield from within(measured(segments), 0.9, 0.98)
    good = np.ones(len(segments), bool)
    for metric, (lowest, highest) in (limits or {}).items():
        with np.errstate(invalid="ignore"):
            good &= (metrics[metric] >= lowest) & (metrics[metric] <= highest)
    if not good.any():
        raise BadInputError(
            f"None of {count} segments is within the limits, at least one is needed; widen them or "
            "generate more."
        )
    if not into_scene():
        return None
    kept = {metric: values[good] for metric, values in metrics.items()}
    return segmentsets.add_segment_set(scene, segments[good], kept, name)


def generate_to_file(
    path: str | Path, *, count: int, first_seed: int, model: str | Path | None = None
) -> Work:
    """Generate any number of segments into a file, in the format of its ending; returns the path.

    Raises:
        BadInputError: if the model cannot be used or the format does not hold so many.
        OutputError: if the file cannot be written.
    """
    arguments = ["generate", *([model] if model else []), "-n", count, "--seed", first_seed]
    yield Running(_child([*arguments, "-o", path, "--overwrite"]))
    return str(path)


@dataclass(frozen=True, eq=False)
class MapNodes:
    """What maps are in a scene.

    Attributes:
        surface: the skull's outer surface with all scalars.
        overlay: the wall with one of them.
        summary: table, a row for each metric, bone and side.
        rays: table, a row per element of the array.
        numbers: what ``mapfiles.read_numbers`` gave: caveats, summary, array.
        vertices: file with the vertex of every voxel, for ``maps.filling``.
    """

    surface: slicer.vtkMRMLModelNode
    overlay: slicer.vtkMRMLScalarVolumeNode
    summary: slicer.vtkMRMLTableNode
    rays: slicer.vtkMRMLTableNode
    numbers: Mapping[str, Any]
    vertices: Path


def map_skull(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    folder: Path,
    *,
    scalar: str,
    skull_node: slicer.vtkMRMLSegmentationNode | None = None,
    target_ras: Sequence[float] | None = None,
) -> Work:
    """Map SDR and thickness on the skull and cast the rays of an array; the last map goes.

    Args:
        ct_node: the CT.
        folder: empty; it keeps what the overlay needs to show another scalar.
        scalar: to show, one of ``radiology.METRICS``.
        skull_node: a segmentation of the skull, perhaps edited; found, and not added, if None.
        target_ras: of the array, RAS mm; the middle of the intracranial space if None.

    Returns:
        The ``MapNodes``.

    Raises:
        BadInputError: if the CT cannot be mapped, or it was deleted meanwhile.
    """
    from SkullGANLib import mapfiles, transducer, vtp

    from . import maps

    path, mask_path, name = folder / _CT, folder / SKULL_MASK, ct_node.GetName()
    yield from within(volumes.writing(ct_node, path), 0.0, 0.1)
    surface_path, vertices = folder / "map.vtp", folder / "vertex.nrrd"
    numbers_path, rays_path = folder / "map.json", folder / "rays.csv"
    arguments = ["map", path, "-o", surface_path, "-o", vertices, "-o", numbers_path]
    arguments += ["--scalar", mapfiles.VERTEX, "--rays", rays_path, "--raw"]
    if skull_node is not None:
        yield from within(_mask_writing(skull_node, ct_node, mask_path), 0.1, 0.15)
        arguments += ["--skull-mask", mask_path]
    if target_ras is not None:
        arguments.append("--target=" + ",".join(f"{mm:.2f}" for mm in target_ras))
    yield Running(_child(arguments), 0.15, 0.8, {str(path): name, str(mask_path): name})
    _check_there(ct_node, name)
    before = maps.nodes_of(ct_node)
    calvaria = vtp.read(surface_path)
    yield 0.82
    with _undone_unless_kept() as added:
        surface = added(maps.add_surface(ct_node, calvaria, scalar))
        yield 0.85
        overlay = added(maps.add_empty_overlay(ct_node, surface))
        yield from within(
            maps.filling(overlay, _voxels(vertices, ct_node, np.int32), scalar), 0.85, 1.0
        )
        numbers = mapfiles.read_numbers(numbers_path)
        summary = added(maps.add_summary(ct_node, numbers["summary"]))
        rays = added(maps.add_rays(ct_node, transducer.read_csv(rays_path)))
        maps.set_nodes(ct_node, surface, overlay, summary, rays)
    for node in before:
        hierarchy.remove(node)
    return MapNodes(surface, overlay, summary, rays, numbers, vertices)


def refill(node: slicer.vtkMRMLScalarVolumeNode, vertices: Path, scalar: str) -> Work:
    """Let an overlay of ``map_skull`` show another scalar; returns the overlay."""
    from . import maps

    yield from maps.filling(node, _voxels(vertices, node, np.int32), scalar)
    return node


def save(volume: slicer.vtkMRMLScalarVolumeNode, path: str | Path, folder: Path) -> Work:
    """Save the kept segments of a set in the scene to a file, in the format of its ending.

    Args:
        volume: of ``segmentsets.add_segment_set``.
        path: what ``SkullGANLib.export`` writes; replaced if it is there.
        folder: empty, for files between the processes.

    Returns:
        How many were saved.

    Raises:
        BadInputError: if none is kept, or the format does not hold so many.
        OutputError: if the file cannot be written.
    """
    from SkullGANLib import export

    path = Path(path)
    format = export.format_of(path)
    segments = segmentsets.segment_set_from(volume)
    export.check(path, format, len(segments))
    yield 0.05
    as_set = path if format == "h5" else folder / SEGMENT_SET
    yield from within(_writing(segments, as_set), 0.05, 0.5)
    if format != "h5":
        arguments = ["export", as_set, "-o", path, "--overwrite"]
        yield Running(_child(arguments), 0.5, 1.0, {str(as_set): volume.GetName()})
    return len(segments)


def measured(segments: SegmentSet) -> Work:
    """Measure a set, a few segments at a time; returns what ``radiology.measure`` gives."""
    parts = []
    for first in range(0, len(segments), _MEASURED_AT_ONCE):
        parts.append(radiology.measure(segments[first : first + _MEASURED_AT_ONCE]))
        yield first / len(segments)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _child(arguments: Sequence[Any]) -> ChildProcess:
    return ChildProcess(command_line([*arguments, "--progress", "lines"]))


@contextmanager
def _undone_unless_kept() -> Iterator[Callable[[Any], Any]]:
    """Remove the nodes that were told of if the block is left by an error or a cancellation."""
    nodes: list[Any] = []

    def added(node: Any) -> Any:
        nodes.append(node)
        return node

    try:
        yield added
    except BaseException:
        for node in nodes:
            if node.GetScene() is not None:
                hierarchy.remove(node)
        raise


def _check_there(node: slicer.vtkMRMLNode, name: str) -> None:
    if node.GetScene() is None:
        raise BadInputError(f"Volume {name!r} was deleted meanwhile, it is needed to the end.")


def _voxels(
    path: Path, ct_node: slicer.vtkMRMLScalarVolumeNode, dtype: type = np.uint8
) -> np.ndarray:
    """Map the voxels of a volume that a child wrote with ``--raw``: they end the file."""
    shape = ct_node.GetImageData().GetDimensions()[::-1]
    offset = path.stat().st_size - int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.memmap(path, dtype, "r", offset, shape)


def _mask_writing(
    skull_node: slicer.vtkMRMLSegmentationNode,
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    path: Path,
) -> Iterator[float]:
    """Write the skull of a segmentation on the grid of its CT, piece by piece."""
    mask = segmentations.mask_from(skull_node, ct_node)
    yield 0.1
    slabs = (mask[k : k + _SLICES_AT_ONCE] for k in range(0, len(mask), _SLICES_AT_ONCE))
    yield from write_in_slabs(path, slabs, mask.shape, np.uint8, volumes.ijk_to_world(ct_node))


def _read(path: Path) -> Work:
    """Read a segment set, some hundred segments at a time."""
    of, parts, done = segmentset.count(path), [], 0
    for part in segmentset.iterate(path, _READ_AT_ONCE):
        parts.append(part)
        done += len(part)
        yield done / of
    return segmentset.concatenate(parts)


def _writing(segments: SegmentSet, path: Path) -> Iterator[float]:
    with segmentset.Writer(
        path,
        kind=segments.kind,
        pixel_spacing_mm=segments.pixel_spacing_mm,
        hu_range=segments.hu_range,
        source=segments.source,
        created_by=segments.created_by,
        commit_every_s=None,
    ) as writer:
        for first in range(0, len(segments), _MEASURED_AT_ONCE):
            writer.append(segments[first : first + _MEASURED_AT_ONCE])
            yield first / len(segments)
