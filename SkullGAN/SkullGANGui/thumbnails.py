"""Segments as small pictures in panels."""

from __future__ import annotations

import numpy as np
import qt
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

WINDOW_HU = (0.0, 2000.0)
"""From black to white, as in contact sheets."""


def pixmap(hu: np.ndarray, *, zoom: int = 1, rows: slice = slice(None)) -> qt.QPixmap:
    """Make a picture of a segment.

    Args:
        hu: int16 (128, 128), HU.
        zoom: screen pixels for a pixel.
        rows: those to show; the lower half of a segment is mostly empty.
    """
    shades = gray(hu[rows]).repeat(zoom, axis=0).repeat(zoom, axis=1)
    return colored(np.repeat(shades[..., None], 3, axis=2))


def gray(hu: np.ndarray) -> np.ndarray:
    """Give the shades of HU in ``WINDOW_HU``, uint8, 0 for black."""
    low, high = WINDOW_HU
    shades = np.clip((hu.astype(np.float32) - low) * (255 / (high - low)), 0, 255)
    return shades.astype(np.uint8)


def icon(picture: qt.QPixmap) -> qt.QIcon:
    """Give a picture as an icon that stays as it is where it is selected: tints change grays."""
    found = qt.QIcon(picture)
    found.addPixmap(picture, qt.QIcon.Selected)
    return found


def colored(rgb: np.ndarray) -> qt.QPixmap:
    """Make a picture of uint8 (rows, columns, 3)."""
    image = vtk.vtkImageData()
    image.SetDimensions(rgb.shape[1], rgb.shape[0], 1)
    # VTK counts rows from below.
    pixels = np.ascontiguousarray(rgb[::-1]).reshape(-1, 3)
    image.GetPointData().SetScalars(numpy_to_vtk(pixels, deep=True))
    shown = qt.QImage()
    slicer.qMRMLUtils().vtkImageDataToQImage(image, shown)
    return qt.QPixmap.fromImage(shown)


def used_rows(hu: np.ndarray, margin: int = 4) -> slice:
    """Give the rows that any of the segments (N, 128, 128) uses, with a margin around."""
    used = np.flatnonzero(hu.any(axis=(0, 2)))
    if not used.size:
        return slice(0, hu.shape[1])
    return slice(max(used[0] - margin, 0), min(used[-1] + margin + 1, hu.shape[1]))
