"""``slicer.ScriptedLoadableModule``: the base classes of module, widget, logic and test."""

# ruff: noqa: N802 - the names are Slicer's
from __future__ import annotations

import logging
import sys
import types
import unittest
from pathlib import Path
from typing import Any

import slicer


class ScriptedLoadableModule:
    """What Slicer makes first, at its start: title, category, help; nothing that takes time."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, filename: str) -> str:
        return str(Path(self.parent.path).parent / "Resources" / filename)

    def getDefaultModuleDocumentationLink(self) -> str:
        return ""

    def runTest(self, **settings: Any) -> None:
        """Run the module's own test, as the module Self Tests does: what it raises is a failure."""
        getattr(sys.modules[type(self).__module__], f"{self.moduleName}Test")().runTest(**settings)


class ScriptedLoadableModuleWidget:
    """What Slicer makes when the panel is opened for the first time; ``setup`` fills it."""

    def __init__(self, parent: Any = None) -> None:
        if parent is None:
            raise NotImplementedError("ScriptedLoadableModuleWidget without a parent")
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = parent
        self.layout = parent.layout()
        slicer.app.moduleManager().connect(
            "moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded
        )

    def resourcePath(self, filename: str) -> str:
        path = Path(slicer.util.modulePath(self.moduleName))
        return str(path.parent / "Resources" / filename)

    def setup(self) -> None:
        """Slicer adds its developer buttons here; the host has none."""

    def enter(self) -> None:
        """Called when the user comes to the panel."""

    def exit(self) -> None:
        """Called when the user leaves the panel."""

    def cleanup(self) -> None:
        """Called before the widget goes."""

    def _onModuleAboutToBeUnloaded(self, name: str) -> None:
        if name == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect(
                "moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded
            )


class ScriptedLoadableModuleLogic:
    """What scripts can use without a widget; keeps its parameters in a node of the scene."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> slicer.vtkMRMLScriptedModuleNode:
        scene = slicer.mrmlScene
        node = scene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(self.moduleName)
            node.SetModuleName(self.moduleName)
            node = scene.AddNode(node)
        # Closing a scene resets the attribute of a singleton.
        node.SetAttribute("ModuleName", self.moduleName)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A test that also runs inside Slicer."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*(arguments or ("runTest",)))

    def runTest(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no runTest")

    def delayDisplay(self, message: str, msec: int = 0) -> None:
        logging.info(message)


def as_module() -> types.ModuleType:
    """Give ``slicer.ScriptedLoadableModule``, whose names modules import with a star."""
    module = types.ModuleType("slicer.ScriptedLoadableModule", __doc__)
    for kind in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(module, kind.__name__, kind)
    return module
