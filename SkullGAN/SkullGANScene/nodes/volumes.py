"""Head CTs and segment sets as scalar volumes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.ct.volume import HeadCT, write_in_slabs
from SkullGANLib.data.depth import Depth
from SkullGANLib.data.segment_set import ORIGINS, SegmentSet
from SkullGANLib.data.stack import stack_geometry
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils.task import Work

from . import hierarchy

CT_WINDOW_HU = (-500.0, 2000.0)
"""From black to white: skin and brain stay visible, and diploë stands out from the tables."""
KIND_ATTRIBUTE = "SkullGAN.Kind"
"""Attribute of a segment volume: the kind of its segment set."""
MAP_ATTRIBUTE = "SkullGAN.Map"
"""Attribute of what shows a map: what it is."""

_HU_RANGE = (-1024, 32767)
_VOXELS_AT_ONCE = 4_000_000
_SOURCE_ATTRIBUTE = "SkullGAN.Source"
_SOURCE_TAGS = {
    "maker": "0008,0070",
    "scanner": "0008,1090",
    "kernel": "0018,1210",
    "kvp": "0018,0060",
    "slice_thickness_mm": "0018,0050",
}


def add_ct(scene: slicer.vtkMRMLScene, ct: HeadCT, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a head CT to a scene, shown in a window for bone.

    Args:
        scene: the scene.
        ct: the CT; its voxels are copied.
        name: what the node is called.
    """
    node = _add_volume(scene, name, ct.hu, ct.ijk_to_ras, CT_WINDOW_HU)
    if ct.source:
        node.SetAttribute(_SOURCE_ATTRIBUTE, json.dumps(dict(ct.source)))
    return node


