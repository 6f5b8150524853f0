"""Where nodes stand in the subject hierarchy."""

from __future__ import annotations

import slicer

# The plugins that own items in Slicer: they are saved with a scene, and Slicer names them when it
# makes the items itself.
_PLUGINS = {
    "vtkMRMLScalarVolumeNode": "Volumes",
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLTableNode": "Tables",
    "vtkMRMLTextNode": "Texts",
    "vtkMRMLModelNode": "Models",
    "vtkMRMLMarkupsPlaneNode": "Markups",
    "vtkMRMLPlotChartNode": "Plots",
    "vtkMRMLPlotSeriesNode": "Plots",
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


def add_folder(scene: slicer.vtkMRMLScene, name: str, parent: int | None = None) -> int:
    """Make a folder at the top of the hierarchy, or in another one, and give its item."""
    hierarchy = _hierarchy(scene)
    above = hierarchy.GetSceneItemID() if parent is None else parent
    folder = hierarchy.CreateFolderItem(above, name)
    if not hierarchy.GetItemOwnerPluginName(folder):
        hierarchy.SetItemOwnerPluginName(folder, "Folder")
    return folder


def put_into(node: slicer.vtkMRMLNode, folder: int) -> None:
    """Move a node into a folder."""
    _hierarchy(node.GetScene()).SetItemParent(item_of(node), folder)


def put_beside(node: slicer.vtkMRMLNode, other: slicer.vtkMRMLNode) -> None:
    """Move a node to where another one is: for a CT from DICOM that is its study."""
    put_into(node, _hierarchy(node.GetScene()).GetItemParent(item_of(other)))


def put_folder_beside(folder: int, other: slicer.vtkMRMLNode) -> None:
    """Move a folder to where a node is."""
    hierarchy = _hierarchy(other.GetScene())
    hierarchy.SetItemParent(folder, hierarchy.GetItemParent(item_of(other)))


def folder_of(node: slicer.vtkMRMLNode) -> int:
    """Give the item that a node stands under: the top's, too, for a node that has no item yet.

    None is made: while a scene is being read, its own are about to come.
    """
    hierarchy = _hierarchy(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    return hierarchy.GetItemParent(item) if item else hierarchy.GetSceneItemID()


def remove(node: slicer.vtkMRMLNode) -> None:
    """Take a node out of its scene, with its item and the nodes that show and store it."""
    scene = node.GetScene()
    helpers = []
    if node.IsA("vtkMRMLStorableNode"):
        helpers += [node.GetNthStorageNode(k) for k in range(node.GetNumberOfStorageNodes())]
    if node.IsA("vtkMRMLDisplayableNode"):
        helpers += [node.GetNthDisplayNode(k) for k in range(node.GetNumberOfDisplayNodes())]
    # The item first: where Slicer is not there to follow, one without its node would stay.
    _hierarchy(scene).RemoveItem(item_of(node), False, False)
    for helper in (node, *helpers):
        scene.RemoveNode(helper)


def remove_empty_folder(scene: slicer.vtkMRMLScene, folder: int) -> None:
    """Take a folder away, unless something stands in it or it is no folder."""
    hierarchy = _hierarchy(scene)
    level = slicer.vtkMRMLSubjectHierarchyConstants.GetSubjectHierarchyLevelFolder()
    is_folder = hierarchy.GetItemLevel(folder) == level
    if is_folder and not hierarchy.GetNumberOfItemChildren(folder):
        hierarchy.RemoveItem(folder)


def _hierarchy(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLSubjectHierarchyNode:
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
