"""Maps of a calvaria in a scene: a colored surface, an overlay on the slices, and their tables.

``add_surface`` and ``add_overlay`` make the nodes, ``show_scalar`` and ``set_range`` change what
they show without making them again, ``Probe`` says the value at a point. ``add_summary`` and
``add_rays`` are the tables.

Everything stands in the world's RAS as the CT does, beside it in the subject hierarchy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from SkullGANLib.anatomy.cut_plan import BONES, SIDES
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import calvaria_map, map_summary, scalars, wall_overlay
from SkullGANLib.mapping.calvaria_map import CalvariaMap
from SkullGANLib.mapping.codes import CODES, MEASURED
from SkullGANLib.metrics import METRICS
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from . import color_tables, hierarchy, tables
from .map_nodes import RANGES
from .volumes import MAP_ATTRIBUTE

SCALAR_ATTRIBUTE = "SkullGAN.Scalar"
"""Attribute of an overlay: the scalar that it holds now."""
SURFACE, OVERLAY = "surface", "overlay"
"""Values of ``volumes.MAP_ATTRIBUTE``."""

_MAP = "SkullGAN.map"  # role of an overlay's reference to its surface
_CT = "SkullGAN.ct"
_SOURCE = "SkullGAN.MapSource"
_LABEL = "SkullGAN.RealnessLabel"
NOT_CALIBRATED = "not calibrated"
_OPACITY = 0.6
_VOXELS_AT_ONCE = 2_000_000
_AMBIENT = 0.4  # share of the light that makes no shade: colors are to be read
_VALUES = (*METRICS, "code", "bone", "side")


def add_surface(
    ct_node: slicer.vtkMRMLScalarVolumeNode, found: CalvariaMap, scalar: str = "thickness_mm"
) -> slicer.vtkMRMLModelNode:
    """Add a map as a model with all its scalars, one of them shown in colors with a legend.

    What was not measured is dark red, and ``code`` says why.

    Args:
        ct_node: the CT that was mapped, as ``volumes.ct_from`` gave it: the model takes its scene
            and stands under its transform.
        found: the map, RAS mm of the world.
        scalar: one of ``metrics.METRICS``.

    Raises:
        BadInputError: if the scalar is not known or the CT is under a transform that is not
            linear.
    """
    calvaria_map.checked_values(found, scalar)
    node = slicer.vtkMRMLModelNode()
    node.SetName(f"{ct_node.GetName()} calvaria")
    node.SetDescription(_description(found))
    node.SetAttribute(MAP_ATTRIBUTE, SURFACE)
    known = {"source": dict(found.source), "created_by": found.created_by}
    node.SetAttribute(_SOURCE, json.dumps(known))
    node = ct_node.GetScene().AddNode(node)
    node.SetAndObservePolyData(_poly_data(found, _world_to_node(ct_node)))
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


def add_overlay(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    surface_node: slicer.vtkMRMLModelNode,
    numbers: np.ndarray,
    scalar: str = "thickness_mm",
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a volume in which every voxel of the wall carries the value of its ray.

    It is shown by ``show_in_slices`` and changed to another scalar by ``show_scalar``.

    Args:
        ct_node: the CT that was mapped.
        surface_node: its map (``add_surface``), which has the values.
        numbers: int32 (slices, rows, columns), what ``maps.vertex_numbers`` gave.
        scalar: one of ``metrics.METRICS``.

    Raises:
        BadInputError: if the scalar is not known or the numbers are not on the CT's grid.
    """
    needed = ct_node.GetImageData().GetDimensions()[::-1]
    if numbers.shape != needed:
        raise BadInputError(
            f"The map's overlay is {numbers.shape}, the CT {needed}; the same grid is needed."
        )
    values = wall_overlay.overlay(map_from(surface_node), numbers, scalar)
    node = _overlay_node(ct_node, values, f"{ct_node.GetName()} wall map")
    node.SetNodeReferenceID(_MAP, surface_node.GetID())
    hierarchy.put_beside(node, ct_node)
    _show_overlay(node, scalar)
    return node


