"""What a map says at a point."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes.map_probe import Probe


def test_a_point_says_value_unit_bone_and_side(surface):
    probe = Probe(surface)
    reading = probe.at([4.2, -3.1, 7.0])
    assert reading.values["thickness_mm"] == pytest.approx(8.0)
    assert reading.text("thickness_mm") == "8.0 mm, right parietal"
    assert reading.distance_mm == pytest.approx(np.sqrt(0.2**2 + 0.1**2 + 1), abs=1e-3)
    assert probe.at([0.0, 0.0, 60.0]) is None
    lost = probe.at([5.0, 10.0, 6.0])
    assert np.isnan(lost.values["sdr_peaks"])
    assert lost.text("sdr_peaks") == "not measured (air), right frontal"


def test_a_model_that_is_no_map_is_refused(scene):
    other = scene.AddNewNodeByClass("vtkMRMLModelNode", "Sphere")
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    other.SetAndObservePolyData(sphere.GetOutput())
    with pytest.raises(BadInputError, match="'Sphere' is no map of a calvaria"):
        Probe(other)
