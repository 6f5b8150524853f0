"""Which nodes are the map of a CT: light enough to ask whenever a panel shows.

``map_surface`` and ``map_overlay`` make the nodes and are not as light: they bring SciPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

_ROLES = tuple(f"SkullGAN.map.{role}" for role in ("surface", "overlay", "summary", "rays"))


@dataclass(frozen=True, eq=False)
class MapNodes:
    """What maps are in a scene.

    Attributes:
        surface: the skull's outer surface with all scalars.
        overlay: the wall with one of them.
        summary: table, a row for each metric, bone and side.
        rays: table, a row per element of the array.
        numbers: what ``head_maps.read_numbers`` gave: caveats, summary, array.
        vertices: file with the vertex of every voxel, for ``map_overlay.filling``.
    """

    surface: slicer.vtkMRMLModelNode
    overlay: slicer.vtkMRMLScalarVolumeNode
    summary: slicer.vtkMRMLTableNode
    rays: slicer.vtkMRMLTableNode
    numbers: Mapping[str, Any]
    vertices: Path


def set_nodes(
    ct_node: slicer.vtkMRMLScalarVolumeNode,
    surface_node: slicer.vtkMRMLModelNode,
    overlay_node: slicer.vtkMRMLScalarVolumeNode,
    summary_node: slicer.vtkMRMLTableNode,
    rays_node: slicer.vtkMRMLTableNode,
) -> None:
    """Keep with a CT which nodes are its map; ``nodes_of`` finds them again."""
    nodes = (surface_node, overlay_node, summary_node, rays_node)
    for role, node in zip(_ROLES, nodes, strict=True):
        ct_node.SetNodeReferenceID(role, node.GetID())


def nodes_of(ct_node: slicer.vtkMRMLScalarVolumeNode) -> list[slicer.vtkMRMLNode]:
    """The nodes of a CT's map that are in the scene: surface, overlay, summary, rays."""
    return [node for node in map(ct_node.GetNodeReference, _ROLES) if node is not None]


def surface_of(ct_node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLModelNode | None:
    """The surface of a CT's map, None if it has none in the scene."""
    return ct_node.GetNodeReference(_ROLES[0])


def overlay_of(ct_node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The overlay of a CT's map, None if it has none in the scene."""
    return ct_node.GetNodeReference(_ROLES[1])
