"""Pictures of the views, and of a panel beside them as in Slicer's window."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from .images import to_qt
from .layout import Rectangle, qSlicerLayoutManager

LABEL = "Rendered by the project's test host with Slicer's views; not a screenshot of 3D Slicer"
"""Written below every picture of a window."""

_BAR_PX, _GAP_PX, _LABEL_PX = 22, 2, 24
_BAR_TEXT = QtGui.QColor(20, 20, 20)
_BETWEEN = QtGui.QColor(60, 60, 60)


def of_views(layout: qSlicerLayoutManager, width: int, height: int) -> QtGui.QImage:
    """Draw the views of the layout, each below a bar in its color with its name and offset.

    Raises:
        OutputError: if nothing on this machine draws without a screen.
    """
    picture = QtGui.QImage(width, height, QtGui.QImage.Format_RGB888)
    picture.fill(_BETWEEN)
    painter = QtGui.QPainter(picture)
    for widget, (x, y, wide, high) in layout._rectangles(width, height):
        wide, high = wide - _GAP_PX, high - _GAP_PX
        _draw_bar(painter, widget, (x, y, wide, _BAR_PX))
        size = (wide, high - _BAR_PX)
        painter.drawImage(x, y + _BAR_PX, _drawn(widget._view, size))
    painter.end()
    return picture


def of_window(
    panel: QtWidgets.QWidget, layout: qSlicerLayoutManager, views_width: int, height: int
) -> QtGui.QImage:
    """Draw a panel and, to its right, the views; below them what drew it."""
    left = panel.grab().toImage()
    height = max(height, left.height())
    picture = QtGui.QImage(
        left.width() + views_width, height + _LABEL_PX, QtGui.QImage.Format_RGB888
    )
    picture.fill(panel.palette.color(QtGui.QPalette.Window))
    painter = QtGui.QPainter(picture)
    painter.drawImage(0, 0, left)
    painter.drawImage(left.width(), 0, of_views(layout, views_width, height))
    label = QtCore.QRect(0, height, picture.width() - 8, _LABEL_PX)
    painter.drawText(label, QtCore.Qt.AlignVCenter | QtCore.Qt.AlignRight, LABEL)
    painter.end()
    return picture


def _drawn(view: Any, size: tuple[int, int]) -> QtGui.QImage:
    if isinstance(view, QtWidgets.QWidget):  # a table
        view.resize(*size)
        return view.grab().toImage()
    return to_qt(view._picture(size))


def _draw_bar(painter: QtGui.QPainter, widget: Any, place: Rectangle) -> None:
    node = widget._view_node()
    color = QtGui.QColor.fromRgbF(*node.GetLayoutColor())
    painter.fillRect(*place, color)
    text = node.GetLayoutLabel() or node.GetLayoutName()
    if node.IsA("vtkMRMLSliceNode"):
        text += f"   {_position(node)}"
    painter.setPen(_BAR_TEXT)
    x, y, width, height = place
    text_place = QtCore.QRect(x + 8, y, width - 16, height)
    painter.drawText(text_place, QtCore.Qt.AlignVCenter | QtCore.Qt.AlignLeft, text)


def _position(node: slicer.vtkMRMLSliceNode) -> str:
    """Where the slice is, as Slicer writes it: "S: 61.44 mm"; oblique ones by their offset."""
    to_ras = node.GetSliceToRAS()
    normal = [to_ras.GetElement(row, 2) for row in range(3)]
    for axis, letters in enumerate(("RL", "AP", "SI")):
        if abs(normal[axis]) > 1 - 1e-6:
            ras = to_ras.GetElement(axis, 3)
            return f"{letters[ras < 0]}: {abs(ras):.2f} mm"
    return f"{node.GetSliceOffset():.2f} mm"
