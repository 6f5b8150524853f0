"""How a map is shown: the range of its colors, its legend, and whether it lies over the slices."""

from __future__ import annotations

import slicer
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import scalars

from . import color_tables

NOT_CALIBRATED = "not calibrated"
_LABEL = "SkullGAN.RealnessLabel"
_OPACITY = 0.6


def show_colors(node: slicer.vtkMRMLDisplayableNode, scalar: str) -> None:
    """Let the colors of a surface or an overlay reach over a scalar's range, with its legend.

    Raises:
        BadInputError: if the scalar is not known.
    """
    set_range(node, *scalars.color_range(scalar))
    color_tables.add_legend(node, title(scalar, label_of(node)), scalars.digits(scalar))


def set_range(node: slicer.vtkMRMLDisplayableNode, low: float, high: float) -> None:
    """Let the colors of a surface or an overlay reach from one value to another.

    Raises:
        BadInputError: if the range is empty.
    """
    if not low < high:
        raise BadInputError(
            f"Expected a range from the lower value to the higher, found {low:g} to {high:g}."
        )
    display = node.GetDisplayNode()
    if node.IsA("vtkMRMLModelNode"):
        display.SetScalarRange(low, high)
    else:
        display.SetWindowLevelMinMax(low, high)


def range_of(node: slicer.vtkMRMLDisplayableNode) -> tuple[float, float]:
    """From where to where the colors of a surface or an overlay reach."""
    display = node.GetDisplayNode()
    if node.IsA("vtkMRMLModelNode"):
        return tuple(display.GetScalarRange())
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()


def show_in_slices(
    overlay_node: slicer.vtkMRMLScalarVolumeNode | None,
    scene: slicer.vtkMRMLScene,
    opacity: float = _OPACITY,
) -> None:
    """Make an overlay the foreground of all slice views, or take the foreground away (None)."""
    for composite in _composites(scene):
        composite.SetForegroundVolumeID(overlay_node.GetID() if overlay_node else None)
        composite.SetForegroundOpacity(opacity if overlay_node else 0.0)


def show_legend(node: slicer.vtkMRMLDisplayableNode, shown: bool) -> None:
    """Show the legend of a surface or an overlay, or hide it."""
    legend = color_tables.legend_of(node)
    if legend is not None:
        legend.SetVisibility(shown)


def title(scalar: str, label: str = "") -> str:
    """What a scalar is called, with its unit; a realness with what it may be read as."""
    words = scalars.title(scalar)
    return f"{words} ({label or NOT_CALIBRATED})" if scalar == scalars.REALNESS else words


def set_label(node: slicer.vtkMRMLDisplayableNode, label: str) -> None:
    """Keep with a node what its realness may be read as, such as ``NOT_CALIBRATED``."""
    node.SetAttribute(_LABEL, label)


def label_of(node: slicer.vtkMRMLDisplayableNode) -> str:
    """What a node's realness may be read as; empty if that is not known."""
    return node.GetAttribute(_LABEL) or ""


def _composites(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSliceCompositeNode]:
    kind = "vtkMRMLSliceCompositeNode"
    return [scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))]
