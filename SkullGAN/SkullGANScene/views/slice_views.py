"""Slice views that look at the segments of a stack (``volumes.add_stack``): one, or some together.

Only nodes are changed, which Slicer's views follow; where there are no views, in a script, nothing
needs to be called. ``arrange`` asks for a layout with views of its own, so that the user's keep
what they showed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import slicer.util
from SkullGANLib.data.stack import SLICE_DISTANCE_MM

from ..nodes import volumes

LAYOUT = 47128
"""Number of our layout: views below each other, for volumes whose slices belong together."""

_MARGIN = 1.06
_OPACITY = 0.5
_VIEW_NAMES = ("SkullGAN1", "SkullGAN2", "SkullGAN3")
_COLORS = ("#F34A33", "#6EB04B", "#EDD54C")
_VIEW = (
    '<item><view class="vtkMRMLSliceNode" singletontag="{name}">'
    '<property name="orientation" action="default">Axial</property>'
    '<property name="viewlabel" action="default">{label}</property>'
    '<property name="viewcolor" action="default">{color}</property>'
    "</view></item>"
)


def look_at(
    slice_node: slicer.vtkMRMLSliceNode,
    volume: slicer.vtkMRMLScalarVolumeNode,
    index: int,
    over: slicer.vtkMRMLScalarVolumeNode | None = None,
) -> None:
    """Let a view show a slice of a stack: upright and filling it, if it showed another volume.

    Args:
        slice_node: of the view.
        volume: the stack.
        index: of the segment.
        over: what is laid over it, half transparent; None for nothing.
    """
    shown = composite_of(slice_node)
    if shown is not None:
        shown.SetForegroundVolumeID(over.GetID() if over is not None else None)
        shown.SetForegroundOpacity(_OPACITY if over is not None else 0.0)
    if shown is not None and shown.GetBackgroundVolumeID() != volume.GetID():
        shown.SetBackgroundVolumeID(volume.GetID())
        shown.SetLabelVolumeID(None)
        slice_node.SetOrientation("Axial")
        _fit(slice_node, volume)
    slice_node.SetSliceOffset(index * SLICE_DISTANCE_MM)


def free_view(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLSliceNode:
    """Give the view to show something in: the red one, or if the layout lacks it, its first.

    Where the layout has no slice view but those of ``arrange``, it becomes the red one alone.
    """
    kind = "vtkMRMLSliceNode"
    red = scene.GetSingletonNode("Red", kind)
    nodes = (scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind)))
    others = [node for node in nodes if node.GetLayoutName() not in _VIEW_NAMES]
    seen = [node for node in (red, *others) if node is not None and node.IsMappedInLayout()]
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if not seen and layout is not None:
        layout.SetViewArrangement(layout.SlicerLayoutOneUpRedSliceView)
    return seen[0] if seen else red


def arrange(scene: slicer.vtkMRMLScene, labels: Sequence[str]) -> list[slicer.vtkMRMLSliceNode]:
    """Change the layout to up to three linked views below each other; gives their slice nodes.

    Args:
        scene: the scene; nothing happens where it has no layout.
        labels: for the corner of each view.
    """
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if layout is None:
        return []
    views = "".join(
        _VIEW.format(name=name, label=label, color=color)
        for name, label, color in zip(_VIEW_NAMES, labels, _COLORS, strict=False)
    )
    if not layout.IsLayoutDescription(LAYOUT):
        layout.AddLayoutDescription(LAYOUT, f'<layout type="vertical">{views}</layout>')
    layout.SetViewArrangement(LAYOUT)
    nodes = beside_views(scene)
    for node in nodes:
        node.SetViewGroup(LAYOUT)  # the user's views do not follow these
        shown = composite_of(node)
        if shown is None:
            continue
        shown.SetLinkedControl(True)
        shown.SetHotLinkedControl(True)
    return nodes


def beside_views(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSliceNode]:
    """Give the slice nodes of our layout, if it was asked for."""
    found = (scene.GetSingletonNode(name, "vtkMRMLSliceNode") for name in _VIEW_NAMES)
    return [node for node in found if node is not None]


def index_in(slice_node: slicer.vtkMRMLSliceNode) -> int:
    """Give the segment of its stack that a view shows."""
    return round(slice_node.GetSliceOffset() / SLICE_DISTANCE_MM)


def composite_of(
    slice_node: slicer.vtkMRMLSliceNode,
) -> slicer.vtkMRMLSliceCompositeNode | None:
    """Give the node that says which volumes a view shows."""
    scene, kind = slice_node.GetScene(), "vtkMRMLSliceCompositeNode"
    nodes = (scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind)))
    name = slice_node.GetLayoutName()
    return next((node for node in nodes if node.GetLayoutName() == name), None)


def _fit(slice_node: slicer.vtkMRMLSliceNode, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Center a view on the rows that segments use and make it as large as they allow."""
    values = slicer.util.arrayFromVolume(volume)
    used = np.flatnonzero(values[:: max(1, len(values) // 32)].any(axis=(0, 2)))
    first, last = (used[0], used[-1]) if used.size else (0, values.shape[1] - 1)
    to_ras = volumes.ijk_to_ras(volume)
    columns = values.shape[2]
    center = to_ras @ [(columns - 1) / 2, (first + last) / 2, 0, 1]
    spacing = volume.GetSpacing()
    needed = (columns * spacing[0] * _MARGIN, (last - first + 1) * spacing[1] * _MARGIN)
    across, down, _ = slice_node.GetDimensions()
    mm_per_pixel = max(needed[0] / max(across, 1), needed[1] / max(down, 1))
    for row in (0, 1):
        slice_node.GetSliceToRAS().SetElement(row, 3, center[row])
    depth = slice_node.GetFieldOfView()[2]
    slice_node.SetFieldOfView(mm_per_pixel * across, mm_per_pixel * down, depth)
    slice_node.UpdateMatrices()
