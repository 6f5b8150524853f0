"""The elements of an ultrasound array as models in 3D, colored by what each sees of the skull.

There are two models for a CT: the active elements in the colors of a scalar, and the others, gray
and see-through. Both are made of the table of the array's rays and stand where the CT stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import slicer
import vtk
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import scalars
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

from . import color_tables, hierarchy
from .world_transforms import world_to_node

INCIDENCE = "incidence_deg"
SCALARS: Mapping[str, str] = {
    "sdr_peaks": scalars.title("sdr_peaks"),
    "thickness_mm": scalars.title("thickness_mm"),
    INCIDENCE: "Incidence (°)",
}
"""What elements can be colored by, and how that reads."""

_LEGENDS = {"sdr_peaks": "Array SDR", "thickness_mm": "Array mm", INCIDENCE: "Array °"}
# Short ones: titles grow with the legend, and the skull's stands at the other side.
_ROLES = ("SkullGAN.map.array", "SkullGAN.map.arrayInactive")
_CORNERS = 16
_FILLED = 0.42  # radius of a disc over the distance to the next one
_LARGEST_MM = 6.0
_GRAY, _SEE_THROUGH = 0.6, 0.25
_INCIDENCE_RANGE = (0.0, 25.0)


def add_array(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    rays: Mapping[str, np.ndarray],
    target_ras: Sequence[float],
    scalar: str = "sdr_peaks",
) -> list[slicer.vtkMRMLModelNode]:
    """Add the models of an array, beside its CT, in the place of those it had.

    Args:
        ct_node: the CT.
        rays: what ``array_table.columns`` or ``read_csv`` gave.
        target_ras: (3,), RAS mm, which the elements face.
        scalar: one of ``SCALARS``.

    Returns:
        The models of the active elements and of the others, as far as there are any.

    Raises:
        BadInputError: if the scalar is not one of them.
    """
    _check(scalar)
    remove_array(ct_node)
    places = np.stack([rays[f"{axis}_ras_mm"] for axis in "xyz"], axis=1)
    active = np.asarray(rays["active"]) != 0
    radius = _radius_mm(places)
    models = []
    for role, which, name in zip(_ROLES, (active, ~active), ("array", "array off"), strict=True):
        if not which.any():
            continue
        values = {one: np.asarray(rays[one])[which] for one in SCALARS}
        data = _discs(places[which], np.asarray(target_ras, float), radius, values)
        _move(data, world_to_node(ct_node))
        node = slicer.vtkMRMLModelNode()
        node.SetName(f"{ct_node.GetName()} {name}")
        node = ct_node.GetScene().AddNode(node)
        node.SetAndObservePolyData(data)
        node.SetAndObserveTransformNodeID(ct_node.GetTransformNodeID())
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetVisibility2D(False)
        node.SetSelectable(False)
        hierarchy.put_beside(node, ct_node)
        ct_node.SetNodeReferenceID(role, node.GetID())
        models.append(node)
    if (off := inactive_of(ct_node)) is not None:
        off.GetDisplayNode().SetColor(_GRAY, _GRAY, _GRAY)
        off.GetDisplayNode().SetOpacity(_SEE_THROUGH)
    show_scalar(ct_node, scalar)
    return models


def active_of(ct_node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLModelNode | None:
    """The model of a CT's active elements, None if it has none in the scene."""
    return ct_node.GetNodeReference(_ROLES[0])


def inactive_of(ct_node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLModelNode | None:
    """The model of the elements that are switched off, None if there are none."""
    return ct_node.GetNodeReference(_ROLES[1])


def remove_array(ct_node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Take a CT's array out of the scene, if it has one."""
    for node in (active_of(ct_node), inactive_of(ct_node)):
        if node is not None:
            hierarchy.remove(node)


def show_scalar(ct_node: slicer.vtkMRMLScalarVolumeNode, scalar: str) -> None:
    """Color a CT's active elements by a scalar, with its legend.

    Raises:
        BadInputError: if the scalar is not one of ``SCALARS``.
    """
    _check(scalar)
    node = active_of(ct_node)
    if node is None:
        return
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(color_tables.table(ct_node.GetScene()).GetID())
    display.SetScalarRangeFlag(display.UseManualScalarRange)
    low, high = _INCIDENCE_RANGE if scalar == INCIDENCE else scalars.color_range(scalar)
    display.SetScalarRange(low, high)
    display.SetActiveScalar(scalar, vtk.vtkAssignAttribute.POINT_DATA)
    display.SetScalarVisibility(True)
    digits = 0 if scalar == INCIDENCE else scalars.digits(scalar)
    legend = color_tables.add_legend(node, _LEGENDS[scalar], digits)
    legend.SetPosition(0.02, 0.5)  # that of the skull is at the other side
    legend.SetVisibility(display.GetVisibility())


def show(ct_node: slicer.vtkMRMLScalarVolumeNode, shown: bool) -> None:
    """Show a CT's array in 3D views, or hide it with its legend."""
    for node in (active_of(ct_node), inactive_of(ct_node)):
        if node is not None and bool(node.GetDisplayNode().GetVisibility()) != shown:
            node.GetDisplayNode().SetVisibility(shown)
            legend = color_tables.legend_of(node)
            if legend is not None:
                legend.SetVisibility(shown)


def _check(scalar: str) -> None:
    if scalar not in SCALARS:
        raise BadInputError(f"Expected one of {', '.join(SCALARS)}, found {scalar!r}.")


def _radius_mm(places: np.ndarray) -> float:
    """Of discs that do not touch each other."""
    from scipy.spatial import cKDTree

    if len(places) < 2:
        return _LARGEST_MM
    apart = cKDTree(places).query(places, k=2)[0][:, 1]
    return float(min(_LARGEST_MM, _FILLED * np.median(apart)))


def _discs(
    places: np.ndarray, target: np.ndarray, radius_mm: float, values: Mapping[str, np.ndarray]
) -> vtk.vtkPolyData:
    """A disc for each element, which faces the target, with its values at its corners."""
    axis = target - places
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    least = np.eye(3)[np.abs(axis).argmin(axis=1)]
    across = np.cross(axis, least)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(axis, across)
    angle = 2 * np.pi * np.arange(_CORNERS) / _CORNERS
    corners = places[:, None] + radius_mm * (
        np.cos(angle)[None, :, None] * across[:, None]
        + np.sin(angle)[None, :, None] * other[:, None]
    )
    data = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(corners.reshape(-1, 3).astype(np.float32), deep=True))
    data.SetPoints(points)
    polygons = vtk.vtkCellArray()
    numbers = np.arange(len(places) * _CORNERS, dtype=np.int64)
    polygons.SetData(_CORNERS, numpy_to_vtkIdTypeArray(numbers, deep=True))
    data.SetPolys(polygons)
    for name, its in values.items():
        array = numpy_to_vtk(np.repeat(its, _CORNERS).astype(np.float32), deep=True)
        array.SetName(name)
        data.GetPointData().AddArray(array)
    return data


def _move(data: vtk.vtkPolyData, matrix: np.ndarray) -> None:
    transform, moved = vtk.vtkTransform(), vtk.vtkPoints()
    transform.SetMatrix(matrix.ravel())
    transform.TransformPoints(data.GetPoints(), moved)
    data.SetPoints(moved)
