"""What the menu of a CT in the subject hierarchy offers: its segments, and a map of its skull.

Slicer loads this file by its path and takes the class that is named like it.
"""

# ruff: noqa: N802, N803, N815 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import Any

import qt
import slicer
import slicer.util
from AbstractScriptedSubjectHierarchyPlugin import AbstractScriptedSubjectHierarchyPlugin
from slicer.i18n import tr as _


class SkullGANSubjectHierarchyPlugin(AbstractScriptedSubjectHierarchyPlugin):
    """Adds two entries to the menu of a volume that may be a head CT."""

    filePath = __file__

    def __init__(self, scriptedPlugin: Any) -> None:
        scriptedPlugin.name = "SkullGAN"
        AbstractScriptedSubjectHierarchyPlugin.__init__(self, scriptedPlugin)
        self._actions = []
        for text, button, section in (
            (_("Extract skull segments"), "extractButton", "extractSection"),
            (_("Map the skull's thickness and SDR"), "mapButton", "mapSection"),
        ):
            action = qt.QAction(text, scriptedPlugin)
            action.connect("triggered()", lambda b=button, s=section: self._begin(b, s))
            self._actions.append(action)

    def itemContextMenuActions(self) -> list[qt.QAction]:
        return self._actions

    def showContextMenuActionsForItem(self, itemID: int) -> None:
        shown = self._isHead(_nodeOf(itemID))
        for action in self._actions:
            action.visible = shown

    def _begin(self, button: str, section: str) -> None:
        """Open the panel, choose the CT there and press a button of the panel."""
        item = slicer.qSlicerSubjectHierarchyPluginHandler.instance().currentItem()
        node = _nodeOf(item)
        if not self._isHead(node):
            return
        slicer.util.selectModule("SkullGAN")
        panel = slicer.util.getModuleWidget("SkullGAN")
        panel.node.ct = node
        getattr(panel.ui, section).collapsed = False
        getattr(panel.ui, button).click()

    @staticmethod
    def _isHead(node: Any) -> bool:
        """Whether segments may be cut from a node: a volume with voxels that we did not make."""
        if node is None or node.GetClassName() != "vtkMRMLScalarVolumeNode":
            return False
        ours = node.GetAttribute("SkullGAN.Kind") or node.GetAttribute("SkullGAN.Map")
        return not ours and node.GetImageData() is not None


def _nodeOf(item: int) -> Any:
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    return tree.GetItemDataNode(item)


def register() -> None:
    """Add the entries to Slicer's menus; called once, when Slicer has started."""
    plugin = slicer.qSlicerSubjectHierarchyScriptedPlugin(None)
    plugin.setPythonSource(SkullGANSubjectHierarchyPlugin.filePath)
