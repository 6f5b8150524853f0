"""Plugins of the subject hierarchy that are written in Python, and the menus they add to."""

# ruff: noqa: N801, N802 - the names are Slicer's
from __future__ import annotations

import importlib.util
import types
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtGui

_SUFFIX = "SubjectHierarchyPlugin"


class qSlicerSubjectHierarchyPluginHandler:
    """Knows the plugins, and the item whose menu is open."""

    _only: qSlicerSubjectHierarchyPluginHandler | None = None

    def __init__(self) -> None:
        self._plugins: list[qSlicerSubjectHierarchyScriptedPlugin] = []
        self._current = 0

    @classmethod
    def instance(cls) -> qSlicerSubjectHierarchyPluginHandler:
        cls._only = cls._only or cls()
        return cls._only

    def registerPlugin(self, plugin: qSlicerSubjectHierarchyScriptedPlugin) -> bool:
        if plugin.name in [one.name for one in self._plugins]:
            return False  # as Slicer, which keeps the first of a name
        self._plugins.append(plugin)
        return True

    def currentItem(self) -> int:
        return self._current

    def setCurrentItem(self, item: int) -> None:
        self._current = item

    def menu(self, item: int) -> list[QtGui.QAction]:
        """Give the entries that the menu of an item shows: what a right-click does."""
        self.setCurrentItem(item)
        shown = []
        for plugin in self._plugins:
            plugin._python.showContextMenuActionsForItem(item)
            shown += [one for one in plugin._python.itemContextMenuActions() if one.visible]
        return shown

    def _forget(self) -> None:
        type(self)._only = None


class qSlicerSubjectHierarchyScriptedPlugin(QtCore.QObject):
    """The C++ side of a plugin in Python."""

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._name = ""
        self._python: Any = None

    def _set_name(self, name: str) -> None:
        self._name = name

    def setPythonSource(self, path: str) -> None:
        """Load a file by its path, and make its class that is named like the file."""
        name = Path(path).stem
        specification = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        kind = name if name.endswith(_SUFFIX) else name + _SUFFIX
        self._python = getattr(module, kind)(self)


class AbstractScriptedSubjectHierarchyPlugin:
    """What plugins in Python begin with: they register themselves."""

    def __init__(self, scriptedPlugin: qSlicerSubjectHierarchyScriptedPlugin) -> None:  # noqa: N803
        self.scriptedPlugin = scriptedPlugin
        qSlicerSubjectHierarchyPluginHandler.instance().registerPlugin(scriptedPlugin)


CLASSES = (qSlicerSubjectHierarchyPluginHandler, qSlicerSubjectHierarchyScriptedPlugin)


def as_module() -> types.ModuleType:
    """Give ``AbstractScriptedSubjectHierarchyPlugin``, a module of Slicer's."""
    module = types.ModuleType("AbstractScriptedSubjectHierarchyPlugin")
    module.AbstractScriptedSubjectHierarchyPlugin = AbstractScriptedSubjectHierarchyPlugin
    return module
