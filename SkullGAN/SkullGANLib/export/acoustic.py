"""Acoustic media of segments, as simulators of ultrasound read them: HDF5, MATLAB, NumPy.

Density, speed of sound and attenuation at every grid point, by a convention that the file names,
with the warnings that belong to it. ``format_with`` gives the format with other settings than the
usual ones; ``acoustic_volume`` does the same for a CT's calvaria.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..acoustics.media import (
    Medium,
    MediumSettings,
    grid_shape,
    segment_media,
    stack_media,
    stack_spacing_mm,
    volume_grid_mm,
)
from ..data import hdf5
from ..data.depth import depth_of, whole_stacks
from ..data.segment_set import SIZE, TEXTS
from . import media_files
from .format import Format
from .media_notes import HuTally, kernels_of, notes_of, warnings_of
from .segment_stack import SegmentStack

_BATCH = 64
_BYTES_EACH = 64  # of a grid point, while properties are worked out


def write_media(stack: SegmentStack, path: Path, settings: MediumSettings) -> None:
    """Write the media of all segments of a stack, at flat memory but for MATLAB.

    Args:
        stack: segments.
        path: its ending chooses HDF5 (.h5), MATLAB (.mat) or NumPy (.npz).
        settings: how media are made.

    Raises:
        BadInputError: if the convention does not hold for these segments, the grid makes no sense
            or is too large for the file.
        OutputError: if the file cannot be written.
    """
    header = stack.header
    kernels = kernels_of(header)
    grid_mm, shape = check_media(stack, path, settings)
    tally = HuTally(settings.convention)
    for batch in stack.batches(quiet=True):
        tally.add(batch.hu[batch.mask > 0])
    densest_hu = tally.densest_hu
    settings.convention.check(settings.conditions(densest_hu))
    notes = notes_of(settings, min(grid_mm), densest_hu) | {
        "spacing_mm": list(grid_mm),
        "kind": header.kind,
        "about": stack.about,
        "created_by": header.created_by,
        "warnings": warnings_of(settings, max(grid_mm), tally, kernels),
    }
    columns = _columns(stack, grid_mm, shape)
    writer = media_files.writer_of(path)
    writer(path, shape, _media(stack, settings, densest_hu), notes, columns)


def check_media(
    stack: SegmentStack, path: Path, settings: MediumSettings
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Say before the work what would keep media from being made.

    Returns:
        The spacing of the grid in mm along its axes, and the shape of all media: segments, rows,
        columns; or stacks, slices, rows, columns of a set with depth.

    Raises:
        BadInputError: as ``write_media``.
    """
    settings.convention.check(settings.conditions(_ANY_DENSEST_HU))
    media_files.check_kernels(path, settings.convention, kernels_of(stack.header))
    pixel_mm = stack.header.pixel_spacing_mm
    if depth_of(stack.header, stack.path) is None:
        grid_mm = settings.grid_mm(pixel_mm)
        points = media_files.grid_points(SIZE, pixel_mm, grid_mm)
        media_files.check_size(path, (stack.count, points, points))
        return (grid_mm, grid_mm), (stack.count, points, points)
    if stack.depth is None:
        whole_stacks(hdf5.read(stack.path), stack.path)  # raises with what is missing
    assert stack.depth is not None
    depth, slices = stack.depth, stack.depth.slices
    spacing_mm = stack_spacing_mm(pixel_mm, depth)
    grid = volume_grid_mm(spacing_mm, settings)
    shape = [
        grid_shape([n], [mm], finer_mm)[0]
        for n, mm, finer_mm in zip((slices, SIZE, SIZE), spacing_mm, grid, strict=True)
    ]
    whole = (stack.count // slices, *shape)
    media_files.check_size(path, whole)
    at_once = whole if path.suffix.lower() == ".mat" else whole[1:]
    media_files.check_memory(path, math.prod(at_once), _BYTES_EACH)
    return grid, whole


def format_with(settings: MediumSettings) -> Format:
    """Give the format with settings of its own."""
    return replace(FORMAT, write=_writing(settings))


def _writing(settings: MediumSettings) -> Callable[[SegmentStack, Path], None]:
    return lambda stack, path: write_media(stack, path, settings)


def _columns(
    stack: SegmentStack, grid_mm: Sequence[float], shape: Sequence[int]
) -> dict[str, np.ndarray]:
    """Give what there is one of for each segment or stack; its place is that of grid points."""
    names = ("seed", *TEXTS, "pixel_to_ras")
    batches = [[getattr(batch, name) for name in names] for batch in stack.batches(quiet=True)]
    columns = {
        name: np.concatenate(values)
        for name, values in zip(names, zip(*batches, strict=True), strict=True)
    }
    step = grid_mm[-1] / stack.header.pixel_spacing_mm
    grid_to_pixel = np.diag([step, step, 1.0, 1.0])
    grid_to_pixel[:2, 3] = (SIZE - 1) / 2 - step * (shape[-1] - 1) / 2
    if stack.depth:
        columns = {name: values[:: stack.depth.slices] for name, values in columns.items()}
        # A pixel's third axis is a pixel long; a slice is a step further along it.
        to_slices = grid_mm[0] / stack.header.pixel_spacing_mm
        grid_to_pixel[2, 2] = to_slices
        reach = (stack.depth.slices - 1) * stack.depth.step_mm - (shape[1] - 1) * grid_mm[0]
        grid_to_pixel[2, 3] = reach / 2 / stack.header.pixel_spacing_mm
    columns["grid_to_ras"] = columns.pop("pixel_to_ras") @ grid_to_pixel
    return columns


def _media(stack: SegmentStack, settings: MediumSettings, densest_hu: float) -> Iterator[Medium]:
    for batch in stack.batches():
        if stack.depth:
            slices = stack.depth.slices
            for start in range(0, len(batch), slices):
                yield stack_media(batch[start : start + slices], stack.depth, settings, densest_hu)
            continue
        for start in range(0, len(batch), _BATCH):  # finer grids take much more than the segments
            yield segment_media(batch[start : start + _BATCH], settings, densest_hu)


_ANY_DENSEST_HU = 2000.0  # before the set's own is known

FORMAT = Format(
    name="acoustic",
    title="Acoustic media",
    endings=(".acoustic.h5", ".acoustic.mat", ".acoustic.npz"),
    further_endings=(".h5", ".hdf5", ".mat", ".npz"),
    description="density, sound speed and attenuation for simulators of ultrasound, as HDF5, "
    "MATLAB or NumPy by the ending",
    write=_writing(MediumSettings()),
)
