"""``slicer.app.layoutManager()``: the views of the layout, drawn only when somebody looks.

The layouts are Slicer's own (``vtkMRMLLayoutLogic``), and so are the slice logics and what draws in
the views (``SkullGANScene.offscreen.views``). Windows are made when a picture, a renderer or a
window is asked for: a panel that only moves the slices needs no library that renders.
"""

# ruff: noqa: N801, N802, N815 - the names are Slicer's
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import slicer
import vtk
from PySide6 import QtCore
from SkullGANScene.offscreen import views
from SkullGANScene.offscreen.headless import Stage

from . import plots
from .widgets_qmrml import qMRMLTableView

Signal, Property = QtCore.Signal, QtCore.Property

Rectangle = tuple[int, int, int, int]
"""x, y, width, height in pixels, from the upper left."""

_DIRECTIONS = ("Left", "Right", "Posterior", "Anterior", "Inferior", "Superior")
_FIRST_SIZE = (450, 380)  # of a view before a picture gives it another


def _add_legends_again(scene: slicer.vtkMRMLScene) -> None:
    """Let a view that was made late show the color legends of the scene: it sees those to come."""
    kind = "vtkMRMLColorLegendDisplayNode"
    for legend in [
        scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))
    ]:
        owner = legend.GetDisplayableNode()
        scene.RemoveNode(legend)
        owner.AddAndObserveDisplayNodeID(scene.AddNode(legend).GetID())


class _View:
    """What the slice and 3D views have in common: a window made late."""

    def __init__(self, node: slicer.vtkMRMLAbstractViewNode) -> None:
        self._node = node
        self._size = _FIRST_SIZE
        self._made: views.View | None = None

    def renderWindow(self) -> vtk.vtkRenderWindow:
        return self._drawing().window

    def interactor(self) -> vtk.vtkRenderWindowInteractor:
        return self._drawing().interactor

    def displayableManagerByClassName(self, name: str) -> slicer.vtkMRMLAbstractDisplayableManager:
        return self._drawing().managers.GetDisplayableManagerByClassName(name)

    def forceRender(self) -> None:
        if self._made is not None:  # else nobody looks
            self._made.image()

    scheduleRender = forceRender

    def _drawing(self) -> views.View:
        if self._made is None:
            self._made = self._make()
            _add_legends_again(self._node.GetScene())
        return self._made

    def _make(self) -> views.View:
        raise NotImplementedError

    def _picture(self, size: tuple[int, int]) -> vtk.vtkImageData:
        self._resize(size)
        view = self._drawing()
        view.window.SetSize(*size)
        return view.image()

    def _resize(self, size: tuple[int, int]) -> None:
        self._size = size

    def _close(self) -> None:
        if self._made is not None:
            self._made.close()
            self._made = None


class qMRMLSliceView(_View):
    """A slice view's drawing area."""

    def __init__(self, logic: slicer.vtkMRMLSliceLogic) -> None:
        super().__init__(logic.GetSliceNode())
        self._logic = logic
        logic.ResizeSliceNode(*self._size)

    def mrmlSliceNode(self) -> slicer.vtkMRMLSliceNode:
        return self._node

    def _make(self) -> views.View:
        return views.SliceView(self._logic, self._size)

    def _resize(self, size: tuple[int, int]) -> None:
        super()._resize(size)
        self._logic.ResizeSliceNode(*size)


class _Widget:
    """What the four kinds have in common; ``_view`` is the drawing area."""

    _node: slicer.vtkMRMLAbstractViewNode
    _view: Any

    def _view_node(self) -> slicer.vtkMRMLAbstractViewNode:
        return self._node


class qMRMLSliceWidget(_Widget):
    """A slice view with what moves it."""

    def __init__(self, stage: Stage, node: slicer.vtkMRMLSliceNode) -> None:
        self._node = node
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(stage.application_logic)
        self._logic.SetMRMLScene(stage.scene)
        self._logic.SetSliceNode(node)
        stage.application_logic.GetSliceLogics().AddItem(self._logic)
        self._view = qMRMLSliceView(self._logic)

    def sliceLogic(self) -> slicer.vtkMRMLSliceLogic:
        return self._logic

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def mrmlSliceNode(self) -> slicer.vtkMRMLSliceNode:
        return self._node

    def mrmlSliceCompositeNode(self) -> slicer.vtkMRMLSliceCompositeNode:
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()
        self._logic.SnapSliceOffsetToIJK()


