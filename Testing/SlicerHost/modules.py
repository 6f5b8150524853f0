"""``slicer.modules``: the logics of Slicer's modules that slicer-core brings, and our modules."""

# ruff: noqa: N802, N815 - the names are Slicer's
from __future__ import annotations

import sys
import types
from typing import Any

import slicer
from PySide6 import QtCore
from SkullGANScene.offscreen.headless import Stage

from .widgets_qmrml import qMRMLWidget

_LOGICS = {
    "cameras": "vtkSlicerCamerasModuleLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "models": "vtkSlicerModelsLogic",
    "plots": "vtkSlicerPlotsLogic",
    "subjecthierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "tables": "vtkSlicerTablesLogic",
    "texts": "vtkSlicerTextsLogic",
    "transforms": "vtkSlicerTransformLogic",
    "units": "vtkSlicerUnitsLogic",
    "volumes": "vtkSlicerVolumesLogic",
}
_OF_THE_STAGE = {
    "colors": "vtkSlicerColorLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
}
_TO_GO_TO = ("data", "segmenteditor")  # panels that ours send the user to


class Module:
    """One of Slicer's modules: its name and its logic.

    There is no panel to it: ``widgetRepresentation`` says so.
    """

    def __init__(self, name: str, logic: Any) -> None:
        self.name = name
        self._logic = logic

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> Any:
        raise NotImplementedError(f"slicer.modules.{self.name}: the host has no panel of Slicer's")


class qSlicerScriptedLoadableModule:  # noqa: N801 - Slicer's name
    """One of our modules, as Slicer knows it; the module's class adds title, help and so on."""

    def __init__(self, path: str, name: str) -> None:
        self.path = path
        self.name = name
        self.instance: Any = None
        self._panel: Any = None

    def widgetRepresentation(self) -> Any:
        if self._panel is None:
            raise NotImplementedError(f"{self.name}: Host.open_module opens its panel first")
        return self._panel


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):  # noqa: N801 - Slicer's name
    """The widget around a module's panel; ``self`` gives the panel's Python object.

    As in Slicer, ``reload`` makes that object anew and calls its ``setup``, and not its ``enter``,
    also where the panel is the one that is open.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._module_name = name
        self._python_object: Any = None
        self._is_entered = False
        self._all_objects: list[Any] = []

    def self(self) -> Any:
        return self._python_object

    def reload(self) -> None:
        panel = getattr(sys.modules[self._module_name], f"{self._module_name}Widget")(self)
        self._python_object = panel
        self._all_objects.append(panel)
        setattr(slicer.modules, f"{self._module_name}Widget", panel)
        panel.setup()

    def enter(self) -> None:
        self._is_entered = True
        self._python_object.enter()

    def exit(self) -> None:
        self._is_entered = False
        self._python_object.exit()

    isEntered = QtCore.Property(bool, lambda self: self._is_entered)
    moduleName = QtCore.Property(str, lambda self: self._module_name)


CLASSES = (qSlicerScriptedLoadableModule, qSlicerScriptedLoadableModuleWidget)


def of_slicer(stage: Stage) -> types.ModuleType:
    """Make the module logics of a stage and give ``slicer.modules``."""
    modules = types.ModuleType("slicer.modules", __doc__)
    for name, kind in _OF_THE_STAGE.items():
        logic = next(kept for kept in stage.kept if type(kept) is getattr(slicer, kind))
        setattr(modules, name, Module(name, logic))
    for name, kind in _LOGICS.items():
        logic = getattr(slicer, kind)()
        if hasattr(logic, "SetModuleShareDirectory"):  # some look for files there, at the scene's
            logic.SetModuleShareDirectory(stage.application_logic.GetTemporaryPath())
        logic.SetMRMLApplicationLogic(stage.application_logic)
        logic.SetMRMLScene(stage.scene)
        setattr(modules, name, Module(name, logic))
    for name in _TO_GO_TO:
        setattr(modules, name, Module(name, None))
    for name, module in list(vars(modules).items()):
        if isinstance(module, Module) and module.logic() is not None:
            # Other logics ask the application for it by the name that Slicer gives the module.
            stage.application_logic.SetModuleLogic(_title(name), module.logic())
    return modules


def _title(name: str) -> str:
    return {"subjecthierarchy": "SubjectHierarchy"}.get(name, name.capitalize())