def add_empty_overlay(
    ct_node: slicer.vtkMRMLScalarVolumeNode, surface_node: slicer.vtkMRMLModelNode
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add an overlay like ``add_overlay``'s, whose voxels ``filling`` fills in."""
    image = vtk.vtkImageData()
    image.SetDimensions(ct_node.GetImageData().GetDimensions())
    image.AllocateScalars(vtk.VTK_FLOAT, 1)
    node = _overlay_node(ct_node, image, f"{ct_node.GetName()} wall map")
    node.SetNodeReferenceID(_MAP, surface_node.GetID())
    hierarchy.put_beside(node, ct_node)
    return node


def filling(
    node: slicer.vtkMRMLScalarVolumeNode, numbers: np.ndarray, scalar: str
) -> Iterator[float]:
    """Fill an overlay with a scalar slab by slab: a whole CT takes longer than a panel may wait.

    Args:
        node: of ``add_empty_overlay`` or ``add_overlay``.
        numbers: int32 (slices, rows, columns), as for ``add_overlay``; may be mapped from a file.
        scalar: one of ``metrics.METRICS``.

    Yields:
        The share filled.
    """
    found = map_from(node.GetNodeReference(_MAP))
    values = slicer.util.arrayFromVolume(node)
    slices = max(1, _VOXELS_AT_ONCE // max(values[0].size, 1))
    for k in range(0, len(values), slices):
        slab = slice(k, k + slices)
        values[slab] = wall_overlay.overlay(found, numbers[slab], scalar)
        yield min(1.0, (k + slices) / len(values))
    slicer.util.arrayFromVolumeModified(node)
    _show_overlay(node, scalar)


def copy_overlay(
    overlay_node: slicer.vtkMRMLScalarVolumeNode,
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    scalar: str,
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a copy of an overlay over another copy of its CT, maybe in another scene."""
    values = slicer.util.arrayFromVolume(overlay_node)
    node = _overlay_node(ct_node, values, overlay_node.GetName())
    _show_overlay(node, scalar)
    return node


def show_scalar(
    node: slicer.vtkMRMLModelNode | slicer.vtkMRMLScalarVolumeNode,
    scalar: str,
    numbers: np.ndarray | None = None,
) -> None:
    """Show another scalar on a map's surface or overlay, over its range of ``RANGES``.

    Args:
        node: of ``add_surface`` or ``add_overlay``.
        scalar: one of ``metrics.METRICS``.
        numbers: for an overlay, what it was made of.

    Raises:
        BadInputError: if the scalar is not known, or the node is no map.
    """
    if scalar not in RANGES:
        raise BadInputError(f"The scalar is {scalar!r}, needed is one of {', '.join(RANGES)}.")
    if node.GetAttribute(MAP_ATTRIBUTE) == OVERLAY:
        if numbers is not None:
            _fill_overlay(node, node.GetNodeReference(_MAP), numbers, scalar)
        _show_overlay(node, scalar)
        return
    if scalar not in scalars_of(node):
        raise BadInputError(f"Map {node.GetName()!r} has no {scalar} yet.")
    node.GetDisplayNode().SetActiveScalar(scalar, vtk.vtkAssignAttribute.POINT_DATA)
    set_range(node, *RANGES[scalar])
    _legend(node, scalar)


def set_range(node: slicer.vtkMRMLDisplayableNode, low: float, high: float) -> None:
    """Let the colors of a surface or an overlay reach from one value to another.

    Raises:
        BadInputError: if the range is empty.
    """
    if not low < high:
        raise BadInputError(f"The range is {low:g} to {high:g}, the lower value first is needed.")
    display = node.GetDisplayNode()
    if node.IsA("vtkMRMLModelNode"):
        display.SetScalarRange(low, high)
    else:
        display.SetWindowLevelMinMax(low, high)


def show_in_slices(
    overlay_node: slicer.vtkMRMLScalarVolumeNode | None,
    scene: slicer.vtkMRMLScene,
    opacity: float = _OPACITY,
) -> None:
    """Make an overlay the foreground of all slice views, or take the foreground away (None)."""
    for composite in _composites(scene):
        composite.SetForegroundVolumeID(overlay_node.GetID() if overlay_node else None)
        composite.SetForegroundOpacity(opacity if overlay_node else 0.0)


@dataclass(frozen=True)
class Reading:
    """What a map says at a point.

    Attributes:
        values: by scalar, of the nearest vertex; NaN where nothing was measured.
        met: what the ray there met, out of ``rays.CODES``.
        bone, side: where it is.
        distance_mm: from the point to the vertex.
    """

    values: Mapping[str, float]
    met: str
    bone: str
    side: str
    distance_mm: float

    def text(self, scalar: str) -> str:
        """One value as people read it.

        Example:
            >>> Reading({"thickness_mm": 5.25}, "measured", "parietal", "left", 0.3).text(
            ...     "thickness_mm")
            '5.2 mm, left parietal'
        """
        where = f"{self.side} {self.bone}"
        value = self.values[scalar]
        if np.isnan(value):
            return f"not measured ({self.met}), {where}"
        return f"{scalars.text(scalar, value)}, {where}"


class Probe:
    """Says what a map's surface holds nearest to a point; quick enough to follow the mouse.

    Args:
        surface_node: of ``add_surface``.
    """

    def __init__(self, surface_node: slicer.vtkMRMLModelNode) -> None:
        self._node = _checked_surface(surface_node)
        self._data: vtk.vtkPolyData | None = None
        self._locator = vtk.vtkStaticPointLocator()

    def at(self, point_ras: Sequence[float], farthest_mm: float = 10.0) -> Reading | None:
        """Read the map at a point of the world, RAS mm.

        Args:
            point_ras: (3,), for instance of a markup or under the mouse.
            farthest_mm: from the outer surface; None is given for a point farther away.
        """
        data = self._node.GetPolyData()
        if data is not self._data:
            self._data = data
            self._locator.SetDataSet(data)
            self._locator.BuildLocator()
        local = _to_node(self._node, np.asarray(point_ras, float))
        nearest = self._locator.FindClosestPoint(local)
        distance = float(np.linalg.norm(np.array(data.GetPoint(nearest)) - local))
        if nearest < 0 or distance > farthest_mm:
            return None
        shown = scalars_of(self._node)
        names = (*shown, "code", "bone", "side")
        arrays = {name: data.GetPointData().GetArray(name) for name in names}
        found = {name: array.GetTuple1(nearest) for name, array in arrays.items()}
        return Reading(
            values={name: found[name] for name in shown},
            met=CODES[int(found["code"])],
            bone=BONES[int(found["bone"])],
            side=SIDES[int(found["side"])],
            distance_mm=distance,
        )


def map_from(surface_node: slicer.vtkMRMLModelNode) -> CalvariaMap:
    """Give back the map of a surface, as it stands in the world; also after a scene was opened.

    Raises:
        BadInputError: if the node is no map of ours or parts of it are gone.
    """
    data = _checked_surface(surface_node).GetPolyData()
    others = ("code", "bone", "side", "Normals")
    arrays = {name: vtk_to_numpy(data.GetPointData().GetArray(name)) for name in others}
    known = json.loads(surface_node.GetAttribute(_SOURCE))
    to_world = _node_to_world(surface_node)
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
        code=arrays["code"].astype(np.uint8),
        bone=np.array(BONES)[arrays["bone"].astype(int)],
        side=np.array(SIDES)[arrays["side"].astype(int)],
        source=known["source"],
        created_by=known["created_by"],
    )


def add_summary(
    ct_node: slicer.vtkMRMLScalarVolumeNode, rows: Sequence[Mapping[str, Any]]
) -> slicer.vtkMRMLTableNode:
    """Add the summary of a map (``maps.summary``) as a table, beside its CT."""
    columns: dict[str, np.ndarray] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if isinstance(values[0], str):
            columns[name] = np.array(values)
        elif all(isinstance(value, int) for value in values):
            columns[name] = np.array(values, np.int64)
        else:
            columns[name] = np.array([np.nan if v is None else v for v in values], float)
    node = tables.add_columns(ct_node.GetScene(), columns, f"{ct_node.GetName()} map summary")
    node.SetDescription(
        "Thickness and SDR by bone and side: mean, standard deviation and quantiles over the "
        "vertices of the map, and how many were not measured"
    )
    hierarchy.put_beside(node, ct_node)
    return node


def add_rays(
    ct_node: slicer.vtkMRMLScalarVolumeNode, columns: Mapping[str, np.ndarray]
) -> slicer.vtkMRMLTableNode:
    """Add the rays of an array (``transducer.columns`` or ``transducer.read_csv``) as a table with
    a row per element, beside the CT."""
    node = tables.add_columns(ct_node.GetScene(), columns, f"{ct_node.GetName()} array rays")
    node.SetDescription("What each element of the ultrasound array sees on its way to the target")
    for name in columns:
        unit = next((unit for unit in ("mm", "hu", "deg") if name.endswith(f"_{unit}")), "")
        if unit:
            node.SetColumnUnitLabel(name, {"hu": "HU", "deg": "°"}.get(unit, unit))
    hierarchy.put_beside(node, ct_node)
    return node


def surfaces_in(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLModelNode]:
    """The surfaces of maps in a scene, in the order they came."""
    kind = "vtkMRMLModelNode"
    models = (scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind)))
    return [node for node in models if node.GetAttribute(MAP_ATTRIBUTE) == SURFACE]


def scalar_of(overlay_node: slicer.vtkMRMLScalarVolumeNode) -> str:
    """The scalar that an overlay holds."""
    return overlay_node.GetAttribute(SCALAR_ATTRIBUTE) or ""


def range_of(node: slicer.vtkMRMLDisplayableNode) -> tuple[float, float]:
    """From where to where the colors of a surface or an overlay reach."""
    display = node.GetDisplayNode()
    if node.IsA("vtkMRMLModelNode"):
        return tuple(display.GetScalarRange())
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()


def show_legend(node: slicer.vtkMRMLDisplayableNode, shown: bool) -> None:
    """Show the legend of a surface or an overlay, or hide it."""
    legend = color_tables.legend_of(node)
    if legend is not None:
        legend.SetVisibility(shown)


def scalars_of(surface_node: slicer.vtkMRMLModelNode) -> list[str]:
    """The scalars that a surface can show, by name."""
    data = _checked_surface(surface_node).GetPolyData().GetPointData()
    return [name for name in RANGES if data.GetArray(name) is not None]


def set_realness(surface_node: slicer.vtkMRMLModelNode, realness: np.ndarray, label: str) -> None:
    """Give a surface the scalar ``maps.REALNESS``, or other values for it.

    Args:
        surface_node: of ``add_surface``.
        realness: float (N,), what ``SkullGANLib.evaluation.measures.realness.on_surface`` gave.
        label: whether it is calibrated (``realness.label``), for the legend.

    Raises:
        BadInputError: if there is not one value per vertex.
    """
    data = _checked_surface(surface_node).GetPolyData()
    if np.shape(realness) != (data.GetNumberOfPoints(),):
        raise BadInputError(
            f"The realness is {np.shape(realness)}, the map has {data.GetNumberOfPoints()} "
            "vertices; one value each is needed."
        )
    array = numpy_to_vtk(np.asarray(realness, np.float32), deep=True)
    array.SetName(scalars.REALNESS)
    data.GetPointData().AddArray(array)
    data.Modified()
    surface_node.SetAttribute(_LABEL, label)


def title(scalar: str, label: str = "") -> str:
    """What a scalar is called, with its unit; a realness with what it may be read as."""
    if scalar == scalars.REALNESS:
        return f"Realness ({label or NOT_CALIBRATED})"
    return tables.COLUMNS[scalar].title


def _legend(node: slicer.vtkMRMLDisplayableNode, scalar: str) -> None:
    label = node.GetAttribute(_LABEL) or ""
    color_tables.add_legend(node, title(scalar, label), scalars.digits(scalar))


def _show_overlay(node: slicer.vtkMRMLScalarVolumeNode, scalar: str) -> None:
    node.SetAttribute(SCALAR_ATTRIBUTE, scalar)
    node.SetDescription(
        f"{title(scalar)} of the ray through each voxel of the skull wall; 0 outside the wall, "
        f"below 0 where the ray was not measured ("
        + ", ".join(f"-{code} {met}" for code, met in CODES.items() if code != MEASURED)
        + ")"
    )
    set_range(node, *RANGES[scalar])
    _legend(node, scalar)
    # The surface has the same legend in the 3D views.
    color_tables.legend_of(node).SetVisibility3D(False)


def _overlay_node(
    ct_node: slicer.vtkMRMLScalarVolumeNode, values: np.ndarray | vtk.vtkImageData, name: str
) -> slicer.vtkMRMLScalarVolumeNode:
    scene = ct_node.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetAttribute(MAP_ATTRIBUTE, OVERLAY)
    if isinstance(values, np.ndarray):
        slicer.util.updateVolumeFromArray(node, values)
    else:
        node.SetAndObserveImageData(values)
    matrix = vtk.vtkMatrix4x4()
    ct_node.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveTransformNodeID(ct_node.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(color_tables.table(scene).GetID())
    display.AutoWindowLevelOff()
    display.SetInterpolate(False)  # between wall and 0 lie values that nobody measured
    # What is not wall (0) or was not measured (below 0) is not shown.
    display.AutoThresholdOff()
    display.SetThreshold(np.finfo(np.float32).tiny, np.finfo(np.float32).max)
    display.ApplyThresholdOn()
    return node


def _fill_overlay(
    node: slicer.vtkMRMLScalarVolumeNode,
    surface_node: slicer.vtkMRMLModelNode,
    numbers: np.ndarray,
    scalar: str,
) -> None:
    values = wall_overlay.overlay(map_from(surface_node), numbers, scalar)
    slicer.util.updateVolumeFromArray(node, values)


def _checked_surface(node: slicer.vtkMRMLModelNode) -> slicer.vtkMRMLModelNode:
    data = node.GetPolyData()
    if data is None or any(data.GetPointData().GetArray(name) is None for name in _VALUES):
        raise BadInputError(
            f"Model {node.GetName()!r} is no map of a calvaria, one that SkullGAN made is needed."
        )
    return node


def _poly_data(found: CalvariaMap, to_node: np.ndarray) -> vtk.vtkPolyData:
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
    scalars = {name: values.astype(np.float32) for name, values in found.values.items()}
    scalars["code"] = found.code
    for name, texts, names in (("bone", found.bone, BONES), ("side", found.side, SIDES)):
        scalars[name] = np.argmax(texts[:, None] == np.array(names), axis=1).astype(np.uint8)
    for name, values in scalars.items():
        array = numpy_to_vtk(values, deep=True)
        array.SetName(name)
        data.GetPointData().AddArray(array)
    normals = numpy_to_vtk((found.normals @ to_node[:3, :3].T).astype(np.float32), deep=True)
    normals.SetName("Normals")
    data.GetPointData().AddArray(normals)
    return data


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


def _composites(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSliceCompositeNode]:
    kind = "vtkMRMLSliceCompositeNode"
    return [scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))]


def _node_to_world(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    transform = node.GetParentTransformNode()
    if transform is not None and not transform.GetMatrixTransformToWorld(matrix):
        raise BadInputError(
            f"{node.GetName()!r} is under the transform {transform.GetName()!r}, which is not "
            "linear; a linear one is needed, or harden it."
        )
    return slicer.util.arrayFromVTKMatrix(matrix)


def _world_to_node(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    return np.linalg.inv(_node_to_world(node))


def _to_node(node: slicer.vtkMRMLTransformableNode, point: np.ndarray) -> np.ndarray:
    matrix = _world_to_node(node)
    return matrix[:3, :3] @ point + matrix[:3, 3]
