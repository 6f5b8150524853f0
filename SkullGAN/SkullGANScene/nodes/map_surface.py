"""A map's surface in a scene: the outer surface of the calvaria in the colors of a scalar.

``add_surface`` makes the node, ``show_scalar`` changes what it shows without making it again,
``map_from`` gives the map back. ``map_overlay`` brings it onto the slices, ``map_probe`` reads it
at a point, ``map_display`` is about colors and legends, and ``map_tables`` has its tables.

Everything stands in the world's RAS as the CT does, beside it in the subject hierarchy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.anatomy.cut_plan import BONES, SIDES
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import calvaria_map, map_summary, scalars
from SkullGANLib.mapping.calvaria_map import CalvariaMap
from SkullGANLib.mapping.codes import CODES, current_codes, decode, encode
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from . import color_tables, hierarchy, map_display
from .volumes import MAP_ATTRIBUTE
from .world_transforms import node_to_world, world_to_node

SURFACE = "surface"
"""Value of ``volumes.MAP_ATTRIBUTE``."""

_CT = "SkullGAN.ct"
_SOURCE = "SkullGAN.MapSource"
_AMBIENT = 0.4  # share of the light that makes no shade: colors are to be read
_VALUES = ("code", "bone", "side")
_FIRST_TABLES = {
    "code": ("measured", "no bone", "air", "leaves the field of view", "metal"),
    "bone": ("temporal", "parietal", "frontal", "occipital"),
    "side": ("left", "right"),
}
"""What numbers mean in scenes that were saved before their tables were kept with them."""


def add_surface(
    ct_node: slicer.vtkMRMLScalarVolumeNode, found: CalvariaMap, scalar: str = "thickness_mm"
) -> slicer.vtkMRMLModelNode:
    """Add a map as a model with all its scalars, one of them shown in colors with a legend.

    What was not measured is dark red, and ``code`` says why.

    Args:
        ct_node: the CT that was mapped, as ``volumes.ct_from`` gave it: the model takes its scene
            and stands under its transform.
        found: the map, RAS mm of the world.
        scalar: one of ``scalars.names``.

    Raises:
        BadInputError: if the scalar is not known or the CT is under a transform that is not
            linear.
    """
    calvaria_map.checked_values(found, scalar)
    node = slicer.vtkMRMLModelNode()
    node.SetName(f"{ct_node.GetName()} calvaria")
    node.SetDescription(_description(found))
    node.SetAttribute(MAP_ATTRIBUTE, SURFACE)
    data, tables = _poly_data(found, world_to_node(ct_node))
    known = {"source": dict(found.source), "created_by": found.created_by, "tables": tables}
    node.SetAttribute(_SOURCE, json.dumps(known))
    node = ct_node.GetScene().AddNode(node)
    node.SetAndObservePolyData(data)
    node.SetAndObserveTransformNodeID(ct_node.GetTransformNodeID())
    node.SetNodeReferenceID(_CT, ct_node.GetID())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(color_tables.table(ct_node.GetScene()).GetID())
    display.SetScalarVisibility(True)
    display.SetScalarRangeFlag(display.UseManualScalarRange)
    display.SetAmbient(_AMBIENT)
    display.SetDiffuse(1.0 - _AMBIENT)
    display.SetVisibility2D(False)
    hierarchy.put_beside(node, ct_node)
    show_scalar(node, scalar)
    return node


def map_from(surface_node: slicer.vtkMRMLModelNode) -> CalvariaMap:
    """Give back the map of a surface, as it stands in the world; also after a scene was opened.

    Raises:
        BadInputError: if the node is no map of ours or parts of it are gone.
    """
    data = checked_surface(surface_node).GetPolyData()
    others = ("code", "bone", "side", "Normals")
    arrays = {name: vtk_to_numpy(data.GetPointData().GetArray(name)) for name in others}
    known, tables = json.loads(surface_node.GetAttribute(_SOURCE)), tables_of(surface_node)
    to_world = node_to_world(surface_node)
    points = vtk_to_numpy(data.GetPoints().GetData()).astype(float)
    return CalvariaMap(
        points_ras=points @ to_world[:3, :3].T + to_world[:3, 3],
        triangles=vtk_to_numpy(data.GetPolys().GetConnectivityArray())
        .reshape(-1, 3)
        .astype(np.int32),
        normals=arrays["Normals"].astype(float) @ to_world[:3, :3].T,
        values={
            name: vtk_to_numpy(data.GetPointData().GetArray(name)).astype(float)
            for name in scalars_of(surface_node)
        },
        code=current_codes(arrays["code"], tables["code"]),
        bone=decode(arrays["bone"], tables["bone"]),
        side=decode(arrays["side"], tables["side"]),
        source=known["source"],
        created_by=known["created_by"],
    )


def show_scalar(node: slicer.vtkMRMLModelNode, scalar: str) -> None:
    """Show another scalar on a map's surface, over its range of colors.

    Args:
        node: of ``add_surface``.
        scalar: one of ``scalars.names``.

    Raises:
        BadInputError: if the scalar is not known, or the node is no map or lacks it.
    """
    if scalars.checked(scalar) not in scalars_of(node):
        raise BadInputError(f"Map {node.GetName()!r} has no {scalar} yet.")
    node.GetDisplayNode().SetActiveScalar(scalar, vtk.vtkAssignAttribute.POINT_DATA)
    map_display.show_colors(node, scalar)


def surfaces_in(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLModelNode]:
    """The surfaces of maps in a scene, in the order they came."""
    kind = "vtkMRMLModelNode"
    models = (scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind)))
    return [node for node in models if node.GetAttribute(MAP_ATTRIBUTE) == SURFACE]


def scalars_of(surface_node: slicer.vtkMRMLModelNode) -> list[str]:
    """The scalars that a surface can show, by name."""
    data = checked_surface(surface_node).GetPolyData().GetPointData()
    return [name for name in scalars.names() if data.GetArray(name) is not None]


def tables_of(surface_node: slicer.vtkMRMLModelNode) -> dict[str, dict[str, str]]:
    """What the numbers of ``code``, ``bone`` and ``side`` mean on a surface, numbers as texts.

    Raises:
        BadInputError: if the node is no map of ours.
    """
    known = json.loads(checked_surface(surface_node).GetAttribute(_SOURCE))
    first = {name: dict(enumerate(texts)) for name, texts in _FIRST_TABLES.items()}
    tables: Mapping[str, Mapping[Any, str]] = known.get("tables", first)
    return {name: {str(n): text for n, text in one.items()} for name, one in tables.items()}


def set_realness(surface_node: slicer.vtkMRMLModelNode, realness: np.ndarray, label: str) -> None:
    """Give a surface the scalar ``scalars.REALNESS``, or other values for it.

    Args:
        surface_node: of ``add_surface``.
        realness: float (N,), what ``SkullGANLib.evaluation.measures.realness.on_surface`` gave.
        label: whether it is calibrated (``realness.label``), for the legend.

    Raises:
        BadInputError: if there is not one value per vertex.
    """
    data = checked_surface(surface_node).GetPolyData()
    if np.shape(realness) != (data.GetNumberOfPoints(),):
        raise BadInputError(
            f"Expected a realness for each of the map's {data.GetNumberOfPoints()} vertices, found "
            f"{np.shape(realness)}."
        )
    array = numpy_to_vtk(np.asarray(realness, np.float32), deep=True)
    array.SetName(scalars.REALNESS)
    data.GetPointData().AddArray(array)
    data.Modified()
    map_display.set_label(surface_node, label)


def checked_surface(node: slicer.vtkMRMLModelNode) -> slicer.vtkMRMLModelNode:
    """The node, if it is the surface of a map.

    Raises:
        BadInputError: if it is not.
    """
    data = node.GetPolyData()
    if (
        data is None
        or node.GetAttribute(_SOURCE) is None
        or any(data.GetPointData().GetArray(name) is None for name in _VALUES)
    ):
        raise BadInputError(
            f"Model {node.GetName()!r} is no map of a calvaria, expected one that SkullGAN made."
        )
    return node


def _poly_data(
    found: CalvariaMap, to_node: np.ndarray
) -> tuple[vtk.vtkPolyData, dict[str, dict[int, str]]]:
    """The mesh with its scalars, and what their numbers mean."""
    data = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    local = found.points_ras @ to_node[:3, :3].T + to_node[:3, 3]
    points.SetData(numpy_to_vtk(local.astype(np.float32), deep=True))
    data.SetPoints(points)
    triangles = vtk.vtkCellArray()
    triangles.SetData(
        3, numpy_to_vtkIdTypeArray(found.triangles.astype(np.int64).ravel(), deep=True)
    )
    data.SetPolys(triangles)
    arrays = {name: values.astype(np.float32) for name, values in found.values.items()}
    bone, bones = encode(found.bone, BONES)
    side, sides = encode(found.side, SIDES)
    for name, values in (arrays | {"code": found.code, "bone": bone, "side": side}).items():
        array = numpy_to_vtk(values, deep=True)
        array.SetName(name)
        data.GetPointData().AddArray(array)
    normals = numpy_to_vtk((found.normals @ to_node[:3, :3].T).astype(np.float32), deep=True)
    normals.SetName("Normals")
    data.GetPointData().AddArray(normals)
    return data, {"code": dict(CODES), "bone": bones, "side": sides}


def _description(found: CalvariaMap) -> str:
    source = found.source
    slices = source.get("slice_thickness_mm")
    facts = [
        f"Outer surface of the calvaria, {len(found)} vertices: thickness in mm and SDR along the "
        "inward normal; dark red where not measured",
        f"kernel {source.get('kernel', 'unknown')}",
        "slices of unknown thickness" if slices is None else f"slices {slices:g} mm thick",
    ]
    return ", ".join(facts) + ". " + " ".join(map_summary.caveats(source, found.code))
