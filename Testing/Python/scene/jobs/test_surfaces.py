"""The surface of a skull for 3D views, of masks whose surface is known."""

import numpy as np
import vtk
from SkullGANScene.jobs import surfaces


def test_a_box_has_the_surface_of_a_box():
    """20 x 16 x 12 mm: corners round a little, sides stay where they are."""
    mask = np.zeros((30, 30, 30), np.uint8)
    mask[9:21, 7:23, 5:25] = 1
    made = surfaces.surface(mask, np.eye(4))
    bounds = np.reshape(made.GetBounds(), (3, 2))
    assert np.allclose(bounds, [[4.5, 24.5], [6.5, 22.5], [8.5, 20.5]], atol=0.3)


def test_a_surface_stays_closed_where_the_mask_ends_with_its_volume():
    mask = np.ones((9, 9, 9), np.uint8)
    made = surfaces.surface(mask, np.diag([0.5, 0.5, 0.5, 1.0]))
    edges = vtk.vtkFeatureEdges()
    edges.SetInputData(made)
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.Update()
    assert edges.GetOutput().GetNumberOfCells() == 0
