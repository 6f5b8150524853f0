"""Our color tables in a scene: those of Slicer (Viridis and the like) are files, maybe missing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import slicer
from SkullGANLib.plots import colormaps

SEQUENTIAL = "SkullGAN sequential"
"""For a value from low to high: dark violet, blue, green, pale yellow."""
DIVERGING = "SkullGAN diverging"
"""For a value on either side of zero: blue, light gray, orange."""

_TABLES: dict[str, tuple[Callable[[int], np.ndarray], str]] = {
    SEQUENTIAL: (
        colormaps.sequential,
        "From low to high, lighter all the way, in even steps (OKLab)",
    ),
    DIVERGING: (
        colormaps.diverging,
        "From below to above zero, gray between, in even steps (OKLab)",
    ),
}
_COLORS = 256


def table(scene: slicer.vtkMRMLScene, name: str = SEQUENTIAL) -> slicer.vtkMRMLColorTableNode:
    """Give a color table of ours, made if the scene has none yet.

    Args:
        scene: the scene.
        name: ``SEQUENTIAL`` or ``DIVERGING``.
    """
    found = scene.GetFirstNode(name, "vtkMRMLColorTableNode")
    if found is not None:
        return found
    made, description = _TABLES[name]
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(name)
    node.SetTypeToUser()
    node.SetDescription(description)
    node.SetNumberOfColors(_COLORS)
    for number, (red, green, blue) in enumerate(made(_COLORS)):
        node.SetColor(number, f"{number}", red, green, blue, 1.0)
    node.SetHideFromEditors(False)
    return scene.AddNode(node)


def add_legend(
    node: slicer.vtkMRMLDisplayableNode, title: str, digits: int
) -> slicer.vtkMRMLColorLegendDisplayNode:
    """Add the color legend of a node's display, or change the one it has.

    Args:
        node: a model or volume that is shown in colors.
        title: what the colors mean, with the unit.
        digits: behind the point, in the labels.
    """
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
    legend.SetTitleText(title)
    legend.SetLabelFormat(f"%.{digits}f")
    legend.SetNumberOfLabels(5)
    legend.SetVisibility(True)
    return legend


def legend_of(
    node: slicer.vtkMRMLDisplayableNode,
) -> slicer.vtkMRMLColorLegendDisplayNode | None:
    """The color legend of a node, if it has one."""
    return slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)


def renew_legend(node: slicer.vtkMRMLDisplayableNode) -> None:
    """Make the legend of a node anew: views show only those that came after them."""
    old = legend_of(node)
    if old is None:
        return
    title, label_format = old.GetTitleText(), old.GetLabelFormat()
    node.GetScene().RemoveNode(old)
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
    legend.SetTitleText(title)
    legend.SetLabelFormat(label_format)
