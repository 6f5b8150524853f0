"""``slicer.app``, the main window, ``slicer.i18n`` and ``SampleData``, as our modules use them."""

# ruff: noqa: N802, N815 - the names are Slicer's
from __future__ import annotations

import os
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from SkullGANScene.offscreen.headless import Stage

from . import blocking, pythonqt, themes
from .files import qSlicerCoreIOManager
from .layout import qSlicerLayoutManager


class qSlicerApplication(QtWidgets.QApplication):  # noqa: N801 - Slicer's name
    """The application, with a main window that nobody sees; it stays when the host goes.

    Attributes:
        opened_urls: what a panel asked the desktop to open.
        rendering_paused: how many have paused rendering and not resumed it.
    """

    startupCompleted = QtCore.Signal()

    def __init__(self) -> None:
        super().__init__(["SlicerHost"])
        self.applicationName = "SlicerHost"
        self.organizationName = "SkullGAN"
        self.opened_urls: list[str] = []
        self.rendering_paused = 0
        # Slicer's own slot is connected before any module's: modules are gone when theirs is due.
        self.aboutToQuit.connect(self._unload_modules)
        # Qt's own way to have links opened elsewhere: nothing leaves the test for the desktop.
        for scheme in ("file", "http", "https"):
            QtGui.QDesktopServices.setUrlHandler(scheme, self, "openUrl")

    def begin(self, stage: Stage, version: tuple[int, int]) -> None:
        """Take a scene and all that comes with it; settings begin empty."""
        self._stage = stage
        crosshair = slicer.vtkMRMLCrosshairNode()  # which knows where the mouse is in the views
        crosshair.SetCrosshairName("default")
        stage.scene.AddNode(crosshair)
        self.majorVersion, self.minorVersion = version
        self.temporaryPath = stage.application_logic.GetTemporaryPath()
        ini = QtCore.QSettings.IniFormat
        QtCore.QSettings.setDefaultFormat(ini)
        QtCore.QSettings.setPath(ini, QtCore.QSettings.UserScope, self.temporaryPath)
        self._settings = QtCore.QSettings()
        self._settings.clear()
        self._io = qSlicerCoreIOManager()
        self._layout_manager = qSlicerLayoutManager(stage)
        self._module_manager = qSlicerModuleManager()
        self.setPalette(themes.palette("light"))
        self._window = qSlicerMainWindow()
        self.rendering_paused = 0
        self.opened_urls.clear()

    def end(self) -> None:
        """Let go of what ``begin`` took."""
        pythonqt.disconnect_all(self)  # modules that wait for its start or its end
        self._layout_manager._close()
        self._window.deleteLater()
        self._layout_manager = self._window = self._settings = self._stage = None
        self._module_manager = None

    def _unload_modules(self) -> None:
        if self._module_manager is not None:
            self._module_manager._unload_modules()

    @QtCore.Slot(QtCore.QUrl)
    def openUrl(self, url: QtCore.QUrl) -> None:
        self.opened_urls.append(url.toLocalFile() or url.toString())

    def testingEnabled(self) -> bool:
        """No: messages and questions come up as for a user, and the test answers."""
        return False

    def mrmlScene(self) -> slicer.vtkMRMLScene:
        return slicer.mrmlScene

    def applicationLogic(self) -> slicer.vtkSlicerApplicationLogic:
        return self._stage.application_logic

    def layoutManager(self) -> qSlicerLayoutManager:
        return self._layout_manager

    def moduleManager(self) -> qSlicerModuleManager:
        return self._module_manager

    def coreIOManager(self) -> qSlicerCoreIOManager:
        return self._io

    ioManager = coreIOManager

    def settings(self) -> QtCore.QSettings:
        return self._settings

    userSettings = settings

    def commandOptions(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(noMainWindow=False, testingEnabled=False)

    def startupEnvironment(self) -> dict[str, str]:
        return dict(os.environ)

    def pauseRender(self) -> None:
        self.rendering_paused += 1

    def resumeRender(self) -> None:
        if not self.rendering_paused:
            raise RuntimeError("resumeRender without pauseRender")
        self.rendering_paused -= 1


class qSlicerModuleManager(QtCore.QObject):  # noqa: N801 - Slicer's name
    """Finds modules by their names, and unloads them in the reverse order of their loading."""

    moduleAboutToBeUnloaded = QtCore.Signal(str)

    def _unload_modules(self) -> None:
        for name in reversed(self.modulesNames()):
            self.moduleAboutToBeUnloaded.emit(name)
            delattr(slicer.moduleNames, name)

    def module(self, name: str) -> Any:
        return getattr(slicer.modules, name.lower(), None)

    def modulesNames(self) -> tuple[str, ...]:
        return tuple(vars(slicer.moduleNames))


class qSlicerModuleSelectorToolBar(QtWidgets.QToolBar):  # noqa: N801 - Slicer's name
    """Goes from one module's panel to another's: ``exit`` of the one, ``enter`` of the other."""

    moduleSelected = QtCore.Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._selected = ""

    def selectModule(self, name: str) -> None:
        if name == self._selected:
            return
        slicer.util.getModule(name)  # raises where there is none
        for change, module in (("exit", self._selected), ("enter", name)):
            panel = getattr(slicer.modules, f"{module}Widget", None)
            if panel is not None:
                with blocking.timed(f"{module}Widget.{change}"):
                    getattr(panel.parent, change)()
        self._selected = name
        self.moduleSelected.emit(name)

    selectedModule = QtCore.Property(str, lambda self: self._selected)


class qSlicerMainWindow(QtWidgets.QMainWindow):  # noqa: N801 - Slicer's name
    """The main window: its status bar and the module selector."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "qSlicerMainWindow"
        self._selector = qSlicerModuleSelectorToolBar(self)

    def moduleSelector(self) -> qSlicerModuleSelectorToolBar:
        return self._selector


CLASSES = (
    qSlicerApplication,
    qSlicerMainWindow,
    qSlicerModuleManager,
    qSlicerModuleSelectorToolBar,
)


class SampleDataLogic:
    """Takes the registration of sample data; ``sources`` are those registered, by category.

    As in Slicer, the same data registered again with another function are there twice.
    """

    sources: dict[str, list[types.SimpleNamespace]] = {}  # noqa: RUF012 - one registry

    @staticmethod
    def registerCustomSampleDataSource(
        category: str,
        sampleName: str,  # noqa: N803
        uris: str,
        fileNames: str,  # noqa: N803
        nodeNames: str,  # noqa: N803
        customDownloader: Callable[[Any], Any],  # noqa: N803
        thumbnailFileName: str,  # noqa: N803
        checksums: str,
    ) -> None:
        if not Path(thumbnailFileName).is_file():
            raise FileNotFoundError(thumbnailFileName)
        source = types.SimpleNamespace(
            category=category,
            sampleName=sampleName,
            uris=[uris],
            fileNames=[fileNames],
            nodeNames=[nodeNames],
            checksums=[checksums],
            customDownloader=customDownloader,
        )
        registered = SampleDataLogic.sources.setdefault(category, [])
        if source not in registered:
            registered.append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category: str) -> list[types.SimpleNamespace]:
        return SampleDataLogic.sources.get(category, [])

    def sourceForSampleName(self, sampleName: str) -> types.SimpleNamespace | None:  # noqa: N803
        every = (source for sources in self.sources.values() for source in sources)
        return next((source for source in every if source.sampleName == sampleName), None)


def translations() -> types.ModuleType:
    """Give ``slicer.i18n``; the host speaks the language of the sources."""
    module = types.ModuleType("slicer.i18n")
    module.tr = lambda text: text
    module.translate = lambda _context, text: text
    return module


def sample_data() -> types.ModuleType:
    """Give the module ``SampleData``."""
    module = types.ModuleType("SampleData")
    module.SampleDataLogic = SampleDataLogic
    SampleDataLogic.sources.clear()
    return module
