"""``.ui`` files: every widget made from Python, and the connections that carry MRML types.

Qt cannot match a signal such as ``mrmlSceneChanged(vtkMRMLScene*)`` with a stand-in, so those
connections are made here; the others are left to Qt.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from PySide6 import QtCore, QtUiTools, QtWidgets

from . import widgets
from .parameternode import WIDGET_PROPERTY

_DYNAMIC = (WIDGET_PROPERTY,)
"""Properties that may be given to any widget."""


class QUiLoader(QtUiTools.QUiLoader):
    """Qt's loader, which knows the stand-ins and no class beyond them and Qt's own."""

    def __init__(self) -> None:
        super().__init__()
        self._error: Exception | None = None

    def createWidget(  # noqa: N802 - Qt's name
        self, class_name: str, parent: QtWidgets.QWidget | None = None, name: str = ""
    ) -> QtWidgets.QWidget:
        kind = widgets.CLASSES.get(class_name) or getattr(QtWidgets, class_name, None)
        try:
            if kind is None:
                raise NotImplementedError(f"{class_name}: the host has no such widget")
            widget = kind(parent)
            widget.name = name
        except Exception as error:  # Qt would go on with a plain widget
            self._error = self._error or error
            raise
        return widget

    def load(
        self, file: QtCore.QFile, parent: QtWidgets.QWidget | None = None
    ) -> QtWidgets.QWidget:
        tree = ElementTree.fromstring(file.readAll().data())
        flags = _taken_flags(tree)
        connections = _taken_mrml_connections(tree)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(tree))
        buffer.open(QtCore.QIODevice.ReadOnly)
        panel = super().load(buffer, parent)
        if self._error:
            raise self._error
        if panel is None:
            raise RuntimeError(f"{file.fileName()}: {self.errorString()}")
        _check_properties(panel)
        for name, flag, value in flags:
            setattr(_named(panel, name), flag, value)
        for sender, signal, receiver, slot in connections:
            _named(panel, sender).connect(signal, _named(panel, receiver), slot)
        return panel


def _check_properties(panel: QtWidgets.QWidget) -> None:
    """Raise for properties that a stand-in has not; Qt would keep them and say nothing."""
    for widget in [panel, *panel.findChildren(QtWidgets.QWidget)]:
        if type(widget) in widgets.CLASSES.values():
            for name in (bytes(one).decode() for one in widget.dynamicPropertyNames()):
                if name not in _DYNAMIC and not name.startswith(("_q_", "_PySide")):
                    raise NotImplementedError(
                        f"{type(widget).__name__}.{name}: the host has no such"
                    )


def _taken_flags(tree: ElementTree.Element) -> list[tuple[str, str, int]]:
    """Take out flags of stand-ins, which PySide6 cannot declare: widget, property, value."""
    found = []
    for widget in tree.iter("widget"):
        kind = widgets.CLASSES.get(widget.get("class", ""))
        for flag in list(widget.findall("property[set]")) if kind else []:
            value = 0
            for name in flag.findtext("set", "").split("|"):
                value |= getattr(kind, name.rpartition("::")[2])
            found.append((widget.get("name", ""), flag.get("name", ""), value))
            widget.remove(flag)
    return found


def _taken_mrml_connections(tree: ElementTree.Element) -> list[tuple[str, ...]]:
    """Take out connections with MRML types: sender, signal, receiver, slot."""
    found = []
    for connections in tree.findall("connections"):
        for connection in connections.findall("connection"):
            if "vtkMRML" in connection.findtext("signal", ""):
                parts = ("sender", "signal", "receiver", "slot")
                found.append(tuple(connection.findtext(part, "") for part in parts))
                connections.remove(connection)
    return found


def _named(panel: QtWidgets.QWidget, name: str) -> QtCore.QObject:
    found = panel if panel.name == name else panel.findChild(QtCore.QObject, name)
    if found is None:
        raise ValueError(f"the .ui file names {name!r}, which is not there")
    return found
