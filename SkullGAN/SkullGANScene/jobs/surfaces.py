"""The skull's surface for 3D views, made in a child process: Slicer would wait for it for seconds.

``python -m SkullGANScene.jobs.surfaces mask.nrrd surface.vtp`` makes it, ``show`` puts it into the
segmentation, where the Segment Editor makes it anew as soon as the mask is edited.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import slicer
    import vtk

_GRID_MM = 1.0
"""The mask is averaged to about so much: fewer triangles, and no steps where voxels are thick."""
_SMOOTHING_VOXELS = 0.6
"""Of that grid: the terraces of thick slices go, a wall of 1.5 mm stays."""
_PASS_BAND = 0.03
_ITERATIONS = 30
_CLOSED_SURFACE = "Closed surface"


def surface(mask: np.ndarray, ijk_to_ras: np.ndarray) -> vtk.vtkPolyData:
    """Make the smoothed closed surface of a mask.

    Args:
        mask: uint8 (slices, rows, columns), 1 inside.
        ijk_to_ras: float64 (4, 4), takes (column, row, slice, 1) to RAS mm.

    Returns:
        Triangles with normals, RAS mm.
    """
    import vtk
    from scipy.ndimage import gaussian_filter
    from vtk.util.numpy_support import numpy_to_vtk

    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    block = np.maximum(1, np.rint(_GRID_MM / spacing)).astype(int)
    # Empty all around, so that the surface is closed where the mask ends with its volume.
    share = _block_mean(np.pad(mask, [(step, 2 * step) for step in block[::-1]]), block[::-1])
    share = gaussian_filter(share, _SMOOTHING_VOXELS)
    image = vtk.vtkImageData()
    image.SetDimensions(share.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(share.ravel(), deep=True))
    # Block (0, 0, 0) is the padding before voxel 0.
    to_ijk = np.diag([*block, 1.0])
    to_ijk[:3, 3] = (block - 1) / 2 - block
    steps = [vtk.vtkFlyingEdges3D(), vtk.vtkTransformPolyDataFilter()]
    steps[0].SetInputData(image)
    steps[0].SetValue(0, 0.5)
    steps[0].ComputeNormalsOff()
    steps[1].SetTransform(_transform(ijk_to_ras @ to_ijk))
    steps += [vtk.vtkWindowedSincPolyDataFilter(), vtk.vtkPolyDataNormals()]
    steps[2].SetPassBand(_PASS_BAND)
    steps[2].SetNumberOfIterations(_ITERATIONS)
    steps[2].NormalizeCoordinatesOn()
    steps[3].SplittingOff()
    steps[3].AutoOrientNormalsOn()
    for one, after in itertools.pairwise(steps):
        after.SetInputConnection(one.GetOutputPort())
    steps[-1].Update()
    return steps[-1].GetOutput()


def show(node: slicer.vtkMRMLSegmentationNode, path: str | Path, world_to_node: np.ndarray) -> None:
    """Show a surface that was made of a segmentation's only segment, in 3D views.

    Args:
        node: the segmentation (``segmentations.add_skull``).
        path: what the child process wrote, in the world's RAS.
        world_to_node: float64 (4, 4), undoes the transform that the node is under.
    """
    import vtk

    reader = vtk.vtkXMLPolyDataReader()
    reader.SetFileName(str(path))
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetInputConnection(reader.GetOutputPort())
    moved.SetTransform(_transform(world_to_node))
    moved.Update()
    segment = node.GetSegmentation().GetNthSegment(0)
    segment.AddRepresentation(_CLOSED_SURFACE, moved.GetOutput())
    node.GetDisplayNode().SetPreferredDisplayRepresentationName3D(_CLOSED_SURFACE)
    node.GetDisplayNode().SetVisibility3D(True)
    node.Modified()


def main(arguments: Sequence[str]) -> int:
    """Read a mask as ``skullgan skull`` writes it and write its surface (.vtp)."""
    import SimpleITK as sitk
    import vtk
    from SkullGANLib.utils.atomic_files import written_aside

    mask_path, path = arguments
    image = sitk.ReadImage(mask_path)
    to_lps = np.eye(4)
    to_lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    to_lps[:3, 3] = image.GetOrigin()
    made = surface(sitk.GetArrayViewFromImage(image), np.diag([-1.0, -1.0, 1.0, 1.0]) @ to_lps)
    with written_aside(path) as temporary:
        writer = vtk.vtkXMLPolyDataWriter()
        writer.SetFileName(str(temporary))
        writer.SetInputData(made)
        writer.SetDataModeToAppended()
        writer.EncodeAppendedDataOff()
        writer.Write()
    return 0


def _block_mean(mask: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Average blocks of voxels, float32; what does not fill a block at the far ends is left out."""
    counts = [size // step for size, step in zip(mask.shape, block, strict=True)]
    used = mask[tuple(slice(0, n * step) for n, step in zip(counts, block, strict=True))]
    shape = [part for pair in zip(counts, block, strict=True) for part in pair]
    return used.reshape(shape).mean(axis=(1, 3, 5), dtype=np.float32)


def _transform(matrix: np.ndarray) -> vtk.vtkTransform:
    import vtk

    transform = vtk.vtkTransform()
    transform.SetMatrix(np.asarray(matrix, float).ravel())
    return transform


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