def cts_in(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Give the volumes of a scene that may be head CTs: those that we did not make of one."""
    kind = "vtkMRMLScalarVolumeNode"
    nodes = (scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind)))
    return [
        node
        for node in nodes
        if node.GetClassName() == kind  # no label map
        and node.GetImageData() is not None
        and not any(node.GetAttribute(name) for name in (KIND_ATTRIBUTE, MAP_ATTRIBUTE))
    ]


def source_of(node: slicer.vtkMRMLScalarVolumeNode) -> dict[str, Any]:
    """Say what is known of the scanner, as ``HeadCT.source``; nothing of the patient.

    A CT that we loaded carries it along; of one that Slicer loaded from its DICOM database the
    headers are asked.
    """
    known = node.GetAttribute(_SOURCE_ATTRIBUTE)
    if known:
        return json.loads(known)
    database = getattr(slicer, "dicomDatabase", None)
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    if database is None or not uids:
        return {}
    file = database.fileForInstance(uids[0])
    texts = {name: database.fileValue(file, tag).strip() for name, tag in _SOURCE_TAGS.items()}
    texts["scanner"] = f"{texts.pop('maker')} {texts['scanner']}".strip()
    found: dict[str, Any] = {name: text for name, text in texts.items() if text}
    for name in ("kvp", "slice_thickness_mm"):
        try:
            found[name] = float(found[name])
        except (KeyError, ValueError):
            found.pop(name, None)
    return found


def writing(node: slicer.vtkMRMLScalarVolumeNode, path: str | Path) -> Work[None]:
    """Write a CT node as NRRD, piece by piece, as ``ct_from`` would give it.

    Args:
        node: the CT.
        path: ``.nrrd``.

    Yields:
        The share written, after each piece of a few hundredths of a second.

    Raises:
        BadInputError: as ``ct_from``.
        OutputError: if the file cannot be written.
    """
    _check_voxels(node)
    values = slicer.util.arrayFromVolume(node)
    slices = max(1, _VOXELS_AT_ONCE // max(values[0].size, 1))
    slabs = (_as_hu(values[k : k + slices], node) for k in range(0, len(values), slices))
    yield from write_in_slabs(
        path, slabs, values.shape, np.int16, ijk_to_world(node), source_of(node)
    )


def ct_from(node: slicer.vtkMRMLScalarVolumeNode) -> HeadCT:
    """Give a volume node as a head CT in the world's RAS, linear transforms of the node applied.

    Values are rounded to whole HU and those below -1024 raised to it.

    Raises:
        BadInputError: if the node has no voxels, more than one value a voxel or values that are
            not finite, or is under a transform that is not linear.
    """
    _check_voxels(node)
    values = slicer.util.arrayFromVolume(node)
    return HeadCT(_as_hu(values, node), ijk_to_world(node), source_of(node))


def _check_voxels(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    image = node.GetImageData()
    if image is None or not image.GetNumberOfPoints():
        raise BadInputError(f"Volume {node.GetName()!r} has no voxels, expected a head CT.")
    if image.GetNumberOfScalarComponents() != 1:
        raise BadInputError(
            f"Volume {node.GetName()!r} has {image.GetNumberOfScalarComponents()} values a voxel, "
            "expected a head CT with one."
        )


def _as_hu(values: np.ndarray, node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """Give voxels as int16 HU; what already is one and in range is not copied."""
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise BadInputError(
                f"Volume {node.GetName()!r} has values that are not finite, expected a head CT "
                "in HU."
            )
        values = np.rint(values)
    lowest, highest = _HU_RANGE
    if values.min() < lowest or values.max() > highest:
        values = np.clip(values, lowest, highest)
    return values.astype(np.int16, copy=False)


def ijk_to_ras(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """Give float64 (4, 4) from (column, row, slice, 1) to RAS mm, without the node's transform."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def ijk_to_world(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """Give float64 (4, 4) from (column, row, slice, 1) to the world's RAS mm.

    Raises:
        BadInputError: if the node is under a transform that is not linear.
    """
    to_world = vtk.vtkMatrix4x4()
    transform = node.GetParentTransformNode()
    if transform is not None and not transform.GetMatrixTransformToWorld(to_world):
        raise BadInputError(
            f"Volume {node.GetName()!r} is under the transform {transform.GetName()!r}, which is "
            "not linear; expected a linear one, or harden it."
        )
    return slicer.util.arrayFromVTKMatrix(to_world) @ ijk_to_ras(node)


def add_segments(
    scene: slicer.vtkMRMLScene, segments: SegmentSet, name: str
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a segment set as one volume, a slice per segment.

    The volume belongs to no patient: it is centerd at the origin, slice k lies at S = k mm, and an
    axial view shows every segment upright, its outer table up. The description says what the
    segments are, the attribute ``KIND_ATTRIBUTE`` names their kind, and the window is the HU range
    of the set's networks.

    Raises:
        BadInputError: if the set is empty.
    """
    if not len(segments):
        raise BadInputError(f"Segment set {name!r} is empty, expected at least one segment.")
    spacing_mm = segments.pixel_spacing_mm
    node = add_stack(scene, segments.hu, spacing_mm, name, segments.hu_range)
    _describe(node, segments)
    node.SetAttribute(KIND_ATTRIBUTE, segments.kind)
    return node


def set_segments(node: slicer.vtkMRMLScalarVolumeNode, segments: SegmentSet) -> None:
    """Put other segments of the same kind and pixel size into a volume of ``add_segments``."""
    slicer.util.updateVolumeFromArray(node, segments.hu)
    _describe(node, segments)


def _describe(node: slicer.vtkMRMLScalarVolumeNode, segments: SegmentSet) -> None:
    node.SetDescription(
        f"{len(segments)} {segments.kind} skull segments, {ORIGINS[segments.kind]}. Slice k is "
        f"segment k, HU, {segments.pixel_spacing_mm:g} mm pixels; the position in space means "
        f"nothing. {_in_depth(segments)}{segments.created_by}"
    )


def _in_depth(segments: SegmentSet) -> str:
    found = segments.source.get("depth")
    return f"They are stacks of {Depth(**found)}. " if isinstance(found, Mapping) else ""


def add_stack(
    scene: slicer.vtkMRMLScene,
    values: np.ndarray,
    pixel_spacing_mm: float,
    name: str,
    window: tuple[float, float],
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add what there is for each pixel of N segments, where ``add_segments`` puts the segments.

    Args:
        scene: the scene.
        values: (N, 128, 128), numbers.
        pixel_spacing_mm: of the segments.
        name: what the node is called.
        window: values that are black and white.
    """
    geometry = stack_geometry(pixel_spacing_mm, values.shape[-1])
    return _add_volume(scene, name, values, geometry, window)


def _add_volume(
    scene: slicer.vtkMRMLScene,
    name: str,
    hu: np.ndarray,
    ijk_to_ras: np.ndarray,
    window_hu: tuple[float, float],
) -> slicer.vtkMRMLScalarVolumeNode:
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    # Before there are voxels: with them the display would look for a window of its own first.
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*window_hu)
    slicer.util.updateVolumeFromArray(node, hu)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijk_to_ras))
    hierarchy.item_of(node)
    return node
