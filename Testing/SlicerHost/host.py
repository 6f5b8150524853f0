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
import traceback
import types
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import slicer
import slicer.util
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from SkullGANScene.nodes.vtk_errors import heard_errors
from SkullGANScene.offscreen import headless

from . import (
    application,
    blocking,
    dialogs,
    hierarchy,
    hierarchy_plugins,
    images,
    leaks,
    modules,
    packaging,
    parameternode,
    pictures,
    pythonqt,
    scripted,
    themes,
    upstream,
    widgets,
)
from .launcher import on_path as launcher_on_path
from .uiloader import QUiLoader

LONGEST_S = 60.0
_PANEL_WIDTH_PX = 480
_VIEWS_PX = (920, 780)


class SlotError(AssertionError):
    """A slot let an exception out, which Slicer would have printed and forgotten."""


class Host:
    """Slicer's place taken, from entering to leaving the ``with`` block.

    Leaving raises ``SlotError`` for exceptions that slots let out, and ``AssertionError`` for
    errors that VTK or Qt reported, messages that the test did not take and what panels left
    behind. There is one at a time.

    What upstream does at quitting (``quit``), at *Reload* (``reload``), in path fields and in save
    dialogs, it does, too. Where ``SLICER_UPSTREAM`` names a checkout of Slicer, its own Python
    files are used (``upstream``) and its version is the host's.

    Args:
        version: of Slicer: (5, 12), or (5, 10), which lacks ``slicer.packaging`` and whose
            ``disconnectGui`` leaves an observer; 5.12, or the checkout's, if None.
        launcher: whether children are started by a ``PythonSlicer`` (``launcher``), as in Slicer,
            instead of by this Python.

    Attributes:
        packages: what is installed, missing and asked for (``packaging.Packages``).
    """

    def __init__(self, version: tuple[int, int] | None = None, *, launcher: bool = False) -> None:
        # Who asks for a version gets that: only the checkout's own could be upstream's files.
        checkout = upstream.version()
        self._upstream = upstream.folder() if version in (None, checkout) else None
        self._version = version or checkout or (5, 12)
        self._launcher = launcher_on_path() if launcher else nullcontext()
        self.packages = packaging.Packages()

    def __enter__(self) -> Host:
        pythonqt.build()
        self._launcher.__enter__()
        self._before = {name: getattr(slicer, name, None) for name in ("app", "mrmlScene")}
        vtk.vtkOutputWindow.GetInstance().SetDisplayModeToAlwaysStdErr()
        self._stage = headless.new_stage()
        slicer.mrmlScene = self._stage.scene
        slicer.app = QtWidgets.QApplication.instance() or application.qSlicerApplication()
        ctk = _publish(modules.of_slicer(self._stage))
        _offer_packaging(self._version, self.packages)
        slicer.app.begin(self._stage, self._version)
        if self._upstream:
            upstream.publish(self._upstream, ctk, self.packages)
        self._hierarchy = hierarchy.Hierarchy(self._stage.scene)
        self._parents: list[modules.qSlicerScriptedLoadableModuleWidget] = []
        # By it go exceptions in observers of VTK and in what Qt calls beside slots.
        self._excepthook, sys.excepthook = sys.excepthook, _hear_exception
        self._errors = heard_errors()
        self._vtk_errors = self._errors.__enter__()
        for left in (pythonqt.SLOT_ERRORS, pythonqt.QT_WARNINGS):
            left.clear()
        dialogs.forget()
        blocking.forget()
        parameternode.CONNECTED.clear()
        return self

    def __exit__(self, *raised: object) -> None:
        slicer.app.moduleManager()._unload_modules()
        for parent in self._parents:
            for child in [parent, *parent.findChildren(QtWidgets.QWidget)]:
                if isinstance(child, widgets.QMRML):
                    child.setMRMLScene(None)
            parent.deleteLater()
        panels = [panel for parent in self._parents for panel in parent._all_objects]
        left = [what for panel in panels for what in leaks.left_by(panel)]
        left += leaks.connected_parameter_nodes()
        slicer.app.end()
        self._launcher.__exit__(None, None, None)
        self.process_events()
        self._hierarchy.close()
        hierarchy_plugins.qSlicerSubjectHierarchyPluginHandler.instance()._forget()
        slicer.mrmlScene.Clear(1)
        self._errors.__exit__(*raised)
        sys.excepthook = self._excepthook
        for name, value in self._before.items():
            if value is None:
                delattr(slicer, name)
            else:
                setattr(slicer, name, value)
        if raised[0] is None:
            self.check()
            assert not dialogs.MESSAGES, f"messages that the test did not take: {dialogs.MESSAGES}"
            assert not left, left

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
        description = modules.qSlicerScriptedLoadableModule(str(path), name)
        description.instance = getattr(module, name)(description)
        setattr(slicer.modules, name.lower(), description)
        setattr(slicer.modules, f"{name}Instance", description.instance)
        setattr(slicer.moduleNames, name, name)
        return module, description

    def open_module(self, path: str | Path) -> Any:
        """Load a module, open its panel and give the widget object."""
        _module, description = self.load_module(path)
        parent = modules.qSlicerScriptedLoadableModuleWidget(description.name)
        parent.setLayout(QtWidgets.QVBoxLayout())
        parent.setMRMLScene(slicer.mrmlScene)
        description._panel = parent
        self._parents.append(parent)
        with blocking.timed(f"{description.name}Widget.setup"):
            parent.reload()
        panel = parent.self()
        slicer.util.selectModule(description.name)  # enters it
        parent.resize(_PANEL_WIDTH_PX, parent.sizeHint().height())
        parent.setAttribute(QtCore.Qt.WA_DontShowOnScreen)  # laid out and painted all the same
        parent.show()
        self.process_events()
        self.check()
        return panel

    def reload(self, panel: Any) -> Any:
        """Reload a module as the developer's button does; give its new widget object."""
        name = panel.moduleName
        slicer.util.reloadScriptedModule(name)
        self.process_events()
        self.check()
        return getattr(slicer.modules, f"{name}Widget")

    def quit(self) -> None:
        """Quit as Slicer does: its own slot, which unloads all modules, comes before theirs."""
        slicer.app.aboutToQuit.emit()
        self.process_events()
        self.check()

    def choose_theme(self, theme: str) -> None:
        """Let panels look as with Slicer's style "Light Slicer" or "Dark Slicer".

        Args:
            theme: "light" or "dark".
        """
        slicer.app.setPalette(themes.palette(theme))
        self.process_events()

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

    def take_messages(self) -> list[str]:
        """Give the messages with one button that came up so far, and forget them."""
        found = list(dialogs.MESSAGES)
        dialogs.MESSAGES.clear()
        return found

    def slots(self) -> list[blocking.Slot]:
        """Give the longest call of every slot so far, the longest first."""
        return blocking.slots()

    def longest_slot(self) -> blocking.Slot:
        """Give the slot that kept the GUI thread longest.

        Raises:
            ValueError: if none has been called.
        """
        if not blocking.slots():
            raise ValueError("no slot has been called")
        return blocking.slots()[0]

    def forget_slots(self) -> None:
        """Begin to measure anew, before an action that is to be measured by itself."""
        blocking.forget()

    def picture(self, panel: Any, path: str | Path) -> None:
        """Write how the panel looks as PNG."""
        self._fit(panel)
        _save(panel.parent.grab().toImage(), path)

    def four_up(self, path: str | Path, size: tuple[int, int] = _VIEWS_PX) -> None:
        """Write how the views look as PNG: four-up, or as the layout has them.

        Raises:
            OutputError: if nothing on this machine draws without a screen.
        """
        _save(pictures.of_views(slicer.app.layoutManager(), *size), path)

    def window_picture(
        self, panel: Any, path: str | Path, views: tuple[int, int] = _VIEWS_PX
    ) -> None:
        """Write the panel with the views to its right as PNG, and a line that says what drew it.

        Raises:
            OutputError: if nothing on this machine draws without a screen.
        """
        self._fit(panel)
        _save(pictures.of_window(panel.parent, slicer.app.layoutManager(), *views), path)

    def _fit(self, panel: Any) -> None:
        panel.parent.resize(_PANEL_WIDTH_PX, panel.parent.sizeHint().height())
        self.process_events()


