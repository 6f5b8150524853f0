"""Which nodes are the map of a CT: light enough to be asked whenever a panel is shown."""

from __future__ import annotations

import slicer

_ROLES = tuple(f"SkullGAN.map.{role}" for role in ("surface", "overlay", "summary", "rays"))


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