class qMRMLThreeDView(_View):
    """A 3D view's drawing area."""

    def __init__(self, stage: Stage, node: slicer.vtkMRMLViewNode) -> None:
        super().__init__(node)
        self._application_logic = stage.application_logic

    def mrmlViewNode(self) -> slicer.vtkMRMLViewNode:
        return self._node

    def cameraNode(self) -> slicer.vtkMRMLCameraNode:
        manager = self.displayableManagerByClassName("vtkMRMLCameraDisplayableManager")
        return manager.GetCameraNode()

    def resetFocalPoint(self) -> None:
        """Turn the camera to the middle of what is seen, the box and its letters apart."""
        shown = self._node.GetBoxVisible(), self._node.GetAxisLabelsVisible()
        renderer = self._drawing().renderer
        self._frame(False, False)
        bounds = vtk.vtkBoundingBox(renderer.ComputeVisiblePropBounds())
        self._frame(*shown)
        if bounds.IsValid():
            center = [0.0, 0.0, 0.0]
            bounds.GetCenter(center)
            self.cameraNode().SetFocalPoint(center)
            # The box moves to what is seen.
            self._node.InvokeEvent(slicer.vtkMRMLViewNode.ResetFocalPointRequestedEvent)

    def _frame(self, box: bool, letters: bool) -> None:
        self._node.SetBoxVisible(box)
        self._node.SetAxisLabelsVisible(letters)

    def resetCamera(self, rotation: bool = True, translation: bool = True) -> None:
        self.cameraNode().Reset(rotation, translation, True, self._drawing().renderer)

    def rotateToViewAxis(self, axis: int) -> None:
        """Turn to an axis of RAS: 0 to 5 for -X, +X, -Y, +Y, -Z, +Z."""
        self.cameraNode().RotateTo(getattr(slicer.vtkMRMLCameraNode, _DIRECTIONS[axis]))

    def _make(self) -> views.View:
        return views.ThreeDView(self._node, self._application_logic, self._size)


class qMRMLThreeDWidget(_Widget):
    """A 3D view. Its logic, which links cameras of several, is not here."""

    def __init__(self, stage: Stage, node: slicer.vtkMRMLViewNode) -> None:
        self._node = node
        self._view = qMRMLThreeDView(stage, node)

    def threeDView(self) -> qMRMLThreeDView:
        return self._view

    def mrmlViewNode(self) -> slicer.vtkMRMLViewNode:
        return self._node


class qMRMLPlotWidget(_Widget):
    """A plot view."""

    def __init__(self, stage: Stage, node: slicer.vtkMRMLPlotViewNode) -> None:
        self._node = node
        self._view = plots.qMRMLPlotView(node)

    def mrmlPlotViewNode(self) -> slicer.vtkMRMLPlotViewNode:
        return self._node

    def plotView(self) -> plots.qMRMLPlotView:
        return self._view


class qMRMLTableWidget(_Widget):
    """A table view."""

    def __init__(self, stage: Stage, node: slicer.vtkMRMLTableViewNode) -> None:
        self._node = node
        self._view = qMRMLTableView()
        self._view.setMRMLScene(stage.scene)
        self._view.setMRMLTableViewNode(node)

    def mrmlTableViewNode(self) -> slicer.vtkMRMLTableViewNode:
        return self._node

    def tableView(self) -> qMRMLTableView:
        return self._view


_WIDGETS = {
    "vtkMRMLSliceNode": qMRMLSliceWidget,
    "vtkMRMLViewNode": qMRMLThreeDWidget,
    "vtkMRMLPlotViewNode": qMRMLPlotWidget,
    "vtkMRMLTableViewNode": qMRMLTableWidget,
}


