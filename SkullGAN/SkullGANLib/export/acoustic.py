"""Acoustic media of segments, as simulators of ultrasound read them: HDF5, MATLAB, NumPy.

Density, speed of sound and attenuation at every grid point, by a convention that the file names,
with the warnings that belong to it. ``format_with`` gives the format with other settings than the
usual ones; ``acoustic_volume`` does the same for a CT's calvaria.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..acoustics.media import Medium, MediumSettings, segment_media
from ..data.segment_set import SIZE, TEXTS
from . import media_files
from .format import Format
from .media_notes import HuTally, kernels_of, notes_of, warnings_of
from .segment_stack import SegmentStack

_BATCH = 64


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
    grid_mm, points = check_media(stack, path, settings)
    tally = HuTally(settings.convention)
    for batch in stack.batches(quiet=True):
        tally.add(batch.hu[batch.mask > 0])
    densest_hu = tally.densest_hu
    settings.convention.check(settings.conditions(densest_hu))
    notes = notes_of(settings, grid_mm, densest_hu) | {
        "spacing_mm": [grid_mm, grid_mm],
        "kind": header.kind,
        "about": stack.about,
        "created_by": header.created_by,
        "warnings": warnings_of(settings, grid_mm, tally, kernels),
    }
    columns = _columns(stack, grid_mm, points)
    writer = media_files.writer_of(path)
    writer(path, (stack.count, points, points), _media(stack, settings, densest_hu), notes, columns)


def check_media(stack: SegmentStack, path: Path, settings: MediumSettings) -> tuple[float, int]:
    """Say before the work what would keep media from being made.

    Returns:
        The spacing of the grid in mm, and its points along rows and columns.

    Raises:
        BadInputError: as ``write_media``.
    """
    settings.convention.check(settings.conditions(_ANY_DENSEST_HU))
    media_files.check_kernels(path, settings.convention, kernels_of(stack.header))
    pixel_mm = stack.header.pixel_spacing_mm
    grid_mm = settings.grid_mm(pixel_mm)
    points = media_files.grid_points(SIZE, pixel_mm, grid_mm)
    media_files.check_size(path, (stack.count, points, points))
    return grid_mm, points


def format_with(settings: MediumSettings) -> Format:
    """Give the format with settings of its own."""
    return replace(FORMAT, write=_writing(settings))


def _writing(settings: MediumSettings) -> Callable[[SegmentStack, Path], None]:
    return lambda stack, path: write_media(stack, path, settings)


def _columns(stack: SegmentStack, grid_mm: float, points: int) -> dict[str, np.ndarray]:
    """Give what there is one of for each segment; its place is that of grid points."""
    names = ("seed", *TEXTS, "pixel_to_ras")
    batches = [[getattr(batch, name) for name in names] for batch in stack.batches(quiet=True)]
    columns = {
        name: np.concatenate(values)
        for name, values in zip(names, zip(*batches, strict=True), strict=True)
    }
    step = grid_mm / stack.header.pixel_spacing_mm
    grid_to_pixel = np.diag([step, step, 1.0, 1.0])
    grid_to_pixel[:2, 3] = (SIZE - 1) / 2 - step * (points - 1) / 2
    columns["grid_to_ras"] = columns.pop("pixel_to_ras") @ grid_to_pixel
    return columns


def _media(stack: SegmentStack, settings: MediumSettings, densest_hu: float) -> Iterator[Medium]:
    for batch in stack.batches():
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
