"""The long steps of maps and realness, as work for a ``SkullGANLib.utils.task.Task``: see ``jobs``.

Brings SciPy, which takes some tenths of a second to import: a panel imports this in a thread.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import slicer
from SkullGANLib.mapping import array_presets, array_table, head_maps, vtp
from SkullGANLib.mapping.scalars import REALNESS as ON_SKULL
from SkullGANLib.utils.task import Running, Work, subprogress

from ..nodes import (
    array_model,
    hierarchy,
    map_display,
    map_nodes,
    map_overlay,
    map_surface,
    map_tables,
    realness,
    segment_sets,
    tables,
    volumes,
)
from ..nodes.map_nodes import MapNodes
from . import steps
from .segment_jobs import CT, SEGMENT_SET, SKULL_MASK


def map_skull(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    folder: Path,
    *,
    scalar: str,
    skull_node: slicer.vtkMRMLSegmentationNode | None = None,
    target_ras: Sequence[float] | None = None,
    array: str | Path = array_presets.DEFAULT,
    array_scalar: str = "sdr_peaks",
) -> Work[MapNodes]:
    """Map SDR and thickness on the skull and cast the rays of an array; the last map goes.

    Args:
        ct_node: the CT.
        folder: empty; it keeps what the overlay needs to show another scalar.
        scalar: to show, one of ``scalars.names``.
        skull_node: a segmentation of the skull, perhaps edited; found, and not added, if None.
        target_ras: of the array, RAS mm; the middle of the intracranial space if None.
        array: one of ``array_presets.PRESETS``, or a file of elements (.csv).
        array_scalar: what its elements are colored by, one of ``array_model.SCALARS``.

    Returns:
        The ``MapNodes``.

    Raises:
        BadInputError: if the CT cannot be mapped, or it was deleted meanwhile.
    """
    path, mask_path, name = folder / CT, folder / SKULL_MASK, ct_node.GetName()
    yield from subprogress(volumes.writing(ct_node, path), 0.0, 0.1)
    surface_path, vertices = folder / "map.vtp", folder / "vertex.nrrd"
    numbers_path, rays_path = folder / "map.json", folder / "rays.csv"
    arguments = ["map", path, "-o", surface_path, "-o", vertices, "-o", numbers_path]
    arguments += ["--scalar", head_maps.VERTEX, "--rays", rays_path, "--raw"]
    if skull_node is not None:
        yield from subprogress(steps.mask_writing(skull_node, ct_node, mask_path), 0.1, 0.15)
        arguments += ["--skull-mask", mask_path]
    if target_ras is not None:
        arguments.append("--target=" + ",".join(f"{mm:.2f}" for mm in target_ras))
    is_preset = str(array) in array_presets.PRESETS
    arguments += ["--array" if is_preset else "--elements", array]
    yield Running(steps.child(arguments), 0.15, 0.8, {str(path): name, str(mask_path): name})
    steps.check_there(ct_node, name)
    before = map_nodes.nodes_of(ct_node)
    calvaria = vtp.read(surface_path)
    yield 0.82
    with steps.undone_unless_kept() as added:
        surface = added(map_surface.add_surface(ct_node, calvaria, scalar))
        yield 0.85
        overlay = added(map_overlay.add_empty_overlay(ct_node, surface))
        yield from subprogress(
            map_overlay.filling(overlay, steps.voxels(vertices, ct_node, np.int32), scalar),
            0.85,
            1.0,
        )
        numbers = head_maps.read_numbers(numbers_path)
        summary = added(map_tables.add_summary(ct_node, numbers["summary"]))
        columns = array_table.read_csv(rays_path)
        rays = added(map_tables.add_rays(ct_node, columns))
        target = numbers["array"]["target_ras"]
        for model in array_model.add_array(ct_node, columns, target, array_scalar):
            added(model)
        map_nodes.set_nodes(ct_node, surface, overlay, summary, rays)
    for node in before:
        hierarchy.remove(node)
    return MapNodes(surface, overlay, summary, rays, numbers, vertices)


def refill(
    node: slicer.vtkMRMLScalarVolumeNode, vertices: Path, scalar: str
) -> Work[slicer.vtkMRMLScalarVolumeNode]:
    """Let an overlay of ``map_skull`` show another scalar; returns the overlay."""
    yield from map_overlay.filling(node, steps.voxels(vertices, node, np.int32), scalar)
    return node


def judge(
    volume: slicer.vtkMRMLScalarVolumeNode,
    folder: Path,
    *,
    method: str,
    model: str | Path | None = None,
) -> Work[slicer.vtkMRMLScalarVolumeNode]:
    """Let a discriminator judge the segments of a set, and show where its decision comes from.

    The scores go into the set's table and, where its CT was mapped, onto the skull.

    Args:
        volume: of ``segment_sets.add_segment_set``.
        folder: empty, for files between the processes.
        method: one of ``SkullGANLib.evaluation.measures.realness.METHODS``.
        model: file (.safetensors); the one that comes along if None.

    Returns:
        The overlay over the segments (``realness.realness_of`` finds it again).

    Raises:
        BadInputError: if the model cannot be used or does not fit the segments, or the volume was
            deleted meanwhile.
    """
    name, path = volume.GetName(), folder / SEGMENT_SET
    segments = segment_sets.segment_set_from(volume, kept_only=False)
    yield 0.02
    yield from subprogress(steps.set_writing(segments, path), 0.02, 0.15)
    why, scores, on_map = folder / "why.npy", folder / "scores.csv", folder / "on map.vtp"
    arguments = ["realness", path, *(["--model", model] if model else []), "--method", method]
    arguments += ["-o", why, "-o", scores]
    ct_node = segment_sets.ct_of(volume)
    surface = map_nodes.surface_of(ct_node) if ct_node is not None else None
    if surface is not None:
        vtp.write(folder / "map.vtp", map_surface.map_from(surface))
        arguments += ["--map", folder / "map.vtp", "-o", on_map]
        yield 0.2
    yield Running(steps.child(arguments), 0.2, 0.95, {str(path): name})
    steps.check_there(volume, name)
    with open(scores, newline="", encoding="utf-8") as file:
        judged = [float(row["realness_not_calibrated"]) for row in csv.DictReader(file)]
    tables.set_column(segment_sets.nodes_of(volume).metrics, tables.REALNESS, np.array(judged))
    overlay = realness.add_realness(volume, np.load(why), method)
    yield 0.98
    if surface is not None and surface.GetScene() is not None:
        found = vtp.read(on_map)
        map_surface.set_realness(surface, found.values[ON_SKULL], map_display.NOT_CALIBRATED)
    return overlay
