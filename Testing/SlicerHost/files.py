"""``slicer.app.coreIOManager()``: what ``slicer.util.loadVolume``, ``saveNode`` and the like call.

Nodes are read and written by the module logics and storage nodes of slicer-core. A type of file
that our modules do not use raises.
"""

# ruff: noqa: N801, N802 - the names are Slicer's
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
import vtk
from SkullGANLib.errors import SkullGANError
from SkullGANScene.nodes import mrb

_TYPES = {
    "SceneFile": (".mrb", ".mrml"),
    "SegmentationFile": (".seg.nrrd",),
    "MarkupsFile": (".mrk.json", ".fcsv"),
    "TransformFile": (".tfm", ".h5"),
    "TableFile": (".tsv", ".csv"),
    "ModelFile": (".vtp", ".vtk", ".stl", ".obj", ".ply"),
    "VolumeFile": (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".dcm"),
}
_NODES = {
    "SegmentationFile": "vtkMRMLSegmentationNode",
    "MarkupsFile": "vtkMRMLMarkupsNode",
    "TransformFile": "vtkMRMLTransformNode",
    "TableFile": "vtkMRMLTableNode",
    "ModelFile": "vtkMRMLModelNode",
    "VolumeFile": "vtkMRMLVolumeNode",
}
_VOLUME_OPTIONS = {"labelmap": 1, "center": 2, "singleFile": 4, "discardOrientation": 16}
_WINDOW_LEVEL = 8


class qSlicerCoreIOManager:
    """Reads and writes files of the scene."""

    def fileType(self, path: str) -> str:
        for kind, endings in _TYPES.items():
            if str(path).lower().endswith(endings):
                return kind
        raise NotImplementedError(f"{path}: the host reads no such file")

    def fileWriterFileType(self, node: slicer.vtkMRMLNode) -> str:
        for kind, of_node in _NODES.items():
            if node.IsA(of_node):
                return kind
        raise NotImplementedError(f"{node.GetClassName()}: the host writes no such node")

    def loadNodes(
        self,
        kind: str,
        properties: dict[str, Any],
        loaded: vtk.vtkCollection | None = None,
        messages: slicer.vtkMRMLMessageCollection | None = None,
    ) -> bool:
        path = properties["fileName"]
        if not Path(path).exists():
            return _failed(messages, f"{path}: there is no such file")
        if kind == "SceneFile":
            return _said(messages, lambda: _load_scene(path, properties))
        if kind not in _READERS:
            raise NotImplementedError(f"{kind}: the host reads no such file")
        node = _READERS[kind](path, properties)
        if node is None:
            return _failed(messages, f"{path}: cannot be read as {kind}")
        if properties.get("name"):
            node.SetName(properties["name"])
        if loaded is not None:
            loaded.AddItem(node)
        return True

    def saveNodes(
        self,
        kind: str,
        properties: dict[str, Any],
        messages: slicer.vtkMRMLMessageCollection | None = None,
    ) -> bool:
        path = str(properties["fileName"])
        if kind == "SceneFile":
            if not path.endswith(".mrb"):
                raise NotImplementedError(f"{path}: the host saves scenes as .mrb only")
            return _said(messages, lambda: mrb.save(slicer.mrmlScene, path))
        node = slicer.mrmlScene.GetNodeByID(properties["nodeID"])
        node.AddDefaultStorageNode(path)
        storage = node.GetStorageNode()
        storage.SetFileName(path)
        if "useCompression" in properties:
            storage.SetUseCompression(properties["useCompression"])
        if not storage.WriteData(node):
            return _failed(messages, f"{path}: cannot be written")
        return True


def _load_scene(path: str, properties: dict[str, Any]) -> None:
    if not path.endswith(".mrb") or not properties.get("clear", True):
        raise NotImplementedError(f"{path}: the host opens scenes of .mrb in place of the present")
    mrb.open_bundle(slicer.mrmlScene, path)


def _volume(path: str, properties: dict[str, Any]) -> slicer.vtkMRMLVolumeNode | None:
    options = sum(flag for name, flag in _VOLUME_OPTIONS.items() if properties.get(name))
    options |= _WINDOW_LEVEL if properties.get("autoWindowLevel", True) else 0
    logic = slicer.modules.volumes.logic()
    node = logic.AddArchetypeVolume(path, _stem(path), options)
    if node is not None and properties.get("show", True):
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetActiveVolumeID(node.GetID())
        slicer.app.applicationLogic().PropagateVolumeSelection(1)
    return node


def _model(path: str, _properties: dict[str, Any]) -> slicer.vtkMRMLModelNode | None:
    return slicer.modules.models.logic().AddModel(
        path, slicer.vtkMRMLStorageNode.CoordinateSystemLPS
    )


def _table(path: str, _properties: dict[str, Any]) -> slicer.vtkMRMLTableNode | None:
    return slicer.modules.tables.logic().AddTable(path, _stem(path))


def _transform(path: str, _properties: dict[str, Any]) -> slicer.vtkMRMLTransformNode | None:
    return slicer.modules.transforms.logic().AddTransform(path, slicer.mrmlScene)


def _markups(path: str, _properties: dict[str, Any]) -> slicer.vtkMRMLMarkupsNode | None:
    node_id = slicer.modules.markups.logic().LoadMarkups(path, _stem(path))
    return slicer.mrmlScene.GetNodeByID(node_id) if node_id else None


def _segmentation(path: str, _properties: dict[str, Any]) -> slicer.vtkMRMLSegmentationNode | None:
    scene = slicer.mrmlScene
    name = scene.GenerateUniqueName(_stem(path))
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.AddDefaultStorageNode(path)
    if not node.GetStorageNode().ReadData(node):
        scene.RemoveNode(node)
        return None
    node.CreateDefaultDisplayNodes()
    return node


_READERS = {
    "VolumeFile": _volume,
    "ModelFile": _model,
    "TableFile": _table,
    "TransformFile": _transform,
    "MarkupsFile": _markups,
    "SegmentationFile": _segmentation,
}


def _stem(path: str) -> str:
    name = Path(path).name
    endings = [ending for kind in _TYPES.values() for ending in kind]
    longest = max((e for e in endings if name.lower().endswith(e)), key=len, default="")
    return name[: len(name) - len(longest)]


def _said(messages: slicer.vtkMRMLMessageCollection | None, action: Callable[[], None]) -> bool:
    try:
        action()
    except SkullGANError as error:
        return _failed(messages, str(error))
    return True


def _failed(messages: slicer.vtkMRMLMessageCollection | None, why: str) -> bool:
    if messages is not None:
        messages.AddMessage(vtk.vtkCommand.ErrorEvent, why)
    return False
