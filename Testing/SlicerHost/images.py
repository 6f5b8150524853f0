"""Images of VTK as images of Qt: ``slicer.qMRMLUtils``."""

# ruff: noqa: N801, N802 - the names are Slicer's
from __future__ import annotations

import vtk
from PySide6 import QtGui
from vtk.util.numpy_support import vtk_to_numpy

_FORMATS = {3: QtGui.QImage.Format_RGB888, 4: QtGui.QImage.Format_RGBA8888}


def to_qt(image: vtk.vtkImageData) -> QtGui.QImage:
    """Give an RGB or RGBA image of bytes as one of Qt: VTK's lowest row is Qt's last.

    Raises:
        NotImplementedError: for other images.
    """
    parts = image.GetNumberOfScalarComponents()
    if image.GetScalarType() != vtk.VTK_UNSIGNED_CHAR or parts not in _FORMATS:
        what = f"{parts} {image.GetScalarTypeAsString()} a pixel"
        raise NotImplementedError(f"the host makes no QImage of {what}: needed are 3 or 4 bytes")
    width, height, _ = image.GetDimensions()
    rows = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width * parts)[::-1]
    return QtGui.QImage(rows.tobytes(), width, height, width * parts, _FORMATS[parts]).copy()


class qMRMLUtils:
    """What scripts use to show an image of VTK in a label."""

    def vtkImageDataToQImage(self, image: vtk.vtkImageData, into: QtGui.QImage) -> bool:
        into.swap(to_qt(image))
        return True
