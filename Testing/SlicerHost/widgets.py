"""Stand-ins for the ctk and qMRML widgets in our ``.ui`` files, on the real scene.

Each offers what our panels use of the real one, under the real names; a test holds every public
name against ``qtapi.json``. Anything else of the real one is not there and raises.
"""

# ruff: noqa: N801, N802, N815 - the names are Slicer's and Qt's
from __future__ import annotations

from typing import Any

import shiboken6
import slicer
from PySide6 import QtCore, QtGui, QtWidgets

Signal, Property = QtCore.Signal, QtCore.Property

_SCENE_EVENTS = (
    "NodeAddedEvent",
    "NodeRemovedEvent",
    "EndBatchProcessEvent",
    "EndCloseEvent",
    "EndImportEvent",
)


class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A heading that shows and hides what lies below it."""

    contentsCollapsed = Signal(bool)
    _HEADING_PX = 24

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_collapsed = False
        self.checkable = True
        self.checked = True
        self.setSizePolicy(QtWidgets.QSizePolicy.Preferred, QtWidgets.QSizePolicy.Maximum)
        self.connect("toggled(bool)", lambda on: self._collapse(not on))

    def _collapse(self, collapsed: bool) -> None:
        if collapsed == self._is_collapsed:
            return
        self._is_collapsed = collapsed
        self.checked = not collapsed
        self._show_contents()
        self.contentsCollapsed.emit(collapsed)

    def _show_contents(self) -> None:
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.setVisible(not self._is_collapsed)
        self.updateGeometry()

    collapsed = Property(bool, lambda self: self._is_collapsed, _collapse)

    def event(self, event: QtCore.QEvent) -> bool:
        if event.type() == QtCore.QEvent.LayoutRequest and self.layout() is not None:
            self.layout().setContentsMargins(9, self._HEADING_PX + 6, 9, 9)
            self._show_contents()
        return super().event(event)

    def sizeHint(self) -> QtCore.QSize:
        if self._is_collapsed or self.layout() is None:
            return QtCore.QSize(120, self._HEADING_PX)
        return self.layout().sizeHint()

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.fillRect(0, 0, self.width, self._HEADING_PX, QtGui.QColor(214, 222, 235))
        arrow = QtCore.Qt.RightArrow if self._is_collapsed else QtCore.Qt.DownArrow
        option = QtWidgets.QStyleOption()
        option.rect = QtCore.QRect(6, 6, 12, 12)
        element = {
            QtCore.Qt.RightArrow: QtWidgets.QStyle.PE_IndicatorArrowRight,
            QtCore.Qt.DownArrow: QtWidgets.QStyle.PE_IndicatorArrowDown,
        }[arrow]
        self.style().drawPrimitive(element, option, painter)
        painter.drawText(24, 17, self.text)
        painter.end()


class ctkPathLineEdit(QtWidgets.QWidget):
    """A path to type or to browse for."""

    Dirs, Files, Readable, Writable = 0x001, 0x002, 0x010, 0x020  # QDir's numbers

    currentPathChanged = Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters = 0
        self._name_filters: list[str] = []
        self._key = ""
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._edit = QtWidgets.QComboBox()
        self._edit.editable = True
        self._edit.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._browse = QtWidgets.QToolButton()
        self._browse.text = "..."
        layout.addWidget(self._edit, 1)
        layout.addWidget(self._browse)
        self._edit.connect("currentTextChanged(QString)", self.currentPathChanged.emit)
        self._browse.connect("clicked()", self.browse)

    def setCurrentPath(self, path: str) -> None:
        self._edit.setEditText(path)

    def browse(self) -> None:
        raise NotImplementedError("ctkPathLineEdit.browse: the host has nobody to choose a file")

    def _set_filters(self, filters: int) -> None:
        self._filters = filters

    def _set_name_filters(self, filters: list[str]) -> None:
        self._name_filters = list(filters)

    def _set_key(self, key: str) -> None:
        self._key = key

    currentPath = Property(str, lambda self: self._edit.currentText, setCurrentPath)
    filters = Property(int, lambda self: self._filters, _set_filters)
    nameFilters = Property("QStringList", lambda self: self._name_filters, _set_name_filters)
    settingKey = Property(str, lambda self: self._key, _set_key)


class qMRMLWidget(QtWidgets.QWidget):
    """A widget that knows the scene: the outermost of a panel."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        return self._scene


