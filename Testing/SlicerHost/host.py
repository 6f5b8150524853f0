"""The host: a scene, an application and our modules in them.

Example::

    with Host() as host:
        panel = host.open_module(root / "SkullGAN" / "SkullGAN.py")
        panel.ui.extractButton.click()
        host.wait_until(lambda: not panel.logic.isWorking())
        host.picture(panel, "panel.png")
"""

from __future__ import annotations

import importlib.util
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
import slicer.util
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from SkullGANScene import headless
from SkullGANScene.vtkerrors import heard_errors

from . import application, parameternode, pythonqt, scripted, widgets
from .uiloader import QUiLoader

LONGEST_S = 60.0
_PANEL_WIDTH_PX = 480


class SlotError(AssertionError):
    """A slot let an exception out, which Slicer would have printed and forgotten."""


class Host:
    """Slicer's place taken, from entering to leaving the ``with`` block.

    Leaving raises ``SlotError`` for exceptions that slots let out, and ``AssertionError`` for
    errors that VTK or Qt reported. There is one at a time.
    """

    def __enter__(self) -> Host:
        pythonqt.build()
        self._before = {name: getattr(slicer, name, None) for name in ("app", "mrmlScene")}
        vtk.vtkOutputWindow.GetInstance().SetDisplayModeToAlwaysStdErr()
        self._stage = headless.new_stage()
        slicer.mrmlScene = self._stage.scene
        slicer.app = QtWidgets.QApplication.instance() or application.qSlicerApplication()
        slicer.app.temporaryPath = self._stage.application_logic.GetTemporaryPath()
        _publish()
        self._panels: list[Any] = []
        self._errors = heard_errors()
        self._vtk_errors = self._errors.__enter__()
        for left in (pythonqt.SLOT_ERRORS, pythonqt.QT_WARNINGS, pythonqt.FILE_ANSWERS):
            left.clear()
        return self

    def __exit__(self, *raised: object) -> None:
        for panel in self._panels:
            panel.cleanup()
            for box in panel.parent.findChildren(widgets.qMRMLNodeComboBox):
                box.setMRMLScene(None)
            panel.parent.deleteLater()
        self.process_events()
        slicer.mrmlScene.Clear(1)
        self._errors.__exit__(*raised)
        for name, value in self._before.items():
            if value is None:
                delattr(slicer, name)
            else:
                setattr(slicer, name, value)
        if raised[0] is None:
            self.check()

    @property
    def scene(self) -> slicer.vtkMRMLScene:
        return slicer.mrmlScene

    def load_module(self, path: str | Path) -> tuple[types.ModuleType, Any]:
        """Import a module's file as Slicer does and make its description.

        Returns:
            The Python module and what ``slicer.modules.<name>`` holds.
        """
        path = Path(path)
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        name = path.stem
        specification = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(specification)
        sys.modules[name] = module
        specification.loader.exec_module(module)
        description = types.SimpleNamespace(path=str(path), name=name)
        description.instance = getattr(module, name)(description)
        setattr(slicer.modules, name.lower(), description)
        return module, description

    def open_module(self, path: str | Path) -> Any:
        """Load a module, open its panel and give the widget object."""
        module, description = self.load_module(path)
        parent = widgets.qMRMLWidget()
        parent.setLayout(QtWidgets.QVBoxLayout())
        parent.setMRMLScene(slicer.mrmlScene)
        panel = getattr(module, f"{description.name}Widget")(parent)
        panel.setup()
        self._panels.append(panel)
        panel.enter()
        parent.resize(_PANEL_WIDTH_PX, parent.sizeHint().height())
        parent.setAttribute(QtCore.Qt.WA_DontShowOnScreen)  # laid out and painted all the same
        parent.show()
        self.process_events()
        self.check()
        return panel

    def process_events(self) -> None:
        """Let Qt do what is due."""
        slicer.app.processEvents()
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)

    def wait_until(self, fulfilled: Callable[[], bool], timeout_s: float = LONGEST_S) -> None:
        """Let Qt work until something is so.

        Raises:
            TimeoutError: if it is not so after ``timeout_s``.
            SlotError, AssertionError: as ``check``.
        """
        deadline = time.monotonic() + timeout_s
        while not fulfilled():
            self.process_events()
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing came of it within {timeout_s:.0f} s")
            time.sleep(0.02)
        self.process_events()
        self.check()

    def check(self) -> None:
        """Raise what slots, VTK and Qt reported since the last time."""
        slot_errors = self.take_slot_errors()
        reported = [*self._vtk_errors, *pythonqt.QT_WARNINGS]
        self._vtk_errors.clear()
        pythonqt.QT_WARNINGS.clear()
        if slot_errors:
            raise SlotError("\n".join(slot_errors))
        assert not reported, reported

    def take_slot_errors(self) -> list[str]:
        """Give the tracebacks of slots so far and forget them: for tests that expect one."""
        found = list(pythonqt.SLOT_ERRORS)
        pythonqt.SLOT_ERRORS.clear()
        return found

    def picture(self, panel: Any, path: str | Path) -> None:
        """Write how the panel looks as PNG."""
        panel.parent.resize(_PANEL_WIDTH_PX, panel.parent.sizeHint().height())
        self.process_events()
        image: QtGui.QPixmap = panel.parent.grab()
        if not image.save(str(path)):
            raise OSError(f"{path}: cannot be written")


def _publish() -> None:
    """Put what Slicer offers where modules import it from."""
    qt = pythonqt.build()
    qt.QUiLoader = QUiLoader
    ctk = types.ModuleType("ctk")
    for kind in widgets.CTK:
        setattr(ctk, kind.__name__, kind)
    for kind in widgets.QMRML:
        setattr(slicer, kind.__name__, kind)
    published = {
        "ctk": ctk,
        "SampleData": application.sample_data(),
        "slicer.i18n": application.translations(),
        "slicer.ScriptedLoadableModule": scripted.as_module(),
        "slicer.parameterNodeWrapper": parameternode.as_module(),
        "slicer.modules": types.ModuleType("slicer.modules"),
    }
    sys.modules.update(published)
    for name, module in published.items():
        if name.startswith("slicer."):
            setattr(slicer, name.removeprefix("slicer."), module)