def _hear_exception(kind: type, error: BaseException, trace: types.TracebackType | None) -> None:
    pythonqt.SLOT_ERRORS.append("".join(traceback.format_exception(kind, error, trace)))


def _save(image: QtGui.QImage, path: str | Path) -> None:
    if not image.save(str(path)):
        raise OSError(f"{path}: cannot be written")


def _publish(slicer_modules: types.ModuleType) -> types.ModuleType:
    """Put what Slicer offers where modules import it from; gives ``ctk``."""
    qt = pythonqt.build()
    qt.QUiLoader = QUiLoader
    ctk = types.ModuleType("ctk")
    for kind in widgets.CTK:
        setattr(ctk, kind.__name__, kind)
    for kind in (*widgets.QMRML, *modules.CLASSES, *hierarchy_plugins.CLASSES, images.qMRMLUtils):
        setattr(slicer, kind.__name__, kind)
    slicer.moduleNames = types.SimpleNamespace()
    slicer.selfTests = {}
    published = {
        "ctk": ctk,
        "AbstractScriptedSubjectHierarchyPlugin": hierarchy_plugins.as_module(),
        "SampleData": application.sample_data(),
        "slicer.i18n": application.translations(),
        "slicer.ScriptedLoadableModule": scripted.as_module(),
        "slicer.parameterNodeWrapper": parameternode.as_module(),
        "slicer.modules": slicer_modules,
    }
    sys.modules.update(published)
    for name, module in published.items():
        if name.startswith("slicer."):
            setattr(slicer, name.removeprefix("slicer."), module)
    return ctk


def _offer_packaging(version: tuple[int, int], packages: packaging.Packages) -> None:
    """Offer ``slicer.packaging`` where that version of Slicer has it."""
    sys.modules.pop("slicer.packaging", None)
    vars(slicer).pop("packaging", None)
    slicer.util.pip_install = packages.pip_install
    slicer.util.pip_uninstall = packages.pip_uninstall
    if version >= (5, 12):
        slicer.packaging = sys.modules["slicer.packaging"] = packages.as_module()
