"""Files and items of the subject hierarchy that are dropped onto a panel."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import qt
import slicer

if TYPE_CHECKING:
    from slicer import vtkMRMLNode

_SCHEME = "mrml"
"""Slicer's trees drag items as ``mrml://scene/subjecthierarchy/item?id=...``."""


class Drops(qt.QObject):
    """Takes what is dropped onto a widget, and lets the rest go where it went before.

    Args:
        widget: where it is dropped; it must outlive this object.
        takesFile: tells of a path whether it can be taken.
        onFile: called with the path that was dropped.
        takesNode, onNode: the same of a node of the scene.
    """

    def __init__(
        self,
        widget: qt.QWidget,
        *,
        takesFile: Callable[[str], bool],
        onFile: Callable[[str], None],
        takesNode: Callable[[vtkMRMLNode], bool],
        onNode: Callable[[vtkMRMLNode], None],
    ) -> None:
        qt.QObject.__init__(self)
        self._takesFile, self._onFile = takesFile, onFile
        self._takesNode, self._onNode = takesNode, onNode
        widget.acceptDrops = True
        widget.installEventFilter(self)

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:
        kind = event.type()
        if kind not in (qt.QEvent.DragEnter, qt.QEvent.DragMove, qt.QEvent.Drop):
            return False
        found = self._first(event.mimeData())
        if found is None:
            return False  # Slicer's window may know what to do with it
        event.acceptProposedAction()
        if kind == qt.QEvent.Drop:
            # After the drop has ended: what it starts may ask something.
            qt.QTimer.singleShot(0, found)
        return True

    def _first(self, data: qt.QMimeData) -> Callable[[], None] | None:
        """What is to be done with the first of what is dragged that can be taken."""
        for url in data.urls():
            node = _nodeOf(url)
            if node is not None:
                if self._takesNode(node):
                    return partial(self._onNode, node)
            elif url.isLocalFile() and self._takesFile(url.toLocalFile()):
                return partial(self._onFile, url.toLocalFile())
        return None


def _nodeOf(url: qt.QUrl) -> vtkMRMLNode | None:
    """The node of a dragged item of the subject hierarchy; None for anything else."""
    if url.scheme() != _SCHEME or "/item" not in url.path():
        return None
    number = qt.QUrlQuery(url).queryItemValue("id")
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    return tree.GetItemDataNode(int(number)) if number.isdigit() else None
