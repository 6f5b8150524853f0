"""Where nodes stand in the subject hierarchy."""

from __future__ import annotations

import slicer

# The plugins that own items in Slicer: they are saved with a scene, and Slicer names them when it
# makes the items itself.
_PLUGINS = {
    "vtkMRMLScalarVolumeNode": "Volumes",
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLTableNode": "Tables",
}


def item_of(node: slicer.vtkMRMLNode) -> int:
    """Give a node's item, made at the top of the hierarchy where Slicer is not there to make it."""
    hierarchy = _hierarchy(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    if not item:
        item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    if not hierarchy.GetItemOwnerPluginName(item) and node.GetClassName() in _PLUGINS:
        hierarchy.SetItemOwnerPluginName(item, _PLUGINS[node.GetClassName()])
    return item


def add_folder(scene: slicer.vtkMRMLScene, name: str) -> int:
    """Make a folder at the top of the hierarchy and give its item."""
    hierarchy = _hierarchy(scene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), name)
    if not hierarchy.GetItemOwnerPluginName(folder):
        hierarchy.SetItemOwnerPluginName(folder, "Folder")
    return folder


def put_into(node: slicer.vtkMRMLNode, folder: int) -> None:
    """Move a node into a folder."""
    _hierarchy(node.GetScene()).SetItemParent(item_of(node), folder)


def put_beside(node: slicer.vtkMRMLNode, other: slicer.vtkMRMLNode) -> None:
    """Move a node to where another one is: for a CT from DICOM that is its study."""
    put_into(node, _hierarchy(node.GetScene()).GetItemParent(item_of(other)))


def _hierarchy(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLSubjectHierarchyNode:
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
