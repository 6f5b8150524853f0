"""Targets of an ultrasound array: point lists of one point."""

from __future__ import annotations

import slicer


def place(
    scene: slicer.vtkMRMLScene, target: slicer.vtkMRMLMarkupsFiducialNode | None, name: str
) -> slicer.vtkMRMLMarkupsFiducialNode:
    """Make a target that the next click in a view places, or let it place one again.

    Args:
        scene: the scene.
        target: to be placed again; its points go. A new one is made if None, or if it has several
            points, which are somebody's list.
        name: of a new one.
    """
    if target is None or target.GetNumberOfControlPoints() > 1:
        target = scene.AddNewNodeByClass(
            "vtkMRMLMarkupsFiducialNode", scene.GenerateUniqueName(name)
        )
        target.CreateDefaultDisplayNodes()
        target.SetMaximumNumberOfControlPoints(1)
    target.RemoveAllControlPoints()
    selection = scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    if selection is not None:
        selection.SetReferenceActivePlaceNodeClassName(target.GetClassName())
        selection.SetActivePlaceNodeID(target.GetID())
    return target
