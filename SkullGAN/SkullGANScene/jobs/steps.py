"""What jobs are made of: children, and short pieces of work on the scene's own thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from SkullGANLib.ct.volume import write_in_slabs
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.data.depth import Depth
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import measure
from SkullGANLib.utils.child_process import ChildProcess, command_line
from SkullGANLib.utils.task import Work

from ..nodes import hierarchy, segmentations, volumes

_MEASURED_AT_ONCE = 32
_READ_AT_ONCE = 128
_SLICES_AT_ONCE = 16


def measured(segments: SegmentSet) -> Work[dict[str, np.ndarray]]:
    """Measure a set, a few segments at a time; returns what ``metrics.measure`` gives."""
    parts = []
    for first in range(0, len(segments), _MEASURED_AT_ONCE):
        parts.append(measure(segments[first : first + _MEASURED_AT_ONCE]))
        yield first / len(segments)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def child(arguments: Sequence[Any]) -> ChildProcess:
    return ChildProcess(command_line([*arguments, "--progress", "lines"]))


def extraction(
    ct_path: Path,
    output: Path,
    *,
    bones: Sequence[str],
    planes: Sequence[str],
    interval_mm: float,
    depth: Depth | None = None,
    mask_path: Path | None = None,
) -> ChildProcess:
    """Start to cut a CT file into a segment set; arguments as for ``skullgan extract``."""
    arguments = ["extract", ct_path, "-o", output, "--bones", ",".join(bones)]
    arguments += ["--planes", ",".join(planes), "--interval-mm", str(interval_mm)]
    if depth is not None:
        arguments += ["--depth", str(depth.slices), "--depth-step-mm", str(depth.step_mm)]
    return child([*arguments, *(["--skull-mask", mask_path] if mask_path else [])])


@contextmanager
def undone_unless_kept() -> Iterator[Callable[[Any], Any]]:
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


def check_there(node: slicer.vtkMRMLNode, name: str) -> None:
    if node.GetScene() is None:
        raise BadInputError(
            f"Volume {name!r} was deleted meanwhile, expected it to be there to the end."
        )


def voxels(
    path: Path, ct_node: slicer.vtkMRMLScalarVolumeNode, dtype: type = np.uint8
) -> np.ndarray:
    """Map the voxels of a volume that a child wrote with ``--raw``: they end the file."""
    shape = ct_node.GetImageData().GetDimensions()[::-1]
    offset = path.stat().st_size - int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.memmap(path, dtype, "r", offset, shape)


def mask_writing(
    skull_node: slicer.vtkMRMLSegmentationNode,
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    path: Path,
) -> Work[None]:
    """Write the skull of a segmentation on the grid of its CT, piece by piece."""
    mask = segmentations.mask_from(skull_node, ct_node)
    yield 0.1
    slabs = (mask[k : k + _SLICES_AT_ONCE] for k in range(0, len(mask), _SLICES_AT_ONCE))
    yield from write_in_slabs(path, slabs, mask.shape, np.uint8, volumes.ijk_to_world(ct_node))


def set_reading(path: Path) -> Work[SegmentSet]:
    """Read a segment set, some hundred segments at a time."""
    of, parts, count = hdf5.count(path), [], 0
    for part in hdf5.iterate(path, _READ_AT_ONCE):
        parts.append(part)
        count += len(part)
        yield count / of
    return segment_set.concatenate(parts)


def set_writing(segments: SegmentSet, path: Path) -> Work[None]:
    with hdf5.Writer.of(path, segments) as writer:
        for first in range(0, len(segments), _MEASURED_AT_ONCE):
            writer.append(segments[first : first + _MEASURED_AT_ONCE])
            yield first / len(segments)
