"""``slicer.app``, ``slicer.i18n`` and ``SampleData``, as far as our modules use them."""

# ruff: noqa: N802, N815 - the names are Slicer's
from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets


class qSlicerApplication(QtWidgets.QApplication):  # noqa: N801 - Slicer's name
    """The application, in testing mode: messages go to the log and no dialogue waits.

    Attributes:
        opened_urls: what a panel asked the desktop to open.
    """

    startupCompleted = QtCore.Signal()

    def __init__(self) -> None:
        super().__init__(["SlicerHost"])
        self.applicationName = "SlicerHost"
        self.opened_urls: list[str] = []
        # Qt's own way to have links opened elsewhere: nothing leaves the test for the desktop.
        for scheme in ("file", "http", "https"):
            QtGui.QDesktopServices.setUrlHandler(scheme, self, "openUrl")

    @QtCore.Slot(QtCore.QUrl)
    def openUrl(self, url: QtCore.QUrl) -> None:
        self.opened_urls.append(url.toLocalFile() or url.toString())

    def testingEnabled(self) -> bool:
        return True

    def mrmlScene(self) -> slicer.vtkMRMLScene:
        return slicer.mrmlScene


class SampleDataLogic:
    """Takes the registration of sample data; ``sources`` are those registered, by name."""

    sources: dict[str, types.SimpleNamespace] = {}  # noqa: RUF012 - one registry, as in Slicer

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
        SampleDataLogic.sources[sampleName] = types.SimpleNamespace(
            category=category,
            uris=[uris],
            fileNames=[fileNames],
            nodeNames=[nodeNames],
            checksums=[checksums],
            customDownloader=customDownloader,
        )


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
    return module
