"""What a map's surface says at a point, such as the one under the mouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from SkullGANLib.mapping import scalars

from .map_surface import checked_surface, scalars_of, tables_of
from .world_transforms import to_node


@dataclass(frozen=True)
class Reading:
    """What a map says at a point.

    Attributes:
        values: by scalar, of the nearest vertex; NaN where nothing was measured.
        met: what the ray there met, out of ``codes.CODES``.
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
    """Gives what a map's surface holds nearest to a point; quick enough to follow the mouse.

    Args:
        surface_node: of ``add_surface``.
    """

    def __init__(self, surface_node: slicer.vtkMRMLModelNode) -> None:
        self._node = checked_surface(surface_node)
        self._tables = tables_of(surface_node)
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
        local = to_node(self._node, np.asarray(point_ras, float))
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
            met=self._tables["code"][str(int(found["code"]))],
            bone=self._tables["bone"][str(int(found["bone"]))],
            side=self._tables["side"][str(int(found["side"]))],
            distance_mm=distance,
        )
