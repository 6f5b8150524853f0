"""Hear the errors that VTK and MRML report beside their return values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import vtk


@contextmanager
def heard_errors() -> Iterator[list[str]]:
    """Collect the error messages of VTK while the block runs, in the order they come.

    Many readers and writers of VTK report a failure only as a message. Slicer's own message window
    keeps messages to itself: there the list stays empty, and return values decide.

    Example:
        >>> with heard_errors() as errors:
        ...     vtk.vtkOutputWindow.GetInstance().DisplayErrorText("the disk is full")
        >>> errors
        ['the disk is full']
    """
    errors: list[str] = []

    @vtk.calldata_type(vtk.VTK_STRING)
    def hear(_window: vtk.vtkObject, _event: str, message: str) -> None:
        errors.append(" ".join(message.split()))

    window = vtk.vtkOutputWindow.GetInstance()
    tag = window.AddObserver("ErrorEvent", hear)
    try:
        yield errors
    finally:
        window.RemoveObserver(tag)
