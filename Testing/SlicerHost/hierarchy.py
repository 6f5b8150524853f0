"""Items of the subject hierarchy, made as nodes come and go: in Slicer, Qt-side plugins do it."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

_WITH_ITEM = (
    "vtkMRMLDisplayableNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLPlotSeriesNode",
    "vtkMRMLSequenceNode",
)


class Hierarchy:
    """Keeps the items of a scene's subject hierarchy up with its nodes, until ``close``."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def added(_scene: Any, _event: str, node: slicer.vtkMRMLNode) -> None:
            if not scene.IsBatchProcessing():
                self._add(node)

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def going(_scene: Any, _event: str, node: slicer.vtkMRMLNode) -> None:
            if not scene.IsClosing():
                self._remove(node)

        self._tags = [
            scene.AddObserver(scene.NodeAddedEvent, added),
            scene.AddObserver(scene.NodeAboutToBeRemovedEvent, going),
            scene.AddObserver(scene.EndBatchProcessEvent, self._after_batch),
        ]

    def close(self) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)

    def _tree(self) -> slicer.vtkMRMLSubjectHierarchyNode:
        """The scene's hierarchy, a new one after closing."""
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)

    def _add(self, node: slicer.vtkMRMLNode) -> None:
        tree = self._tree()
        shown = any(node.IsA(kind) for kind in _WITH_ITEM) and not node.GetHideFromEditors()
        if shown and not tree.GetItemByDataNode(node):
            tree.CreateItem(tree.GetSceneItemID(), node)

    def _remove(self, node: slicer.vtkMRMLNode) -> None:
        tree = self._tree()
        item = tree.GetItemByDataNode(node)
        if item:
            tree.RemoveItem(item, False, False)

    def _after_batch(self, _scene: Any, _event: str) -> None:
        """After closing or reading a scene: make its hierarchy, or take the one that was read."""
        slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(self._scene)
        for index in range(self._scene.GetNumberOfNodes()):
            node = self._scene.GetNthNode(index)
            if node is not None:
                self._add(node)
