"""Stand-ins for the qMRML widgets that our panels use, on the real scene."""

# ruff: noqa: N801, N802, N815 - the names are Slicer's and Qt's
from __future__ import annotations

from typing import Any

import shiboken6
import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from .widgets_ctk import ctkSliderWidget

Signal, Property = QtCore.Signal, QtCore.Property  # whose setters must not raise: Qt calls them

_SCENE_EVENTS = (
    "NodeAddedEvent",
    "NodeRemovedEvent",
    "EndBatchProcessEvent",
    "EndCloseEvent",
    "EndImportEvent",
)


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
    """The nodes of a scene that have one of some types, to choose one.

    What the real one's menu offers (create, rename, delete) is there as methods only.
    """

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    currentNodeRenamed = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._observers: list[tuple[Any, int]] = []
        self._watched: dict[str, tuple[Any, int]] = {}
        self._types: list[str] = []
        self._attributes: dict[tuple[str, str], str | None] = {}
        self._flags: dict[str, Any] = {
            "noneDisplay": "None",
            "showChildNodeTypes": True,
            "selectNodeUponCreation": True,
        }
        self._current = ""
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = self._make_box()
        layout.addWidget(self._box)
        self._box.connect("activated(int)", self._choose)
        self.enabled = False  # until it has a scene, as the real one

    def _make_box(self) -> QtWidgets.QComboBox:
        return QtWidgets.QComboBox()

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        if scene is self._scene:
            return
        for observed, tag in self._observers:
            observed.RemoveObserver(tag)
        self._scene = scene
        self.enabled = scene is not None
        events = [getattr(slicer.vtkMRMLScene, name) for name in _SCENE_EVENTS] if scene else []
        # A panel may go before its scene.
        changed = lambda _s, _e: shiboken6.isValid(self) and self._fill()  # noqa: E731
        self._observers = [(scene, scene.AddObserver(event, changed)) for event in events]
        self._fill()

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        return self._scene

    def currentNode(self) -> slicer.vtkMRMLNode | None:
        return self._scene.GetNodeByID(self._current) if self._scene and self._current else None

    def setCurrentNode(self, node: slicer.vtkMRMLNode | str | None) -> None:
        if isinstance(node, str):
            self.setCurrentNodeID(node)
        else:
            self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str) -> None:
        known = [node.GetID() for node in self._nodes()]
        self._show(node_id if node_id in known else "")

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self.nodeFromIndex(index))

    def nodeFromIndex(self, index: int) -> slicer.vtkMRMLNode | None:
        nodes = self._nodes()
        return nodes[index] if 0 <= index < len(nodes) else None

    def nodeCount(self) -> int:
        return len(self._nodes())

    def addNode(self, kind: str = "") -> slicer.vtkMRMLNode:
        """Make a node of a type, the first if none is named, as its menu does."""
        kind = kind or self._types[0]
        name = self._flags.get("baseName") or kind.removeprefix("vtkMRML").removesuffix("Node")
        node = self._scene.AddNewNodeByClass(kind, self._scene.GenerateUniqueName(name))
        for (of_kind, attribute), value in self._attributes.items():
            if node.IsA(of_kind):
                node.SetAttribute(attribute, value or "")
        self._fill()
        if self._flags["selectNodeUponCreation"]:
            self.setCurrentNode(node)
        self.nodeAdded.emit(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        self._scene.RemoveNode(self.currentNode())

    def addAttribute(self, kind: str, name: str, value: str | None = None) -> None:
        """Show nodes of a type only if they have an attribute (of that value, if there is one)."""
        self._attributes[kind, name] = value
        self._fill()

    def removeAttribute(self, kind: str, name: str) -> None:
        del self._attributes[kind, name]
        self._fill()

    def _nodes(self) -> list[slicer.vtkMRMLNode]:
        if self._scene is None:
            return []
        every = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        return [node for node in every if node is not None and self._is_shown(node)]

    def _is_shown(self, node: slicer.vtkMRMLNode) -> bool:
        if node.GetHideFromEditors() and not self._flags.get("showHidden"):
            return False
        for (kind, name), value in self._attributes.items():
            found = node.GetAttribute(name)
            if node.IsA(kind) and (found is None or value not in (None, found)):
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
        self._watch_names(nodes)
        known = [node.GetID() for node in nodes]
        first = known[0] if known and not self._flags.get("noneEnabled") else ""
        self._show(self._current if self._current in known else first)

    def _watch_names(self, nodes: list[slicer.vtkMRMLNode]) -> None:
        for node, tag in self._watched.values():
            node.RemoveObserver(tag)
        modified = vtk.vtkCommand.ModifiedEvent
        self._watched = {
            node.GetID(): (node, node.AddObserver(modified, self._renamed)) for node in nodes
        }

    def _renamed(self, node: slicer.vtkMRMLNode, _event: str) -> None:
        if not shiboken6.isValid(self):
            return
        index = self._box.findData(node.GetID())
        if index >= 0 and self._box.itemText(index) != (node.GetName() or ""):
            self._box.setItemText(index, node.GetName() or "")
            if node.GetID() == self._current:
                self.currentNodeRenamed.emit(node.GetName() or "")

    def _choose(self, index: int) -> None:
        self._show(self._box.itemData(index) or "")
        self.nodeActivated.emit(self.currentNode())

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
    selectNodeUponCreation = _flag(bool, "selectNodeUponCreation")
    baseName = _flag(str, "baseName")


class _CheckedNames(QtWidgets.QComboBox):
    """A combo box that shows the texts of its checked items."""

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        option = QtWidgets.QStyleOptionComboBox()
        self.initStyleOption(option)
        items = [self.model().item(row) for row in range(self.count)]
        checked = [item.text() for item in items if item.checkState() != QtCore.Qt.Unchecked]
        option.currentText = ", ".join(checked)
        painter = QtWidgets.QStylePainter(self)
        painter.drawComplexControl(QtWidgets.QStyle.CC_ComboBox, option)
        painter.drawControl(QtWidgets.QStyle.CE_ComboBoxLabel, option)
        painter.end()


class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """The nodes of a scene that have one of some types, to check any number of them."""

    checkedNodesChanged = Signal()

    _checked: set[str]

    def _make_box(self) -> QtWidgets.QComboBox:
        self._checked = set()
        box = _CheckedNames()
        box.model().itemChanged.connect(self._ticked)
        return box

    def checkedNodes(self) -> list[slicer.vtkMRMLNode]:
        return [node for node in self._nodes() if node.GetID() in self._checked]

    def uncheckedNodes(self) -> list[slicer.vtkMRMLNode]:
        return [node for node in self._nodes() if node.GetID() not in self._checked]

    def allChecked(self) -> bool:
        return not self.uncheckedNodes()

    def noneChecked(self) -> bool:
        return not self.checkedNodes()

    def checkState(self, node: slicer.vtkMRMLNode) -> int:
        checked = node.GetID() in self._checked
        return QtCore.Qt.Checked if checked else QtCore.Qt.Unchecked

    def setCheckState(self, node: slicer.vtkMRMLNode, state: int) -> None:
        self._box.model().item(self._box.findData(node.GetID())).setCheckState(
            QtCore.Qt.CheckState(state)
        )

    def check(self, node: slicer.vtkMRMLNode) -> None:
        self.setCheckState(node, QtCore.Qt.Checked)

    def uncheck(self, node: slicer.vtkMRMLNode) -> None:
        self.setCheckState(node, QtCore.Qt.Unchecked)

    def _fill(self) -> None:
        before = set(self._checked)
        self._box.model().blockSignals(True)
        super()._fill()
        for row in range(self._box.count):
            item = self._box.model().item(row)
            item.setCheckable(True)
            checked = self._box.itemData(row) in self._checked
            item.setCheckState(QtCore.Qt.Checked if checked else QtCore.Qt.Unchecked)
        self._box.model().blockSignals(False)
        self._checked &= {node.GetID() for node in self._nodes()}
        self._box.update()
        if self._checked != before:
            self.checkedNodesChanged.emit()

    def _ticked(self, item: QtGui.QStandardItem) -> None:
        node_id = self._box.itemData(item.row())
        before = set(self._checked)
        if item.checkState() == QtCore.Qt.Unchecked:
            self._checked.discard(node_id)
        else:
            self._checked.add(node_id)
        if self._checked != before:
            self._box.update()
            self.checkedNodesChanged.emit()


class qMRMLSliderWidget(ctkSliderWidget):
    """A slider that takes suffix and decimals from the scene's unit of its quantity."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._quantity = ""

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        self._scene = scene
        self._take_unit()

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        return self._scene

    def setQuantity(self, quantity: str) -> None:
        self._quantity = quantity
        self._take_unit()

    def _take_unit(self) -> None:
        if self._scene is None or not self._quantity:
            return
        selection = self._scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
        unit = selection.GetUnitNode(self._quantity) if selection else None
        if unit is not None:
            self.suffix = unit.GetSuffix()
            self.setDecimals(unit.GetPrecision())

    quantity = Property(str, lambda self: self._quantity, setQuantity)


class qMRMLTableView(QtWidgets.QTableView):
    """A table node's cells, to look at; editing, copying and plotting are not here."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._view_node: Any = None
        self._table: Any = None
        self._observers: list[tuple[Any, int]] = []
        self.setModel(QtGui.QStandardItemModel(self))
        self.setEditTriggers(QtWidgets.QAbstractItemView.NoEditTriggers)

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        self._scene = scene
        if scene is None:
            self._view_node = None
            self.setMRMLTableNode(None)

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        return self._scene

    def setMRMLTableViewNode(self, node: slicer.vtkMRMLTableViewNode | None) -> None:
        self._view_node = node
        self._observe()

    def mrmlTableViewNode(self) -> slicer.vtkMRMLTableViewNode | None:
        return self._view_node

    def setMRMLTableNode(self, node: slicer.vtkMRMLTableNode | None) -> None:
        self._table = node
        self._observe()

    def mrmlTableNode(self) -> slicer.vtkMRMLTableNode | None:
        return self._view_node.GetTableNode() if self._view_node is not None else self._table

    def _observe(self) -> None:
        for node, tag in self._observers:
            node.RemoveObserver(tag)
        modified = vtk.vtkCommand.ModifiedEvent
        nodes = [node for node in (self._view_node, self.mrmlTableNode()) if node is not None]
        self._observers = [(node, node.AddObserver(modified, self._changed)) for node in nodes]
        self._fill()

    def _changed(self, node: slicer.vtkMRMLNode, _event: str) -> None:
        if shiboken6.isValid(self):
            self._observe() if node is self._view_node else self._fill()

    def _fill(self) -> None:
        model = self.model()
        model.clear()
        node = self.mrmlTableNode()
        table = node.GetTable() if node is not None else vtk.vtkTable()
        columns = range(table.GetNumberOfColumns())
        model.setHorizontalHeaderLabels([table.GetColumnName(column) for column in columns])
        for row in range(table.GetNumberOfRows()):
            cells = [table.GetValue(row, column).ToString() for column in columns]
            model.appendRow([QtGui.QStandardItem(cell) for cell in cells])


CLASSES = (
    qMRMLCheckableNodeComboBox,
    qMRMLNodeComboBox,
    qMRMLSliderWidget,
    qMRMLTableView,
    qMRMLWidget,
)