class qSlicerLayoutManager(QtCore.QObject):
    """The views of the present layout."""

    layoutChanged = Signal(int)

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        for collections in ("SetSliceLogics", "SetViewLogics"):
            getattr(stage.application_logic, collections)(vtk.vtkCollection())
        self._widgets: dict[str, Any] = {}
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLApplicationLogic(stage.application_logic)
        self._logic.SetMRMLScene(stage.scene)
        self._node = self._logic.GetLayoutNode()
        self._arrangement = self._node.SlicerLayoutFourUpView
        self._node.SetViewArrangement(self._arrangement)
        self._map()
        self._tag = self._node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._changed)

    def layoutLogic(self) -> slicer.vtkMRMLLayoutLogic:
        return self._logic

    def setLayout(self, layout: int) -> None:
        self._node.SetViewArrangement(layout)

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(node.GetLayoutName() for node in self._shown("vtkMRMLSliceNode"))

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        return next(
            (w for w in self._of("vtkMRMLSliceNode") if w.mrmlSliceNode().GetLayoutName() == name),
            None,
        )

    def threeDWidget(self, index: int) -> qMRMLThreeDWidget:
        return self._of("vtkMRMLViewNode")[index]

    def plotWidget(self, index: int) -> qMRMLPlotWidget:
        return self._of("vtkMRMLPlotViewNode")[index]

    def tableWidget(self, index: int) -> qMRMLTableWidget:
        return self._of("vtkMRMLTableViewNode")[index]

    def mrmlSliceLogics(self) -> vtk.vtkCollection:
        return self._stage.application_logic.GetSliceLogics()

    def activeMRMLThreeDViewNode(self) -> slicer.vtkMRMLViewNode | None:
        return next(iter(self._shown("vtkMRMLViewNode")), None)

    def activeThreeDRenderer(self) -> vtk.vtkRenderer:
        return self.threeDWidget(0).threeDView()._drawing().renderer

    def resetSliceViews(self) -> None:
        for widget in self._of("vtkMRMLSliceNode"):
            widget.fitSliceToBackground()

    def resetThreeDViews(self) -> None:
        for widget in self._of("vtkMRMLViewNode"):
            widget.threeDView().resetFocalPoint()
            widget.threeDView().resetCamera()

    layout = Property(int, lambda self: self._arrangement, setLayout)
    threeDViewCount = Property(int, lambda self: len(self._shown("vtkMRMLViewNode")))
    plotViewCount = Property(int, lambda self: len(self._shown("vtkMRMLPlotViewNode")))
    tableViewCount = Property(int, lambda self: len(self._shown("vtkMRMLTableViewNode")))

    def _rectangles(self, width: int, height: int) -> list[tuple[Any, Rectangle]]:
        """The views' widgets with their places in a window, as the layout describes them."""
        root = self._node.GetLayoutRootElement()
        found = _placed(root, (0, 0, width, height))
        return [
            (self._widget(self._logic.GetViewFromElement(element)), place)
            for element, place in found
        ]

    def _changed(self, _node: Any, _event: str) -> None:
        if self._node.GetViewArrangement() != self._arrangement:
            self._arrangement = self._node.GetViewArrangement()
            self._map()
            self.layoutChanged.emit(self._arrangement)

    def _map(self) -> None:
        """Tell the view nodes whether they are in the layout, and make their logics."""
        shown = list(self._every())
        for node in slicer.util.getNodesByClass("vtkMRMLAbstractViewNode", self._stage.scene):
            node.SetMappedInLayout(node in shown)
        for node in shown:
            self._widget(node)

    def _every(self) -> Iterator[slicer.vtkMRMLAbstractViewNode]:
        nodes = self._logic.GetViewNodes()
        return (nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems()))

    def _shown(self, kind: str) -> list[slicer.vtkMRMLAbstractViewNode]:
        return [node for node in self._every() if node.IsA(kind)]

    def _of(self, kind: str) -> list[Any]:
        return [self._widget(node) for node in self._shown(kind)]

    def _widget(self, node: slicer.vtkMRMLAbstractViewNode) -> Any:
        key = node.GetID()
        if key not in self._widgets:
            self._widgets[key] = _WIDGETS[node.GetClassName()](self._stage, node)
        return self._widgets[key]

    def _close(self) -> None:
        self._node.RemoveObserver(self._tag)
        for widget in self._widgets.values():
            if isinstance(widget, qMRMLTableWidget):
                widget.tableView().setMRMLScene(None)
            else:
                widget._view._close()
        self._widgets.clear()


def _placed(
    element: vtk.vtkXMLDataElement, place: Rectangle
) -> Iterator[tuple[vtk.vtkXMLDataElement, Rectangle]]:
    """Give the view elements of a layout description with their places."""
    if element.GetName() == "view":
        yield element, place
        return
    children = [element.GetNestedElement(i) for i in range(element.GetNumberOfNestedElements())]
    children = [child for child in children if child.GetName() in ("layout", "item", "view")]
    x, y, width, height = place
    count = len(children)
    for index, child in enumerate(children):
        if element.GetName() == "item" or element.GetAttribute("type") == "tab":
            part = place
        elif element.GetAttribute("type") == "horizontal":
            part = (x + index * width // count, y, width // count, height)
        else:
            part = (x, y + index * height // count, width, height // count)
        yield from _placed(child, part)
        if element.GetAttribute("type") == "tab":
            return  # only the first tab is seen


CLASSES = (
    qSlicerLayoutManager,
    qMRMLSliceWidget,
    qMRMLSliceView,
    qMRMLThreeDWidget,
    qMRMLThreeDView,
    qMRMLPlotWidget,
    qMRMLTableWidget,
)