class qMRMLNodeComboBox(QtWidgets.QWidget):
    """The nodes of a scene that have one of some types, to choose one."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._observers: list[int] = []
        self._types: list[str] = []
        self._flags: dict[str, Any] = {"noneDisplay": "None", "showChildNodeTypes": True}
        self._current = ""
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = QtWidgets.QComboBox()
        layout.addWidget(self._box)
        self._box.connect("activated(int)", self._choose)
        self.enabled = False  # until it has a scene, as the real one

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        if scene is self._scene:
            return
        for tag in self._observers:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        self.enabled = scene is not None
        events = [getattr(slicer.vtkMRMLScene, name) for name in _SCENE_EVENTS] if scene else []
        # A panel may go before its scene.
        changed = lambda _s, _e: shiboken6.isValid(self) and self._fill()  # noqa: E731
        self._observers = [scene.AddObserver(event, changed) for event in events]
        self._fill()

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        return self._scene

    def currentNode(self) -> slicer.vtkMRMLNode | None:
        return self._scene.GetNodeByID(self._current) if self._scene and self._current else None

    def setCurrentNode(self, node: slicer.vtkMRMLNode | None) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str) -> None:
        known = [node.GetID() for node in self._nodes()]
        self._show(node_id if node_id in known else "")

    def nodeCount(self) -> int:
        return len(self._nodes())

    def _nodes(self) -> list[slicer.vtkMRMLNode]:
        if self._scene is None:
            return []
        every = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        return [node for node in every if node is not None and self._is_shown(node)]

    def _is_shown(self, node: slicer.vtkMRMLNode) -> bool:
        if node.GetHideFromEditors() and not self._flags.get("showHidden"):
            return False
        if self._flags["showChildNodeTypes"]:
            return any(node.IsA(kind) for kind in self._types)
        return node.GetClassName() in self._types

    def _fill(self) -> None:
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        nodes = self._nodes()
        self._box.clear()
        if self._flags.get("noneEnabled"):
            self._box.addItem(self._flags["noneDisplay"], "")
        for node in nodes:
            self._box.addItem(node.GetName() or "", node.GetID())
        known = [node.GetID() for node in nodes]
        first = known[0] if known and not self._flags.get("noneEnabled") else ""
        self._show(self._current if self._current in known else first)

    def _choose(self, index: int) -> None:
        self._show(self._box.itemData(index) or "")

    def _show(self, node_id: str) -> None:
        self._box.currentIndex = self._box.findData(node_id)
        if node_id != self._current:
            self._current = node_id
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(node_id)

    def _set_types(self, types: list[str]) -> None:
        self._types = list(types)
        self._fill()

    def _flag(kind: type, name: str) -> Any:  # noqa: N805 - makes class attributes below
        def setter(self: qMRMLNodeComboBox, value: Any) -> None:
            self._flags[name] = value
            self._fill()

        return Property(kind, lambda self: self._flags.get(name, kind()), setter)

    nodeTypes = Property("QStringList", lambda self: self._types, _set_types)
    currentNodeID = Property(str, lambda self: self._current, setCurrentNodeID)
    noneEnabled = _flag(bool, "noneEnabled")
    noneDisplay = _flag(str, "noneDisplay")
    addEnabled = _flag(bool, "addEnabled")
    removeEnabled = _flag(bool, "removeEnabled")
    renameEnabled = _flag(bool, "renameEnabled")
    editEnabled = _flag(bool, "editEnabled")
    showHidden = _flag(bool, "showHidden")
    showChildNodeTypes = _flag(bool, "showChildNodeTypes")


CTK = (ctkCollapsibleButton, ctkPathLineEdit)
QMRML = (qMRMLWidget, qMRMLNodeComboBox)
CLASSES = {kind.__name__: kind for kind in (*CTK, *QMRML)}
